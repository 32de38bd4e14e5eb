//! Claims in Redis.

use super::*;

/// Claims in Redis, with a prefix that no other test uses; `None` when no server is configured.
#[allow(clippy::print_stderr)]
async fn redis_claims() -> Option<(RedisClaims, String)> {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let Ok(url) = env::var("TEST_REDIS_URL") else {
        eprintln!("test skipped: TEST_REDIS_URL is not set");
        return None;
    };
    let started = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos();
    let prefix = format!("test-{started}-{}:", NUMBER.fetch_add(1, Ordering::SeqCst));
    Some(RedisClaims::connect(&url).await.unwrap().prefix(&prefix)).zip(Some(prefix))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_that_share_claims_in_redis_run_a_delivery_once() {
    let Some((claims, _)) = redis_claims().await else { return };
    let runs = Runs::new();
    let router = || counting(&runs).deduplicate_with(claims.clone()).build().unwrap();
    let (one, other) = (router(), router());
    runs.failures_left.store(1, Ordering::SeqCst);
    assert_eq!(deliver(&one, "file.uploaded").await, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(deliver(&other, "file.uploaded").await, StatusCode::NO_CONTENT);
    assert_eq!(deliver(&one, "file.uploaded").await, StatusCode::NO_CONTENT);
    assert_eq!(runs.count(), 2);

    // Of many deliveries at once one runs, and none is answered 204 before that run is done.
    for round in 0..20 {
        let before = runs.count();
        let sent = (0..10).map(|number| send(if number % 2 == 0 { &one } else { &other }, upload_of(round)));
        let statuses: Vec<_> = join_all(sent).await.iter().map(Response::status).collect();
        let known = [StatusCode::NO_CONTENT, StatusCode::SERVICE_UNAVAILABLE];
        assert!(statuses.iter().all(|status| known.contains(status)), "{statuses:?}");
        assert_eq!(runs.count(), before + 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_claim_in_redis_ends_when_its_request_is_dropped_and_when_its_process_dies() {
    let Some((claims, prefix)) = redis_claims().await else { return };
    let runs = Runs::new();
    let hooks = counting(&runs).deduplicate_with(claims.clone()).build().unwrap();
    let held_back = runs.hold_back().await;
    assert!(tokio::time::timeout(Duration::from_millis(100), deliver(&hooks, "file.uploaded")).await.is_err());
    drop(held_back);
    for _ in 0..100 {
        if deliver(&hooks, "file.uploaded").await == StatusCode::NO_CONTENT {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(runs.count(), 2);

    let claims = claims.lease(Duration::from_millis(300));
    let granted = |claim| match claim {
        Claim::Granted(mark) => mark,
        other => panic!("{other:?}"),
    };
    let expired = granted(claims.claim("key").await.unwrap());
    assert_eq!(claims.claim("key").await.unwrap(), Claim::Running);
    tokio::time::sleep(Duration::from_millis(400)).await;
    let current = granted(claims.claim("key").await.unwrap());
    // The first claim has expired. Its late release does not free the claim that followed.
    claims.release("key", &expired).await.unwrap();
    assert_eq!(claims.claim("key").await.unwrap(), Claim::Running);
    let other = RedisClaims::connect(&env::var("TEST_REDIS_URL").unwrap()).await.unwrap().prefix(prefix);
    other.release("key", &ClaimMark::new("of another process")).await.unwrap();
    assert_eq!(claims.claim("key").await.unwrap(), Claim::Running);
    claims.complete("key", &current).await.unwrap();
    assert_eq!(claims.claim("key").await.unwrap(), Claim::Completed);
    // A release after completion changes nothing.
    claims.release("key", &current).await.unwrap();
    assert_eq!(claims.claim("key").await.unwrap(), Claim::Completed);
}

/// Redis claims whose answer to `complete` never arrives.
struct UnansweredClaims {
    claims: RedisClaims,
    /// Gets a permit for each call of `complete`.
    completing: Arc<Semaphore>,
}

impl DeliveryClaims for UnansweredClaims {
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
async fn a_delivery_whose_request_is_dropped_during_complete_counts_as_done() {
    let Some((claims, _)) = redis_claims().await else { return };
    let runs = Runs::new();
    let completing = Arc::new(Semaphore::new(0));
    let unanswered = UnansweredClaims { claims: claims.clone(), completing: Arc::clone(&completing) };
    let hooks = counting(&runs).deduplicate_with(unanswered).build().unwrap();
    tokio::select! {
        status = deliver(&hooks, "file.uploaded") => panic!("answered {status} although `complete` never ends"),
        _ = completing.acquire() => {}
    }
    let hooks = counting(&runs).deduplicate_with(claims).build().unwrap();
    for _ in 0..100 {
        if deliver(&hooks, "file.uploaded").await == StatusCode::NO_CONTENT {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(runs.count(), 1, "the delivery is recorded as done and does not run again");
    assert_eq!(hooks.stats().duplicates, 1);
}

#[test]
fn a_request_that_outlives_its_runtime_is_dropped_without_a_panic() {
    let run = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let runtime = run();
    let Some((claims, _)) = runtime.block_on(redis_claims()) else { return };
    let runs = Runs::new();
    let hooks = counting(&runs).deduplicate_with(claims).build().unwrap();
    let mut request = Box::pin(deliver(&hooks, "file.uploaded"));
    runtime.block_on(async {
        let held = runs.hold_back().await;
        assert!(tokio::time::timeout(Duration::from_millis(100), &mut request).await.is_err());
        drop(held);
    });
    assert_eq!(runs.count(), 1, "the handler is running");
    drop(runtime);
    drop(request);
}

#[tokio::test]
async fn the_error_for_an_unreachable_redis_shows_the_server_but_not_the_password() {
    let error = RedisClaims::connect("redis://user:s3cr3t@[::1").await.unwrap_err().to_string();
    assert!(error.starts_with("not a Redis URL") && !error.contains("s3cr3t"), "{error}");
    let connect = RedisClaims::connect("redis://user:s3cr3t@127.0.0.1:1");
    let error = tokio::time::timeout(Duration::from_secs(60), connect).await.unwrap().unwrap_err().to_string();
    assert!(error.starts_with("no connection to Redis at 127.0.0.1:1") && !error.contains("s3cr3t"), "{error}");
}
