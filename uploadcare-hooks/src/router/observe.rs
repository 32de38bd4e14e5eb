//! What a router counts and logs. Decides nothing. Never logs a body or a secret; an error that it
//! logs may quote a value of the payload.

use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use http::StatusCode;

use super::{Rejection, RejectionHook, answer::Answer, dispatch::Dispatched, runner::contain, stage::Identified};
use crate::{delivery::DeliveryId, handler::HandlerError, message::Firsts};

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident,)+) => {
        /// What a router counted since it was built.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct RouterStats {
            $($(#[$doc])* pub $name: u64,)+
        }

        #[derive(Default)]
        struct Counters {
            $($name: AtomicU64,)+
        }

        impl Counters {
            fn snapshot(&self) -> RouterStats {
                RouterStats { $($name: self.$name.load(Ordering::Relaxed)),+ }
            }
        }
    };
}

counters! {
    /// Deliveries answered with 2xx, the unhandled ones included.
    acknowledged,
    /// Of those, deliveries that no handler wanted.
    unhandled,
    /// Deliveries of an event that this version of the crate does not know, with or without a
    /// handler.
    unknown_events,
    /// Runs that a handler ended with [`HandlerError::discard`](crate::HandlerError::discard).
    discarded,
    /// Deliveries signed with a secret of the router other than the first, as during a rotation.
    replaced_secret,
    /// Deliveries acknowledged without a run, because they were done before.
    duplicates,
    /// Requests that were not acknowledged, for any reason.
    rejected,
}

/// How many different things are logged as the first of their kind. Later ones are logged as
/// `debug`.
const MAX_FIRSTS: usize = 1000;
/// How much of an event's name or of a path is logged and remembered.
const MAX_LOGGED_CHARS: usize = 100;

/// How many paths of lost deliveries are logged.
const MAX_LOST: usize = 20;

/// Counts and logs for one router.
#[derive(Default)]
pub(crate) struct Observer {
    counters: Counters,
    on_rejection: Option<RejectionHook>,
    /// What was logged once: events that no handler wanted, handlers that blocked, mounts.
    firsts: Firsts<(String, String)>,
    /// The paths of lost deliveries that were logged. Everyone can send such requests, so they are
    /// few and apart from the rest.
    lost: Firsts<String>,
}

fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

impl Observer {
    pub(super) fn new(on_rejection: Option<RejectionHook>) -> Self {
        Self { on_rejection, ..Self::default() }
    }

    pub(super) fn stats(&self) -> RouterStats {
        self.counters.snapshot()
    }

    /// Counts the end of a request; returns what the caller is answered.
    pub(crate) fn ended(&self, dispatched: &Dispatched) -> Answer {
        match dispatched {
            Ok(acknowledged) => {
                count(&self.counters.acknowledged);
                Answer::Acknowledged(*acknowledged)
            }
            Err(rejection) => self.rejected(rejection),
        }
    }

    /// Counts, logs and reports a rejection; returns what the caller is answered.
    pub(super) fn rejected(&self, rejection: &Rejection) -> Answer {
        count(&self.counters.rejected);
        // Requests that are no deliveries come from scanners all the time. The rest needs
        // attention.
        match rejection.status() {
            StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => tracing::debug!("rejected: {rejection}"),
            status if status.is_server_error() => tracing::error!("rejected: {rejection}"),
            _ => tracing::warn!("rejected: {rejection}"),
        }
        if let Some(report) = &self.on_rejection
            && let Err(message) = contain(|| report(rejection))
        {
            tracing::error!("the function given to `on_rejection` panicked: {message:?}");
        }
        Answer::Refused(rejection.refusal())
    }

    pub(super) fn replaced_secret(&self, id: DeliveryId, position: usize) {
        count(&self.counters.replaced_secret);
        tracing::info!("delivery {id} is signed with secret {position}, and the router's first secret is another one");
    }

    pub(super) fn unknown_event(&self, delivery: &Identified<'_>) {
        count(&self.counters.unknown_events);
        tracing::debug!(
            "delivery {} is of event {:?}, which this version does not know",
            delivery.id,
            delivery.kind.as_str()
        );
    }

    pub(super) fn unhandled(&self, delivery: &Identified<'_>) {
        count(&self.counters.unhandled);
        let (id, path) = (delivery.id, delivery.path());
        // The name of an unknown event may be as long as a body.
        let event: String = delivery.kind.as_str().chars().take(MAX_LOGGED_CHARS).collect();
        if self.is_first(path, &event, MAX_FIRSTS) {
            tracing::info!(
                "no handler at path {path:?} takes {event:?}: delivery {id} is acknowledged and nothing runs; later \
                 ones are logged at debug level"
            );
        } else {
            tracing::debug!("no handler at path {path:?} takes {event:?}: delivery {id} acknowledged");
        }
    }

    pub(super) fn discarded(&self, handler: &str, id: DeliveryId, error: &HandlerError) {
        count(&self.counters.discarded);
        tracing::warn!("handler `{handler}` discarded delivery {id}: {:?}", error.to_string());
    }

