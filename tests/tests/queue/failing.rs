//! How the router treats a storage that fails or hangs.

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
use futures_util::{Sink, future::join_all, poll};
use http::StatusCode;
use tests::deliveries::payload;
use uploadcare_hooks::{RejectionReason, queue::Job, webhook_handlers};

use crate::{Runs, builder, copy, deliver, index, upload_of};

/// A storage that keeps the idempotency keys of its jobs.
#[derive(Clone, Default)]
pub(crate) struct Flaky {
    kept: Arc<Mutex<BTreeSet<String>>>,
    mood: Arc<Mutex<Mood>>,
}

#[derive(Clone, Copy, Default, PartialEq)]
enum Mood {
    #[default]
    Good,
    /// Refuses the jobs of `copy`.
    Bad,
    /// Stores jobs, and never reports it.
    Silent,
}

impl Flaky {
    fn is(&self, mood: Mood) -> bool {
        *self.mood.lock().unwrap() == mood
    }
}

impl Sink<Task<Job>> for Flaky {
    type Error = std::io::Error;

    fn poll_ready(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn start_send(self: Pin<&mut Self>, task: Task<Job>) -> Result<(), Self::Error> {
        if self.is(Mood::Bad) && task.args.handler() == "copy" {
            return Err(std::io::Error::other("the disk is full"));
        }
        self.kept.lock().unwrap().insert(task.idempotency_key().unwrap().to_owned());
        Ok(())
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        if self.is(Mood::Silent) { Poll::Pending } else { Poll::Ready(Ok(())) }
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }
}

impl Backend for Flaky {
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

impl BackendConfig for Flaky {
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
    let storage = Flaky::default();
    let rejections = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&rejections);
    let hooks = builder(&Runs::default())
        .handlers(webhook_handlers![index, copy])
        .queue(storage.clone())
        .on_rejection(move |rejection| {
            assert!(matches!(rejection.reason(), RejectionReason::QueueFailed(_)));
            noted.lock().unwrap().push(rejection.to_string());
        })
        .build()
        .unwrap();
    *storage.mood.lock().unwrap() = Mood::Bad;
    let answer = crate::send(&hooks, payload("file.uploaded").to_string()).await;
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.headers()["retry-after"], "30");
    assert!(String::from_utf8_lossy(answer.body()).contains(r#""code":"queue_failed""#));
    assert!(!String::from_utf8_lossy(answer.body()).contains("disk"), "the caller does not learn the storage's error");
    assert_eq!(storage.kept.lock().unwrap().len(), 1, "what was stored stays");
    assert!(rejections.lock().unwrap()[0].contains("the disk is full"), "{rejections:?}");

    *storage.mood.lock().unwrap() = Mood::Good;
    assert_eq!(deliver(&hooks, "file.uploaded").await, StatusCode::ACCEPTED);
    let kept = storage.kept.lock().unwrap().clone();
    assert_eq!(kept.len(), 2, "{kept:?}");
    assert_eq!((hooks.stats().acknowledged, hooks.stats().rejected), (1, 1));
}

#[tokio::test]
async fn a_storage_that_hangs_delays_a_delivery_no_longer_than_a_handler_may() {
    let storage = Flaky::default();
    *storage.mood.lock().unwrap() = Mood::Silent;
    let builder = builder(&Runs::default()).handlers(webhook_handlers![index]).queue(storage);
    let hooks = builder.handler_timeout(Duration::from_millis(50)).build().unwrap();
    assert_eq!(deliver(&hooks, "file.uploaded").await, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn many_deliveries_at_once_are_stored_in_turns() {
    let storage = Flaky::default();
    *storage.mood.lock().unwrap() = Mood::Silent;
    let builder = builder(&Runs::default()).handlers(webhook_handlers![index]).queue(storage.clone());
    let hooks = builder.handler_timeout(Duration::from_millis(200)).build().unwrap();
    let bodies: Vec<_> = (0..100).map(upload_of).collect();
    let mut crowd = Box::pin(join_all(bodies.iter().map(|body| crate::send(&hooks, body.clone()))));
    assert!(poll!(&mut crowd).is_pending());
    assert_eq!(storage.kept.lock().unwrap().len(), 16);
    assert!(crowd.await.iter().all(|answer| answer.status() == StatusCode::SERVICE_UNAVAILABLE));

    *storage.mood.lock().unwrap() = Mood::Good;
    let answers = join_all(bodies.into_iter().map(|body| crate::send(&hooks, body))).await;
    assert!(answers.iter().all(|answer| answer.status() == StatusCode::ACCEPTED));
    assert_eq!(storage.kept.lock().unwrap().len(), 100);
}

#[test]
fn a_number_of_attempts_that_no_storage_can_count_is_refused_at_boot() {
    for attempts in [0, 26] {
        let builder = builder(&Runs::default()).handlers(webhook_handlers![index]).queue(Flaky::default());
        let error = builder.queue_attempts(attempts).build().unwrap_err();
        assert!(error.to_string().contains("give 1 to 25"), "{error}");
    }
}
