//! The stream of live updates.

use std::time::Duration;

use futures_util::StreamExt;
use serde_json::Value;
use tokio::time::timeout;

use super::{Workbench, receiver};

/// Reads messages until one fits. Returns its name and data.
struct Stream(std::pin::Pin<Box<dyn futures_util::Stream<Item = String>>>, String);

impl Stream {
    async fn open(workbench: &Workbench, path: &str) -> Self {
        let answer = workbench.http.get(workbench.url(path)).send().await.unwrap();
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        let chunks = answer.bytes_stream().map(|chunk| String::from_utf8(chunk.unwrap().to_vec()).unwrap());
        let mut stream = Self(Box::pin(chunks), String::new());
        assert_eq!(stream.next().await.0, "ready");
        stream
    }

    async fn next(&mut self) -> (String, Value) {
        loop {
            if let Some((message, rest)) =
                self.1.split_once("\n\n").map(|(one, rest)| (one.to_owned(), rest.to_owned()))
            {
                self.1 = rest;
                let line = |name: &str| message.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
                if let (Some(name), Some(data)) = (line("event: "), line("data: ")) {
                    return (name, serde_json::from_str(&data).unwrap());
                }
                continue;
            }
            let more = timeout(Duration::from_secs(5), self.0.next()).await;
            self.1.push_str(&more.expect("no message came").expect("the stream ended"));
        }
    }

    async fn until(&mut self, name: &str, fits: impl Fn(&Value) -> bool) -> Value {
        loop {
            let (found, data) = self.next().await;
            if found == name && fits(&data) {
                return data;
            }
        }
    }
}

fn html(data: &Value) -> &str {
    data["html"].as_str().unwrap()
}

#[tokio::test]
async fn rows_come_as_they_change_and_go_when_they_match_no_more() {
    let workbench = Workbench::start();
    workbench.subscribe("file.uploaded", &receiver::answering(500, "a", "").await, "").await;
    let mut all = Stream::open(&workbench, "/_page/live").await;
    let mut waiting = Stream::open(&workbench, "/_page/live?status=waiting").await;
    let mut other = Stream::open(&workbench, "/_page/live?event=file.stored").await;
    workbench
        .post(
            "/trigger",
            &[("event", "file.uploaded"), ("was.original_filename", "null"), ("data.original_filename", "<b>.jpg")],
        )
        .await;
    let first = all.until("row", |_| true).await;
    assert!(html(&first).contains("not sent yet") && html(&first).contains("&lt;b&gt;.jpg"), "{first}");
    assert_eq!(first["number"], 1);
    let last = all.until("row", |data| html(data).contains("Failed")).await;
    assert_eq!(last["id"], first["id"]);
    assert_eq!(waiting.until("row", |_| true).await["id"], first["id"]);
    assert_eq!(waiting.until("gone", |_| true).await["id"], first["id"]);
    assert_eq!(other.next().await.0, "gone");

    let path = format!("/_page/live/deliveries/{}", first["id"].as_str().unwrap());
    let mut one = Stream::open(&workbench, &path).await;
    workbench.post("/faults/delivery/cut", &[]).await;
    assert!(html(&one.until("faults", |_| true).await).contains("cut (100 %)"));
    workbench.post("/faults/off", &[]).await;
    assert_eq!(one.until("faults", |_| true).await["html"], "");
    workbench.http.post(workbench.url("/_sim/reset")).send().await.unwrap();
    one.until("reload", |_| true).await;
    all.until("reload", |_| true).await;
    assert_eq!(workbench.get(&path).await.status, 404);
}

#[tokio::test]
async fn a_watcher_that_missed_changes_is_told_to_load_the_page_again() {
    let workbench = Workbench::start();
    let mut stream = Stream::open(&workbench, "/_page/live").await;
    // Large rows, so that the connection is full while the watcher does not read.
    let name = "n".repeat(400);
    workbench.subscribe("file.uploaded", &receiver::answering(204, "a", "").await, "").await;
    for _ in 0..6 {
        let fields = [("event", "file.uploaded"), ("burst", "1000"), ("was.x", "null"), ("data.x", name.as_str())];
        assert_eq!(workbench.post("/trigger", &fields).await.status, 303);
    }
    stream.until("reload", |_| true).await;
}
