//! Events with all their options.

use std::{collections::BTreeSet, sync::Arc};

use serde_json::{Value, json};
use tests::deliveries::secret;
use uploadcare_hooks::{Event, payload};
use uploadcare_sim::Subscription;

use super::{Api, TARGET, detail, receiver::Receiver, simulator};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_burst_is_for_as_many_files() {
    let simulator = simulator();
    let api = Api::of(&simulator);
    let receiver = Receiver::start(&[]).await;
    api.subscribe(&receiver.url("/"), "file.stored").await;
    let ids = api.trigger(json!({"event": "file.stored", "burst": 5, "copies": 2})).await;
    api.finished(10).await;
    let uuids: BTreeSet<_> = simulator.deliveries().iter().map(|delivery| delivery.uuid).collect();
    assert_eq!((ids.len(), uuids.len(), receiver.got().len()), (10, 5, 10));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_raw_payload_is_sent_as_it_is_and_signed() {
    let simulator = simulator();
    let api = Api::of(&simulator);
    let receiver = Receiver::start(&[]).await;
    api.subscribe(&receiver.url("/"), "comet.seen").await;
    let payload = "{ \"a\" : 1.50,\n\t\"b\": \"\\u00e9\" }";
    api.trigger(json!({"event": "comet.seen", "payload": payload})).await;
    api.finished(1).await;
    let (signature, body) = receiver.signed().remove(0);
    assert_eq!(body, payload.as_bytes());
    assert!(secret().verify(&body, &signature).is_ok());
    let problem = detail(api.post("/events", json!({"event": "a", "payload": "cat"})).await, 400);
    assert!(problem.contains("`payload` is no valid JSON"), "{problem}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn payloads_have_the_form_of_the_version_of_the_order_or_of_the_subscription() {
    let simulator = simulator();
    let api = Api::of(&simulator);
    let receiver = Receiver::start(&[]).await;
    let id = api.subscribe(&receiver.url("/new"), "file.uploaded").await;
    let made = simulator.subscriptions()[0].clone();
    let old =
        simulator.subscribe(Subscription { version: Some("0.5".to_owned()), target_url: receiver.url("/old"), ..made });
    for (order, version) in [
        (json!({"subscriptions": [id]}), "0.7"),
        (json!({"subscriptions": [id], "version": "0.6"}), "0.6"),
        (json!({"subscriptions": [old.id]}), "0.5"),
        (json!({"subscriptions": [old.id], "version": "0.7"}), "0.7"),
        (json!({"subscriptions": [id], "version": ""}), ""),
    ] {
        let order =
            [order.as_object().unwrap().clone(), json!({"event": "file.uploaded"}).as_object().unwrap().clone()];
        let delivery = api.trigger(Value::Object(order.into_iter().flatten().collect())).await.remove(0);
        let body: Value = serde_json::from_str(api.delivery(&delivery).await["body"].as_str().unwrap()).unwrap();
        assert_eq!(body["hook"]["version"], version);
        assert_eq!(body["data"].get("appdata").is_some(), version == "0.7", "{version}");
        let read: Result<payload::v0_6::FileUploaded, _> = serde_json::from_value(body.clone());
        assert!(read.is_ok() && Event::from_slice(body.to_string().as_bytes()).is_ok());
    }
    for (order, says) in [
        (json!({"event": "file.stored", "version": "0.6"}), "only event of the versions before 0.7"),
        (
            json!({"event": "file.uploaded", "subscriptions": [old.id], "infected": true}),
            "have no result of a virus scan",
        ),
        (json!({"event": "file.uploaded", "subscriptions": [99]}), "there is no subscription 99"),
    ] {
        let problem = detail(api.post("/events", order.clone()).await, 400);
        assert!(problem.contains(says), "{order}: {problem}");
    }
}

#[tokio::test]
async fn scans_labels_and_chosen_subscriptions_are_applied() {
    let simulator = simulator();
    let api = Api::of(&simulator);
    let paused = api.subscribe(TARGET, "file.stored").await;
    api.patch(&format!("/subscriptions/{paused}"), json!({"is_active": false})).await;
    assert_eq!(api.trigger(json!({"event": "file.uploaded"})).await, [""; 0]);
    let order = json!({
        "event": "file.uploaded", "subscriptions": [paused], "infected": false, "labels": ["Cat"], "delay_ms": 60_000
    });
    let id = api.trigger(order).await.remove(0);
    let body: Value = serde_json::from_str(api.delivery(&id).await["body"].as_str().unwrap()).unwrap();
    assert_eq!(body["data"]["appdata"]["uc_clamav_virus_scan"]["data"], json!({"infected": false}));
    assert_eq!(body["data"]["appdata"]["aws_rekognition_detect_labels"]["data"]["Labels"][0]["Name"], "Cat");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn waiting_deliveries_are_limited_by_their_bytes_and_copies_share_a_payload() {
    let simulator = simulator();
    let api = Api::of(&simulator);
    api.subscribe(TARGET, "file.stored").await;
    let large = "x".repeat(1_000_000);
    // One payload, however often it is sent.
    let raw = format!("\"{large}\"");
    let order = json!({"event": "file.stored", "payload": raw, "burst": 1000, "delay_ms": 3_600_000});
    let ids = api.trigger(order).await;
    let deliveries = simulator.deliveries();
    assert!(ids.len() == 1000 && deliveries.iter().all(|one| Arc::ptr_eq(&one.body, &deliveries[0].body)));
    // Each of these has a payload of its own.
    let order = json!({"event": "file.stored", "data": {"x": large}, "burst": 150, "delay_ms": 3_600_000});
    let problem = detail(api.post("/events", order.clone()).await, 503);
    assert!(problem.starts_with("the deliveries that wait would take more than 128 MiB; wait"), "{problem}");
    assert_eq!(simulator.deliveries().len(), 1000, "all or none are kept");
    let small = json!({"event": "file.stored", "data": {"x": large}, "burst": 100, "delay_ms": 3_600_000});
    api.trigger(small.clone()).await;
    // The small part that is left counts what waits already.
    assert!(detail(api.post("/events", small.clone()).await, 503).contains("128 MiB"));
    api.post("/reset", json!({"keep_subscriptions": true})).await;
    api.trigger(small).await;
}
