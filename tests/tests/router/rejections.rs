//! `on_rejection`: the report of every request that the router does not acknowledge.

use std::sync::Arc;

use bytes::Bytes;
use http::Request;
use tests::{
    deliveries::{payload, secret, signed_request},
    texts::assert_reads_as_in,
};
use uploadcare_hooks::{Event, webhook_handler, webhook_handlers};

use super::{Log, Notes, builder, deliver, index, note, scan, secret_from_env, send, take_notes};

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
async fn a_body_may_be_as_long_as_the_limit_and_no_longer() {
    let body = Bytes::from(payload("file.uploaded").to_string());
    for (limit, expected) in [(body.len(), 204), (body.len() - 1, 413)] {
        let hooks = builder(&Notes::default()).handlers(webhook_handlers![index]).body_limit(limit).build().unwrap();
        assert_eq!(send(&hooks, body.clone()).await.status(), expected);
        let mut announced = signed_request("/", &secret(), body.clone());
        announced.headers_mut().insert("Content-Length", body.len().into());
        assert_eq!(hooks.handle(announced).await.status(), expected, "announced");
    }
}

#[tokio::test]
async fn a_body_that_is_announced_to_be_empty_is_not_missing() {
    let hooks = builder(&Notes::default()).handlers(webhook_handlers![index]).build().unwrap();
    for (length, code) in [(0, "not_a_payload"), (1, "body_consumed")] {
        let mut request = signed_request("/", &secret(), Bytes::new());
        request.headers_mut().insert("Content-Length", length.into());
        let answer = hooks.handle(request).await;
        assert!(String::from_utf8_lossy(answer.body()).contains(code), "{length}: {:?}", answer.body());
    }
}

#[tokio::test]
async fn a_path_has_one_final_slash_or_none() {
    let hooks = builder(&Notes::default()).handlers(webhook_handlers![index, scan]).build().unwrap();
    let body = Bytes::from(payload("file.uploaded").to_string());
    for (path, expected) in [("/scans", 204), ("/scans/", 204), ("/scans//", 404), ("/scan", 404)] {
        let request = signed_request(path, &secret_from_env("CARGO_PKG_VERSION"), body.clone());
        assert_eq!(hooks.handle(request).await.status(), expected, "{path}");
    }
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
async fn only_a_signed_request_to_an_unknown_path_is_logged_as_lost() {
    let hooks = builder(&Notes::default()).handlers(webhook_handlers![index]).build().unwrap();
    for (method, path, is_signed, is_lost) in
        [("POST", "/else", true, true), ("POST", "/else", false, false), ("GET", "/", true, false)]
    {
        let log = Log::default();
        let _guard = log.capture();
        let mut request = Request::builder().method(method).uri(path);
        if is_signed {
            request = request.header("X-Uc-Signature", "x");
        }
        hooks.handle(request.body(Bytes::new()).unwrap()).await;
        let text = log.text();
        assert_eq!(text.contains("a request with a signature came to path"), is_lost, "{method} {path}: {text}");
    }
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
