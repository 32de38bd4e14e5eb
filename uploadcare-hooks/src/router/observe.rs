//! What a router counts and logs. Decides nothing. Never logs a secret or a value of the payload;
//! the error of a handler, which it logs, may quote one.

use std::{
    collections::BTreeSet,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use super::{
    FailureKind, Rejection, RejectionHook, RejectionReason, TimeLimit,
    answer::Answer,
    dispatch::Dispatched,
    places::Places,
    runner::contain,
    span::{MAX_LOGGED_CHARS, Observed, is_scan},
    stage::Identified,
};
use crate::{
    delivery::DeliveryId,
    handler::HandlerError,
    message::{Firsts, cut_off, spelled_out},
    observe,
    payload::EventKind,
};

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
    /// handler. Duplicates of one, which run nothing, are not counted again.
    unknown_events,
    /// Runs that a handler ended with [`HandlerError::discard`](crate::HandlerError::discard).
    discarded,
    /// Deliveries signed with a secret of the router other than the first, as during a rotation.
    replaced_secret,
    /// Deliveries acknowledged without a run, because they were done before. A queue recognises
    /// redeliveries in its storage, and does not count them.
    duplicates,
    /// Requests that were not acknowledged, for any reason.
    rejected,
}

/// How many different things are logged as the first of their kind. Later ones are logged as
/// `debug`.
const MAX_FIRSTS: usize = 1000;
/// How many paths of lost deliveries are logged.
const MAX_LOST: usize = 20;

/// Counts and logs for one router.
#[derive(Default)]
pub(crate) struct Observer {
    counters: Counters,
    on_rejection: Option<RejectionHook>,
    /// What was logged once: events that no handler wanted, handlers that blocked.
    firsts: Firsts<(String, String)>,
    /// The paths of lost deliveries that were logged. Everyone can send such requests, so they are
    /// few and apart from the rest.
    lost: Firsts<String>,
    places: Mutex<Places>,
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
    pub(crate) fn ended(&self, dispatched: &Dispatched, observed: &Observed) -> Answer {
        let _entered = observed.span.enter();
        match dispatched {
            Ok(acknowledged) => {
                let promise = acknowledged.promise;
                count(&self.counters.acknowledged);
                observe::answered(acknowledged.event, promise.status().as_str(), &observed.start);
                observed.answered(promise.status(), promise.code());
                Answer::Acknowledged(promise)
            }
            Err(rejection) => self.rejected(rejection, observed),
        }
    }

