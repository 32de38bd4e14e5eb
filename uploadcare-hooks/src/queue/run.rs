//! Runs one job and decides what becomes of it. Knows no storage.

use std::{sync::Arc, time::Duration};

use http::HeaderMap;
use jiff::Timestamp;
use tracing::{Span, field::Empty};

use super::{
    Failure, Job, Retries,
    storage::{Attempts, End, Ended, Engine, Taken},
};
use crate::{
    delivery::{Delivery, Received},
    event::Event,
    handler::HandlerError,
    message::cut_off,
    router::{FailureKind, HandlerFailure, WebhookRouter, ran},
};

/// How many failures a job keeps: the first ones of very many say nothing new.
const FAILURES_KEPT: usize = 25;

/// How many characters of an error a job keeps.
const ERROR_CHARS: usize = 2000;

/// How many characters of an event's name a span has.
const EVENT_CHARS: usize = 100;

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

/// The span of a job's run, with the number of its attempt. It is found by the delivery's id: the
/// span of the delivery ended when the job was stored, possibly in another process.
pub(super) fn span(job: &Job, attempt: u64) -> Span {
    tracing::info_span!(
        "job",
        delivery.id = %job.delivery_id(),
        event = &*cut_off(job.event().as_str(), EVENT_CHARS),
        handler = job.handler(),
        attempt,
        outcome = Empty,
        duration = Empty,
        otel.kind = "consumer",
        otel.status_code = Empty,
        error.type = Empty,
    )
}

/// Runs the job's handler on its delivery, and notes in the span of the job how that ended.
pub(super) async fn run_handler(router: &WebhookRouter, job: &Job, span: &Span) -> Result<(), Fault> {
    let not_started = |text| {
        ran(span, "not_started", None);
        Fault::NotStarted(text)
    };
    let Some(handler) = router.handlers().find(|handler| handler.name() == job.handler()) else {
        let name = job.handler();
        let text = format!("this process has no handler `{name}`: if it was renamed, give it `name = \"{name}\"`");
        return Err(not_started(text));
    };
    let body = job.body();
    let event = Event::from_bytes(&body).map_err(|error| {
        not_started(format!("its body is not a payload that this version of the application can read: {error}"))
    })?;
    let (id, path) = (job.delivery_id(), handler.path());
    let received = Received { id, path, headers: HeaderMap::new(), body, secret: None };
    match router.run_handler(handler, Delivery::new(event, received), span.clone()).await {
        Ok(()) => Ok(()),
        Err(FailureKind::Error(error)) => Err(Fault::Failed(error)),
        Err(kind) => Err(Fault::Failed(HandlerError::new(HandlerFailure { handler: handler.name(), kind }))),
    }
}

/// Runs a job that was taken out of the queue, if it has an attempt left, and decides what becomes
/// of it. Also returns whether its handler discarded it.
pub(super) async fn attempt(
    router: &WebhookRouter,
    taken: &Taken,
    retries: &Retries,
    engine: &dyn Engine,
) -> (End, bool) {
    let span = span(&taken.job, taken.attempt.into());
    let ended = if taken.attempt > retries.attempts() {
        // A job that crashes its process never reports how it ended.
        ran(&span, "used_up", None);
        Err(Fault::UsedUp)
    } else {
        run_handler(router, &taken.job, &span).await
    };
    let _entered = span.enter();
    let discarded = matches!(&ended, Err(Fault::Failed(error)) if error.is_discard());
    let now = engine.now();
    (ended.map_or_else(|fault| failed(taken, fault, retries, now), |()| End::Done), discarded)
}

/// Runs a job of this storage, and decides what becomes of it.
pub(super) async fn run(router: WebhookRouter, taken: Arc<Taken>, retries: Retries, engine: Arc<dyn Engine>) -> Ended {
    let (end, _) = attempt(&router, &taken, &retries, engine.as_ref()).await;
    Ended { name: taken.job.name.clone(), end }
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
    macro_rules! log {
        ($level:ident, $($message:tt)+) => {
            tracing::$level!(
                delivery.id = %delivery,
                event = &*cut_off(taken.job.event().as_str(), EVENT_CHARS),
                handler,
                attempt = taken.attempt,
                $($message)+
            )
        };
    }
    match (delay, fault) {
        (None, _) => {
            log!(error, "job of handler `{handler}` for delivery {delivery} is dead, attempts: {started}: {text:?}");
        }
        (Some(delay), Fault::NotStarted(_) | Fault::Interrupted) => log!(
            warn,
            "job of handler `{handler}` for delivery {delivery} is left for another process for {delay:.1?}: {text:?}"
        ),
        (Some(delay), _) => log!(
            warn,
            "job of handler `{handler}` for delivery {delivery}, attempt {attempt} of {attempts}, next in \
             {delay:.1?}: {text:?}"
        ),
    }
}
