//! Tests of the simulator, as clients and receivers use it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

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
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use uploadcare_hooks::{
    DeliveryId, Event, EventKind, FileInfoUpdated, State, WebhookRouter,
    client::{Auth, Client, ClientError, CreateWebhook, UpdateWebhook},
    webhook_handler, webhook_handlers,
};
use uploadcare_sim::{Attempt, Fault, FaultKind, SimulatedEvent, Simulator};

const TARGET: &str = "https://app.example.com/hooks";

fn simulator() -> Simulator {
    let delays = [5, 10, 20].map(Duration::from_millis);
    let builder = Simulator::builder("demopublickey", "demosecretkey").redelivery_delays(delays);
    builder.start("127.0.0.1:0".parse().unwrap()).unwrap()
}

fn client(simulator: &Simulator, auth: Auth) -> Client {
    let builder = Client::builder("demopublickey", "demosecretkey").base_url(simulator.base_url()).auth(auth);
    builder.retry_delay(Duration::from_millis(1)).timeout(Duration::from_millis(500)).build().unwrap()
}

/// Waits until the simulator has made this number of attempts to deliver.
async fn attempts(simulator: &Simulator, number: usize) -> Vec<Attempt> {
    for _ in 0..500 {
        let attempts = simulator.attempts();
        if attempts.len() >= number {
            return attempts;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the only attempts are {:?}", simulator.attempts());
}

#[tokio::test]
async fn subscriptions_are_made_changed_and_deleted_with_both_schemes() {
    for auth in [Auth::Signed, Auth::Simple] {
        let simulator = simulator();
        let client = client(&simulator, auth);
        assert_eq!(client.list().await.unwrap(), []);
        let stored = CreateWebhook::new(TARGET, EventKind::FileStored).signing_secret(secret());
        let created = client.create(&stored).await.unwrap();
        assert_eq!((created.event.as_str(), created.is_active, created.version.as_str()), ("file.stored", true, "0.7"));
        assert_eq!(created.signing_secret, Some(secret()));
        let again = client.create(&stored).await.unwrap_err();
        assert!(matches!(&again, ClientError::AlreadySubscribed(error) if error.request_id.is_some()), "{again}");
        let paused = client.update(created.id, &UpdateWebhook::new().is_active(false)).await.unwrap();
        assert_eq!((paused.is_active, &paused.signing_secret), (false, &created.signing_secret));
        assert!(matches!(
            client.update(99, &UpdateWebhook::new().is_active(true)).await,
            Err(ClientError::NotFound(_))
        ));
        let other = client.create(&CreateWebhook::new(TARGET, EventKind::FileDeleted)).await.unwrap();
        client.delete(other.id).await.unwrap();
        assert_eq!(
            (client.list().await.unwrap(), client.get(paused.id).await.unwrap()),
            (vec![paused.clone()], paused)
        );
        assert!(matches!(client.get(other.id).await, Err(ClientError::NotFound(_))));
        client.unsubscribe(TARGET).await.unwrap();
        assert_eq!(client.list().await.unwrap(), []);
    }
}

#[tokio::test]
async fn wrong_keys_are_refused() {
    let simulator = simulator();
    for (public, secret, auth) in [
        ("demopublickey", "wrong", Auth::Signed),
        ("wrong", "demosecretkey", Auth::Signed),
        ("demopublickey", "wrong", Auth::Simple),
    ] {
        let client = Client::builder(public, secret).base_url(simulator.base_url()).auth(auth).build().unwrap();
        let error = client.list().await.unwrap_err();
        assert!(matches!(error, ClientError::Authentication(_)), "{error}");
    }
}

#[tokio::test]
async fn forms_and_json_are_read_and_checked_alike() {
    let simulator = simulator();
    let http = reqwest::Client::new();
    let send = async |content_type: &str, body: String| {
        let request = http
            .post(format!("{}/webhooks/", simulator.base_url()))
            .header("Accept", "application/vnd.uploadcare-v0.7+json")
            .header("Authorization", "Uploadcare.Simple demopublickey:demosecretkey")
            .header("Content-Type", content_type.to_owned());
        let answer = request.body(body).send().await.unwrap();
        assert_eq!(answer.headers()["content-type"], "application/vnd.uploadcare-v0.7+json");
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    let form = "application/x-www-form-urlencoded";
    let json = "application/json";
    let long = "a".repeat(33);
    for (content_type, body, status, says) in [
        (
            form,
            "target_url=http%3A%2F%2Fx.example&event=file.stored&is_active=False".to_owned(),
            201,
            r#""is_active":false"#,
        ),
        (
            json,
            json!({"target_url": "http://x.example", "event": "file.stored"}).to_string(),
            400,
            "already subscribed",
        ),
        (form, "event=file.stored".to_owned(), 400, "`target_url` is missing."),
        (form, "target_url=nowhere&event=file.stored".to_owned(), 400, "valid URL"),
        (json, json!({"target_url": "http://x.example", "event": "file.moved"}).to_string(), 400, "not a valid choice"),
        (json, json!({"target_url": "http://x.example"}).to_string(), 400, "required"),
        (
            json,
            json!({"target_url": "http://y.example", "event": "file.stored", "signing_secret": long}).to_string(),
            400,
            "32 characters",
        ),
        (json, "{".to_owned(), 400, "JSON parse error"),
    ] {
        let (answered, text) = send(content_type, body.clone()).await;
        assert_eq!(answered, status, "{body}: {text}");
        assert!(text.contains(says), "{body}: {text}");
    }
    let url = format!("{}/webhooks/", simulator.base_url());
    assert_eq!(http.get(&url).send().await.unwrap().status(), 406);
}

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
    let pets = (event.data.metadata.get("pet").map(String::as_str), before.get("pet").and_then(Option::as_deref));
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

/// Requests an event with exactly these headers. Returns the status and the whole answer.
async fn order_with(simulator: &Simulator, headers: &str) -> (u16, String) {
    let address = simulator.base_url().replace("http://", "");
    let mut stream = TcpStream::connect(address).await.unwrap();
    let body = r#"{"event": "file.stored"}"#;
    // The server itself refuses a request of HTTP/1.1 without a `Host`.
    let version = if headers.is_empty() { "1.0" } else { "1.1" };
    let request = format!(
        "POST /_sim/events HTTP/{version}\r\nconnection: close\r\ncontent-length: {}\r\n{headers}\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    (answer.split(' ').nth(1).unwrap().parse().unwrap(), answer)
}

#[tokio::test]
async fn web_pages_of_other_sites_cannot_control_the_simulator() {
    for listen in ["127.0.0.1:0", "0.0.0.0:0"] {
        let simulator = Simulator::builder("k", "s").start(listen.parse().unwrap()).unwrap();
        let base_url = simulator.base_url();
        let port = base_url.rsplit(':').next().unwrap();
        let own = base_url.replace("http://", "");
        for headers in [
            format!("host: {own}\r\n"),
            format!("host: 127.0.0.1:{port}\r\n"),
            format!("host: LOCALHOST:{port}\r\n"),
            format!("host: [::1]:{port}\r\n"),
            format!("host: {own}\r\norigin: {base_url}\r\n"),
            format!("host: {own}\r\norigin: http://localhost:{port}\r\n"),
        ] {
            let (status, answer) = order_with(&simulator, &headers).await;
            assert_eq!(status, 202, "{listen} {headers}: {answer}");
        }
        for headers in [
            String::new(),
            "host: localhost\r\n".to_owned(),
            "host: 127.0.0.1:1\r\n".to_owned(),
            format!("host: evil.example:{port}\r\n"),
            format!("host: evil.example:{port}\r\norigin: http://evil.example:{port}\r\n"),
            format!("host: {own}\r\norigin: http://evil.example\r\n"),
            format!("host: {own}\r\norigin: http://localhost:3000\r\n"),
            format!("host: {own}\r\norigin: https://localhost:{port}\r\n"),
            format!("host: {own}\r\norigin: null\r\n"),
        ] {
            let (status, answer) = order_with(&simulator, &headers).await;
            assert_eq!(status, 403, "{listen} {headers}: {answer}");
            assert!(answer.contains(&format!("http://localhost:{port}")), "{answer}");
            serde_json::from_str::<Value>(answer.split("\r\n\r\n").nth(1).unwrap()).unwrap();
        }
    }
    // Every endpoint below `/_sim` refuses foreign requests; the REST API does not.
    let simulator = simulator();
    for (path, status) in [("_sim/deliveries", 403), ("_sim/faults", 403), ("_sim/", 403), ("webhooks/", 406)] {
        let request = reqwest::Client::new().get(format!("{}/{path}", simulator.base_url()));
        let answer = request.header("Host", "evil.example").send().await.unwrap();
        assert_eq!(answer.status(), status, "{path}");
    }
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
async fn faults_are_ordered_over_http_and_begin_after_good_calls() {
    let simulator = simulator();
    let client = Client::builder("demopublickey", "demosecretkey").base_url(simulator.base_url()).retries(0);
    let client = client.build().unwrap();
    let order = async |body: Value| {
        let request = reqwest::Client::new().post(format!("{}/_sim/faults", simulator.base_url()));
        request.body(body.to_string()).send().await.unwrap().status().as_u16()
    };
    assert_eq!(order(json!({"fault": "throttle", "after": 1, "times": 2})).await, 204);
    assert_eq!(order(json!({"fault": "error", "after": 1})).await, 204);
    assert_eq!(order(json!({"fault": "boredom"})).await, 400);
    let mut outcomes = Vec::new();
    for _ in 0..6 {
        outcomes.push(match client.list().await {
            Ok(_) => "ok",
            Err(ClientError::Throttled { .. }) => "throttled",
            Err(ClientError::Server(_)) => "server",
            Err(_) => "other",
        });
    }
    assert_eq!(outcomes, ["ok", "throttled", "throttled", "ok", "server", "ok"]);
}

#[tokio::test]
async fn the_client_gets_over_every_fault_and_makes_nothing_twice() {
    let kinds = [FaultKind::Throttle, FaultKind::Error, FaultKind::Cut, FaultKind::Slow];
    let all = kinds.into_iter().flat_map(|kind| [(kind, false), (kind, true)]);
    futures_util::future::join_all(all.map(|(kind, carried_out)| get_over(kind, carried_out))).await;
}

/// Makes each call of the client fail once with this fault.
async fn get_over(kind: FaultKind, carried_out: bool) {
    // Uploadcare does not carry out a call that it throttles. If it did, the client could not know,
    // and an error about the second call would be right.
    let odd = (kind, carried_out) == (FaultKind::Throttle, true);
    let simulator = simulator();
    let client = client(&simulator, Auth::Signed);
    let fault = || simulator.fault(Fault { carried_out, ..Fault::new(kind) });
    fault();
    let webhook = CreateWebhook::new(TARGET, EventKind::FileStored).signing_secret(secret());
    match client.create(&webhook).await {
        Err(ClientError::AlreadySubscribed(_)) if odd => {}
        created => assert!(created.is_ok(), "{kind:?} {carried_out}: {created:?}"),
    }
    assert_eq!(simulator.subscriptions().len(), 1, "{kind:?} {carried_out}");
    fault();
    let list = client.list().await.unwrap();
    fault();
    let update = UpdateWebhook::new().is_active(false);
    assert!(!client.update(list[0].id, &update).await.unwrap().is_active, "{kind:?} {carried_out}");
    fault();
    let deleted = client.delete(list[0].id).await;
    assert!(deleted.is_ok() || odd, "{kind:?} {carried_out}: {deleted:?}");
    assert!(simulator.subscriptions().is_empty());
}
