//! Redeliveries to a router without a queue: claims in memory, in Redis and of the application's
//! own.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod redis;
mod threads;

use std::{
    env,
    future::{pending, ready},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::future::join_all;
use http::{Response, StatusCode};
use tests::{
    deliveries::{secret, upload_of},
    log::Log,
    routers::{builder, deliver, send},
};
use tokio::sync::Semaphore;
use uploadcare_hooks::{
    BuildProblem, FileStored, FileUploaded, RejectionReason, State, WebhookRouter, WebhookRouterBuilder,
    claims::{Claim, ClaimFuture, ClaimMark, DeliveryClaims, RedisClaims},
    testing::Sample,
    webhook_handler, webhook_handlers,
};

/// Counts the runs of the handlers, and controls them.
#[derive(Clone)]
struct Runs {
    count: Arc<AtomicUsize>,
    /// How many of the next runs of `index` fail.
    failures_left: Arc<AtomicUsize>,
    /// Each run of `index` passes this gate before it ends.
    gate: Arc<Semaphore>,
}

impl Runs {
    fn new() -> Self {
        let gate = Arc::new(Semaphore::new(MORE_THAN_ALL_RUNS as usize));
        Self { count: Arc::default(), failures_left: Arc::default(), gate }
    }

    fn count(&self) -> usize {
        self.count.load(Ordering::SeqCst)
    }

    /// Holds back all runs of `index` until the returned permit is dropped.
    async fn hold_back(&self) -> tokio::sync::SemaphorePermit<'_> {
        self.gate.acquire_many(MORE_THAN_ALL_RUNS).await.unwrap()
    }
}

/// More runs than any test starts at once.
const MORE_THAN_ALL_RUNS: u32 = 1000;

#[webhook_handler(event = "file.uploaded")]
async fn index(_event: FileUploaded, State(runs): State<Runs>) -> Result<(), String> {
    runs.count.fetch_add(1, Ordering::SeqCst);
    let _passed = runs.gate.acquire().await.unwrap();
    match runs.failures_left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)) {
        Ok(_) => Err("not yet".to_owned()),
        Err(_) => Ok(()),
    }
}

#[webhook_handler(event = "file.stored", path = "/other")]
async fn count_stored(_event: FileStored, State(runs): State<Runs>) {
    runs.count.fetch_add(1, Ordering::SeqCst);
}

/// A builder with the handlers of these tests.
fn counting(runs: &Runs) -> WebhookRouterBuilder {
    builder(runs).handlers(webhook_handlers![index, count_stored])
}

/// A router that remembers deliveries in memory.
fn remembering(runs: &Runs) -> WebhookRouter {
    counting(runs).deduplicate(1000, Duration::from_secs(60)).build().unwrap()
}

#[tokio::test]
async fn a_delivery_that_was_done_is_acknowledged_again_without_running() {
    let runs = Runs::new();
    let hooks = remembering(&runs);
    for _ in 0..3 {
        assert_eq!(deliver(&hooks, "file.uploaded").await, StatusCode::NO_CONTENT);
    }
    assert_eq!(runs.count(), 1);
    assert_eq!((hooks.stats().duplicates, hooks.stats().acknowledged), (2, 3));
    assert_eq!(send(&hooks, upload_of(1)).await.status(), StatusCode::NO_CONTENT);
    assert_eq!(runs.count(), 2);
}

#[tokio::test]
async fn a_delivery_that_failed_runs_again() {
    let runs = Runs::new();
    let hooks = remembering(&runs);
    runs.failures_left.store(2, Ordering::SeqCst);
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(deliver(&hooks, "file.uploaded").await.as_u16());
    }
    assert_eq!(statuses, [500, 500, 204, 204]);
    assert_eq!(runs.count(), 3);
}

#[tokio::test]
async fn a_redelivery_of_a_running_delivery_is_answered_503_without_running() {
    let runs = Runs::new();
    let hooks = remembering(&runs);
    let held_back = runs.hold_back().await;
    let first = deliver(&hooks, "file.uploaded");
    let second = async {
        tokio::task::yield_now().await;
        let status = deliver(&hooks, "file.uploaded").await;
        drop(held_back);
        status
    };
    let statuses = futures_util::join!(first, second);
    assert_eq!(statuses, (StatusCode::NO_CONTENT, StatusCode::SERVICE_UNAVAILABLE));
    assert_eq!(runs.count(), 1);
    assert_eq!(deliver(&hooks, "file.uploaded").await, StatusCode::NO_CONTENT);
    assert_eq!(runs.count(), 1);
}

#[tokio::test]
async fn a_delivery_whose_request_was_dropped_runs_again() {
    let runs = Runs::new();
    let hooks = remembering(&runs);
    let held_back = runs.hold_back().await;
    assert!(tokio::time::timeout(Duration::from_millis(20), deliver(&hooks, "file.uploaded")).await.is_err());
    drop(held_back);
    assert_eq!(deliver(&hooks, "file.uploaded").await, StatusCode::NO_CONTENT);
    assert_eq!(runs.count(), 2);
}

