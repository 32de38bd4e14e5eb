//! Redeliveries without a queue.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::{
    env,
    future::{pending, ready},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use futures_util::future::join_all;
use http::{Request, StatusCode};
use serde_json::json;
use tests::deliveries::{payload, secret};
use tokio::sync::Semaphore;
use uploadcare_hooks::{
    BuildProblem, FileStored, FileUploaded, RejectionReason, State, WebhookRouter, WebhookRouterBuilder,
    claims::{Claim, ClaimFuture, ClaimMark, DeliveryClaims, RedisClaims},
    webhook_handler, webhook_handlers,
};

#[derive(Clone)]
struct Runs {
    number: Arc<AtomicUsize>,
    failures: Arc<AtomicUsize>,
    /// Each run waits for a permit.
    gate: Arc<Semaphore>,
}

impl Runs {
    fn new() -> Self {
        let gate = Arc::new(Semaphore::new(AT_ONCE as usize));
        Self { number: Arc::default(), failures: Arc::default(), gate }
    }

    fn number(&self) -> usize {
        self.number.load(Ordering::SeqCst)
    }

    /// Closes the gate. Dropping the permit opens it.
    async fn close(&self) -> tokio::sync::SemaphorePermit<'_> {
        self.gate.acquire_many(AT_ONCE).await.unwrap()
    }
}

/// More than any test has runs at once.
const AT_ONCE: u32 = 1000;

#[webhook_handler(event = "file.uploaded")]
async fn index(_event: FileUploaded, State(runs): State<Runs>) -> Result<(), String> {
    runs.number.fetch_add(1, Ordering::SeqCst);
    let _open = runs.gate.acquire().await.unwrap();
    match runs.failures.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)) {
        Ok(_) => Err("not yet".to_owned()),
        Err(_) => Ok(()),
    }
}

#[webhook_handler(event = "file.stored", path = "/other")]
async fn other(_event: FileStored, State(runs): State<Runs>) {
    runs.number.fetch_add(1, Ordering::SeqCst);
}

fn builder(runs: &Runs) -> WebhookRouterBuilder {
    let handlers = webhook_handlers![index, other];
    WebhookRouter::builder().signing_secret(secret()).state(runs.clone()).handlers(handlers)
}

fn remembering(runs: &Runs) -> WebhookRouter {
    builder(runs).deduplicate(1000, Duration::from_secs(60)).build().unwrap()
}

async fn send(hooks: &WebhookRouter, path: &str, body: String) -> StatusCode {
    let request = Request::post(path).header("X-Uc-Signature", secret().sign(body.as_bytes()));
    hooks.handle(request.body(Bytes::from(body)).unwrap()).await.status()
}

async fn deliver(hooks: &WebhookRouter) -> StatusCode {
    send(hooks, "/", payload("file.uploaded").to_string()).await
}

#[tokio::test]
async fn a_delivery_that_was_done_is_acknowledged_again_without_running() {
    let runs = Runs::new();
    let hooks = remembering(&runs);
    for _ in 0..3 {
        assert_eq!(deliver(&hooks).await, StatusCode::NO_CONTENT);
    }
    assert_eq!(runs.number(), 1);
    assert_eq!((hooks.stats().duplicates, hooks.stats().acknowledged), (2, 3));
    let mut another = payload("file.uploaded");
    another["data"]["size"] = json!(1);
    assert_eq!(send(&hooks, "/", another.to_string()).await, StatusCode::NO_CONTENT);
    assert_eq!(runs.number(), 2);
}

#[tokio::test]
async fn a_delivery_that_failed_runs_again() {
    let runs = Runs::new();
    let hooks = remembering(&runs);
    runs.failures.store(2, Ordering::SeqCst);
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(deliver(&hooks).await.as_u16());
    }
    assert_eq!(statuses, [500, 500, 204, 204]);
    assert_eq!(runs.number(), 3);
}

#[tokio::test]
async fn a_delivery_that_is_still_running_is_answered_503() {
    let runs = Runs::new();
    let hooks = remembering(&runs);
    let closed = runs.close().await;
    let first = deliver(&hooks);
    let second = async {
        tokio::task::yield_now().await;
        let status = deliver(&hooks).await;
        drop(closed);
        status
    };
    let statuses = futures_util::join!(first, second);
    assert_eq!(statuses, (StatusCode::NO_CONTENT, StatusCode::SERVICE_UNAVAILABLE));
    assert_eq!(runs.number(), 1);
    assert_eq!(deliver(&hooks).await, StatusCode::NO_CONTENT);
    assert_eq!(runs.number(), 1);
}

