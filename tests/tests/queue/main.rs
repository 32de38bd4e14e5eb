//! The queue, over every storage whose server is available.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod by_hand;
mod dead;
mod failing;
mod guide;
mod hostile;
mod memory;
mod random;
mod spans;
mod sqlite;
mod unlisted;
mod worker;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use futures_util::{future::join_all, poll};
use http::StatusCode;
use tests::{
    deliveries::{UUID, upload_of},
    routers::{builder, deliver, send},
    storages::{Kind, RunningWorker, TestQueue},
};
use uploadcare_hooks::{
    Delivery, Event, FileStored, FileUploaded, HandlerError, State, WebhookRouterBuilder,
    queue::{QueueStats, Retries, Storage},
    webhook_handler, webhook_handlers,
};

/// Counts the runs of each handler.
#[derive(Clone, Default)]
struct Runs {
    by_name: Arc<Mutex<BTreeMap<&'static str, usize>>>,
    /// How many of the next runs of `index` fail.
    failures_left: Arc<AtomicUsize>,
}

impl Runs {
    /// Counts a run of this handler. Returns how often it has run.
    fn count(&self, name: &'static str) -> usize {
        let mut by_name = self.by_name.lock().unwrap();
        let runs = by_name.entry(name).or_default();
        *runs += 1;
        *runs
    }

    fn of(&self, name: &str) -> usize {
        self.by_name.lock().unwrap().get(name).copied().unwrap_or_default()
    }

    /// Whether the current run must fail.
    fn must_fail(&self) -> bool {
        self.failures_left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok()
    }
}

#[webhook_handler(event = "file.uploaded")]
async fn index(event: FileUploaded, delivery: Delivery, State(runs): State<Runs>) -> Result<(), String> {
    assert_eq!(event.data.uuid.to_string(), UUID);
    assert!(delivery.headers().is_empty());
    runs.count("index");
    if runs.must_fail() { Err("not yet".to_owned()) } else { Ok(()) }
}

#[webhook_handler(event = "file.uploaded")]
async fn copy(_event: FileUploaded, State(runs): State<Runs>) {
    runs.count("copy");
}

#[webhook_handler(event = "file.stored")]
async fn discard(_event: FileStored, State(runs): State<Runs>) -> Result<(), HandlerError> {
    runs.count("discard");
    Err(HandlerError::discard("this can never succeed"))
}

#[webhook_handler(any)]
async fn any(event: Event, State(runs): State<Runs>) {
    runs.count(if event.kind().as_str() == "file.\0" { "file.\0" } else { "any" });
}

#[webhook_handler(event = "file.stored", name = "copy")]
async fn copy_stored(_event: FileStored, State(runs): State<Runs>) {
    runs.count("copy_stored");
}

#[webhook_handler(event = "file.stored")]
async fn slow(_event: FileStored, State(runs): State<Runs>) {
    runs.count("slow started");
    tokio::time::sleep(Duration::from_millis(500)).await;
    runs.count("slow ended");
}

#[webhook_handler(event = "file.stored")]
async fn hang_once(_event: FileStored, State(runs): State<Runs>) {
    if runs.count("hang_once") == 1 {
        std::future::pending::<()>().await;
    }
}

#[webhook_handler(event = "file.stored")]
async fn panic_once(_event: FileStored, State(runs): State<Runs>) {
    assert!(runs.count("panic_once") > 1, "an invariant is broken");
}

/// Twenty-five attempts within two seconds, and leases of one second.
fn quick(runs: &Runs, storage: &Storage) -> WebhookRouterBuilder {
    let retries = Retries::new(25).first_delay(Duration::from_millis(5)).longest_delay(Duration::from_millis(100));
    builder(runs).queue(storage.clone()).queue_retries(retries).queue_lease(Duration::from_secs(1))
}