#[tokio::test]
async fn a_delivery_runs_again_after_the_time_for_which_it_is_remembered() {
    let runs = Runs::new();
    let hooks = counting(&runs).deduplicate(1000, Duration::from_millis(50)).build().unwrap();
    assert_eq!(deliver(&hooks, "file.uploaded").await, StatusCode::NO_CONTENT);
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(deliver(&hooks, "file.uploaded").await, StatusCode::NO_CONTENT);
    assert_eq!(runs.count(), 2);
    // The longest duration and the largest capacity are valid.
    counting(&runs).deduplicate(u64::MAX, Duration::MAX).build().unwrap();
}

#[tokio::test]
async fn the_applications_own_key_decides_which_deliveries_are_the_same() {
    let runs = Runs::new();
    let by_file = counting(&runs).deduplicate(1000, Duration::from_secs(60));
    let hooks = by_file.delivery_key(|delivery| delivery.event().file().unwrap().uuid.to_string()).build().unwrap();
    let again = Sample::of("file.uploaded").set("hook.updated_at", "2024-01-01T00:00:00Z");
    assert_eq!(deliver(&hooks, "file.uploaded").await, StatusCode::NO_CONTENT);
    assert_eq!(send(&hooks, again.body()).await.status(), StatusCode::NO_CONTENT);
    assert_eq!(runs.count(), 1, "the key is the same although the bytes differ");
    assert_eq!(
        hooks.handle(Sample::of("file.stored").at("/other").sign(&secret())).await.status(),
        StatusCode::NO_CONTENT
    );
    assert_eq!(runs.count(), 2, "another path is another delivery");

    let log = Log::default();
    let _guard = log.capture();
    let panicking = counting(&runs).deduplicate(1000, Duration::from_secs(60)).delivery_key(|_| panic!("no key"));
    let hooks = panicking.build().unwrap();
    assert_eq!(
        (deliver(&hooks, "file.uploaded").await, deliver(&hooks, "file.uploaded").await),
        (StatusCode::NO_CONTENT, StatusCode::NO_CONTENT)
    );
    assert_eq!(runs.count(), 3, "without a key the delivery's id is used");
    let text = log.text();
    assert!(text.contains("the function given to `delivery_key` panicked"), "{text}");
}

/// Claims whose storage cannot be reached.
struct BrokenClaims;

impl DeliveryClaims for BrokenClaims {
    fn claim<'a>(&'a self, _: &'a str) -> ClaimFuture<'a, Claim> {
        Box::pin(async { Err("the connection is lost".into()) })
    }

    fn complete<'a>(&'a self, _: &'a str, _: &'a ClaimMark) -> ClaimFuture<'a, ()> {
        unreachable!("no claim was granted")
    }

    fn release<'a>(&'a self, _: &'a str, _: &'a ClaimMark) -> ClaimFuture<'a, ()> {
        unreachable!("no claim was granted")
    }
}

#[tokio::test]
async fn a_delivery_that_cannot_be_claimed_is_answered_503_without_running() {
    let runs = Runs::new();
    let hooks = counting(&runs).deduplicate_with(BrokenClaims).on_rejection(|rejection| {
        assert!(matches!(rejection.reason(), RejectionReason::ClaimFailed(why) if why == "the connection is lost"));
    });
    assert_eq!(deliver(&hooks.build().unwrap(), "file.uploaded").await, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(runs.count(), 0);
}

/// Claims whose storage hangs: always, or only after it has granted a claim.
struct HangingClaims {
    grants: bool,
}

impl DeliveryClaims for HangingClaims {
    fn claim<'a>(&'a self, _: &'a str) -> ClaimFuture<'a, Claim> {
        if self.grants { Box::pin(ready(Ok(Claim::Granted(ClaimMark::default())))) } else { Box::pin(pending()) }
    }

    fn complete<'a>(&'a self, _: &'a str, _: &'a ClaimMark) -> ClaimFuture<'a, ()> {
        Box::pin(pending())
    }

    fn release<'a>(&'a self, _: &'a str, _: &'a ClaimMark) -> ClaimFuture<'a, ()> {
        Box::pin(pending())
    }
}

