//! Handlers that panic in a destructor, and handlers that block their thread: the server survives
//! both.

use std::{sync::Arc, time::Duration};

use tests::deliveries::{payload, secret, signed_request};
use uploadcare_hooks::{FileStored, State, webhook_handler, webhook_handlers};

use super::{Log, Notes, builder, deliver, note, take_notes};

struct PanicsOnDrop;

impl Drop for PanicsOnDrop {
    fn drop(&mut self) {
        panic!("a destructor is broken");
    }
}

#[webhook_handler(event = "file.stored")]
async fn hang_and_panic_on_drop(_event: FileStored) {
    let _guard = PanicsOnDrop;
    std::future::pending::<()>().await;
}

#[webhook_handler(event = "file.stored")]
async fn panic_with_a_panicking_value(_event: FileStored) {
    std::panic::panic_any(PanicsOnDrop);
}

#[webhook_handler(event = "file.stored")]
async fn block_the_thread(_event: FileStored, State(limit): State<Duration>) {
    std::thread::sleep(2 * limit);
}

#[webhook_handler(event = "file.stored", path = "/patient")]
async fn wait_shortly(_event: FileStored) {
    tokio::time::sleep(Duration::from_millis(1)).await;
}

#[tokio::test]
async fn a_handler_that_is_stopped_at_its_time_limit_and_panics_on_drop_is_a_rejection() {
    let notes = Notes::default();
    let hooks = builder(&notes)
        .handlers(webhook_handlers![hang_and_panic_on_drop])
        .handler_timeout(Duration::from_millis(5))
        .on_rejection({
            let notes = Arc::clone(&notes);
            move |rejection| note(&notes, rejection)
        })
        .build()
        .unwrap();
    let task = tokio::spawn(async move { deliver(&hooks, "file.stored").await });
    assert_eq!(task.await.unwrap(), 503, "the task of the request survives");
    let reports = take_notes(&notes);
    assert!(matches!(reports.as_slice(), [report] if report.contains("did not finish within 5ms")), "{reports:?}");
}

#[tokio::test]
async fn a_handler_that_panics_when_its_request_is_dropped_does_not_panic_the_task_of_the_request() {
    let log = Log::default();
    let _guard = log.capture();
    let hooks = builder(&Notes::default()).handlers(webhook_handlers![hang_and_panic_on_drop]).build().unwrap();
    let task = tokio::spawn(async move {
        tokio::time::timeout(Duration::from_millis(5), deliver(&hooks, "file.stored")).await.is_err()
    });
    assert!(task.await.unwrap(), "the task drops the request and survives");
    let text = log.text();
    let line = "handler `hang_and_panic_on_drop` panicked while it was dropped: \"a destructor is broken\"";
    assert!(text.contains(line), "{text}");
}

#[tokio::test]
async fn a_handler_panic_whose_value_panics_on_drop_is_a_rejection() {
    let hooks = builder(&Notes::default()).handlers(webhook_handlers![panic_with_a_panicking_value]).build().unwrap();
    let task = tokio::spawn(async move { deliver(&hooks, "file.stored").await });
    assert_eq!(task.await.unwrap(), 500);
}

#[tokio::test]
async fn a_handler_that_blocks_its_thread_past_its_time_limit_is_logged_once() {
    let log = Log::default();
    let _guard = log.capture();
    let limit = Duration::from_millis(5);
    let hooks = builder(&Notes::default())
        .state(limit)
        .handlers(webhook_handlers![block_the_thread])
        .handler_timeout(limit)
        .build()
        .unwrap();
    for _ in 0..3 {
        assert_eq!(deliver(&hooks, "file.stored").await, 204);
    }
    let log = log.text();
    let lines: Vec<_> =
        log.lines().filter(|line| line.contains("handler `block_the_thread` blocked its thread")).collect();
    assert!(matches!(lines.as_slice(), [line] if line.contains("WARN") && line.contains("limit of 5ms")), "{log}");
}

#[tokio::test]
async fn a_handler_that_waits_beside_one_that_blocks_is_not_accused() {
    let log = Log::default();
    let _guard = log.capture();
    let limit = Duration::from_millis(50);
    let hooks = builder(&Notes::default())
        .state(limit)
        .handlers(webhook_handlers![block_the_thread, wait_shortly])
        .handler_timeout(limit)
        .build()
        .unwrap();
    let patient = hooks.handle(signed_request("/patient", &secret(), payload("file.stored").to_string()));
    let (patient, blocking) = futures_util::join!(patient, deliver(&hooks, "file.stored"));
    assert_eq!((patient.status().as_u16(), blocking.as_u16()), (204, 204));
    let log = log.text();
    assert!(log.contains("handler `block_the_thread` blocked") && !log.contains("`wait_shortly` blocked"), "{log}");
}

#[tokio::test]
async fn a_handler_that_is_dropped_with_its_request_is_logged() {
    #[webhook_handler(event = "file.stored")]
    async fn wait_for_ever() {
        std::future::pending::<()>().await;
    }

    let log = Log::default();
    let _guard = log.capture();
    let hooks = builder(&Notes::default()).handlers(webhook_handlers![wait_for_ever]).build().unwrap();
    let mut request = Box::pin(deliver(&hooks, "file.stored"));
    assert!(futures_util::poll!(&mut request).is_pending());
    assert!(!log.text().contains("was dropped"));
    drop(request);
    let text = log.text();
    assert_eq!(text.matches("WARN").count(), 1, "{text}");
    assert!(text.contains("handler `wait_for_ever` was dropped before it ended, so delivery "), "{text}");
}
