//! Dead jobs: listed by page, run again, discarded.

use std::{sync::atomic::Ordering, time::Duration};

use http::StatusCode;
use serde_json::Value;
use tests::{
    deliveries::payload,
    storages::{Kind, RunningWorker, TestQueue},
};
use uploadcare_hooks::{
    EventKind,
    queue::{DeadJobs, QueueStats, Storage},
    webhook_handlers,
};

use crate::{
    Runs, copy, deliver, discard, index, over_every_storage, quick, send, upload_of, wait_for_unexpected_runs,
    wait_until,
};

over_every_storage! {
    a_dead_job_runs_once_more_when_asked_to
    dead_jobs_are_listed_by_page_handler_and_event
    all_dead_jobs_of_a_handler_are_run_again
    a_discarded_dead_job_is_gone_and_not_run_by_a_redelivery
}

async fn a_dead_job_runs_once_more_when_asked_to(storage: Storage) {
    let runs = Runs::default();
    let hooks = quick(&runs, &storage).handlers(webhook_handlers![index]).queue_attempts(1).build().unwrap();
    let worker = RunningWorker::start(&hooks);
    runs.failures_left.store(2, Ordering::SeqCst);
    assert_eq!(deliver(&hooks, "file.uploaded").await, StatusCode::ACCEPTED);
    wait_until("the job is dead", async || hooks.dead_jobs(10).await.unwrap().len() == 1).await;
    let dead = hooks.dead_jobs(10).await.unwrap().remove(0);
    let body: Value = serde_json::from_slice(&dead.job.body()).unwrap();
    assert_eq!(body, payload("file.uploaded"));
    assert_eq!(deliver(&hooks, "file.uploaded").await, StatusCode::ACCEPTED);
    wait_for_unexpected_runs().await;
    assert_eq!(runs.of("index"), 1, "a redelivery does not run a dead job");
    assert!(hooks.run_again(&dead).await.unwrap());
    wait_until("the job is dead again", async || {
        runs.of("index") == 2 && hooks.dead_jobs(10).await.unwrap().len() == 1
    })
    .await;
    assert!(!hooks.run_again(&dead).await.unwrap(), "it died again since it was listed");
    let again = hooks.dead_jobs(10).await.unwrap().remove(0);
    assert_eq!((again.job.run(), again.attempts, again.failures.len()), (1, 1, 2));
    let twice = futures_util::join!(hooks.run_again(&again), hooks.run_again(&again));
    assert_eq!(u8::from(twice.0.unwrap()) + u8::from(twice.1.unwrap()), 1);
    wait_until("the job ran again", async || runs.of("index") == 3).await;
    wait_for_unexpected_runs().await;
    assert_eq!(runs.of("index"), 3);
    worker.stop().await.unwrap();
    assert_eq!(hooks.queue_stats().await.unwrap(), QueueStats::default());
}

async fn dead_jobs_are_listed_by_page_handler_and_event(storage: Storage) {
    let runs = Runs::default();
    runs.failures_left.store(usize::MAX, Ordering::SeqCst);
    let hooks = quick(&runs, &storage).handlers(webhook_handlers![index, copy, discard]).queue_attempts(1);
    let hooks = hooks.build().unwrap();
    let worker = RunningWorker::start(&hooks);
    for size in 0..7 {
        assert_eq!(send(&hooks, upload_of(size)).await.status(), StatusCode::ACCEPTED);
    }
    assert_eq!(deliver(&hooks, "file.stored").await, StatusCode::ACCEPTED);
    wait_until("eight jobs are dead", async || hooks.queue_stats().await.unwrap().dead == 8).await;
    let all = hooks.dead_jobs(100).await.unwrap();
    assert_eq!(all.len(), 8);
    assert!(all.is_sorted_by(|one, next| one.died_at >= next.died_at), "the latest comes first");

    let mut wanted = DeadJobs::default();
    let mut listed = Vec::new();
    loop {
        let page = hooks.find_dead_jobs(&wanted, 3).await.unwrap();
        let Some(last) = page.last() else { break };
        assert!(page.len() <= 3);
        wanted = wanted.after(last);
        listed.extend(page);
    }
    let bodies =
        |dead: &[uploadcare_hooks::queue::DeadJob]| -> Vec<_> { dead.iter().map(|dead| dead.job.body()).collect() };
    assert_eq!(bodies(&listed), bodies(&all), "no page misses or repeats one");

    let of = async |wanted: DeadJobs| hooks.find_dead_jobs(&wanted, 100).await.unwrap().len();
    assert_eq!(of(DeadJobs::default().handler("index")).await, 7);
    assert_eq!(of(DeadJobs::default().event(EventKind::FileStored)).await, 1);
    assert_eq!(of(DeadJobs::default().handler("index").event(EventKind::FileStored)).await, 0);
    worker.stop().await.unwrap();
}

async fn all_dead_jobs_of_a_handler_are_run_again(storage: Storage) {
    let runs = Runs::default();
    runs.failures_left.store(5, Ordering::SeqCst);
    let hooks = quick(&runs, &storage).handlers(webhook_handlers![index, discard]).queue_attempts(1).build().unwrap();
    let worker = RunningWorker::start(&hooks);
    for size in 0..5 {
        assert_eq!(send(&hooks, upload_of(size)).await.status(), StatusCode::ACCEPTED);
    }
    assert_eq!(deliver(&hooks, "file.stored").await, StatusCode::ACCEPTED);
    wait_until("six jobs are dead", async || hooks.queue_stats().await.unwrap().dead == 6).await;
    assert_eq!(hooks.run_all_again(&DeadJobs::default().handler("index")).await.unwrap(), 5);
    wait_until("all of them ran", async || runs.of("index") == 10).await;
    wait_until("one is left", async || hooks.queue_stats().await.unwrap().dead == 1).await;
    assert_eq!(hooks.run_all_again(&DeadJobs::default()).await.unwrap(), 1);
    wait_until("it died again", async || runs.of("discard") == 2 && hooks.queue_stats().await.unwrap().dead == 1).await;
    worker.stop().await.unwrap();
}

async fn a_discarded_dead_job_is_gone_and_not_run_by_a_redelivery(storage: Storage) {
    let runs = Runs::default();
    let hooks = quick(&runs, &storage).handlers(webhook_handlers![discard]).build().unwrap();
    let worker = RunningWorker::start(&hooks);
    assert_eq!(deliver(&hooks, "file.stored").await, StatusCode::ACCEPTED);
    wait_until("the job is dead", async || hooks.dead_jobs(10).await.unwrap().len() == 1).await;
    let dead = hooks.dead_jobs(10).await.unwrap().remove(0);
    assert!(hooks.discard_dead_job(&dead, "a test file").await.unwrap());
    assert!(!hooks.discard_dead_job(&dead, "a test file").await.unwrap());
    assert!(!hooks.run_again(&dead).await.unwrap());
    assert_eq!(deliver(&hooks, "file.stored").await, StatusCode::ACCEPTED);
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(runs.of("discard"), 1);
    worker.stop().await.unwrap();
    assert_eq!(hooks.queue_stats().await.unwrap(), QueueStats::default());
}
