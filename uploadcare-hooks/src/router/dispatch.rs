//! Which handlers a delivery goes to, and how they run: all of them at once, each guarded.

use std::{
    any::Any,
    fmt,
    future::poll_fn,
    panic::{self, AssertUnwindSafe},
    pin::pin,
    sync::Arc,
    task::Poll,
    time::Duration,
};

use futures_util::{
    FutureExt,
    future::{Either, join_all, select},
};

use super::{FailureKind, HandlerFailure, RejectionReason, WebhookRouter, secrets::SecretSource};
use crate::{
    delivery::{Delivery, MatchedSecret},
    handler::{HandlerContext, HandlerDescriptor},
    payload::{EventKind, PayloadVersion},
    signature::SignatureError,
};

/// The handlers of one path.
#[derive(Default)]
pub(super) struct Route {
    pub(super) path: &'static str,
    /// The secrets that a delivery to this path may be signed with.
    pub(super) sources: Vec<SecretSource>,
    /// For each known event, and last for unknown ones, the handlers that take it.
    handlers: [Vec<Arc<Handler>>; KINDS.len()],
}

/// What handlers are sorted by; `None` stands for all events that are not known.
const KINDS: [Option<EventKind>; 6] = [
    Some(EventKind::FileUploaded),
    Some(EventKind::FileStored),
    Some(EventKind::FileDeleted),
    Some(EventKind::FileInfected),
    Some(EventKind::FileInfoUpdated),
    None,
];

/// A handler as the router uses it.
pub(super) struct Handler {
    pub(super) descriptor: HandlerDescriptor,
    version: Option<PayloadVersion>,
    event_uses: usize,
    /// The secrets that its deliveries may be signed with.
    pub(super) source: SecretSource,
}

impl Handler {
    pub(super) fn new(descriptor: HandlerDescriptor, source: SecretSource) -> Self {
        Self { version: descriptor.version(), event_uses: descriptor.event_uses(), source, descriptor }
    }

    fn takes_version(&self, version: Option<&PayloadVersion>) -> bool {
        self.version.is_none() || self.version.as_ref() == version
    }

    /// Without a signature, only a handler that uses the router's secrets: one with a secret of its own always wants it.
    fn takes_secret(&self, secret: Option<MatchedSecret>) -> bool {
        match secret {
            Some(secret) => self.source.takes(secret),
            None => self.source == SecretSource::Router,
        }
    }
}

/// The handlers of one event that want a delivery.
pub(super) struct Selection<'r> {
    handlers: &'r [Arc<Handler>],
    version: Option<PayloadVersion>,
    secret: Option<MatchedSecret>,
}

impl<'r> Selection<'r> {
    pub(super) fn iter(&self) -> impl Iterator<Item = &'r Handler> {
        self.of_any_secret().filter(|handler| handler.takes_secret(self.secret))
    }

    fn of_any_secret(&self) -> impl Iterator<Item = &'r Handler> {
        self.handlers.iter().map(Arc::as_ref).filter(|handler| handler.takes_version(self.version.as_ref()))
    }
}

impl Route {
    pub(super) fn at(path: &'static str) -> Self {
        Self { path, ..Self::default() }
    }

    pub(super) fn add(&mut self, handler: &Arc<Handler>) {
        if !self.sources.contains(&handler.source) {
            self.sources.push(handler.source);
        }
        for (kind, handlers) in KINDS.iter().zip(&mut self.handlers) {
            let takes = match handler.descriptor.options.events {
                Some(events) => kind.as_ref().is_some_and(|kind| events.contains(&kind.as_str())),
                None => true,
            };
            if takes {
                handlers.push(Arc::clone(handler));
            }
        }
    }

    fn handlers(&self, kind: &EventKind) -> &[Arc<Handler>] {
        let mut sorted = KINDS.iter().zip(&self.handlers);
        let of_kind = sorted.find(|(known, _)| known.as_ref().is_none_or(|known| known == kind));
        of_kind.map_or(&[], |(_, handlers)| handlers)
    }

    /// Each handler once.
    #[cfg(any(feature = "client", feature = "queue"))]
    pub(super) fn all(&self) -> impl Iterator<Item = &Handler> {
        let mut seen = Vec::new();
        self.handlers.iter().flatten().map(Arc::as_ref).filter(move |handler| {
            let name = handler.descriptor.name();
            let new = !seen.contains(&name);
            seen.push(name);
            new
        })
    }

    /// The most handlers that one delivery to this path can need at once.
    pub(super) fn most_at_once(&self) -> usize {
        self.handlers.iter().map(Vec::len).max().unwrap_or(0)
    }
}

impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut events = f.debug_map();
        events.entry(&"path", &self.path).entry(&"secrets", &self.sources);
        for (kind, handlers) in KINDS.iter().zip(&self.handlers) {
            let event = kind.as_ref().map_or("(unknown)", EventKind::as_str);
            events.entry(&event, &handlers.iter().map(|handler| handler.descriptor.name()).collect::<Vec<_>>());
        }
        events.finish()
    }
}

