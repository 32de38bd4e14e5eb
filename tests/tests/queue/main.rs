//! Durable dispatch, over every available storage.
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
use http::{Request, Response, StatusCode};
use serde_json::Value;
use tests::{
    deliveries::{UUID, payload, secret},
    storages::{Kind, Storage, WorkerOptions},
};
use uploadcare_hooks::{
    Delivery, FileStored, FileUploaded, HandlerError, State, WebhookRouter, WebhookRouterBuilder, webhook_handler,
    webhook_handlers,
};

/// How often each handler ran, and what its next runs should do.
#[derive(Clone, Default)]
struct Runs {
    by_name: Arc<Mutex<BTreeMap<&'static str, usize>>>,
    failures: Arc<AtomicUsize>,
}

impl Runs {
    fn note(&self, name: &'static str) -> usize {
        let mut by_name = self.by_name.lock().unwrap();
        let runs = by_name.entry(name).or_default();
        *runs += 1;
        *runs
    }

    fn of(&self, name: &str) -> usize {
        self.by_name.lock().unwrap().get(name).copied().unwrap_or_default()
    }

    /// Whether this run should fail.
    fn fails(&self) -> bool {
        self.failures.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok()
    }
}

#[webhook_handler(event = "file.uploaded")]
async fn index(event: FileUploaded, delivery: Delivery, State(runs): State<Runs>) -> Result<(), String> {
    assert_eq!(event.data.uuid.to_string(), UUID);
    assert!(delivery.headers().is_empty());
    runs.note("index");
    if runs.fails() { Err("not yet".to_owned()) } else { Ok(()) }
}

#[webhook_handler(event = "file.uploaded")]
async fn copy(_event: FileUploaded, State(runs): State<Runs>) {
    runs.note("copy");
}

#[webhook_handler(event = "file.stored")]
async fn give_up(_event: FileStored, State(runs): State<Runs>) -> Result<(), HandlerError> {
    runs.note("give_up");
    Err(HandlerError::discard("this will never do"))
}

#[webhook_handler(event = "file.stored", name = "copy")]
async fn another_copy(_event: FileStored, State(runs): State<Runs>) {
    runs.note("another_copy");
}

#[webhook_handler(event = "file.stored")]
async fn slow(_event: FileStored, State(runs): State<Runs>) {
    runs.note("slow started");
    tokio::time::sleep(Duration::from_millis(500)).await;
    runs.note("slow ended");
}

#[webhook_handler(event = "file.stored")]
async fn hang_once(_event: FileStored, State(runs): State<Runs>) {
    if runs.note("hang_once") == 1 {
        std::future::pending::<()>().await;
    }
}

#[webhook_handler(event = "file.stored")]
async fn panic_once(_event: FileStored, State(runs): State<Runs>) {
    assert!(runs.note("panic_once") > 1, "an invariant is broken");
}

fn builder(runs: &Runs) -> WebhookRouterBuilder {
    WebhookRouter::builder().signing_secret(secret()).state(runs.clone())
}

async fn send(hooks: &WebhookRouter, body: impl Into<Bytes>) -> Response<Bytes> {
    let body = body.into();
    let request = Request::post("/").header("X-Uc-Signature", secret().sign(&body));
    hooks.handle(request.body(body).unwrap()).await
}

async fn deliver(hooks: &WebhookRouter, event: &str) -> StatusCode {
    send(hooks, payload(event).to_string()).await.status()
}

/// An upload of a file of this size, so that its delivery differs from others.
fn upload_of(size: u32) -> String {
    let mut body = payload("file.uploaded");
    body["data"]["size"] = size.into();
    body.to_string()
}

