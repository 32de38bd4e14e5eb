//! Running handlers: which handlers a delivery reaches, their limits, and how their results decide
//! the answer.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use http::StatusCode;
use tests::deliveries::{payload, secret, signed_request};
use uploadcare_hooks::{
    Delivery, Event, FailureKind, FileStored, FileUploaded, HandlerError, RejectionReason, State, TriedSecrets,
    WebhookRouter, webhook_handler, webhook_handlers,
};

use super::{Notes, builder, count, deliver, fail, index, note, send, take_notes};

#[webhook_handler(event = "file.uploaded")]
async fn take_every_parameter(delivery: Delivery, event: FileUploaded, any: Event, State(notes): State<Notes>) {
    assert_eq!(delivery.event(), &any);
    assert_eq!(any, Event::FileUploaded(event));
    note(&notes, "take_every_parameter");
}

#[webhook_handler(event = "file.uploaded")]
async fn panic(_event: FileUploaded) {
    panic!("an invariant is broken");
}

#[webhook_handler(event = "file.uploaded")]
async fn discard(_event: FileUploaded) -> Result<(), HandlerError> {
    Err(HandlerError::discard("this file is not for us"))
}

#[webhook_handler(event = "file.uploaded")]
async fn hang(_event: FileUploaded) {
    std::future::pending::<()>().await;
}

#[webhook_handler(event = "file.stored")]
async fn pause(_event: FileStored) {
    tokio::time::sleep(Duration::from_millis(100)).await;
}

#[webhook_handler(any)]
async fn audit(event: Event, State(notes): State<Notes>) {
    note(&notes, format!("audit {}", event.kind()));
}

#[tokio::test]
async fn all_handlers_of_an_event_run_and_each_receives_the_payload() {
    let notes = Notes::default();
    let hooks = builder(&notes).handlers(webhook_handlers![index, take_every_parameter, audit, count]).build().unwrap();
    assert_eq!(deliver(&hooks, "file.uploaded").await, StatusCode::NO_CONTENT);
    assert_eq!(
        take_notes(&notes),
        ["audit file.uploaded", "index 575ed4e8-f4e8-4c14-a58b-1527b6d9ee46", "take_every_parameter"]
    );
    send(&hooks, payload("file.deleted").to_string()).await;
    assert_eq!(take_notes(&notes), ["audit file.deleted", "count file.deleted"]);
}

