//! Runs one handler: within its time limit, and with its panics contained.

use std::{
    any::Any,
    panic::{self, AssertUnwindSafe},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use futures_util::FutureExt;
use tracing::Span;

use super::{FailureKind, HandlerFailure, Watcher, WebhookRouter, observe, span, time_limit::OutOfTime};
use crate::{
    delivery::{Delivery, DeliveryId},
    handler::{HandlerContext, HandlerDescriptor, HandlerFuture, Outcome},
};

impl WebhookRouter {
    /// Runs a handler on a delivery. `None` if it succeeded or discarded the delivery.
    // Not an `async fn`: that would hold each argument twice.
    #[inline]
    pub(super) fn run<'a>(
        &'a self,
        handler: &'a HandlerDescriptor,
        delivery: Delivery,
        watcher: Option<&'a dyn Watcher>,
    ) -> impl Future<Output = Option<HandlerFailure>> + Send + use<'a> {
        let id = delivery.id();
        let run = self.run_handler(handler, delivery, span::handler_run(handler.name()));
        run.map(move |ended| {
            if let Some(watcher) = watcher {
                watcher.ran(handler.name(), ended.as_ref().copied());
            }
            match ended {
                Ok(()) => None,
                Err(FailureKind::Error(error)) if error.is_discard() => {
                    observe::discarded(handler.name(), id, &error);
                    None
                }
                Err(kind) => Some(HandlerFailure { handler: handler.name(), kind }),
            }
        })
    }

    /// Runs a handler on a delivery inside this span, and says how it failed, a discarded delivery
    /// included.
    // Not an `async fn`: that would hold the run twice.
    #[inline]
    pub(crate) fn run_handler<'a>(
        &'a self,
        handler: &'a HandlerDescriptor,
        delivery: Delivery,
        span: Span,
    ) -> impl Future<Output = Result<(), FailureKind>> + Send + use<'a> {
        let mut run = Run::new(handler.name(), delivery.id(), span);
        let context = HandlerContext::new(delivery, Arc::clone(&self.core.states));
        async move {
            let limit = self.core.limits.handler;
            let ended = match run.start(|| handler.handler.run(context)) {
                Ok(()) => limit.apply(&mut run).await,
                Err(message) => Ok(Err(message)),
            };
            let ended = match ended {
                Ok(Ok(outcome)) => outcome.map_err(FailureKind::Error),
                Ok(Err(message)) => Err(FailureKind::Panicked(message)),
                Err(OutOfTime::After(limit)) => Err(FailureKind::TimedOut(limit)),
                Err(OutOfTime::NoTimer) => Err(FailureKind::NoTimer),
            };
            self.core.observer.ran(handler.name(), &ended, run.longest_poll, limit);
            // Before the answer, because a handler's locals may take long to drop, or panic.
            run.end(outcome_of(&ended));
            ended
        }
    }
}

/// How a run ended, as its span and the metrics say it.
fn outcome_of(ended: &Result<(), FailureKind>) -> &'static str {
    match ended {
        Ok(()) => "ok",
        Err(FailureKind::Error(error)) if error.is_discard() => "discarded",
        Err(FailureKind::Error(_)) => "failed",
        Err(FailureKind::Panicked(_)) => "panicked",
        Err(FailureKind::TimedOut(_)) => "timed_out",
        Err(FailureKind::NoTimer) => "no_timer",
    }
}

/// A handler's run, whose future may panic when it is polled and when it is dropped: at its time
/// limit, or because the client went away.
struct Run {
    handler: &'static str,
    delivery: DeliveryId,
    span: Span,
    started: Instant,
    future: Option<HandlerFuture>,
    /// For how long the handler blocked its thread at most, between two points where it waited.
    longest_poll: Duration,
    /// How it ended. `None` until then: a run without an outcome is dropped with its request.
    outcome: Option<&'static str>,
}

impl Run {
    #[inline]
    fn new(handler: &'static str, delivery: DeliveryId, span: Span) -> Self {
        let (started, longest_poll) = (Instant::now(), Duration::ZERO);
        Self { handler, delivery, span, started, future: None, longest_poll, outcome: None }
    }

    /// Makes the handler's future; the message of a panic if that panics.
    #[inline]
    fn start(&mut self, start: impl FnOnce() -> HandlerFuture) -> Result<(), String> {
        self.future = Some(self.span.in_scope(|| contain(start))?);
        Ok(())
    }

    fn end(mut self, outcome: &'static str) {
        self.outcome = Some(outcome);
    }
}

impl Future for Run {
    type Output = Result<Outcome, String>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let run = self.get_mut();
        let Some(future) = &mut run.future else { return Poll::Pending };
        let started = Instant::now();
        let polled = run.span.in_scope(|| contain(|| future.as_mut().poll(context)));
        run.longest_poll = run.longest_poll.max(started.elapsed());
        match polled {
            Ok(polled) => polled.map(Ok),
            Err(message) => Poll::Ready(Err(message)),
        }
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        let _entered = self.span.enter();
        if self.outcome.is_none() {
            observe::handler_dropped(self.handler, self.delivery);
        }
        let future = self.future.take();
        if let Err(message) = contain(|| drop(future)) {
            observe::drop_panicked(self.handler, &message);
        }
        let (outcome, duration) = (self.outcome.unwrap_or("dropped"), self.started.elapsed());
        span::ran(&self.span, outcome, Some(duration));
        crate::observe::handler_ran(self.handler, outcome, duration);
    }
}

/// Calls a function of the application; the message of its panic if it panics.
pub(crate) fn contain<T>(function: impl FnOnce() -> T) -> Result<T, String> {
    panic::catch_unwind(AssertUnwindSafe(function)).map_err(message_of)
}

fn message_of(panic: Box<dyn Any + Send>) -> String {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    let message = text.unwrap_or("(a panic without a message)").to_owned();
    // A value thrown with `panic_any` may panic as well when it is dropped.
    let _ = panic::catch_unwind(AssertUnwindSafe(|| drop(panic)));
    message
}
