//! Handlers that harm the task they run in: panics where none is expected, and blocked threads.

use std::{sync::Arc, time::Duration};

use tests::deliveries::{payload, secret};
use uploadcare_hooks::{FileStored, State, WebhookRouter, webhook_handler, webhook_handlers};

use super::{Log, Notes, builder, note, signed, taken};

/// Panics when it is dropped.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("a destructor is broken");
    }
}

#[webhook_handler(event = "file.stored")]
async fn drop_badly(_event: FileStored) {
    let _bomb = Bomb;
    std::future::pending::<()>().await;
}

#[webhook_handler(event = "file.stored")]
async fn panic_twice(_event: FileStored) {
    std::panic::panic_any(Bomb);
}

#[webhook_handler(event = "file.stored")]
async fn block(_event: FileStored, State(limit): State<Duration>) {
    std::thread::sleep(2 * limit);
}

async fn stored(hooks: &WebhookRouter) -> u16 {
    hooks.handle(signed("/", &secret(), payload("file.stored").to_string())).await.status().as_u16()
}

#[tokio::test]
async fn a_handler_that_panics_when_it_is_dropped_at_its_time_limit_is_a_rejection() {
    let notes = Notes::default();
    let hooks = builder(&notes)
        .handlers(webhook_handlers![drop_badly])
        .handler_timeout(Duration::from_millis(5))
        .on_rejection({
            let notes = Arc::clone(&notes);
            move |rejection| note(&notes, rejection)
        })
        .build()
        .unwrap();
    let task = tokio::spawn(async move { stored(&hooks).await });
    assert_eq!(task.await.unwrap(), 503, "the task survives");
    let reports = taken(&notes);
    assert!(matches!(reports.as_slice(), [report] if report.contains("did not finish within 5ms")), "{reports:?}");
}

#[tokio::test]
async fn a_handler_that_panics_when_its_request_is_dropped_does_not_harm_the_server() {
    let hooks = builder(&Notes::default()).handlers(webhook_handlers![drop_badly]).build().unwrap();
    let task =
        tokio::spawn(async move { tokio::time::timeout(Duration::from_millis(5), stored(&hooks)).await.is_err() });
    assert!(task.await.unwrap(), "the request is dropped, and the task survives");
}

#[tokio::test]
async fn a_panic_with_a_value_that_panics_again_is_a_rejection() {
    let hooks = builder(&Notes::default()).handlers(webhook_handlers![panic_twice]).build().unwrap();
    let task = tokio::spawn(async move { stored(&hooks).await });
    assert_eq!(task.await.unwrap(), 500);
}

#[tokio::test]
async fn a_handler_that_blocks_past_its_time_limit_is_logged_once() {
    let log = Log::default();
    let _guard = log.capture();
    let limit = Duration::from_millis(5);
    let hooks = builder(&Notes::default())
        .state(limit)
        .handlers(webhook_handlers![block])
        .handler_timeout(limit)
        .build()
        .unwrap();
    for _ in 0..3 {
        assert_eq!(stored(&hooks).await, 204);
    }
    let log = log.text();
    let lines: Vec<_> = log.lines().filter(|line| line.contains("handler `block` took")).collect();
    assert!(matches!(lines.as_slice(), [line] if line.contains("WARN") && line.contains("limit of 5ms")), "{log}");
}