    /// A handler succeeded although it blocked its thread past its time limit.
    pub(super) fn blocked(&self, handler: &'static str, time: Duration, limit: Duration) {
        if self.is_first(handler, "blocked", usize::MAX) {
            tracing::warn!(
                "handler `{handler}` blocked its thread for {time:?}, longer than its time limit of {limit:?}, so it \
                 could not be stopped; move blocking work to `tokio::task::spawn_blocking` (logged once per handler)"
            );
        }
    }

    pub(crate) fn duplicate(&self, id: DeliveryId) {
        count(&self.counters.duplicates);
        tracing::debug!("delivery {id} was done before: acknowledged without a run");
    }

    /// A request with a signature came to a path where no handler answers: the server or the
    /// subscription may be configured wrongly, and deliveries are lost. `mount` is the mount that
    /// the path should have begun with.
    pub(super) fn lost(&self, path: &str, mount: Option<&str>, answering: impl Iterator<Item = &'static str>) {
        let path: String = path.chars().take(MAX_LOGGED_CHARS).collect();
        if !self.lost.is_first(path.clone(), MAX_LOST) {
            return;
        }
        match mount {
            Some(mount) => tracing::warn!(
                "a request with a signature came to path {path:?}, which is outside of {mount:?}, the mount given \
                 with `.at(..)`. If the server removes the mount from the path, as `nest_service` of axum does, leave \
                 `.at(..)` out. Otherwise check the target URL of the subscription. Logged once per path"
            ),
            None => tracing::warn!(
                "a request with a signature came to path {path:?}, where no handler answers. Handlers answer at {:?}, \
                 relative to the mount. Check the target URL of the subscription, and whether the server removes the \
                 mount from the path; a tower service is told its mount with `.at(mount)`. Logged once per path",
                answering.collect::<Vec<_>>()
            ),
        }
    }

    /// Logs what answers where, once for each path: a server mounts the router in each of its
    /// workers.
    #[allow(dead_code, reason = "only adapters of a web framework mount")]
    pub(crate) fn mounted(&self, mount: &str, paths: impl Iterator<Item = &'static str>) {
        if self.is_first(mount, "mounted", usize::MAX) {
            let paths: BTreeSet<_> = paths.map(|path| format!("{mount}{}", path.trim_end_matches('/'))).collect();
            tracing::info!(
                "webhook router mounted at {mount:?}, below its scope: deliveries are answered at {paths:?}"
            );
        }
    }

    /// Whether this is the first call with `what` for a path or handler. `false` if `most` things
    /// are remembered already.
    fn is_first(&self, place: &str, what: &str, most: usize) -> bool {
        self.firsts.is_first((place.to_owned(), what.to_owned()), most)
    }
}

pub(super) fn secrets_replaced(positions: &[usize], grace_period: Duration) {
    // Without an end there is nothing to tell yet: a rotation begins so.
    if !positions.is_empty() && grace_period < Duration::MAX {
        tracing::info!(
            "the signing secrets {positions:?} were replaced and are accepted for at most another {grace_period:?}"
        );
    }
}

pub(super) fn secrets_expired(positions: &[usize]) {
    if !positions.is_empty() {
        tracing::info!("the signing secrets {positions:?}, which were replaced, are not accepted any more");
    }
}

pub(super) fn handler_dropped(handler: &str, id: DeliveryId) {
    tracing::warn!(
        "handler `{handler}` was dropped before it ended, so delivery {id} is not acknowledged: its client left, a \
         time limit in front of the router ended the request, or the server or the worker was stopped"
    );
}

pub(super) fn drop_panicked(handler: &str, message: &str) {
    tracing::error!("handler `{handler}` panicked while it was dropped: {message:?}");
}

pub(super) fn delivery_key_panicked(id: DeliveryId, message: &str) {
    tracing::error!("the function given to `delivery_key` panicked, so delivery {id} is known by its id: {message:?}");
}

/// Logs at boot what answers where.
pub(super) fn route_built(path: &str, events: impl Iterator<Item = (&'static str, Vec<&'static str>)>) {
    let (handled, unhandled): (Vec<_>, Vec<_>) = events.partition(|(_, handlers)| !handlers.is_empty());
    let handled: Vec<_> = handled.iter().map(|(event, handlers)| format!("{event}: {}", handlers.join(", "))).collect();
    let unhandled: Vec<_> = unhandled.iter().map(|(event, _)| *event).collect();
    tracing::info!(
        "webhooks at path {path:?} below the mount: {}; acknowledged without a handler: {}",
        handled.join("; "),
        if unhandled.is_empty() { "none".to_owned() } else { unhandled.join(", ") }
    );
}

pub(super) fn handler_of_old_version(handler: &str, version: &str) {
    tracing::info!(
        "handler `{handler}` takes payload version {version:?} only: Uploadcare creates no subscriptions of it any \
         more, so the handler runs only if an older subscription sends that version"
    );
}

pub(super) fn takes_infected(handler: &str) {
    tracing::info!(
        "handler `{handler}` takes `file.infected`, which Uploadcare plans to drop in a later version of its API: \
         `file.info_updated` replaces it, with the result of the scan in `data.appdata`"
    );
}

pub(super) fn accepts_unsigned() {
    tracing::warn!("the webhook router accepts deliveries without a signature: every client can send them");
}
