//! Deliveries and redeliveries to a real receiver, and the log of attempts.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, json};
use tests::{deliveries::secret, servers::Adapter};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    net::TcpListener,
};
use uploadcare_hooks::{
    DeliveryId, Event, EventKind, FileInfoUpdated, State, WebhookRouter,
    client::{Auth, CreateWebhook, UpdateWebhook},
    payload::Text,
    webhook_handler, webhook_handlers,
};
use uploadcare_sim::{Attempt, SimulatedEvent, Simulator};

use super::{Api, attempts, builder, client, simulator};

/// How many times a handler fails before it succeeds.
type Failures = Arc<AtomicUsize>;

#[webhook_handler(any)]
async fn fail_at_first(event: Event, _id: DeliveryId, State(failures): State<Failures>) -> Result<(), String> {
    assert!(event.file().is_some());
    match failures.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)) {
        Ok(_) => Err("not yet".to_owned()),
        Err(_) => Ok(()),
    }
}

#[webhook_handler(event = "file.info_updated")]
async fn pets(event: FileInfoUpdated) -> Result<(), String> {
    let before = event.previous_values.metadata.unwrap_or_default();
    let pets = (event.data.metadata.get("pet").map(Text::as_str), before.get("pet").and_then(Option::as_deref));
    if pets == (Some("cat"), Some("dog")) { Ok(()) } else { Err(format!("{pets:?}")) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_event_is_delivered_signed_and_again_until_it_is_acknowledged() {
    let simulator = simulator();
    let client = client(&simulator, Auth::Signed);
    let failures = Failures::default();
    let hooks = WebhookRouter::builder()
        .signing_secret(secret())
        .state(Arc::clone(&failures))
        .handlers(webhook_handlers![fail_at_first, pets])
        .build()
        .unwrap();
    let address = Adapter::Http.serve(hooks, false).await.unwrap();
    let target = format!("http://{address}/hooks");
    for event in EventKind::KNOWN {
        let webhook = CreateWebhook::new(&target, EventKind::from(*event)).signing_secret(secret());
        client.create(&webhook).await.unwrap();
    }
    for (number, event) in EventKind::KNOWN.iter().enumerate() {
        simulator.trigger(&SimulatedEvent::new(*event));
        let attempts = attempts(&simulator, number + 1).await;
        assert_eq!((attempts[number].event.as_str(), attempts[number].status), (*event, Some(204)));
    }
    failures.store(2, Ordering::SeqCst);
    simulator.trigger(&SimulatedEvent::new("file.stored"));
    let all = attempts(&simulator, 8).await;
    let statuses: Vec<_> = all[5..].iter().map(|attempt| (attempt.attempt, attempt.status)).collect();
    assert_eq!(statuses, [(1, Some(500)), (2, Some(500)), (3, Some(204))]);
    assert!(all[5..].iter().all(|attempt| attempt.delivery == all[5].delivery));
    // The simulator gives up after the last delay.
    failures.store(100, Ordering::SeqCst);
    simulator.trigger(&SimulatedEvent { copies: 2, ..SimulatedEvent::new("file.deleted") });
    attempts(&simulator, 16).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(simulator.attempts().len(), 16);
    let last = simulator.attempts_after(15);
    assert_eq!((last.len(), last[0].event.as_str()), (1, "file.deleted"));
    assert_eq!(simulator.attempts_after(17).len(), 0);
    // A paused subscription gets nothing.
    let paused = client.list().await.unwrap()[0].clone();
    client.update(paused.id, &UpdateWebhook::new().is_active(false)).await.unwrap();
    simulator.trigger(&SimulatedEvent::new(paused.event.as_str()));
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(simulator.attempts().len(), 16);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_happen_over_http_overtake_each_other_and_attempts_are_listed() {
    let simulator = simulator();
    let client = client(&simulator, Auth::Signed);
    let hooks = WebhookRouter::builder().signing_secret(secret()).state(Failures::default());
    let hooks = hooks.handlers(webhook_handlers![fail_at_first]).build().unwrap();
    let address = Adapter::Actix.serve(hooks, false).await.unwrap();
    for event in [EventKind::FileStored, EventKind::FileDeleted] {
        let webhook = CreateWebhook::new(format!("http://{address}/hooks"), event);
        client.create(&webhook.signing_secret(secret())).await.unwrap();
    }
    let http = reqwest::Client::new();
    let base_url = simulator.base_url();
    let trigger = async |body: Value| {
        http.post(format!("{base_url}/_sim/events")).body(body.to_string()).send().await.unwrap().status().as_u16()
    };
    assert_eq!(trigger(json!({"event": "file.stored", "delay_ms": 200, "data": {"size": 3}})).await, 202);
    assert_eq!(trigger(json!({"event": "file.deleted"})).await, 202);
    assert_eq!(trigger(json!({"event": "file.uploaded"})).await, 202);
    assert_eq!(trigger(json!({"data": {}})).await, 400);
    attempts(&simulator, 2).await;
    let answer = http.get(format!("{base_url}/_sim/deliveries")).send().await.unwrap().text().await.unwrap();
    let listed: Vec<Value> = serde_json::from_str(&answer).unwrap();
    let listed: Vec<_> =
        listed.iter().map(|attempt| (attempt["event"].as_str().unwrap(), attempt["status"].as_u64())).collect();
    assert_eq!(listed, [("file.deleted", Some(204)), ("file.stored", Some(204))]);
}

#[tokio::test]
async fn too_many_copies_are_refused_with_the_limit() {
    let simulator = simulator();
    let order = async |copies: usize| {
        let body = json!({"event": "file.stored", "copies": copies}).to_string();
        let request = reqwest::Client::new().post(format!("{}/_sim/events", simulator.base_url()));
        let answer = request.body(body).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    assert_eq!(order(1000).await.0, 202);
    let (status, text) = order(1001).await;
    assert_eq!(status, 400);
    assert!(text.contains("the limit is 1000"), "{text}");
}

#[tokio::test]
async fn the_newest_attempts_are_kept_and_known_ones_are_counted_from_the_first_ever() {
    let builder = Simulator::builder("demopublickey", "demosecretkey").redelivery_delays([]).kept_attempts(3);
    let simulator = builder.start("127.0.0.1:0".parse().unwrap()).unwrap();
    // The simulator's REST API receives the deliveries and refuses them: these are attempts as
    // well.
    for event in [EventKind::FileStored, EventKind::FileDeleted] {
        let webhook = CreateWebhook::new(simulator.base_url(), event);
        client(&simulator, Auth::Signed).create(&webhook).await.unwrap();
    }
    let trigger = async |event: &str, before: usize| {
        simulator.trigger(&SimulatedEvent::new(event));
        for _ in 0..500 {
            if !simulator.attempts_after(before).is_empty() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the attempt after the first {before} is missing");
    };
    for number in 0..4 {
        trigger("file.stored", number).await;
    }
    trigger("file.deleted", 4).await;
    let events = |attempts: Vec<Attempt>| attempts.into_iter().map(|attempt| attempt.event).collect::<Vec<_>>();
    let kept = ["file.stored", "file.stored", "file.deleted"];
    assert_eq!(events(simulator.attempts()), kept);
    assert_eq!(events(simulator.attempts_after(1)), kept);
    assert_eq!(events(simulator.attempts_after(3)), ["file.stored", "file.deleted"]);
    assert_eq!(events(simulator.attempts_after(4)), ["file.deleted"]);
    assert_eq!(events(simulator.attempts_after(5)), [""; 0]);
    let listed = reqwest::get(format!("{}/_sim/deliveries", simulator.base_url())).await.unwrap();
    let listed: Vec<Value> = serde_json::from_str(&listed.text().await.unwrap()).unwrap();
    assert_eq!(listed.len(), 3);
}

#[tokio::test]
async fn the_headers_of_a_request_are_listed_as_a_socket_receives_them() {
    let simulator = builder().redelivery_delays([]).start("127.0.0.1:0".parse().unwrap()).unwrap();
    let api = Api::of(&simulator);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    api.subscribe(&format!("http://{}/hooks", listener.local_addr().unwrap()), "file.stored").await;
    for fault in [json!({}), json!({"slow_body": {"probability": 1, "ms": 10}}), json!({"cut": {"probability": 1}})] {
        api.patch("/delivery_faults", fault.clone()).await;
        let id = api.trigger(json!({"event": "file.stored"})).await.remove(0);
        let (stream, _) = listener.accept().await.unwrap();
        let mut lines = BufReader::new(stream).lines();
        let mut received = Vec::new();
        assert_eq!(lines.next_line().await.unwrap().unwrap(), "POST /hooks HTTP/1.1");
        while let Some(line) = lines.next_line().await.unwrap().filter(|line| !line.is_empty()) {
            let (name, value) = line.split_once(": ").unwrap();
            received.push(json!([name, value]));
        }
        // Without an answer the attempt fails.
        drop(lines);
        let mut delivery = api.delivery(&id).await;
        while delivery["attempts"] == json!([]) {
            tokio::time::sleep(Duration::from_millis(5)).await;
            delivery = api.delivery(&id).await;
        }
        assert_eq!(delivery["attempts"][0]["request_headers"], Value::from(received), "{fault}");
    }
}