#[tokio::test]
async fn a_delivery_whose_request_was_dropped_runs_again() {
    let runs = Runs::new();
    let hooks = remembering(&runs);
    let closed = runs.close().await;
    assert!(tokio::time::timeout(Duration::from_millis(20), deliver(&hooks)).await.is_err());
    drop(closed);
    assert_eq!(deliver(&hooks).await, StatusCode::NO_CONTENT);
    assert_eq!(runs.number(), 2);
}

#[tokio::test]
async fn a_delivery_that_was_done_is_forgotten_after_its_ttl() {
    let runs = Runs::new();
    let hooks = builder(&runs).deduplicate(1000, Duration::from_millis(50)).build().unwrap();
    assert_eq!(deliver(&hooks).await, StatusCode::NO_CONTENT);
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(deliver(&hooks).await, StatusCode::NO_CONTENT);
    assert_eq!(runs.number(), 2);
    // Every duration is accepted.
    builder(&runs).deduplicate(u64::MAX, Duration::MAX).build().unwrap();
}

#[tokio::test]
async fn an_application_can_set_its_own_deduplication_key() {
    let runs = Runs::new();
    let by_file = builder(&runs).deduplicate(1000, Duration::from_secs(60));
    let hooks = by_file.delivery_key(|delivery| delivery.event().file().unwrap().uuid.to_string()).build().unwrap();
    let mut again = payload("file.uploaded");
    again["hook"]["updated_at"] = json!("2024-01-01T00:00:00Z");
    assert_eq!(deliver(&hooks).await, StatusCode::NO_CONTENT);
    assert_eq!(send(&hooks, "/", again.to_string()).await, StatusCode::NO_CONTENT);
    assert_eq!(runs.number(), 1, "the same key, although the bytes differ");
    assert_eq!(send(&hooks, "/other", payload("file.stored").to_string()).await, StatusCode::NO_CONTENT);
    assert_eq!(runs.number(), 2, "another path counts as another delivery");

    let panicking = builder(&runs).deduplicate(1000, Duration::from_secs(60)).delivery_key(|_| panic!("no key"));
    let hooks = panicking.build().unwrap();
    assert_eq!((deliver(&hooks).await, deliver(&hooks).await), (StatusCode::NO_CONTENT, StatusCode::NO_CONTENT));
    assert_eq!(runs.number(), 3, "the delivery's id is used instead");
}

/// Claims whose storage cannot be reached.
struct Unreachable;

impl DeliveryClaims for Unreachable {
    fn claim<'a>(&'a self, _: &'a str) -> ClaimFuture<'a, Claim> {
        Box::pin(async { Err("the line is dead".into()) })
    }

    fn complete<'a>(&'a self, _: &'a str, _: &'a ClaimMark) -> ClaimFuture<'a, ()> {
        unreachable!("nothing was claimed")
    }

    fn release<'a>(&'a self, _: &'a str, _: &'a ClaimMark) -> ClaimFuture<'a, ()> {
        unreachable!("nothing was claimed")
    }
}

#[tokio::test]
async fn nothing_runs_while_the_claims_cannot_be_reached() {
    let runs = Runs::new();
    let hooks = builder(&runs).deduplicate_with(Unreachable).on_rejection(|rejection| {
        assert!(matches!(rejection.reason(), RejectionReason::ClaimFailed(why) if why == "the line is dead"));
    });
    assert_eq!(deliver(&hooks.build().unwrap()).await, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(runs.number(), 0);
}

/// Claims that hang, at the claim or after it.
struct Hanging {
    at_once: bool,
}

impl DeliveryClaims for Hanging {
    fn claim<'a>(&'a self, _: &'a str) -> ClaimFuture<'a, Claim> {
        if self.at_once { Box::pin(pending()) } else { Box::pin(ready(Ok(Claim::Granted(ClaimMark::default())))) }
    }

    fn complete<'a>(&'a self, _: &'a str, _: &'a ClaimMark) -> ClaimFuture<'a, ()> {
        Box::pin(pending())
    }

    fn release<'a>(&'a self, _: &'a str, _: &'a ClaimMark) -> ClaimFuture<'a, ()> {
        Box::pin(pending())
    }
}

