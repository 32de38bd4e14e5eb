//! Runs one handler: within its time limit, and with its panics contained.

use std::{
    any::Any,
    panic::{self, AssertUnwindSafe},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use super::{FailureKind, HandlerFailure, Watcher, WebhookRouter, observe, time_limit::OutOfTime};
use crate::{
    delivery::{Delivery, DeliveryId},
    handler::{HandlerContext, HandlerDescriptor, HandlerFuture, Outcome},
};

impl WebhookRouter {
    /// Runs a handler on a delivery. `None` if it succeeded or discarded the delivery.
    pub(super) async fn run(
        &self,
        handler: &HandlerDescriptor,
        delivery: Delivery,
        watcher: Option<&dyn Watcher>,
    ) -> Option<HandlerFailure> {
        let id = delivery.id();
        let ended = self.run_handler(handler, delivery).await;
        if let Some(watcher) = watcher {
            watcher.ran(handler.name(), ended.as_ref().copied());
        }
        match ended {
            Ok(()) => None,
            Err(FailureKind::Error(error)) if error.is_discard() => {
                self.core.observer.discarded(handler.name(), id, &error);
                None
            }
            Err(kind) => Some(HandlerFailure { handler: handler.name(), kind }),
        }
    }

    /// Runs a handler on a delivery, and says how it failed, a discarded delivery included.
    pub(crate) async fn run_handler(&self, handler: &HandlerDescriptor, delivery: Delivery) -> Result<(), FailureKind> {
        let id = delivery.id();
        let context = HandlerContext::new(delivery, Arc::clone(&self.core.states));
        let limit = self.core.limits.handler;
        let mut work = match contain(|| (handler.run)(context)) {
            Ok(future) => Contained {
                handler: handler.name(),
                delivery: id,
                future: Some(future),
                longest_poll: Duration::ZERO,
                has_ended: false,
            },
            Err(message) => return Err(FailureKind::Panicked(message)),
        };
        let ended = limit.apply(&mut work).await;
        let blocked = work.longest_poll;
        work.has_ended = true;
        // Before the answer, because a handler's locals may take long to drop, or panic.
        drop(work);
        match ended {
            Ok(Ok(outcome)) => {
                if let Some(limit) = limit.0
                    && blocked > limit
                {
                    self.core.observer.blocked(handler.name(), blocked, limit);
                }
                outcome.map_err(FailureKind::Error)
            }
            Ok(Err(message)) => Err(FailureKind::Panicked(message)),
            Err(OutOfTime::After(limit)) => Err(FailureKind::TimedOut(limit)),
            Err(OutOfTime::NoTimer) => Err(FailureKind::NoTimer),
        }
    }
}

/// A handler's future that may panic when it is polled and when it is dropped: at its time limit,
/// or because the client went away.
struct Contained {
    handler: &'static str,
    delivery: DeliveryId,
    future: Option<HandlerFuture>,
    /// For how long the handler blocked its thread at most, between two points where it waited.
    longest_poll: Duration,
    /// Whether it ended, or its time did. Otherwise its request is dropped with it.
    has_ended: bool,
}

impl Future for Contained {
    type Output = Result<Outcome, String>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(future) = &mut self.future else { return Poll::Pending };
        let started = Instant::now();
        let polled = contain(|| future.as_mut().poll(context));
        self.longest_poll = self.longest_poll.max(started.elapsed());
        match polled {
            Ok(polled) => polled.map(Ok),
            Err(message) => Poll::Ready(Err(message)),
        }
    }
}

impl Drop for Contained {
    fn drop(&mut self) {
        if !self.has_ended {
            observe::handler_dropped(self.handler, self.delivery);
        }
        let future = self.future.take();
        if let Err(message) = contain(|| drop(future)) {
            observe::drop_panicked(self.handler, &message);
        }
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
