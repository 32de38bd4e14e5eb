//! The worker: how it starts and stops, and what it does with the jobs of others.

use std::time::{Duration, Instant};

use http::StatusCode;
use tests::{
    log::Log,
    storages::{Kind, RunningWorker, TestQueue},
};
use uploadcare_hooks::{
    queue::{QueueStats, Storage},
    webhook_handlers,
};

use crate::{
    Runs, builder, copy_stored, deliver, index, over_every_storage, quick, send, slow, upload_of,
    wait_for_unexpected_runs, wait_until,
};

over_every_storage! {
    a_worker_that_is_stopped_finishes_its_running_job
    a_stopped_worker_hands_back_a_job_that_takes_too_long
    a_job_of_a_crashed_worker_is_done_by_another_worker
    a_job_of_a_handler_that_this_process_lacks_is_left_for_others_while_attempts_last
    a_job_is_not_taken_by_another_worker_while_it_runs_longer_than_its_lease
    a_worker_runs_no_more_jobs_at_once_than_it_may
    jobs_that_are_done_are_removed_after_their_retention
    a_handler_whose_error_panics_runs_again
    a_job_that_kills_its_process_is_dead_after_its_attempts
    a_worker_takes_a_job_as_soon_as_its_process_has_stored_it
}

async fn a_worker_that_is_stopped_finishes_its_running_job(storage: Storage) {
    let runs = Runs::default();
    let hooks = quick(&runs, &storage).handlers(webhook_handlers![slow, copy_stored]).build().unwrap();
    let worker = RunningWorker::start(&hooks);
    assert_eq!(deliver(&hooks, "file.stored").await, StatusCode::ACCEPTED);
    wait_until("the handler started", async || runs.of("slow started") == 1).await;
    worker.stop().await.unwrap();
    assert_eq!(runs.of("slow ended"), 1);
    let worker = RunningWorker::start(&hooks);
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!((runs.of("slow started"), runs.of("copy_stored")), (1, 1), "a finished job is recorded as done");
    worker.stop().await.unwrap();
}

async fn a_stopped_worker_hands_back_a_job_that_takes_too_long(storage: Storage) {
    let runs = Runs::default();
    let builder = quick(&runs, &storage).queue_stop_timeout(Duration::from_millis(50));
    let hooks = builder.queue_attempts(1).handlers(webhook_handlers![slow]).build().unwrap();
    let worker = RunningWorker::start(&hooks);
    assert_eq!(deliver(&hooks, "file.stored").await, StatusCode::ACCEPTED);
    wait_until("the handler started", async || runs.of("slow started") == 1).await;
    worker.stop().await.unwrap();
    let failing = hooks.failing_jobs(10).await.unwrap();
    assert_eq!((failing.len(), failing[0].attempts), (1, 0), "the attempt does not count");
    assert_eq!(failing[0].last_error(), "it was still running when its worker was stopped");
    let worker = RunningWorker::start(&hooks);
    wait_until("the handler ended", async || runs.of("slow ended") == 1).await;
    assert_eq!(runs.of("slow started"), 2);
    worker.stop().await.unwrap();
}

async fn a_job_of_a_crashed_worker_is_done_by_another_worker(storage: Storage) {
    let runs = Runs::default();
    let hooks = quick(&runs, &storage).handlers(webhook_handlers![slow]).build().unwrap();
    let worker = RunningWorker::start(&hooks);
    assert_eq!(deliver(&hooks, "file.stored").await, StatusCode::ACCEPTED);
    wait_until("the handler started", async || runs.of("slow started") == 1).await;
    worker.abort();
    let other = RunningWorker::start(&hooks);
    wait_until("the handler ended", async || runs.of("slow ended") == 1).await;
    wait_for_unexpected_runs().await;
    assert_eq!((runs.of("slow started"), runs.of("slow ended")), (2, 1));
    other.stop().await.unwrap();
}