    /// Counts, logs and reports a rejection, inside its span; returns what the caller is answered.
    pub(super) fn rejected(&self, rejection: &Rejection, observed: &Observed) -> Answer {
        let (status, code) = (rejection.status(), rejection.code());
        count(&self.counters.rejected);
        observe::rejected(code);
        if let Some(event) = verified_event(rejection) {
            observe::answered(event, status.as_str(), &observed.start);
        }
        observed.answered(status, code);
        // Requests that are no deliveries come from scanners all the time. The rest needs
        // attention.
        macro_rules! log {
            ($level:ident) => {
                tracing::$level!(
                    delivery.id = rejection.delivery_id().map(display),
                    status = status.as_u16(),
                    code,
                    "rejected: {rejection}"
                )
            };
        }
        if is_scan(status) {
            log!(debug);
        } else if status.is_server_error() {
            log!(error);
        } else {
            log!(warn);
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
        observe::replaced_secret();
        tracing::info!(
            delivery.id = %id,
            secret = position,
            "delivery {id} is signed with secret {position}, and the router's first secret is another one"
        );
    }

    pub(super) fn unknown_event(&self, delivery: &Identified<'_>) {
        count(&self.counters.unknown_events);
        observe::unknown_event();
        let (id, event) = (delivery.id, &*cut_off(delivery.kind.as_str(), MAX_LOGGED_CHARS));
        tracing::debug!(
            delivery.id = %id,
            event,
            "delivery {id} is of event {event:?}, which this version does not know"
        );
    }

    pub(super) fn unhandled(&self, delivery: &Identified<'_>) {
        count(&self.counters.unhandled);
        observe::unhandled();
        let (id, path) = (delivery.id, delivery.path());
        let event = &*cut_off(delivery.kind.as_str(), MAX_LOGGED_CHARS);
        if self.is_first(path, event, MAX_FIRSTS) {
            tracing::info!(
                delivery.id = %id,
                event,
                path,
                "no handler at path {path:?} takes {event:?}: delivery {id} is acknowledged and nothing runs; later \
                 ones are logged at debug level"
            );
        } else {
            tracing::debug!(
                delivery.id = %id,
                event,
                path,
                "no handler at path {path:?} takes {event:?}: delivery {id} acknowledged"
            );
        }
    }

    /// Counts a run that discarded its delivery. Warns of a handler that ended by itself although
    /// it blocked its thread past its time limit.
    pub(super) fn ran(&self, handler: &str, ended: &Result<(), FailureKind>, blocked: Duration, limit: TimeLimit) {
        if matches!(ended, Err(FailureKind::Error(error)) if error.is_discard()) {
            count(&self.counters.discarded);
        }
        if matches!(ended, Ok(()) | Err(FailureKind::Error(_)))
            && let Some(limit) = limit.0
            && blocked > limit
        {
            self.blocked(handler, blocked, limit);
        }
    }

    fn blocked(&self, handler: &str, time: Duration, limit: Duration) {
        if self.is_first(handler, "blocked", usize::MAX) {
            tracing::warn!(
                handler,
                "handler `{handler}` blocked its thread for {time:?}, longer than its time limit of {limit:?}, so it \
                 could not be stopped; move blocking work to `tokio::task::spawn_blocking` (logged once per handler)"
            );
        }
    }

    pub(crate) fn duplicate(&self, id: DeliveryId) {
        count(&self.counters.duplicates);
        observe::duplicate();
        tracing::debug!(delivery.id = %id, "delivery {id} was done before: acknowledged without a run");
    }

    /// A request with a signature came to a path where no handler answers: the server or the
    /// subscription may be configured wrongly, and deliveries are lost. `mount` is the mount that
    /// the path should have begun with.
    pub(super) fn lost(&self, path: &str, mount: Option<&str>, answering: impl Iterator<Item = &'static str>) {
        let path = &*cut_off(path, MAX_LOGGED_CHARS);
        if !self.lost.is_first(path.to_owned(), MAX_LOST) {
            return;
        }
        match mount {
            Some(mount) => tracing::warn!(
                path,
                "a request with a signature came to path {path:?}, which is outside of {mount:?}, the mount given \
                 with `.at(..)`. If the server removes the mount from the path, as `nest_service` of axum does, leave \
                 `.at(..)` out. Otherwise check the target URL of the subscription. Logged once per path"
            ),
            None => tracing::warn!(
                path,
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
        let mount = mount.trim_end_matches('/');
        if !self.places().mounts.insert(mount.to_owned()) {
            return;
        }
        let answering = |path: &str| match format!("{mount}{}", path.trim_end_matches('/')) {
            root if root.is_empty() => "/".to_owned(),
            path => path,
        };
        let paths: BTreeSet<_> = paths.map(answering).collect();
        let mount = if mount.is_empty() { "/" } else { mount };
        tracing::info!("webhook router mounted at {mount:?}, below its scope: deliveries are answered at {paths:?}");
        self.places().compare();
    }

    /// Target URLs begin with this path. Logs if it leads to none of the mounts, now or when the
    /// router is mounted.
    #[allow(dead_code, reason = "only `registration` knows target URLs")]
    pub(crate) fn subscribed_at(&self, path: &str) {
        let mut places = self.places();
        places.subscribed = Some(path.trim_end_matches('/').to_owned());
        places.compare();
    }

    fn places(&self) -> MutexGuard<'_, Places> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this is the first call with `what` for a path or handler. `false` if `most` things
    /// are remembered already.
    fn is_first(&self, place: &str, what: &str, most: usize) -> bool {
        self.firsts.is_first((place.to_owned(), what.to_owned()), most)
    }
}

/// The event of a rejected delivery, as metrics name it. `None` if the request was not verified,
/// and so may be no delivery.
fn verified_event(rejection: &Rejection) -> Option<&'static str> {
    match (rejection.event(), rejection.reason()) {
        (Some(event), _) => Some(event_label(event)),
        (None, RejectionReason::NotAPayload(_)) => Some("unreadable"),
        (None, _) => None,
    }
}

/// An event as metrics name it. All events that this version does not know have one name, because
/// their own names come from outside, and each would be a time series of its own.
pub(super) fn event_label(event: &EventKind) -> &'static str {
    EventKind::KNOWN.get(event.index()).copied().unwrap_or("unknown")
}

pub(super) fn discarded(handler: &str, id: DeliveryId, error: &HandlerError) {
    tracing::warn!(
        delivery.id = %id,
        handler,
        "handler `{handler}` discarded delivery {id}: {:?}",
        error.to_string()
    );
}

pub(super) fn secrets_replaced(positions: &[usize], grace_period: Duration) {
    // Without an end there is nothing to tell yet: a rotation begins so.
    if !positions.is_empty() && grace_period < Duration::MAX {
        tracing::info!(
            "the signing secrets {positions:?} were replaced and are accepted for at most another {}",
            spelled_out(grace_period)
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
        delivery.id = %id,
        handler,
        "handler `{handler}` was dropped before it ended, so delivery {id} is not acknowledged: its client left, a \
         time limit in front of the router ended the request, or the server or the worker was stopped"
    );
}

pub(super) fn drop_panicked(handler: &str, message: &str) {
    tracing::error!(handler, "handler `{handler}` panicked while it was dropped: {message:?}");
}

pub(super) fn delivery_key_panicked(id: DeliveryId, message: &str) {
    tracing::error!(
        delivery.id = %id,
        "the function given to `delivery_key` panicked, so delivery {id} is known by its id: {message:?}"
    );
}

/// Logs at boot what answers where.
pub(super) fn route_built(path: &str, events: impl Iterator<Item = (&'static str, Vec<&'static str>)>) {
    let (handled, unhandled): (Vec<_>, Vec<_>) = events.partition(|(_, handlers)| !handlers.is_empty());
    let handled: Vec<_> = handled.iter().map(|(event, handlers)| format!("{event}: {}", handlers.join(", "))).collect();
    let unhandled: Vec<_> = unhandled.iter().map(|(event, _)| *event).collect();
    tracing::info!(
        path,
        "webhooks at path {path:?} below the mount: {}; acknowledged without a handler: {}",
        handled.join("; "),
        if unhandled.is_empty() { "none".to_owned() } else { unhandled.join(", ") }
    );
}

pub(super) fn handler_of_old_version(handler: &str, version: &str) {
    tracing::info!(
        handler,
        "handler `{handler}` takes payload version {version:?} only: Uploadcare creates no subscriptions of it any \
         more, so the handler runs only if an older subscription sends that version"
    );
}

pub(super) fn takes_infected(handler: &str) {
    tracing::info!(
        handler,
        "handler `{handler}` takes `file.infected`, which Uploadcare plans to drop in a later version of its API: \
         `file.info_updated` replaces it, with the result of the scan in `data.appdata`"
    );
}

pub(super) fn accepts_unsigned() {
    tracing::warn!("the webhook router accepts deliveries without a signature: every client can send them");
}