impl WebhookRouter {
    /// Runs all handlers that want the delivery; succeeds if all of them do.
    pub(super) async fn dispatch(
        &self,
        route: &Route,
        kind: &EventKind,
        delivery: Delivery,
    ) -> Result<(), RejectionReason> {
        let version = delivery.event().hook().map(|hook| hook.version.clone());
        let selection = self.select(route, kind, version, delivery.secret())?;
        let wanted = selection.iter().count();
        if wanted == 0 {
            tracing::debug!("no handler for delivery {} of {:?}: acknowledged", delivery.id(), kind.as_str());
            return Ok(());
        }
        let limit = self.inner.max_concurrent_handlers;
        let overloaded = || RejectionReason::Overloaded { limit, wanted };
        let many = u32::try_from(wanted).map_err(|_| overloaded())?;
        let _permits = self.inner.permits.try_acquire_many(many).map_err(|_| overloaded())?;

        let mut handlers = selection.iter();
        let failures: Vec<HandlerFailure> = match (handlers.next(), wanted) {
            // The usual case. The delivery is the handler's own, so that it can move the payload out.
            (Some(handler), 1) => self.run(handler, delivery).await.into_iter().collect(),
            (first, _) => {
                let handlers = first.into_iter().chain(handlers);
                let runs: Vec<_> = handlers.map(|handler| self.run(handler, delivery.clone())).collect();
                drop(delivery);
                // Boxed like the timer below: what is rare should not make the future of every delivery larger.
                Box::pin(join_all(runs)).await.into_iter().flatten().collect()
            }
        };
        if failures.is_empty() { Ok(()) } else { Err(RejectionReason::HandlersFailed(failures)) }
    }

    /// Finds the handlers that want a delivery; none if there are none for its event. An error if its secret is good for none of them.
    pub(super) fn select<'r>(
        &self,
        route: &'r Route,
        kind: &EventKind,
        version: Option<PayloadVersion>,
        secret: Option<MatchedSecret>,
    ) -> Result<Selection<'r>, RejectionReason> {
        if let EventKind::Other(name) = kind {
            self.inner.counters.unknown_events();
            tracing::debug!("a delivery is of the event {name:?}, which this version does not know");
        }
        let selection = Selection { handlers: route.handlers(kind), version, secret };
        if selection.iter().next().is_none() {
            if selection.of_any_secret().next().is_some() {
                return Err(match secret {
                    Some(_) => SignatureError::Mismatch.into(),
                    None => RejectionReason::SignatureMissing,
                });
            }
            self.inner.counters.unhandled();
        }
        Ok(selection)
    }

    /// Runs one handler; a delivery that it discards is done.
    async fn run(&self, handler: &Handler, delivery: Delivery) -> Option<HandlerFailure> {
        let id = delivery.id();
        let name = handler.descriptor.name();
        match self.guard(handler, delivery).await {
            Ok(()) => None,
            Err(FailureKind::Error(error)) if error.is_discard() => {
                self.inner.counters.discarded();
                tracing::warn!("handler `{name}` discarded delivery {id}: {:?}", error.to_string());
                None
            }
            Err(kind) => Some(HandlerFailure { handler: name, kind }),
        }
    }

    /// Runs one handler: within its time, and not beyond its panic.
    pub(super) async fn guard(&self, handler: &Handler, delivery: Delivery) -> Result<(), FailureKind> {
        let context = HandlerContext::new(delivery, Arc::clone(&self.inner.states), handler.event_uses);
        let run = handler.descriptor.run;
        let work = pin!(AssertUnwindSafe(async move { run(context).await }).catch_unwind());
        match within(self.inner.handler_timeout, work).await? {
            Ok(outcome) => outcome.map_err(FailureKind::Error),
            Err(panic) => Err(FailureKind::Panicked(panic_message(panic.as_ref()))),
        }
    }
}

/// What comes of work that may take so long.
pub(super) async fn within<F: Future + Unpin>(limit: Option<Duration>, mut work: F) -> Result<F::Output, FailureKind> {
    match (poll_once(&mut work).await, limit) {
        // Many handlers never wait, and need no timer.
        (Some(ended), _) => Ok(ended),
        (None, None) => Ok(work.await),
        (None, Some(limit)) => {
            // Tokio panics where there is no runtime, or one without timers.
            let Ok(sleep) = panic::catch_unwind(|| Box::pin(tokio::time::sleep(limit))) else {
                return Err(FailureKind::NoTimer);
            };
            match select(work, sleep).await {
                Either::Left((ended, _)) => Ok(ended),
                Either::Right(_) => Err(FailureKind::TimedOut(limit)),
            }
        }
    }
}

/// The output, if there is one at once.
async fn poll_once<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
    poll_fn(|context| match future.poll_unpin(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}

fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("(a panic without a message)").to_owned()
}
