//! How a router answers when its backend refuses jobs or hangs.

use std::{
    collections::BTreeSet,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
    time::Duration,
};

use apalis_core::{
    backend::{Backend, BackendConfig, finalize::Ephemeral},
    task::Task,
    worker::context::WorkerContext,
};
use futures_util::Sink;
use http::StatusCode;
use tests::deliveries::payload;
use uploadcare_hooks::{
    RejectionReason,
    queue::{self, Job},
    webhook_handlers,
};

use crate::{Runs, builder, copy, deliver, index, send};

/// A storage that keeps only the idempotency keys of its jobs.
#[derive(Clone, Default)]
pub(crate) struct FakeStorage {
    kept: Arc<Mutex<BTreeSet<String>>>,
    behavior: Arc<Mutex<Behavior>>,
}

#[derive(Clone, Copy, Default, PartialEq)]
enum Behavior {
    #[default]
    Works,
    RefusesJobsOfCopy,
    /// Stores jobs, but never reports that it did.
    NeverReports,
}

impl FakeStorage {
    fn behave(&self, behavior: Behavior) {
        *self.behavior.lock().unwrap() = behavior;
    }

    fn behavior(&self) -> Behavior {
        *self.behavior.lock().unwrap()
    }
}

impl Sink<Task<Job>> for FakeStorage {
    type Error = std::io::Error;

    fn poll_ready(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn start_send(self: Pin<&mut Self>, task: Task<Job>) -> Result<(), Self::Error> {
        if self.behavior() == Behavior::RefusesJobsOfCopy && task.args.handler() == "copy" {
            return Err(std::io::Error::other("the disk is full"));
        }
        self.kept.lock().unwrap().insert(task.idempotency_key().unwrap().to_owned());
        Ok(())
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        if self.behavior() == Behavior::NeverReports { Poll::Pending } else { Poll::Ready(Ok(())) }
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }
}

impl Backend for FakeStorage {
    type Task = Task<Job>;
    type Error = std::io::Error;

    fn poll_ready(&mut self, _: &mut Context<'_>, _: &WorkerContext) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn poll_next(&mut self, _: &mut Context<'_>, _: &WorkerContext) -> Poll<Option<Result<Self::Task, Self::Error>>> {
        Poll::Pending
    }

    fn poll_close(&mut self, _: &mut Context<'_>, _: &WorkerContext) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }
}

impl BackendConfig for FakeStorage {
    type Args = Job;
    type Id = String;
    type Kind = Ephemeral;
    type Config = ();
    type Layer = ();

    fn config(&self) -> &() {
        &()
    }

    fn middleware(&mut self, _: &mut WorkerContext) -> Self::Layer {}
}

#[tokio::test]
async fn a_redelivery_stores_the_jobs_that_could_not_be_stored_before() {
    let storage = FakeStorage::default();
    let rejections = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&rejections);
    let hooks = builder(&Runs::default())
        .handlers(webhook_handlers![index, copy])
        .queue(queue::apalis::storage(storage.clone()))
        .on_rejection(move |rejection| {
            assert!(matches!(rejection.reason(), RejectionReason::QueueFailed(_)));
            seen.lock().unwrap().push(rejection.to_string());
        })
        .build()
        .unwrap();
    storage.behave(Behavior::RefusesJobsOfCopy);
    let answer = send(&hooks, payload("file.uploaded").to_string()).await;
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.headers()["retry-after"], "30");
    assert!(String::from_utf8_lossy(answer.body()).contains(r#""code":"queue_failed""#));
    assert!(!String::from_utf8_lossy(answer.body()).contains("disk"), "the sender does not learn the storage's error");
    assert_eq!(storage.kept.lock().unwrap().len(), 1, "the job that could be stored stays stored");
    assert!(rejections.lock().unwrap()[0].contains("the disk is full"), "{rejections:?}");

    storage.behave(Behavior::Works);
    assert_eq!(deliver(&hooks, "file.uploaded").await, StatusCode::ACCEPTED);
    let kept = storage.kept.lock().unwrap().clone();
    assert_eq!(kept.len(), 2, "{kept:?}");
    assert_eq!((hooks.stats().acknowledged, hooks.stats().rejected), (1, 1));
}

#[tokio::test]
async fn a_delivery_waits_for_a_hanging_storage_no_longer_than_the_time_limit() {
    let storage = FakeStorage::default();
    storage.behave(Behavior::NeverReports);
    let builder = builder(&Runs::default()).handlers(webhook_handlers![index]).queue(queue::apalis::storage(storage));
    let hooks = builder.handler_timeout(Duration::from_millis(50)).build().unwrap();
    assert_eq!(deliver(&hooks, "file.uploaded").await, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn what_only_an_opened_storage_can_do_is_an_error() {
    let builder = builder(&Runs::default()).handlers(webhook_handlers![index]);
    let hooks = builder.queue(queue::apalis::storage(FakeStorage::default())).build().unwrap();
    hooks.run_worker(std::future::pending::<()>()).await;
    for error in [hooks.dead_jobs(1).await.unwrap_err(), hooks.queue_stats().await.unwrap_err()] {
        assert!(error.to_string().contains("`queue::apalis::dead_tasks`"), "{error}");
    }
}