#[tokio::test]
async fn claims_that_hang_delay_a_delivery_no_longer_than_the_handlers_time_limit() {
    let runs = Runs::new();
    let builder = || counting(&runs).handler_timeout(Duration::from_millis(20));
    let hooks = builder().deduplicate_with(HangingClaims { grants: false }).on_rejection(|rejection| {
        let RejectionReason::ClaimFailed(why) = rejection.reason() else { panic!("{rejection}") };
        assert_eq!(why, "their storage did not finish within 20ms");
    });
    assert_eq!(deliver(&hooks.build().unwrap(), "file.uploaded").await, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(runs.count(), 0);
    let hooks = builder().deduplicate_with(HangingClaims { grants: true }).build().unwrap();
    assert_eq!(deliver(&hooks, "file.uploaded").await, StatusCode::NO_CONTENT);
    runs.failures_left.store(1, Ordering::SeqCst);
    assert_eq!(deliver(&hooks, "file.uploaded").await, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(runs.count(), 2);
}

#[tokio::test]
async fn a_lease_no_longer_than_the_handlers_time_limit_is_a_problem_at_boot() {
    struct ClaimsWithLease(Duration);
    impl DeliveryClaims for ClaimsWithLease {
        fn claim<'a>(&'a self, _: &'a str) -> ClaimFuture<'a, Claim> {
            Box::pin(pending())
        }
        fn complete<'a>(&'a self, _: &'a str, _: &'a ClaimMark) -> ClaimFuture<'a, ()> {
            Box::pin(pending())
        }
        fn release<'a>(&'a self, _: &'a str, _: &'a ClaimMark) -> ClaimFuture<'a, ()> {
            Box::pin(pending())
        }
        fn lease_time(&self) -> Option<Duration> {
            Some(self.0)
        }
    }
    let runs = Runs::new();
    let error = counting(&runs).deduplicate_with(ClaimsWithLease(Duration::from_secs(30))).build().unwrap_err();
    assert!(matches!(error.problems(), [BuildProblem::LeaseTooShort { .. }]), "{error}");
    assert!(error.to_string().contains("a claim ends by itself after 30s, and a handler may take 30s"), "{error}");
    counting(&runs).deduplicate_with(ClaimsWithLease(Duration::from_secs(60))).build().unwrap();
}

/// Claims whose `release` panics.
struct PanickingClaims;

impl DeliveryClaims for PanickingClaims {
    fn claim<'a>(&'a self, _: &'a str) -> ClaimFuture<'a, Claim> {
        Box::pin(ready(Ok(Claim::Granted(ClaimMark::default()))))
    }

    fn complete<'a>(&'a self, _: &'a str, _: &'a ClaimMark) -> ClaimFuture<'a, ()> {
        Box::pin(ready(Ok(())))
    }

    fn release<'a>(&'a self, _: &'a str, _: &'a ClaimMark) -> ClaimFuture<'a, ()> {
        panic!("the claims are broken")
    }
}

#[tokio::test]
async fn claims_that_panic_when_a_request_is_dropped_do_no_harm() {
    let runs = Runs::new();
    let hooks = counting(&runs).deduplicate_with(PanickingClaims).build().unwrap();
    let held = runs.hold_back().await;
    let dropped = tokio::time::timeout(Duration::from_millis(20), deliver(&hooks, "file.uploaded"));
    assert!(dropped.await.is_err());
    drop(held);
    assert_eq!(deliver(&hooks, "file.uploaded").await, StatusCode::NO_CONTENT);
}

/// Claims that panic when they are asked, or only when their answer is awaited.
struct SpeechlessClaims {
    at_once: bool,
}

impl DeliveryClaims for SpeechlessClaims {
    fn claim<'a>(&'a self, _: &'a str) -> ClaimFuture<'a, Claim> {
        assert!(!self.at_once, "asked in vain");
        Box::pin(async { panic!("awaited in vain") })
    }

    fn complete<'a>(&'a self, _: &'a str, _: &'a ClaimMark) -> ClaimFuture<'a, ()> {
        Box::pin(ready(Ok(())))
    }

    fn release<'a>(&'a self, _: &'a str, _: &'a ClaimMark) -> ClaimFuture<'a, ()> {
        Box::pin(ready(Ok(())))
    }
}

#[tokio::test]
async fn claims_that_panic_are_answered_as_claims_that_fail() {
    for (at_once, message) in [(true, "asked in vain"), (false, "awaited in vain")] {
        let runs = Runs::new();
        let hooks = counting(&runs).deduplicate_with(SpeechlessClaims { at_once }).on_rejection(move |rejection| {
            let RejectionReason::ClaimFailed(why) = rejection.reason() else { panic!("{rejection}") };
            assert_eq!(*why, format!("their storage panicked: {message:?}"));
        });
        let hooks = hooks.build().unwrap();
        assert_eq!(deliver(&hooks, "file.uploaded").await, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!((runs.count(), hooks.stats().rejected), (0, 1));
    }
}

#[tokio::test]
async fn a_full_memory_still_remembers_the_newest_deliveries() {
    let runs = Runs::new();
    let hooks = counting(&runs).deduplicate(1000, Duration::from_secs(60)).build().unwrap();
    for number in 0..3000 {
        assert_eq!(send(&hooks, upload_of(number)).await.status(), StatusCode::NO_CONTENT);
    }
    for number in 2500..3000 {
        assert_eq!(send(&hooks, upload_of(number)).await.status(), StatusCode::NO_CONTENT);
    }
    assert_eq!((runs.count(), hooks.stats().duplicates), (3000, 500));
}
