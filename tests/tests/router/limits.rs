//! Limits of time and number, and requests that are dropped.

use super::*;

#[tokio::test]
async fn a_handler_that_runs_out_of_time_is_stopped_and_the_delivery_is_answered_503() {
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
    let response = deliver(&hooks, payload("file.uploaded")).await;
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(response.headers().contains_key("retry-after"));
    assert_eq!(taken(&notes).len(), 1);
}

#[tokio::test]
async fn a_delivery_that_finds_no_room_is_answered_503_and_runs_nothing() {
    let notes = Notes::default();
    let hooks = builder(&notes).handlers(webhook_handlers![pause, count]).max_concurrent_handlers(3).build().unwrap();
    let (first, second) =
        tokio::join!(deliver(&hooks, payload("file.stored")), deliver(&hooks, payload("file.stored")));
    assert_eq!((first.status().as_u16(), second.status().as_u16()), (204, 503));
    assert!(second.headers().contains_key("retry-after"));
    assert_eq!(taken(&notes), ["count file.stored"]);
    assert_eq!(deliver(&hooks, payload("file.stored")).await.status(), 204);
}

#[test]
fn without_a_time_limit_every_executor_works_and_with_one_the_error_names_tokio() {
    let notes = Notes::default();
    let request = || signed("/", &secret(), payload("file.uploaded").to_string());
    let block_on = futures_util::FutureExt::now_or_never;
    let hooks = builder(&notes).handlers(webhook_handlers![index]).no_handler_timeout().build().unwrap();
    assert_eq!(block_on(hooks.handle(request())).unwrap().status(), 204);

    let seen = Arc::clone(&notes);
    let hooks = builder(&notes)
        .handlers(webhook_handlers![hang])
        .on_rejection(move |rejection| note(&seen, rejection))
        .build()
        .unwrap();
    taken(&notes);
    assert_eq!(block_on(hooks.handle(request())).unwrap().status(), 500);
    let reports = taken(&notes);
    assert!(matches!(reports.as_slice(), [report] if report.contains("needs a Tokio runtime")), "{reports:?}");
}

#[test]
fn a_dropped_request_drops_its_handlers() {
    static DROPPED: AtomicUsize = AtomicUsize::new(0);
    struct Guard;
    impl Drop for Guard {
        fn drop(&mut self) {
            DROPPED.fetch_add(1, Ordering::Relaxed);
        }
    }
    #[webhook_handler(event = "file.stored")]
    async fn wait(_event: FileStored) {
        let _guard = Guard;
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
        let request = signed("/", &secret(), payload("file.stored").to_string());
        assert!(futures_util::FutureExt::now_or_never(hooks.handle(request)).is_none(), "there is room again");
        assert_eq!(DROPPED.load(Ordering::Relaxed), run);
    }
}
