//! The queue, over every storage whose server is available.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod failing;
mod polling;
mod sqlite;

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{Response, StatusCode};
use serde_json::Value;
use tests::{
    deliveries::{UUID, payload, secret, signed_request},
    storages::{Kind, Storage, WorkerOptions},
};
use uploadcare_hooks::{
    Delivery, FileStored, FileUploaded, HandlerError, State, WebhookRouter, WebhookRouterBuilder, webhook_handler,
    webhook_handlers,
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

fn builder(runs: &Runs) -> WebhookRouterBuilder {
    WebhookRouter::builder().signing_secret(secret()).state(runs.clone())
}

async fn send(hooks: &WebhookRouter, body: impl Into<Bytes>) -> Response<Bytes> {
    hooks.handle(signed_request("/", &secret(), body)).await
}

async fn deliver(hooks: &WebhookRouter, event: &str) -> StatusCode {
    send(hooks, payload(event).to_string()).await.status()
}

/// An upload of a file of this size, so that uploads of different sizes are different deliveries.
fn upload_of(size: u32) -> String {
    let mut body = payload("file.uploaded");
    body["data"]["size"] = size.into();
    body.to_string()
}

/// Waits until the condition holds, at most 30 seconds.
async fn wait_until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let start = Instant::now();
    while !holds().await {
        assert!(start.elapsed() < Duration::from_secs(30), "this did not happen within 30 seconds: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Waits long enough for a job to run that should not run.
async fn wait_for_unexpected_runs() {
    tokio::time::sleep(Duration::from_millis(300)).await;
}

/// Runs each test once for every storage whose server is available.
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

            async fn over(kind: Kind) {
                if let Some(storage) = kind.open().await.unwrap() {
                    super::$test(storage).await;
                }
            }
        }
    )+};
}

over_every_storage! {
    each_handler_runs_once_for_a_stored_delivery_and_not_again_for_its_redeliveries
    a_failed_job_is_retried_and_is_dead_after_its_last_attempt
    a_dead_job_is_listed_and_runs_once_more_when_asked_to
    a_job_that_can_never_succeed_is_dead_after_its_first_attempt
    a_worker_that_is_stopped_finishes_its_running_job
    a_job_of_a_crashed_worker_is_done_by_another_worker
    a_handler_that_hangs_or_panics_runs_again
    a_job_stopped_by_the_time_limit_of_apalis_runs_again
}

async fn each_handler_runs_once_for_a_stored_delivery_and_not_again_for_its_redeliveries(storage: Storage) {
    let runs = Runs::default();
    let hooks = storage.attach(builder(&runs)).handlers(webhook_handlers![index, copy]).build().unwrap();
    assert_eq!(deliver(&hooks, "file.uploaded").await, StatusCode::ACCEPTED);
    assert_eq!(runs.of("index"), 0, "no handler runs before a worker starts");
    assert_eq!(deliver(&hooks, "file.uploaded").await, StatusCode::ACCEPTED);
    assert_eq!(deliver(&hooks, "file.deleted").await, StatusCode::NO_CONTENT, "no handler takes this event");
    let worker = storage.work(&hooks, WorkerOptions::default());
    wait_until("both handlers ran", async || runs.of("index") + runs.of("copy") == 2).await;
    assert_eq!(deliver(&hooks, "file.uploaded").await, StatusCode::ACCEPTED);
    wait_for_unexpected_runs().await;
    assert_eq!((runs.of("index"), runs.of("copy")), (1, 1));

    // A router that starts later recognises the redelivery by the jobs in the storage.
    let hooks = storage.attach(builder(&runs)).handlers(webhook_handlers![index, copy]).build().unwrap();
    assert_eq!(deliver(&hooks, "file.uploaded").await, StatusCode::ACCEPTED);
    wait_for_unexpected_runs().await;
    assert_eq!((runs.of("index"), runs.of("copy")), (1, 1));
    worker.stop().await.unwrap();
    assert!(storage.dead().await.unwrap().is_empty());
}

async fn a_failed_job_is_retried_and_is_dead_after_its_last_attempt(storage: Storage) {
    let runs = Runs::default();
    let hooks = storage.attach(builder(&runs)).handlers(webhook_handlers![index]).queue_attempts(4).build().unwrap();
    runs.failures_left.store(3, Ordering::SeqCst);
    let worker = storage.work(&hooks, WorkerOptions::default());
    assert_eq!(deliver(&hooks, "file.uploaded").await, StatusCode::ACCEPTED);
    wait_until("the fourth attempt succeeded", async || runs.of("index") == 4).await;
    runs.failures_left.store(usize::MAX, Ordering::SeqCst);
    assert_eq!(send(&hooks, upload_of(1)).await.status(), StatusCode::ACCEPTED);
    wait_until("the job is dead", async || !storage.dead().await.unwrap().is_empty()).await;
    wait_for_unexpected_runs().await;
    assert_eq!(runs.of("index"), 8);
    let dead = storage.dead().await.unwrap();
    assert_eq!((dead.len(), dead[0].attempts, dead[0].job.handler()), (1, 4, "index"));
    worker.stop().await.unwrap();
}

