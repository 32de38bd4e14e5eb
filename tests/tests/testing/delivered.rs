//! `testing::deliver` says what each handler did, in every mode of a router.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use tests::storages::{Kind, TestQueue};
use uploadcare_hooks::{
    Event, FileDeleted, FileStored, FileUploaded, FromDelivery, HandlerContext, HandlerDescriptor, HandlerError,
    RejectionReason, State, WebhookRouter, WebhookRouterBuilder,
    payload::v0_6,
    testing::{self, Delivered, HandlerOutcome, Sample},
    webhook_handler, webhook_handlers,
};

type Runs = Arc<Mutex<Vec<&'static str>>>;

#[webhook_handler(event = "file.uploaded")]
async fn index(_event: FileUploaded) {}

#[webhook_handler(event = "file.uploaded")]
async fn reject(_event: FileUploaded) -> Result<(), HandlerError> {
    Err(HandlerError::discard("no\ncats"))
}

#[webhook_handler(event = "file.uploaded")]
async fn fail(_event: FileUploaded) -> Result<(), &'static str> {
    Err("the disk is full")
}

#[webhook_handler(event = "file.uploaded")]
async fn explode(_event: FileUploaded) {
    panic!("boom");
}

#[webhook_handler(event = "file.uploaded")]
async fn sleep(_event: FileUploaded) {
    std::future::pending::<()>().await;
}

#[webhook_handler(event = "file.stored")]
async fn archive(_event: FileStored, State(runs): State<Runs>) {
    runs.lock().unwrap().push("archive");
}

/// A parameter that cannot be made from any delivery.
struct Tenant;

impl<E> FromDelivery<E> for Tenant {
    fn from_delivery(_: &mut HandlerContext) -> Result<Self, HandlerError> {
        Err(HandlerError::new("the file has no tenant"))
    }
}

#[webhook_handler(event = "file.deleted")]
async fn forget(_event: FileDeleted, _tenant: Tenant) {}

#[webhook_handler(any, path = "/audit")]
async fn audit(_event: Event) {}

fn builder(handlers: Vec<HandlerDescriptor>) -> WebhookRouterBuilder {
    WebhookRouter::builder().signing_secret(testing::secret()).handlers(handlers)
}

async fn deliver(hooks: &WebhookRouter, sample: Sample) -> Delivered {
    testing::deliver(hooks, sample.sign(&testing::secret())).await
}

#[tokio::test(start_paused = true)]
async fn the_outcome_of_each_handler_is_told() {
    let handlers = webhook_handlers![index, reject, fail, explode, sleep];
    let hooks = builder(handlers).handler_timeout(Duration::from_secs(1)).build().unwrap();
    let delivered = deliver(&hooks, Sample::of("file.uploaded")).await;
    assert_eq!(delivered.status(), 500);
    assert_eq!(delivered.handlers().len(), 5);
    assert_eq!(*delivered.outcome_of("index"), HandlerOutcome::Ok);
    assert_eq!(*delivered.outcome_of("reject"), HandlerOutcome::Discarded("no\ncats".to_owned()));
    assert_eq!(*delivered.outcome_of("fail"), HandlerOutcome::Failed("the disk is full".to_owned()));
    assert_eq!(*delivered.outcome_of("explode"), HandlerOutcome::Panicked("boom".to_owned()));
    assert_eq!(*delivered.outcome_of("sleep"), HandlerOutcome::TimedOut(Duration::from_secs(1)));
    delivered.assert_rejected("handler_failed");
    let RejectionReason::HandlersFailed(failures) = delivered.rejection().unwrap().reason() else { panic!() };
    assert_eq!(failures.len(), 3);
    let text = delivered.to_string();
    assert!(text.ends_with("`sleep` did not finish within 1s"), "{text}");
    assert!(
        text.contains("`reject` discarded the delivery: \"no\\ncats\", `fail` failed: \"the disk is full\""),
        "{text}"
    );
    assert_eq!(text.lines().count(), 1);
    assert_eq!((hooks.stats().rejected, hooks.stats().discarded), (1, 1));
}