#[tokio::test]
async fn an_event_without_a_handler_is_acknowledged_and_counted() {
    let notes = Notes::default();
    let hooks = builder(&notes).handlers(webhook_handlers![index]).build().unwrap();
    assert_eq!(deliver(&hooks, "file.deleted").await, StatusCode::NO_CONTENT);
    assert_eq!(send(&hooks, r#"{"hook": {"event": "group.created"}, "data": [1]}"#).await.status(), 204);
    let stats = hooks.stats();
    assert_eq!((stats.acknowledged, stats.unhandled, stats.unknown_events, stats.rejected), (2, 2, 1, 0));
}

#[tokio::test]
async fn a_failing_handler_fails_the_delivery_and_the_other_handlers_still_run() {
    let notes = Notes::default();
    let rejected = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&rejected);
    let hooks = builder(&notes)
        .handlers(webhook_handlers![fail, panic, index, discard])
        .on_rejection(move |rejection| {
            let RejectionReason::HandlersFailed(failures) = rejection.reason() else { panic!("{rejection}") };
            let kinds: Vec<_> = failures.iter().map(|failure| (failure.handler, failure.kind.to_string())).collect();
            seen.lock().unwrap().push((rejection.to_string(), kinds, rejection.secrets().clone()));
        })
        .build()
        .unwrap();
    let response = send(&hooks, payload("file.uploaded").to_string()).await;
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(
        response.body(),
        r#"{"type":"about:blank","status":500,"code":"handler_failed","title":"a handler failed"}"#
    );
    assert_eq!(take_notes(&notes).len(), 1);
    let rejected = rejected.lock().unwrap();
    let [(text, kinds, secrets)] = rejected.as_slice() else { panic!("{rejected:?}") };
    assert_eq!(
        kinds,
        &[
            ("fail", r#"failed: "the disk\nis full""#.to_owned()),
            ("panic", r#"panicked: "an invariant is broken""#.to_owned())
        ]
    );
    assert_eq!(secrets, &TriedSecrets::Matched(0));
    assert!(text.contains("\"file.uploaded\"") && !text.contains('\n'), "{text}");
    assert_eq!(hooks.stats().discarded, 1);
}

#[tokio::test]
async fn a_delivery_that_its_handler_discards_is_acknowledged() {
    let notes = Notes::default();
    let hooks = builder(&notes).handlers(webhook_handlers![discard]).build().unwrap();
    assert_eq!(deliver(&hooks, "file.uploaded").await, StatusCode::NO_CONTENT);
    assert_eq!(hooks.stats().discarded, 1);
}

#[tokio::test]
async fn a_delivery_above_the_limit_of_concurrent_handlers_runs_no_handler_and_is_answered_503() {
    let notes = Notes::default();
    let hooks = builder(&notes).handlers(webhook_handlers![pause, count]).max_concurrent_handlers(3).build().unwrap();
    let stored = payload("file.stored").to_string();
    let (first, second) = tokio::join!(send(&hooks, stored.clone()), send(&hooks, stored));
    assert_eq!((first.status().as_u16(), second.status().as_u16()), (204, 503));
    assert!(second.headers().contains_key("retry-after"));
    assert_eq!(take_notes(&notes), ["count file.stored"]);
    assert_eq!(deliver(&hooks, "file.stored").await, 204);
}

#[tokio::test]
async fn a_handler_is_stopped_at_its_time_limit_and_the_delivery_is_answered_503() {
    let notes = Notes::default();
    let hooks = builder(&notes)
        .handlers(webhook_handlers![hang, index])
        .handler_timeout(Duration::from_millis(20))
        .on_rejection(|rejection| match rejection.reason() {
            RejectionReason::HandlersFailed(failures) => {
                assert!(matches!(failures.as_slice(), [failure] if matches!(failure.kind, FailureKind::TimedOut(_))));
            }
            _ => panic!("{rejection}"),
        })
        .build()
        .unwrap();
    let response = send(&hooks, payload("file.uploaded").to_string()).await;
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(response.headers().contains_key("retry-after"));
    assert_eq!(take_notes(&notes).len(), 1);
}

#[test]
fn a_router_without_a_time_limit_needs_no_tokio_runtime_and_one_with_a_limit_asks_for_it() {
    let notes = Notes::default();
    let request = || signed_request("/", &secret(), payload("file.uploaded").to_string());
    let poll_once = futures_util::FutureExt::now_or_never;
    let hooks = builder(&notes).handlers(webhook_handlers![index]).no_handler_timeout().build().unwrap();
    assert_eq!(poll_once(hooks.handle(request())).unwrap().status(), 204);

    let seen = Arc::clone(&notes);
    let hooks = builder(&notes)
        .handlers(webhook_handlers![hang])
        .on_rejection(move |rejection| note(&seen, rejection))
        .build()
        .unwrap();
    take_notes(&notes);
    assert_eq!(poll_once(hooks.handle(request())).unwrap().status(), 500);
    let reports = take_notes(&notes);
    assert!(matches!(reports.as_slice(), [report] if report.contains("needs a Tokio runtime")), "{reports:?}");
}

#[test]
fn dropping_a_request_drops_its_handlers_and_frees_their_places() {
    static DROPPED: AtomicUsize = AtomicUsize::new(0);
    struct CountsDrops;
    impl Drop for CountsDrops {
        fn drop(&mut self) {
            DROPPED.fetch_add(1, Ordering::Relaxed);
        }
    }
    #[webhook_handler(event = "file.stored")]
    async fn wait(_event: FileStored) {
        let _guard = CountsDrops;
        std::future::pending::<()>().await;
    }
    let hooks = WebhookRouter::builder()
        .signing_secret(secret())
        .handlers(webhook_handlers![wait])
        .no_handler_timeout()
        .max_concurrent_handlers(1)
        .build()
        .unwrap();
    for run in 1..=2 {
        let request = signed_request("/", &secret(), payload("file.stored").to_string());
        assert!(
            futures_util::FutureExt::now_or_never(hooks.handle(request)).is_none(),
            "the handler runs, so its place is free again"
        );
        assert_eq!(DROPPED.load(Ordering::Relaxed), run);
    }
}