async fn a_dead_job_is_listed_and_runs_once_more_when_asked_to(storage: Storage) {
    let runs = Runs::default();
    let hooks = storage.attach(builder(&runs)).handlers(webhook_handlers![index]).queue_attempts(1).build().unwrap();
    let worker = storage.work(&hooks, WorkerOptions::default());
    runs.failures_left.store(1, Ordering::SeqCst);
    assert_eq!(deliver(&hooks, "file.uploaded").await, StatusCode::ACCEPTED);
    wait_until("the job is dead", async || storage.dead().await.unwrap().len() == 1).await;
    let dead = storage.dead().await.unwrap().remove(0);
    let body: Value = serde_json::from_slice(&dead.job.body()).unwrap();
    assert_eq!(body, payload("file.uploaded"));
    assert_eq!(deliver(&hooks, "file.uploaded").await, StatusCode::ACCEPTED);
    wait_for_unexpected_runs().await;
    assert_eq!(runs.of("index"), 1, "a redelivery does not run a dead job");
    storage.run_again(dead.clone()).await.unwrap();
    storage.run_again(dead).await.unwrap();
    wait_until("the job ran again", async || runs.of("index") == 2).await;
    wait_for_unexpected_runs().await;
    assert_eq!(runs.of("index"), 2);
    assert!(storage.dead().await.unwrap().is_empty());
    worker.stop().await.unwrap();
}

async fn a_job_that_can_never_succeed_is_dead_after_its_first_attempt(storage: Storage) {
    let runs = Runs::default();
    let before = storage.attach(builder(&runs)).handlers(webhook_handlers![discard, slow, index]).build().unwrap();
    assert_eq!(deliver(&before, "file.stored").await, StatusCode::ACCEPTED);
    // Signed and of a known event, but with a payload that does not fit the event.
    let wrong_payload = r#"{"hook": {"event": "file.uploaded"}, "data": {"uuid": "not one", "name": "a\u0000b"}}"#;
    assert_eq!(send(&before, wrong_payload).await.status(), StatusCode::ACCEPTED);
    let invalid_utf8 =
        [&br#"{"hook": {"event": "file.uploaded"}, "data": ""#[..], &[0xFF, 0xFE], &br#""}"#[..]].concat();
    assert_eq!(send(&before, invalid_utf8.clone()).await.status(), StatusCode::ACCEPTED);
    assert_eq!(send(&before, "not JSON").await.status(), StatusCode::UNPROCESSABLE_ENTITY);

    let after = storage.attach(builder(&runs)).handlers(webhook_handlers![discard, index]).build().unwrap();
    let worker = storage.work(&after, WorkerOptions::default());
    wait_until("four jobs are dead", async || storage.dead().await.unwrap().len() == 4).await;
    let mut dead = storage.dead().await.unwrap();
    dead.sort_by_key(|dead| (dead.job.handler().to_owned(), dead.job.body().len()));
    let names: Vec<_> = dead.iter().map(|dead| (dead.job.handler(), dead.attempts)).collect();
    assert_eq!(names, [("discard", 1), ("index", 1), ("index", 1), ("slow", 1)]);
    assert_eq!(dead[1].job.body(), invalid_utf8, "the body is kept as received");
    assert_eq!(dead[2].job.body(), wrong_payload);
    assert_eq!((runs.of("discard"), runs.of("index"), runs.of("slow started")), (1, 0, 0));
    worker.stop().await.unwrap();
}

async fn a_worker_that_is_stopped_finishes_its_running_job(storage: Storage) {
    let runs = Runs::default();
    let hooks = storage.attach(builder(&runs)).handlers(webhook_handlers![slow, copy_stored]).build().unwrap();
    let worker = storage.work(&hooks, WorkerOptions::default());
    assert_eq!(deliver(&hooks, "file.stored").await, StatusCode::ACCEPTED);
    wait_until("the handler started", async || runs.of("slow started") == 1).await;
    worker.stop().await.unwrap();
    assert_eq!(runs.of("slow ended"), 1);
    let worker = storage.work(&hooks, WorkerOptions::default());
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!((runs.of("slow started"), runs.of("copy_stored")), (1, 1), "a finished job is recorded as done");
    worker.stop().await.unwrap();
}

async fn a_job_of_a_crashed_worker_is_done_by_another_worker(storage: Storage) {
    let runs = Runs::default();
    let hooks = storage.attach(builder(&runs)).handlers(webhook_handlers![slow]).build().unwrap();
    let worker = storage.work(&hooks, WorkerOptions::default());
    assert_eq!(deliver(&hooks, "file.stored").await, StatusCode::ACCEPTED);
    wait_until("the handler started", async || runs.of("slow started") == 1).await;
    worker.abort();
    let other = storage.work(&hooks, WorkerOptions::default());
    wait_until("the handler ended", async || runs.of("slow ended") == 1).await;
    wait_for_unexpected_runs().await;
    assert_eq!((runs.of("slow started"), runs.of("slow ended")), (2, 1));
    other.stop().await.unwrap();
}

async fn a_handler_that_hangs_or_panics_runs_again(storage: Storage) {
    let runs = Runs::default();
    let builder = builder(&runs).handler_timeout(Duration::from_millis(200));
    let hooks = storage.attach(builder).handlers(webhook_handlers![hang_once, panic_once]).build().unwrap();
    let worker = storage.work(&hooks, WorkerOptions::default());
    assert_eq!(deliver(&hooks, "file.stored").await, StatusCode::ACCEPTED);
    wait_until("both handlers ran twice", async || (runs.of("hang_once"), runs.of("panic_once")) == (2, 2)).await;
    worker.stop().await.unwrap();
    assert!(storage.dead().await.unwrap().is_empty());
}

async fn a_job_stopped_by_the_time_limit_of_apalis_runs_again(storage: Storage) {
    let runs = Runs::default();
    let hooks = storage.attach(builder(&runs)).handlers(webhook_handlers![hang_once]).build().unwrap();
    let options = WorkerOptions { timeout: Duration::from_millis(200), retries: 0, ..WorkerOptions::default() };
    let worker = storage.work(&hooks, options);
    assert_eq!(deliver(&hooks, "file.stored").await, StatusCode::ACCEPTED);
    wait_until("the job ran again", async || runs.of("hang_once") == 2).await;
    worker.stop().await.unwrap();
    assert!(storage.dead().await.unwrap().is_empty());
}