#[tokio::test]
async fn claims_that_hang_delay_a_delivery_no_longer_than_a_handler_may() {
    let runs = Runs::new();
    let builder = || builder(&runs).handler_timeout(Duration::from_millis(20));
    let hooks = builder().deduplicate_with(Hanging { at_once: true }).on_rejection(|rejection| {
        assert!(
            matches!(rejection.reason(), RejectionReason::ClaimFailed(why) if why.ends_with(" finish within 20ms"))
        );
    });
    assert_eq!(deliver(&hooks.build().unwrap()).await, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(runs.number(), 0);
    let hooks = builder().deduplicate_with(Hanging { at_once: false }).build().unwrap();
    assert_eq!(deliver(&hooks).await, StatusCode::NO_CONTENT);
    runs.failures.store(1, Ordering::SeqCst);
    assert_eq!(deliver(&hooks).await, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(runs.number(), 2);
}

/// Claims under a prefix of their own.
#[allow(clippy::print_stderr)]
async fn redis() -> Option<(RedisClaims, String)> {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let Ok(url) = env::var("TEST_REDIS_URL") else {
        eprintln!("skipped: TEST_REDIS_URL is not set");
        return None;
    };
    let started = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos();
    let prefix = format!("test-{started}-{}:", NUMBER.fetch_add(1, Ordering::SeqCst));
    Some(RedisClaims::connect(&url).await.unwrap().prefix(&prefix)).zip(Some(prefix))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_share_through_redis_which_deliveries_were_done() {
    let Some((claims, _)) = redis().await else { return };
    let runs = Runs::new();
    let router = || builder(&runs).deduplicate_with(claims.clone()).build().unwrap();
    let (one, other) = (router(), router());
    runs.failures.store(1, Ordering::SeqCst);
    assert_eq!(deliver(&one).await, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(deliver(&other).await, StatusCode::NO_CONTENT);
    assert_eq!(deliver(&one).await, StatusCode::NO_CONTENT);
    assert_eq!(runs.number(), 2);

    // Many at once: one of them runs, and 204 comes only after it is done.
    let mut body = payload("file.uploaded");
    for round in 0..20 {
        body["data"]["size"] = json!(round);
        let before = runs.number();
        let sent = (0..10).map(|number| send(if number % 2 == 0 { &one } else { &other }, "/", body.to_string()));
        let statuses = join_all(sent).await;
        let known = [StatusCode::NO_CONTENT, StatusCode::SERVICE_UNAVAILABLE];
        assert!(statuses.iter().all(|status| known.contains(status)), "{statuses:?}");
        assert_eq!(runs.number(), before + 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_claim_in_redis_ends_when_it_is_dropped_and_when_its_process_dies() {
    let Some((claims, prefix)) = redis().await else { return };
    let runs = Runs::new();
    let hooks = builder(&runs).deduplicate_with(claims.clone()).build().unwrap();
    let closed = runs.close().await;
    assert!(tokio::time::timeout(Duration::from_millis(100), deliver(&hooks)).await.is_err());
    drop(closed);
    for _ in 0..100 {
        if deliver(&hooks).await == StatusCode::NO_CONTENT {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(runs.number(), 2);

    let claims = claims.lease(Duration::from_millis(300));
    let granted = |claim| match claim {
        Claim::Granted(mark) => mark,
        other => panic!("{other:?}"),
    };
    let late = granted(claims.claim("dies").await.unwrap());
    assert_eq!(claims.claim("dies").await.unwrap(), Claim::Running);
    tokio::time::sleep(Duration::from_millis(400)).await;
    let current = granted(claims.claim("dies").await.unwrap());
    // A request of the same process whose claim has ended does not free the claim that followed.
    claims.release("dies", &late).await.unwrap();
    assert_eq!(claims.claim("dies").await.unwrap(), Claim::Running);
    let other = RedisClaims::connect(&env::var("TEST_REDIS_URL").unwrap()).await.unwrap().prefix(prefix);
    other.release("dies", &ClaimMark::new("of another process")).await.unwrap();
    assert_eq!(claims.claim("dies").await.unwrap(), Claim::Running);
    claims.complete("dies", &current).await.unwrap();
    assert_eq!(claims.claim("dies").await.unwrap(), Claim::Completed);
    // A late release does not undo a completed delivery.
    claims.release("dies", &current).await.unwrap();
    assert_eq!(claims.claim("dies").await.unwrap(), Claim::Completed);
}

/// Redis claims whose answer to `complete` never arrives.
struct Unanswered {
    claims: RedisClaims,
    completing: Arc<Semaphore>,
}

impl DeliveryClaims for Unanswered {
    fn claim<'a>(&'a self, key: &'a str) -> ClaimFuture<'a, Claim> {
        self.claims.claim(key)
    }

    fn complete<'a>(&'a self, key: &'a str, mark: &'a ClaimMark) -> ClaimFuture<'a, ()> {
        let completed = self.claims.complete(key, mark);
        self.completing.add_permits(1);
        Box::pin(async move {
            pending::<()>().await;
            completed.await
        })
    }

    fn release<'a>(&'a self, key: &'a str, mark: &'a ClaimMark) -> ClaimFuture<'a, ()> {
        self.claims.release(key, mark)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_is_dropped_while_its_end_is_recorded_counts_as_done() {
    let Some((claims, _)) = redis().await else { return };
    let runs = Runs::new();
    let completing = Arc::new(Semaphore::new(0));
    let slow = Unanswered { claims: claims.clone(), completing: Arc::clone(&completing) };
    let hooks = builder(&runs).deduplicate_with(slow).build().unwrap();
    tokio::select! {
        status = deliver(&hooks) => panic!("answered {status}"),
        _ = completing.acquire() => {}
    }
    let hooks = builder(&runs).deduplicate_with(claims).build().unwrap();
    for _ in 0..100 {
        if deliver(&hooks).await == StatusCode::NO_CONTENT {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(runs.number(), 1, "it is recorded as done, and does not run again");
    assert_eq!(hooks.stats().duplicates, 1);
}

#[tokio::test]
async fn a_lease_that_ends_before_its_handler_is_a_problem_at_boot() {
    struct Leased(Duration);
    impl DeliveryClaims for Leased {
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
    let error = builder(&runs).deduplicate_with(Leased(Duration::from_secs(30))).build().unwrap_err();
    assert!(matches!(error.problems(), [BuildProblem::LeaseTooShort { .. }]), "{error}");
    assert!(error.to_string().contains("a claim ends by itself after 30s, and a handler may take 30s"), "{error}");
    builder(&runs).deduplicate_with(Leased(Duration::from_secs(31))).build().unwrap();
}

/// Claims whose `release` panics.
struct Panicking;

impl DeliveryClaims for Panicking {
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
    let hooks = builder(&runs).deduplicate_with(Panicking).build().unwrap();
    let closed = runs.close().await;
    let dropped = tokio::time::timeout(Duration::from_millis(20), deliver(&hooks));
    assert!(dropped.await.is_err());
    drop(closed);
    assert_eq!(deliver(&hooks).await, StatusCode::NO_CONTENT);
}

#[test]
fn a_request_that_outlives_its_runtime_is_dropped_without_a_panic() {
    let run = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let runtime = run();
    let Some((claims, _)) = runtime.block_on(redis()) else { return };
    let runs = Runs::new();
    let hooks = builder(&runs).deduplicate_with(claims).build().unwrap();
    let mut request = Box::pin(deliver(&hooks));
    runtime.block_on(async {
        let closed = runs.close().await;
        assert!(tokio::time::timeout(Duration::from_millis(100), &mut request).await.is_err());
        drop(closed);
    });
    assert_eq!(runs.number(), 1, "the handler is running");
    drop(runtime);
    drop(request);
}

#[tokio::test]
async fn the_newest_deliveries_are_remembered_when_memory_is_full() {
    let runs = Runs::new();
    let hooks = builder(&runs).deduplicate(1000, Duration::from_secs(60)).build().unwrap();
    let body = |number: usize| {
        let mut body = payload("file.uploaded");
        body["data"]["size"] = json!(number);
        body.to_string()
    };
    for number in 0..3000 {
        assert_eq!(send(&hooks, "/", body(number)).await, StatusCode::NO_CONTENT);
    }
    for number in 2500..3000 {
        assert_eq!(send(&hooks, "/", body(number)).await, StatusCode::NO_CONTENT);
    }
    assert_eq!((runs.number(), hooks.stats().duplicates), (3000, 500));
}

#[tokio::test]
async fn an_unreachable_redis_is_named_without_its_password() {
    let error = RedisClaims::connect("redis://user:s3cr3t@[::1").await.unwrap_err().to_string();
    assert!(error.starts_with("not a Redis URL") && !error.contains("s3cr3t"), "{error}");
    let connect = RedisClaims::connect("redis://user:s3cr3t@127.0.0.1:1");
    let error = tokio::time::timeout(Duration::from_secs(60), connect).await.unwrap().unwrap_err().to_string();
    assert!(error.starts_with("no connection to Redis at 127.0.0.1:1") && !error.contains("s3cr3t"), "{error}");
}
