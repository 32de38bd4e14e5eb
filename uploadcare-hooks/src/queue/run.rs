//! Runs one job and decides what becomes of it. Knows no storage.

use std::{sync::Arc, time::Duration};

use http::HeaderMap;
use jiff::Timestamp;

use super::{
    Failure, Job, Retries,
    storage::{Attempts, End, Ended, Engine, Taken},
};
use crate::{
    delivery::{Delivery, Received},
    event::Event,
    handler::HandlerError,
    message::cut_off,
    router::{FailureKind, HandlerFailure, WebhookRouter},
};

/// How many failures a job keeps: the first ones of very many say nothing new.
const FAILURES_KEPT: usize = 25;

/// How many characters of an error a job keeps.
const ERROR_CHARS: usize = 2000;

/// Why an attempt failed.
pub(super) enum Fault {
    /// This process could not start it: it has no such handler, or cannot read the body.
    NotStarted(String),
    /// The handler failed, or discarded it.
    Failed(HandlerError),
    /// Its worker was stopped and could not wait for it.
    Interrupted,
    /// The attempts were used up by processes that died while it ran.
    UsedUp,
}

/// Runs the job's handler on its delivery.
pub(super) async fn run_handler(router: &WebhookRouter, job: &Job) -> Result<(), Fault> {
    let Some(handler) = router.handlers().find(|handler| handler.name() == job.handler()) else {
        let name = job.handler();
        let text = format!("this process has no handler `{name}`: if it was renamed, give it `name = \"{name}\"`");
        return Err(Fault::NotStarted(text));
    };
    let body = job.body();
    let event = Event::from_bytes(&body).map_err(|error| {
        Fault::NotStarted(format!("its body is not a payload that this version of the application can read: {error}"))
    })?;
    let (id, path) = (job.delivery_id(), handler.path());
    let received = Received { id, path, headers: HeaderMap::new(), body, secret: None };
    match router.run_handler(handler, Delivery::new(event, received)).await {
        Ok(()) => Ok(()),
        Err(FailureKind::Error(error)) => Err(Fault::Failed(error)),
        Err(kind) => Err(Fault::Failed(HandlerError::new(HandlerFailure { handler: handler.name(), kind }))),
    }
}

/// Runs a job that was taken out of the queue, if it has an attempt left.
pub(super) async fn attempt(router: &WebhookRouter, taken: &Taken, retries: &Retries) -> Result<(), Fault> {
    if taken.attempt > retries.attempts() {
        // A job that crashes its process never reports how it ended.
        return Err(Fault::UsedUp);
    }
    run_handler(router, &taken.job).await
}

/// Runs a job of this storage, and decides what becomes of it.
pub(super) async fn run(router: WebhookRouter, taken: Arc<Taken>, retries: Retries, engine: Arc<dyn Engine>) -> Ended {
    let ended = attempt(&router, &taken, &retries).await;
    let end = end_of(&taken, ended, &retries, engine.now());
    Ended { name: taken.job.name.clone(), end }
}

/// What becomes of a job whose attempt ended at this time.
pub(super) fn end_of(taken: &Taken, ended: Result<(), Fault>, retries: &Retries, now: Timestamp) -> End {
    ended.map_or_else(|fault| failed(taken, fault, retries, now), |()| End::Done)
}

/// What becomes of a job whose attempt failed at this time.
pub(super) fn failed(taken: &Taken, fault: Fault, retries: &Retries, now: Timestamp) -> End {
    let (text, started, delay) = match &fault {
        Fault::NotStarted(text) => {
            let started = taken.attempt.saturating_sub(1);
            (text.clone(), started, retries.delay_unstarted(waited(taken, started, now)))
        }
        Fault::Failed(error) => {
            let delay = if error.is_final() { None } else { retries.delay_after(taken.attempt) };
            (error.to_string(), taken.attempt, delay)
        }
        Fault::Interrupted => {
            let text = "it was still running when its worker was stopped";
            (text.to_owned(), taken.attempt.saturating_sub(1), retries.delay_after(0))
        }
        Fault::UsedUp => {
            let text = "its attempts were used up by processes that died while it ran";
            (text.to_owned(), taken.attempt.saturating_sub(1), None)
        }
    };
    log(taken, &fault, &text, started, delay, retries);
    let attempts = Attempts { started, failures: with_failure(taken, started, &text, now) };
    match delay {
        Some(delay) => End::Again(attempts, delay),
        None => End::Dead(attempts),
    }
}

/// For how long a job could not be started: since the failure that says so, which is kept until it
/// starts.
fn waited(taken: &Taken, started: u32, now: Timestamp) -> Duration {
    let this = (taken.job.run, started.saturating_add(1));
    let first = taken.failures.last().filter(|failure| (failure.run, failure.attempt) == this);
    // Another machine's clock may be ahead.
    first.and_then(|failure| now.duration_since(failure.at).try_into().ok()).unwrap_or_default()
}

fn with_failure(taken: &Taken, started: u32, error: &str, now: Timestamp) -> Vec<Failure> {
    let error = cut_off(error, ERROR_CHARS).into_owned();
    let mut failures = taken.failures.clone();
    // An attempt that did not start is one failure, however often it was tried to start it.
    let not_started = started < taken.attempt;
    let (run, attempt) = (taken.job.run, taken.attempt);
    match failures.last_mut().filter(|last| not_started && (last.run, last.attempt) == (run, attempt)) {
        Some(last) => last.error = error,
        None => failures.push(Failure { attempt, run, at: now, error }),
    }
    failures.drain(..failures.len().saturating_sub(FAILURES_KEPT));
    failures
}

fn log(taken: &Taken, fault: &Fault, text: &str, started: u32, delay: Option<Duration>, retries: &Retries) {
    let (handler, delivery) = (taken.job.handler(), taken.job.delivery_id());
    let (attempt, attempts) = (taken.attempt.min(retries.attempts()), retries.attempts());
    match (delay, fault) {
        (None, _) => {
            tracing::error!(
                "job of handler `{handler}` for delivery {delivery} is dead, attempts: {started}: {text:?}"
            );
        }
        (Some(delay), Fault::NotStarted(_) | Fault::Interrupted) => tracing::warn!(
            "job of handler `{handler}` for delivery {delivery} is left for another process for {delay:.1?}: {text:?}"
        ),
        (Some(delay), _) => tracing::warn!(
            "job of handler `{handler}` for delivery {delivery}, attempt {attempt} of {attempts}, next in \
             {delay:.1?}: {text:?}"
        ),
    }
}