/// Waits until the condition holds, at most 30 seconds.
async fn wait_until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let start = Instant::now();
    while !holds().await {
        assert!(start.elapsed() < Duration::from_secs(30), "this did not happen within 30 seconds: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Whether a delivery never waits to be stored, as in memory: tests of what happens meanwhile say
/// nothing then.
fn never_waits(storage: &Storage) -> bool {
    format!("{storage:?}") == "Storage(memory)"
}

/// Waits long enough for a job to run that should not run.
async fn wait_for_unexpected_runs() {
    tokio::time::sleep(Duration::from_millis(300)).await;
}

/// Runs each test once for every storage whose server is available, and for the queue in memory.
macro_rules! over_every_storage {
    ($($test:ident)+) => {$(
        mod $test {
            use super::*;

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                over(Kind::Sqlite).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn redis() {
                over(Kind::Redis).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                over(Kind::Postgres).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn memory() {
                let clock = uploadcare_hooks::testing::Clock::ticking();
                super::$test(uploadcare_hooks::testing::MemoryQueue::with_clock(&clock).storage()).await;
            }

            async fn over(kind: Kind) {
                let queue = TestQueue::new(kind).unwrap();
                if let Some(storage) = queue.open().await.unwrap() {
                    super::$test(storage).await;
                }
            }
        }
    )+};
}
use over_every_storage;

over_every_storage! {
    each_handler_runs_once_for_a_stored_delivery_and_not_again_for_its_redeliveries
    a_failed_job_is_retried_and_is_dead_after_its_last_attempt
    a_discarded_job_is_dead_after_its_first_attempt
    a_handler_that_hangs_or_panics_runs_again
    a_job_is_kept_as_it_was_received
    many_deliveries_at_once_are_stored_and_run
    a_delivery_whose_client_goes_away_does_not_take_others_with_it
}

async fn each_handler_runs_once_for_a_stored_delivery_and_not_again_for_its_redeliveries(storage: Storage) {
    let runs = Runs::default();
    let hooks = quick(&runs, &storage).handlers(webhook_handlers![index, copy]).build().unwrap();
    assert_eq!(deliver(&hooks, "file.uploaded").await, StatusCode::ACCEPTED);
    assert_eq!(runs.of("index"), 0, "no handler runs before a worker starts");
    assert_eq!(deliver(&hooks, "file.uploaded").await, StatusCode::ACCEPTED);
    assert_eq!(deliver(&hooks, "file.deleted").await, StatusCode::NO_CONTENT, "no handler takes this event");
    let worker = RunningWorker::start(&hooks);
    wait_until("both handlers ran", async || runs.of("index") + runs.of("copy") == 2).await;
    assert_eq!(deliver(&hooks, "file.uploaded").await, StatusCode::ACCEPTED);
    wait_for_unexpected_runs().await;
    assert_eq!((runs.of("index"), runs.of("copy")), (1, 1));

    // A router that starts later recognises the redelivery by the jobs in the storage.
    let hooks = quick(&runs, &storage).handlers(webhook_handlers![index, copy]).build().unwrap();
    assert_eq!(deliver(&hooks, "file.uploaded").await, StatusCode::ACCEPTED);
    wait_for_unexpected_runs().await;
    assert_eq!((runs.of("index"), runs.of("copy")), (1, 1));
    worker.stop().await.unwrap();
    assert_eq!(hooks.queue_stats().await.unwrap(), QueueStats::default());
}

async fn a_failed_job_is_retried_and_is_dead_after_its_last_attempt(storage: Storage) {
    let runs = Runs::default();
    let hooks = quick(&runs, &storage).handlers(webhook_handlers![index]).queue_attempts(4).build().unwrap();
    runs.failures_left.store(3, Ordering::SeqCst);
    let worker = RunningWorker::start(&hooks);
    assert_eq!(deliver(&hooks, "file.uploaded").await, StatusCode::ACCEPTED);
    wait_until("the fourth attempt succeeded", async || runs.of("index") == 4).await;
    runs.failures_left.store(usize::MAX, Ordering::SeqCst);
    assert_eq!(send(&hooks, upload_of(1)).await.status(), StatusCode::ACCEPTED);
    wait_until("the job is dead", async || !hooks.dead_jobs(10).await.unwrap().is_empty()).await;
    wait_for_unexpected_runs().await;
    assert_eq!(runs.of("index"), 8);
    let dead = hooks.dead_jobs(10).await.unwrap();
    assert_eq!((dead.len(), dead[0].attempts, dead[0].job.handler()), (1, 4, "index"));
    let attempts: Vec<_> = dead[0].failures.iter().map(|failure| (failure.attempt, &*failure.error)).collect();
    assert_eq!(attempts, [(1, "not yet"), (2, "not yet"), (3, "not yet"), (4, "not yet")]);
    assert!(dead[0].failures.is_sorted_by_key(|failure| failure.at));
    worker.stop().await.unwrap();
}

async fn a_discarded_job_is_dead_after_its_first_attempt(storage: Storage) {
    let runs = Runs::default();
    let hooks = quick(&runs, &storage).handlers(webhook_handlers![discard]).build().unwrap();
    let worker = RunningWorker::start(&hooks);
    assert_eq!(deliver(&hooks, "file.stored").await, StatusCode::ACCEPTED);
    wait_until("the job is dead", async || !hooks.dead_jobs(10).await.unwrap().is_empty()).await;
    let dead = hooks.dead_jobs(10).await.unwrap();
    assert_eq!((dead[0].attempts, dead[0].last_error()), (1, "this can never succeed"));
    worker.stop().await.unwrap();
}

async fn a_handler_that_hangs_or_panics_runs_again(storage: Storage) {
    let runs = Runs::default();
    let builder = quick(&runs, &storage).handler_timeout(Duration::from_millis(200));
    let hooks = builder.handlers(webhook_handlers![hang_once, panic_once]).build().unwrap();
    let worker = RunningWorker::start(&hooks);
    assert_eq!(deliver(&hooks, "file.stored").await, StatusCode::ACCEPTED);
    wait_until("both handlers ran twice", async || (runs.of("hang_once"), runs.of("panic_once")) == (2, 2)).await;
    worker.stop().await.unwrap();
    assert_eq!(hooks.queue_stats().await.unwrap(), QueueStats::default());
}

async fn a_job_is_kept_as_it_was_received(storage: Storage) {
    let runs = Runs::default();
    let hooks = quick(&runs, &storage).handlers(webhook_handlers![index, any]).queue_attempts(1).build().unwrap();
    // Signed and of a known event, but with a payload that does not fit the event.
    let wrong_payload = r#"{"hook": {"event": "file.uploaded"}, "data": {"uuid": "not one", "name": "a\u0000b"}}"#;
    assert_eq!(send(&hooks, wrong_payload).await.status(), StatusCode::ACCEPTED);
    let invalid_utf8 =
        [&br#"{"hook": {"event": "file.uploaded"}, "data": ""#[..], &[0xFF, 0xFE], &br#""}"#[..]].concat();
    assert_eq!(send(&hooks, invalid_utf8.clone()).await.status(), StatusCode::ACCEPTED);
    // PostgreSQL's texts cannot hold a zero byte.
    let zero_byte = r#"{"hook": {"event": "file.\u0000"}, "data": {"uuid": "f08d7c8a-2971-42e0-ab01-780d9039b40b"}}"#;
    assert_eq!(send(&hooks, zero_byte).await.status(), StatusCode::ACCEPTED);
    assert_eq!(send(&hooks, "not JSON").await.status(), StatusCode::UNPROCESSABLE_ENTITY);

    let worker = RunningWorker::start(&hooks);
    wait_until("four jobs are dead", async || hooks.dead_jobs(10).await.unwrap().len() == 4).await;
    let dead = hooks.dead_jobs(10).await.unwrap();
    let bodies: BTreeSet<_> = dead.iter().map(|dead| dead.job.body().to_vec()).collect();
    assert_eq!(bodies, BTreeSet::from([wrong_payload.as_bytes().to_vec(), invalid_utf8]));
    assert!(dead.iter().all(|dead| dead.attempts == 0 && dead.last_error().contains("not a payload")), "{dead:?}");
    wait_until("the unknown event was handled", async || runs.of("file.\0") == 1).await;
    worker.stop().await.unwrap();
}

async fn many_deliveries_at_once_are_stored_and_run(storage: Storage) {
    let runs = Runs::default();
    let hooks = quick(&runs, &storage).handlers(webhook_handlers![index, copy]).build().unwrap();
    let worker = RunningWorker::start(&hooks);
    let bodies: Vec<_> = (0..300).map(upload_of).collect();
    let answers = join_all(bodies.iter().map(|body| send(&hooks, body.clone()))).await;
    assert!(answers.iter().all(|answer| answer.status() == StatusCode::ACCEPTED));
    wait_until("all jobs ran", async || (runs.of("index"), runs.of("copy")) == (300, 300)).await;
    let answers = join_all(bodies.into_iter().map(|body| send(&hooks, body))).await;
    assert!(answers.iter().all(|answer| answer.status() == StatusCode::ACCEPTED));
    wait_for_unexpected_runs().await;
    assert_eq!((runs.of("index"), runs.of("copy")), (300, 300));
    worker.stop().await.unwrap();
    assert_eq!(hooks.queue_stats().await.unwrap(), QueueStats::default());
}

/// One delivery writes for others that arrive meanwhile. Its client may go away before it has told
/// them.
async fn a_delivery_whose_client_goes_away_does_not_take_others_with_it(storage: Storage) {
    if never_waits(&storage) {
        return;
    }
    let runs = Runs::default();
    let hooks = quick(&runs, &storage).handlers(webhook_handlers![index]).build().unwrap();
    for round in 0..20 {
        let mut first = Box::pin(send(&hooks, upload_of(1000 * round)));
        // In each round it comes a little further.
        for _ in 0..=round {
            if poll!(&mut first).is_ready() {
                break;
            }
        }
        let others = join_all((1..20).map(|size| send(&hooks, upload_of(1000 * round + size))));
        let mut others = Box::pin(others);
        assert!(poll!(&mut others).is_pending());
        drop(first);
        let answers = others.await;
        assert!(answers.iter().all(|answer| answer.status() == StatusCode::ACCEPTED));
    }
    let waiting = hooks.queue_stats().await.unwrap().waiting;
    assert!((20 * 19..=20 * 20).contains(&waiting), "{waiting}");
}
