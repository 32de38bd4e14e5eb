//! `on_rejection`: the report of every request that the router does not acknowledge.

use std::sync::Arc;

use bytes::Bytes;
use http::Request;
use tests::{deliveries::payload, texts::assert_reads_as_in};
use uploadcare_hooks::{Event, webhook_handler, webhook_handlers};

use super::{Log, Notes, builder, deliver, index, note, send, take_notes};

#[tokio::test]
async fn every_rejected_request_is_reported_with_its_path_and_code() {
    let notes = Notes::default();
    let seen = Arc::clone(&notes);
    let hooks = builder(&notes)
        .handlers(webhook_handlers![index])
        .body_limit(2000)
        .on_rejection(move |rejection| note(&seen, rejection.to_string()))
        .build()
        .unwrap();
    let body = Bytes::from(payload("file.uploaded").to_string());
    let request = |builder: http::request::Builder, body: &Bytes| builder.body(body.clone()).unwrap();
    hooks.handle(request(Request::post("/"), &body)).await;
    hooks.handle(request(Request::post("/nowhere"), &body)).await;
    hooks.handle(request(Request::get("/"), &Bytes::new())).await;
    hooks.handle(request(Request::post("/"), &vec![b' '; 2001].into())).await;
    hooks.handle(request(Request::post("/").header("X-Uc-Signature", "v2=00"), &body)).await;
    hooks.handle(request(Request::post("/").header("Content-Length", "5"), &Bytes::new())).await;
    send(&hooks, "{}").await;
    assert_reads_as_in("rejections", &take_notes(&notes).join("\n"));
    assert_eq!(hooks.stats().rejected, 7);
}

#[tokio::test]
async fn a_panic_in_on_rejection_does_not_change_the_answer() {
    let hooks = builder(&Notes::default())
        .handlers(webhook_handlers![index])
        .on_rejection(|_| panic!("the report is broken"))
        .build()
        .unwrap();
    assert_eq!(send(&hooks, "{}").await.status(), 422);
}

#[tokio::test]
async fn requests_to_paths_of_their_own_invention_do_not_silence_the_log() {
    let log = Log::default();
    let _guard = log.capture();
    let hooks = builder(&Notes::default()).handlers(webhook_handlers![index]).build().unwrap();
    for number in 0..1500 {
        let request = http::Request::get(format!("/{number}")).header("X-Uc-Signature", "x");
        assert_eq!(hooks.handle(request.body(bytes::Bytes::new()).unwrap()).await.status(), 404);
    }
    assert_eq!(log.text().matches("a request with a signature came to path").count(), 20);
    assert_eq!(deliver(&hooks, "file.deleted").await, 204);
    let text = log.text();
    assert!(text.lines().any(|line| line.contains("INFO") && line.contains("takes \"file.deleted\"")), "not logged");
}

#[tokio::test]
async fn a_rejection_is_told_in_a_line_that_no_stranger_can_make_long() {
    #[webhook_handler(any)]
    async fn refuse(_: Event) -> Result<(), &'static str> {
        Err("no")
    }
    let notes = Notes::default();
    let seen = Arc::clone(&notes);
    let hooks = builder(&notes).handlers(webhook_handlers![refuse]);
    let hooks = hooks.on_rejection(move |rejection| note(&seen, rejection.to_string())).build().unwrap();
    let long = "x".repeat(60_000);
    deliver(&hooks, &long).await;
    let unsigned = |builder: http::request::Builder| builder.body(Bytes::new()).unwrap();
    hooks.handle(unsigned(Request::post(format!("/{long}")))).await;
    hooks.handle(unsigned(Request::builder().method(long.as_str()))).await;
    let told = take_notes(&notes);
    assert_eq!(told.len(), 3);
    for line in told {
        assert!(line.len() < 600 && line.contains("xxx…"), "{line}");
    }
}