#[tokio::test]
async fn a_single_handler_that_succeeds_or_discards_is_acknowledged() {
    let hooks = builder(webhook_handlers![index, audit]).build().unwrap();
    let delivered = deliver(&hooks, Sample::of("file.uploaded")).await;
    assert_eq!((delivered.status().as_u16(), delivered.rejection().is_none()), (204, true));
    assert_eq!(delivered.assert_ok().handlers()[0].handler, "index");
    assert_eq!(delivered.to_string(), "answered 204 No Content; handlers: `index` succeeded");
    deliver(&hooks, Sample::of("moderation.state_changed").at("/audit")).await.assert_ok().outcome_of("audit");
    let hooks = builder(webhook_handlers![reject]).build().unwrap();
    let delivered = deliver(&hooks, Sample::of("file.uploaded")).await;
    assert_eq!(delivered.status(), 204);
    assert_eq!(*delivered.outcome_of("reject"), HandlerOutcome::Discarded("no\ncats".to_owned()));
}

#[tokio::test]
#[should_panic = "expected a handler to run: answered 204 No Content: no handler at path \"/\" takes \"file.stored\" \
                  in version \"0.7\"; there `index` takes file.uploaded"]
async fn a_delivery_that_no_handler_takes_is_not_ok() {
    let hooks = builder(webhook_handlers![index]).build().unwrap();
    deliver(&hooks, Sample::of("file.stored")).await.assert_ok();
}

#[tokio::test]
async fn a_delivery_that_no_handler_takes_names_what_its_path_takes() {
    #[webhook_handler(event = "file.uploaded", version = "0.6", path = "/audit")]
    async fn index_old(_event: v0_6::FileUploaded) {}
    #[webhook_handler(events = ["file.stored", "file.deleted"], path = "/audit")]
    async fn count() {}

    let hooks = builder(webhook_handlers![index, index_old, count]).build().unwrap();
    assert_eq!(
        deliver(&hooks, Sample::of("file.uploaded").at("/audit/")).await.to_string(),
        "answered 204 No Content: no handler at path \"/audit/\" takes \"file.uploaded\" in version \"0.7\"; there \
         `index_old` takes file.uploaded in version \"0.6\" only, `count` takes file.stored, file.deleted"
    );
    deliver(&hooks, Sample::of("file.uploaded").version("0.6").at("/audit")).await.assert_ok();
}

#[tokio::test]
#[should_panic = "expected success: answered 204 No Content; handlers: `reject` discarded the delivery: \"no\\ncats\""]
async fn a_discarded_delivery_is_not_ok() {
    deliver(&builder(webhook_handlers![reject]).build().unwrap(), Sample::of("file.uploaded")).await.assert_ok();
}

#[tokio::test]
#[should_panic = "handler `archive` did not run: answered 204 No Content; handlers: `index` succeeded"]
async fn the_outcome_of_a_handler_that_did_not_run_panics() {
    deliver(&builder(webhook_handlers![index]).build().unwrap(), Sample::of("file.uploaded"))
        .await
        .outcome_of("archive");
}

#[tokio::test]
async fn a_rejection_is_told_with_its_reason_and_its_answer() {
    let hooks = builder(webhook_handlers![index]).build().unwrap();
    let sample = Sample::of("file.uploaded");
    let other = uploadcare_hooks::SigningSecret::new("another").unwrap();
    let mut as_get = sample.sign(&testing::secret());
    *as_get.method_mut() = http::Method::GET;
    for (request, code, status) in [
        (sample.unsigned(), "signature_missing", 401),
        (sample.sign(&other), "signature_mismatch", 401),
        (sample.clone().at("/nowhere").unsigned(), "unknown_path", 404),
        (as_get, "method_not_allowed", 405),
        (sample.clone().grow_to(300_000).sign(&testing::secret()), "body_too_large", 413),
        (sample.clone().set("data.size", "big").sign(&testing::secret()), "not_a_payload", 422),
        (testing::signed_request("/", &testing::secret(), "{"), "not_a_payload", 422),
    ] {
        let delivered = testing::deliver(&hooks, request).await;
        delivered.assert_rejected(code);
        assert_eq!((delivered.status().as_u16(), delivered.handlers()), (status, &[][..]));
        assert!(String::from_utf8_lossy(delivered.response().body()).contains(code), "{delivered}");
        assert!(delivered.to_string().starts_with(&format!("rejected: {status} {code} at ")), "{delivered}");
    }
    assert_eq!(hooks.stats().rejected, 7);
}

#[tokio::test]
#[should_panic = "expected a rejection with the code \"overloaded\": rejected: 401 signature_missing at"]
async fn a_rejection_of_another_code_is_not_the_one_that_was_expected() {
    let hooks = builder(webhook_handlers![index]).build().unwrap();
    testing::deliver(&hooks, Sample::of("file.uploaded").unsigned()).await.assert_rejected("overloaded");
}