async fn a_job_of_a_handler_that_this_process_lacks_is_left_for_others_while_attempts_last(storage: Storage) {
    let runs = Runs::default();
    let new = quick(&runs, &storage).handlers(webhook_handlers![copy_stored]).build().unwrap();
    let old = quick(&runs, &storage).handlers(webhook_handlers![index]).build().unwrap();
    let worker = RunningWorker::start(&old);
    assert_eq!(deliver(&new, "file.stored").await, StatusCode::ACCEPTED);
    wait_until("the old process saw it", async || !old.failing_jobs(10).await.unwrap().is_empty()).await;
    let failing = old.failing_jobs(10).await.unwrap();
    assert_eq!(failing[0].attempts, 0);
    let error = failing[0].last_error();
    assert_eq!(error, "this process has no handler `copy`: if it was renamed, give it `name = \"copy\"`");
    worker.stop().await.unwrap();
    let worker = RunningWorker::start(&new);
    wait_until("the new process ran it", async || runs.of("copy_stored") == 1).await;
    worker.stop().await.unwrap();
    // Without a process that has its handler, it dies when a job that fails all the time would be.
    let other = quick(&runs, &storage).handlers(webhook_handlers![slow]).build().unwrap();
    assert_eq!(deliver(&other, "file.stored").await, StatusCode::ACCEPTED);
    let worker = RunningWorker::start(&old);
    wait_until("the job is dead", async || old.dead_jobs(10).await.unwrap().len() == 1).await;
    let dead = old.dead_jobs(10).await.unwrap();
    assert_eq!((dead[0].attempts, dead[0].failures.len()), (0, 1));
    assert!(dead[0].died_at.duration_since(dead[0].failures[0].at) > jiff_seconds(1));
    worker.stop().await.unwrap();
}

fn jiff_seconds(seconds: i64) -> jiff::SignedDuration {
    jiff::SignedDuration::from_secs(seconds)
}

async fn a_job_is_not_taken_by_another_worker_while_it_runs_longer_than_its_lease(storage: Storage) {
    let runs = Runs::default();
    let hooks = quick(&runs, &storage).handlers(webhook_handlers![very_slow]).build().unwrap();
    let workers = [RunningWorker::start(&hooks), RunningWorker::start(&hooks)];
    assert_eq!(deliver(&hooks, "file.stored").await, StatusCode::ACCEPTED);
    wait_until("the handler ended", async || runs.of("very slow ended") == 1).await;
    assert_eq!(runs.of("very slow started"), 1);
    for worker in workers {
        worker.stop().await.unwrap();
    }
}

#[uploadcare_hooks::webhook_handler(event = "file.stored")]
async fn very_slow(_event: uploadcare_hooks::FileStored, uploadcare_hooks::State(runs): uploadcare_hooks::State<Runs>) {
    runs.count("very slow started");
    tokio::time::sleep(Duration::from_millis(2500)).await;
    runs.count("very slow ended");
}

async fn a_worker_runs_no_more_jobs_at_once_than_it_may(storage: Storage) {
    let runs = Runs::default();
    let builder = quick(&runs, &storage).queue_concurrency(3);
    let hooks = builder.handlers(webhook_handlers![hold]).build().unwrap();
    for size in 0..10 {
        assert_eq!(send(&hooks, upload_of(size)).await.status(), StatusCode::ACCEPTED);
    }
    let worker = RunningWorker::start(&hooks);
    wait_until("three jobs run", async || runs.of("hold") == 3).await;
    wait_for_unexpected_runs().await;
    assert_eq!(runs.of("hold"), 3);
    let stats = hooks.queue_stats().await.unwrap();
    assert_eq!((stats.waiting, stats.running), (7, 3), "a worker takes out no more than it can start");
    assert!(stats.oldest_due.unwrap() >= Duration::from_millis(300), "{stats:?}");
    // Another worker has places for three more.
    let other = RunningWorker::start(&hooks);
    wait_until("six jobs run", async || runs.of("hold") == 6).await;
    worker.abort();
    other.abort();
}

#[uploadcare_hooks::webhook_handler(event = "file.uploaded")]
async fn hold(_event: uploadcare_hooks::FileUploaded, uploadcare_hooks::State(runs): uploadcare_hooks::State<Runs>) {
    runs.count("hold");
    std::future::pending::<()>().await;
}

async fn jobs_that_are_done_are_removed_after_their_retention(storage: Storage) {
    let runs = Runs::default();
    let builder = quick(&runs, &storage).queue_retention(Duration::from_millis(1));
    let hooks = builder.handlers(webhook_handlers![index]).build().unwrap();
    let worker = RunningWorker::start(&hooks);
    assert_eq!(deliver(&hooks, "file.uploaded").await, StatusCode::ACCEPTED);
    wait_until("the job ran", async || runs.of("index") == 1).await;
    worker.stop().await.unwrap();
    // A worker cleans when it starts, and then once a minute: the retention must be over before.
    tokio::time::sleep(Duration::from_millis(10)).await;
    let worker = RunningWorker::start(&hooks);
    wait_for_unexpected_runs().await;
    assert_eq!(deliver(&hooks, "file.uploaded").await, StatusCode::ACCEPTED);
    wait_until("the forgotten job ran again", async || runs.of("index") == 2).await;
    worker.stop().await.unwrap();
    assert_eq!(hooks.queue_stats().await.unwrap(), QueueStats::default());
}

