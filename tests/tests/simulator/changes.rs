//! The stream of changes.

use std::time::Duration;

use futures_util::StreamExt;
use serde_json::{Value, json};

use super::{Api, detail, receiver::Receiver, simulator};

/// Reads the events of a stream.
struct Events {
    answer: reqwest::Response,
    read: String,
}

impl Events {
    async fn open(api: &Api, query: &str) -> Self {
        let answer = api.http.get(format!("{}/_sim/changes{query}", api.base_url)).send().await.unwrap();
        assert_eq!(
            (answer.status().as_u16(), &answer.headers()["content-type"]),
            (200, &"text/event-stream".parse().unwrap())
        );
        let mut events = Self { answer, read: String::new() };
        assert_eq!(events.next().await, ("ready".to_owned(), json!({"ready": true})));
        events
    }

    async fn next(&mut self) -> (String, Value) {
        loop {
            if let Some((event, rest)) = self.read.split_once("\n\n") {
                let (name, data) = event.split_once("\ndata: ").unwrap();
                let event = (name.strip_prefix("event: ").unwrap().to_owned(), serde_json::from_str(data).unwrap());
                self.read = rest.to_owned();
                return event;
            }
            let chunk = tokio::time::timeout(Duration::from_secs(10), self.answer.chunk()).await.unwrap();
            self.read.push_str(std::str::from_utf8(&chunk.unwrap().unwrap()).unwrap());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_that_changes_after_the_first_event_is_told() {
    let simulator = simulator();
    let api = Api::of(&simulator);
    let receiver = Receiver::start(&[500]).await;
    let mut events = Events::open(&api, "").await;
    api.subscribe(&receiver.url("/"), "file.stored").await;
    assert_eq!(events.next().await.0, "subscriptions");
    let id = api.trigger(json!({"event": "file.stored"})).await.remove(0);
    let (name, delivery) = events.next().await;
    assert_eq!((name.as_str(), &delivery["id"], &delivery["state"]), ("delivery", &json!(id), &json!("waiting")));
    for (number, status, state) in [(1, 500, "waiting"), (2, 204, "acknowledged")] {
        let (name, delivery) = events.next().await;
        assert_eq!((name.as_str(), &delivery["state"]), ("delivery", &json!(state)));
        assert_eq!(delivery["attempts"].as_array().unwrap().len(), number);
        let (name, attempt) = events.next().await;
        assert_eq!((name.as_str(), &attempt["delivery"], &attempt["status"]), ("attempt", &json!(id), &json!(status)));
    }
    api.post("/faults", json!({"fault": "error"})).await;
    assert_eq!(events.next().await.0, "faults");
    api.post("/reset", json!({})).await;
    assert_eq!(events.next().await.0, "reset");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn filters_choose_deliveries_and_attempts() {
    let simulator = simulator();
    let api = Api::of(&simulator);
    let receiver = Receiver::start(&[]).await;
    for event in ["file.stored", "file.deleted"] {
        api.subscribe(&receiver.url("/"), event).await;
    }
    let mut events = Events::open(&api, "?event=file.stored&status=acknowledged").await;
    api.trigger(json!({"event": "file.deleted"})).await;
    api.finished(1).await;
    api.trigger(json!({"event": "file.stored"})).await;
    for name in ["delivery", "attempt"] {
        let (told, data) = events.next().await;
        assert_eq!((told.as_str(), &data["event"]), (name, &json!("file.stored")));
    }
    let problem = detail(api.get("/changes?state=acknowledged").await, 400);
    assert!(problem.contains("`state` is no filter"), "{problem}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_reader_is_told_how_much_it_missed() {
    let simulator = simulator();
    let api = Api::of(&simulator);
    let stream = api.http.get(format!("{}/_sim/changes", api.base_url)).send().await.unwrap();
    let receiver = Receiver::start(&[]).await;
    api.subscribe(&receiver.url("/"), "file.stored").await;
    // Much more than the buffers of the connection hold.
    let large = "a".repeat(16_000);
    api.trigger(json!({"event": "file.stored", "burst": 900, "data": {"metadata": {"large": large}}})).await;
    api.finished(900).await;
    let mut chunks = stream.bytes_stream();
    let mut read = Vec::new();
    while let Ok(Some(chunk)) = tokio::time::timeout(Duration::from_secs(10), chunks.next()).await {
        read.extend_from_slice(&chunk.unwrap());
        if read.windows(14).any(|window| window == b"event: lagged\n") {
            return;
        }
    }
    panic!("no event in {} bytes tells of missed changes", read.len());
}
