//! What the application learns of requests that are not acknowledged.

use super::*;

#[tokio::test]
async fn every_request_that_is_not_acknowledged_is_reported() {
    let notes = Notes::default();
    let seen = Arc::clone(&notes);
    let hooks = builder(&notes)
        .handlers(webhook_handlers![index])
        .body_limit(2000)
        .on_rejection(move |rejection| note(&seen, format!("{} {}", rejection.path(), rejection.code())))
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
    deliver(&hooks, "{}").await;
    let expected = [
        "/ body_consumed",
        "/ body_too_large",
        "/ method_not_allowed",
        "/ not_a_payload",
        "/ signature_malformed",
        "/ signature_missing",
        "/nowhere unknown_path",
    ];
    assert_eq!(taken(&notes), expected);
    assert_eq!(hooks.stats().rejected, 7);
}

#[tokio::test]
async fn a_panicking_report_does_no_harm() {
    let hooks = builder(&Notes::default())
        .handlers(webhook_handlers![index])
        .on_rejection(|_| panic!("the report is broken"))
        .build()
        .unwrap();
    assert_eq!(deliver(&hooks, "{}").await.status(), 422);
}