async fn a_handler_whose_error_panics_runs_again(storage: Storage) {
    let runs = Runs::default();
    let hooks = quick(&runs, &storage).handlers(webhook_handlers![hostile]).build().unwrap();
    let worker = RunningWorker::start(&hooks);
    assert_eq!(deliver(&hooks, "file.stored").await, StatusCode::ACCEPTED);
    wait_until("the second attempt succeeded", async || runs.of("hostile") == 2).await;
    worker.stop().await.unwrap();
    assert_eq!(hooks.queue_stats().await.unwrap(), QueueStats::default());
}

/// An error that panics when it is shown and when it is dropped.
#[derive(Debug)]
pub(crate) struct Hostile;

impl std::fmt::Display for Hostile {
    fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        panic!("an error that cannot be shown")
    }
}

impl std::error::Error for Hostile {}

impl Drop for Hostile {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            panic!("an error that cannot be dropped");
        }
    }
}

#[uploadcare_hooks::webhook_handler(event = "file.stored")]
pub(crate) async fn hostile(
    _event: uploadcare_hooks::FileStored,
    uploadcare_hooks::State(runs): uploadcare_hooks::State<Runs>,
) -> Result<(), Hostile> {
    if runs.count("hostile") == 1 { Err(Hostile) } else { Ok(()) }
}

async fn a_worker_takes_a_job_as_soon_as_its_process_has_stored_it(storage: Storage) {
    let runs = Runs::default();
    let hooks = quick(&runs, &storage).handlers(webhook_handlers![index]).build().unwrap();
    let worker = RunningWorker::start(&hooks);
    let started = Instant::now();
    for size in 1..=20 {
        assert_eq!(send(&hooks, upload_of(size)).await.status(), StatusCode::ACCEPTED);
        wait_until("the job ran", async || runs.of("index") == size as usize).await;
    }
    // A worker that is not woken looks once a second.
    assert!(started.elapsed() < Duration::from_secs(8), "{:?}", started.elapsed());
    worker.stop().await.unwrap();
}

/// A worker that is aborted leaves its jobs as a killed process does.
async fn a_job_that_kills_its_process_is_dead_after_its_attempts(storage: Storage) {
    let runs = Runs::default();
    let hooks = quick(&runs, &storage).handlers(webhook_handlers![hold]).queue_attempts(2).build().unwrap();
    assert_eq!(send(&hooks, upload_of(1)).await.status(), StatusCode::ACCEPTED);
    for attempt in 1..=2 {
        let worker = RunningWorker::start(&hooks);
        wait_until("the job started", async || runs.of("hold") == attempt).await;
        worker.abort();
    }
    let worker = RunningWorker::start(&hooks);
    wait_until("the job is dead", async || hooks.dead_jobs(10).await.unwrap().len() == 1).await;
    let dead = hooks.dead_jobs(10).await.unwrap();
    assert_eq!((dead[0].attempts, runs.of("hold")), (2, 2));
    assert!(dead[0].last_error().contains("processes that died while it ran"), "{}", dead[0].last_error());
    worker.stop().await.unwrap();
}

#[tokio::test]
async fn without_a_queue_a_worker_returns_and_lists_are_errors() {
    let hooks = builder(&Runs::default()).handlers(webhook_handlers![index]).build().unwrap();
    hooks.run_worker(std::future::pending::<()>()).await;
    let error = hooks.dead_jobs(1).await.unwrap_err().to_string();
    assert_eq!(error, "this router has no queue: give its builder one with `.queue(..)`");
}

#[tokio::test]
async fn an_application_without_a_worker_is_warned_once_its_jobs_are_late() {
    let log = Log::default();
    let _captured = log.capture();
    let queue = TestQueue::new(Kind::Sqlite).unwrap();
    let storage = queue.open().await.unwrap().unwrap();
    let hooks = quick(&Runs::default(), &storage).handlers(webhook_handlers![index]).build().unwrap();
    assert_eq!(send(&hooks, upload_of(1)).await.status(), StatusCode::ACCEPTED);
    let minute_later = async || {
        tokio::time::pause();
        tokio::time::advance(Duration::from_secs(61)).await;
        tokio::time::resume();
        tokio::time::sleep(Duration::from_millis(300)).await;
    };
    minute_later().await;
    assert!(!log.text().contains("no worker takes"), "the job has just become due:\n{}", log.text());
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(queue.file());
    let mut connection = sqlx::ConnectOptions::connect(&options).await.unwrap();
    let older = format!("UPDATE queue_{} SET due_at = due_at - 60000", queue.name);
    sqlx::query(sqlx::AssertSqlSafe(older)).execute(&mut connection).await.unwrap();
    minute_later().await;
    assert!(log.text().contains("1 are due, the oldest for 60s. Start one with"), "{}", log.text());
}