/// Waits until a condition holds.
async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let start = Instant::now();
    while !holds().await {
        assert!(start.elapsed() < Duration::from_secs(30), "not after 30 seconds: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Waits long enough for something that should not happen.
async fn a_while() {
    tokio::time::sleep(Duration::from_millis(300)).await;
}

/// One test over every available storage.
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
    a_delivery_is_stored_for_each_handler_and_runs_once_however_often_it_is_redelivered
    a_job_that_fails_is_tried_again_and_is_dead_when_its_attempts_are_used_up
    a_dead_job_is_listed_and_run_again_once
    a_job_that_can_never_succeed_is_dead_at_once
    a_worker_that_stops_finishes_its_running_jobs
    another_worker_takes_over_the_jobs_of_a_dead_one
    a_handler_that_hangs_or_panics_is_tried_again
    the_time_limit_of_apalis_does_not_lose_a_job
}

async fn a_delivery_is_stored_for_each_handler_and_runs_once_however_often_it_is_redelivered(storage: Storage) {
    let runs = Runs::default();
    let hooks = storage.attach(builder(&runs)).handlers(webhook_handlers![index, copy]).build().unwrap();
    assert_eq!(deliver(&hooks, "file.uploaded").await, StatusCode::ACCEPTED);
    assert_eq!(runs.of("index"), 0, "no job runs before a worker starts");
    assert_eq!(deliver(&hooks, "file.uploaded").await, StatusCode::ACCEPTED);
    assert_eq!(deliver(&hooks, "file.deleted").await, StatusCode::NO_CONTENT, "no handler takes it");
    let worker = storage.work(&hooks, WorkerOptions::default());
    until("both ran", async || runs.of("index") + runs.of("copy") == 2).await;
    assert_eq!(deliver(&hooks, "file.uploaded").await, StatusCode::ACCEPTED);
    a_while().await;
    assert_eq!((runs.of("index"), runs.of("copy")), (1, 1));

    // A router that starts later with one more handler: a redelivery adds a job for that handler
    // only.
    let more = builder(&runs).handlers(webhook_handlers![index, copy]);
    let hooks = storage.attach(more).build().unwrap();
    assert_eq!(deliver(&hooks, "file.uploaded").await, StatusCode::ACCEPTED);
    a_while().await;
    assert_eq!((runs.of("index"), runs.of("copy")), (1, 1));
    worker.stop().await.unwrap();
    assert!(storage.dead().await.unwrap().is_empty());
}

async fn a_job_that_fails_is_tried_again_and_is_dead_when_its_attempts_are_used_up(storage: Storage) {
    let runs = Runs::default();
    let hooks = storage.attach(builder(&runs)).handlers(webhook_handlers![index]).queue_attempts(4).build().unwrap();
    runs.failures.store(3, Ordering::SeqCst);
    let worker = storage.work(&hooks, WorkerOptions::default());
    assert_eq!(deliver(&hooks, "file.uploaded").await, StatusCode::ACCEPTED);
    until("the fourth attempt succeeded", async || runs.of("index") == 4).await;
    runs.failures.store(usize::MAX, Ordering::SeqCst);
    assert_eq!(send(&hooks, upload_of(1)).await.status(), StatusCode::ACCEPTED);
    until("it is dead", async || !storage.dead().await.unwrap().is_empty()).await;
    a_while().await;
    assert_eq!(runs.of("index"), 8);
    let dead = storage.dead().await.unwrap();
    assert_eq!((dead.len(), dead[0].attempts, dead[0].job.handler()), (1, 4, "index"));
    worker.stop().await.unwrap();
}

async fn a_dead_job_is_listed_and_run_again_once(storage: Storage) {
    let runs = Runs::default();
    let hooks = storage.attach(builder(&runs)).handlers(webhook_handlers![index]).queue_attempts(1).build().unwrap();
    let worker = storage.work(&hooks, WorkerOptions::default());
    runs.failures.store(1, Ordering::SeqCst);
    assert_eq!(deliver(&hooks, "file.uploaded").await, StatusCode::ACCEPTED);
    until("it is dead", async || storage.dead().await.unwrap().len() == 1).await;
    let dead = storage.dead().await.unwrap().remove(0);
    let body: Value = serde_json::from_slice(&dead.job.body()).unwrap();
    assert_eq!(body, payload("file.uploaded"));
    assert_eq!(deliver(&hooks, "file.uploaded").await, StatusCode::ACCEPTED);
    a_while().await;
    assert_eq!(runs.of("index"), 1, "a redelivery does not run a dead job");
    storage.run_again(dead.clone()).await.unwrap();
    storage.run_again(dead).await.unwrap();
    until("it ran again", async || runs.of("index") == 2).await;
    a_while().await;
    assert_eq!(runs.of("index"), 2);
    assert!(storage.dead().await.unwrap().is_empty());
    worker.stop().await.unwrap();
}

async fn a_job_that_can_never_succeed_is_dead_at_once(storage: Storage) {
    let runs = Runs::default();
    let before = storage.attach(builder(&runs)).handlers(webhook_handlers![give_up, slow, index]).build().unwrap();
    assert_eq!(deliver(&before, "file.stored").await, StatusCode::ACCEPTED);
    // Verified and of a known event, with a payload that does not fit.
    let odd = r#"{"hook": {"event": "file.uploaded"}, "data": {"uuid": "not one", "name": "a\u0000b"}}"#;
    assert_eq!(send(&before, odd).await.status(), StatusCode::ACCEPTED);
    let no_text = [&br#"{"hook": {"event": "file.uploaded"}, "data": ""#[..], &[0xFF, 0xFE], &br#""}"#[..]].concat();
    assert_eq!(send(&before, no_text.clone()).await.status(), StatusCode::ACCEPTED);
    assert_eq!(send(&before, "not JSON").await.status(), StatusCode::UNPROCESSABLE_ENTITY);

    let now = storage.attach(builder(&runs)).handlers(webhook_handlers![give_up, index]).build().unwrap();
    let worker = storage.work(&now, WorkerOptions::default());
    until("four are dead", async || storage.dead().await.unwrap().len() == 4).await;
    let mut dead = storage.dead().await.unwrap();
    dead.sort_by_key(|dead| (dead.job.handler().to_owned(), dead.job.body().len()));
    let names: Vec<_> = dead.iter().map(|dead| (dead.job.handler(), dead.attempts)).collect();
    assert_eq!(names, [("give_up", 1), ("index", 1), ("index", 1), ("slow", 1)]);
    assert_eq!(dead[1].job.body(), no_text, "as it was received");
    assert_eq!(dead[2].job.body(), odd);
    assert_eq!((runs.of("give_up"), runs.of("index"), runs.of("slow started")), (1, 0, 0));
    worker.stop().await.unwrap();
}

async fn a_worker_that_stops_finishes_its_running_jobs(storage: Storage) {
    let runs = Runs::default();
    let hooks = storage.attach(builder(&runs)).handlers(webhook_handlers![slow, another_copy]).build().unwrap();
    let worker = storage.work(&hooks, WorkerOptions::default());
    assert_eq!(deliver(&hooks, "file.stored").await, StatusCode::ACCEPTED);
    until("it started", async || runs.of("slow started") == 1).await;
    worker.stop().await.unwrap();
    assert_eq!(runs.of("slow ended"), 1);
    let worker = storage.work(&hooks, WorkerOptions::default());
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!((runs.of("slow started"), runs.of("another_copy")), (1, 1), "finished jobs are recorded as done");
    worker.stop().await.unwrap();
}

async fn another_worker_takes_over_the_jobs_of_a_dead_one(storage: Storage) {
    let runs = Runs::default();
    let hooks = storage.attach(builder(&runs)).handlers(webhook_handlers![slow]).build().unwrap();
    let worker = storage.work(&hooks, WorkerOptions::default());
    assert_eq!(deliver(&hooks, "file.stored").await, StatusCode::ACCEPTED);
    until("it started", async || runs.of("slow started") == 1).await;
    worker.abort();
    let other = storage.work(&hooks, WorkerOptions::default());
    until("it was done", async || runs.of("slow ended") == 1).await;
    a_while().await;
    assert_eq!((runs.of("slow started"), runs.of("slow ended")), (2, 1));
    other.stop().await.unwrap();
}

async fn a_handler_that_hangs_or_panics_is_tried_again(storage: Storage) {
    let runs = Runs::default();
    let builder = builder(&runs).handler_timeout(Duration::from_millis(200));
    let hooks = storage.attach(builder).handlers(webhook_handlers![hang_once, panic_once]).build().unwrap();
    let worker = storage.work(&hooks, WorkerOptions::default());
    assert_eq!(deliver(&hooks, "file.stored").await, StatusCode::ACCEPTED);
    until("both ran twice", async || (runs.of("hang_once"), runs.of("panic_once")) == (2, 2)).await;
    worker.stop().await.unwrap();
    assert!(storage.dead().await.unwrap().is_empty());
}

async fn the_time_limit_of_apalis_does_not_lose_a_job(storage: Storage) {
    let runs = Runs::default();
    let hooks = storage.attach(builder(&runs)).handlers(webhook_handlers![hang_once]).build().unwrap();
    let options = WorkerOptions { timeout: Duration::from_millis(200), retries: 0, ..WorkerOptions::default() };
    let worker = storage.work(&hooks, options);
    assert_eq!(deliver(&hooks, "file.stored").await, StatusCode::ACCEPTED);
    until("it ran again", async || runs.of("hang_once") == 2).await;
    worker.stop().await.unwrap();
    assert!(storage.dead().await.unwrap().is_empty());
}