#[tokio::test]
async fn with_deduplication_a_second_delivery_was_done_before() {
    let runs = Runs::default();
    let builder = builder(webhook_handlers![archive]).state(Arc::clone(&runs));
    let hooks = builder.deduplicate(10, Duration::from_secs(60)).build().unwrap();
    let first = deliver(&hooks, Sample::of("file.stored")).await;
    assert!(!first.assert_ok().was_done_before());
    let second = deliver(&hooks, Sample::of("file.stored")).await;
    assert!(second.was_done_before());
    assert_eq!((second.status().as_u16(), second.handlers()), (204, &[][..]));
    assert_eq!(second.to_string(), "answered 204 No Content: it was done before");
    deliver(&hooks, Sample::of("file.stored").set("data.size", 1)).await.assert_ok();
    assert_eq!(*runs.lock().unwrap(), ["archive", "archive"]);
}

#[tokio::test]
async fn with_a_queue_the_stored_jobs_are_told_and_nothing_has_run() {
    let runs = Runs::default();
    let queue = TestQueue::new(Kind::Sqlite).unwrap();
    let storage = queue.open().await.unwrap().unwrap();
    let handlers = webhook_handlers![archive, index, reject];
    let hooks = builder(handlers).state(Arc::clone(&runs)).queue(storage).build().unwrap();
    let delivered = deliver(&hooks, Sample::of("file.stored")).await;
    assert_eq!((delivered.status().as_u16(), delivered.handlers().len()), (202, 1));
    assert_eq!(*delivered.assert_ok().outcome_of("archive"), HandlerOutcome::Queued);
    assert_eq!(delivered.to_string(), "answered 202 Accepted; handlers: `archive` is stored in the queue");
    deliver(&hooks, Sample::of("file.stored")).await.assert_ok();
    let both = deliver(&hooks, Sample::of("file.uploaded")).await;
    assert_eq!(
        (both.outcome_of("index"), both.outcome_of("reject")),
        (&HandlerOutcome::Queued, &HandlerOutcome::Queued)
    );
    assert_eq!(deliver(&hooks, Sample::of("file.infected")).await.handlers(), []);
    assert!(runs.lock().unwrap().is_empty());
    assert_eq!(hooks.queue_stats().await.unwrap().waiting, 3);
}

#[tokio::test]
async fn a_parameter_that_fails_counts_as_its_handler() {
    let hooks = builder(webhook_handlers![forget]).build().unwrap();
    let delivered = deliver(&hooks, Sample::of("file.deleted")).await;
    assert_eq!(*delivered.outcome_of("forget"), HandlerOutcome::Failed("the file has no tenant".to_owned()));
}

#[tokio::test]
async fn what_is_told_of_deliveries_at_the_same_time_is_not_mixed_up() {
    let hooks = builder(webhook_handlers![index, archive]).state(Runs::default()).build().unwrap();
    let samples = (0..50).map(|number| {
        let event = if number % 2 == 0 { "file.uploaded" } else { "file.stored" };
        deliver(&hooks, Sample::of(event).set("data.size", number))
    });
    for (number, delivered) in futures_util::future::join_all(samples).await.into_iter().enumerate() {
        let expected = if number % 2 == 0 { "index" } else { "archive" };
        assert_eq!(delivered.assert_ok().handlers().len(), 1);
        delivered.outcome_of(expected);
    }
}

#[tokio::test]
async fn a_request_is_answered_as_handle_answers_it() {
    let hooks = WebhookRouter::builder().signing_secret(testing::secret()).handlers(webhook_handlers![index]);
    let hooks = hooks.build().unwrap();
    for (method, path) in [("HEAD", "/"), ("GET", "/"), ("POST", "/nowhere"), ("POST", "/")] {
        let request = || {
            let mut request = Sample::of("file.uploaded").at(path).sign(&testing::secret());
            *request.method_mut() = method.parse().unwrap();
            request
        };
        let delivered = testing::deliver(&hooks, request()).await;
        let (head, body) = hooks.handle(request()).await.into_parts();
        let response = delivered.response();
        assert_eq!((response.status(), response.headers()), (head.status, &head.headers), "{method} {path}");
        assert_eq!(response.body(), &body, "{method} {path}");
    }
}
