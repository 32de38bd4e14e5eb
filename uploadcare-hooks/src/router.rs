//! The router: verify, decode, dispatch, and what to answer. Knows HTTP's statuses, and nothing of
//! any web framework, queue, claim or REST client.

mod answer;
mod boot;
mod builder;
mod built;
mod delivery_key;
mod describe;
mod dispatch;
mod keyring;
mod observe;
mod places;
mod problem;
mod rejection;
mod rotation;
mod routes;
mod runner;
mod span;
mod stage;
mod time_limit;
mod verification;
mod watcher;

use std::{fmt, future::ready, sync::Arc, time::Duration};

use futures_util::future::Either;
use http::HeaderMap;
use tokio::sync::Semaphore;
use tracing::Instrument;

pub(crate) use self::answer::{Answer, Promise};
pub(crate) use self::builder::Limits;
pub use self::builder::WebhookRouterBuilder;
pub use self::built::Built;
pub use self::describe::{HandlerDescription, RouterDescription, SecretDescription};
pub(crate) use self::dispatch::{Dispatch, Dispatched, Mode};
pub use self::observe::RouterStats;
pub use self::problem::{BuildError, BuildProblem};
pub use self::rejection::{FailureKind, HandlerFailure, Rejection, RejectionReason, TriedSecrets};
pub(crate) use self::runner::contain;
pub(crate) use self::span::Observed;
#[allow(unused_imports, reason = "only a queue has spans of its own")]
pub(crate) use self::span::ran;
#[allow(unused_imports, reason = "only adapters that read bodies and paths need them")]
pub(crate) use self::stage::{Admitted, Unverified, Verified, announced_length};
pub(crate) use self::time_limit::TimeLimit;
pub(crate) use self::verification::decode_path;
pub(crate) use self::watcher::Watcher;
use self::{delivery_key::DeliveryKey, keyring::Keyring, observe::Observer, routes::Route};
use crate::{handler::States, service::SIGNATURE_HEADER};

/// Receives deliveries and hands each one to the handlers of its event.
///
/// Mount it in a web framework, or call [`handle`](Self::handle) with a request of your own. Clones
/// share everything, so one router serves every worker of a server.
///
/// # What is answered
///
/// Uploadcare sends a delivery again, for up to 72 hours, until the answer is 2xx ([Uploadcare:
/// webhooks](https://uploadcare.com/docs/webhooks/)). So 2xx means that the work is done or stored:
///
/// | what happened | status |
/// |---|---|
/// | all handlers for the event returned `Ok`, or none is registered (an unknown event included) | 204 |
/// | stored in the queue, if there is one | 202 |
/// | the body could not be read, because the connection broke | 400 |
/// | signature missing, malformed or wrong | 401 |
/// | unknown path · not `POST` | 404 · 405 with `Allow` |
/// | the body came too slowly | 408 |
/// | body over the limit | 413 |
/// | verified, but not a webhook payload, or not of the type that a handler takes | 422 |
/// | a handler failed or panicked, or something upstream consumed the body | 500 |
/// | a handler ran out of time, too many run at once, the delivery is still running, or the storage of the queue or of the claims failed | 503 with `Retry-After` |
///
/// The router checks path, method, size and signature in this order, and only then parses the body.
/// Error bodies are `application/problem+json` with a stable `code`, which [`RejectionReason`]
/// lists. They never carry a handler's error, a secret or the payload;
/// [`on_rejection`](WebhookRouterBuilder::on_rejection) gets the details.
///
/// # Paths
///
/// The paths of handlers are relative to the mount. A request finds its handler with and without a
/// final `/`. Percent-encoded letters, digits, `-`, `.`, `_` and `~` count like plain ones, so
/// `/sc%61ns` is `/scans`; everything else is compared as it was sent.
///
/// # Before the router
///
/// The signature is checked when the whole body is there. Until then a connection can hold
/// [`body_limit`](WebhookRouterBuilder::body_limit) bytes (256 KiB) for
/// [`body_timeout`](WebhookRouterBuilder::body_timeout) (30 seconds), so the server or proxy in
/// front should limit the number of connections, the size and time of request heads, and the rate
/// for each client address.
///
/// Many clients read the answer only when they have sent the whole body. So the router reads and
/// throws away up to 16 MiB of a body that it refuses, within the same time, before it answers. It
/// does not wait for a client that pauses for half a second.
///
/// # Panics in handlers
///
/// The router catches a panic of a handler, also of one that is dropped at its time limit. This
/// needs panics to unwind, which is Rust's default: with `panic = "abort"` a panic ends the
/// process.
#[derive(Clone)]
pub struct WebhookRouter {
    pub(crate) core: Arc<Core>,
}

/// What all clones of a router share.
pub(crate) struct Core {
    routes: Vec<Route>,
    keyring: Keyring,
    states: Arc<States>,
    pub(crate) accept_unsigned: bool,
    pub(crate) limits: Limits,
    permits: Semaphore,
    /// `None` runs handlers while the caller waits.
    pub(crate) mode: Option<Box<dyn Dispatch>>,
    pub(crate) delivery_key: Option<DeliveryKey>,
    pub(crate) observer: Observer,
    /// Held while subscriptions are made to match this router's secrets: two rotations at once
    /// would undo each other's work.
    #[allow(dead_code, reason = "only registration makes subscriptions")]
    pub(crate) registration: tokio::sync::Mutex<()>,
}

type RejectionHook = Box<dyn Fn(&Rejection) + Send + Sync>;

impl WebhookRouter {
    /// Starts a router: add a signing secret, states and handlers, then build it.
    pub fn builder() -> WebhookRouterBuilder {
        WebhookRouterBuilder::default()
    }

    /// The most bytes that a body may have.
    pub fn body_limit(&self) -> usize {
        self.core.limits.body
    }

    /// How long a body may take to arrive, where this crate reads it.
    pub fn body_timeout(&self) -> Duration {
        self.core.limits.body_time
    }

    /// What was counted since the router was built.
    pub fn stats(&self) -> RouterStats {
        self.core.observer.stats()
    }

    /// The checks that need no body. `path` is relative to the mount, and decoded.
    #[allow(dead_code, reason = "only adapters that read bodies need it")]
    pub(crate) fn admit(&self, method: &str, path: &str, headers: &HeaderMap) -> Result<Admitted<'_>, Answer> {
        self.check_head(method, path, headers).map_err(|rejection| self.refuse_head(&rejection, None, headers))
    }

    /// Answers a request whose path is not below this mount.
    #[allow(dead_code, reason = "only adapters that know their mount need it")]
    pub(crate) fn refuse_path(&self, path: &str, mount: &str, headers: &HeaderMap) -> Answer {
        let mount = Some(mount).filter(|mount| !mount.is_empty());
        self.refuse_head(&Rejection::at(path, RejectionReason::UnknownPath), mount, headers)
    }

    /// Answers a request that the checks of its head refused.
    pub(crate) fn refuse_head(&self, rejection: &Rejection, mount: Option<&str>, headers: &HeaderMap) -> Answer {
        let observed = Observed::refused(rejection);
        let _entered = observed.span.enter();
        if matches!(rejection.reason(), RejectionReason::UnknownPath) && headers.contains_key(SIGNATURE_HEADER) {
            self.core.observer.lost(rejection.path(), mount, self.core.routes.iter().map(|route| route.path));
        }
        self.core.observer.rejected(rejection, &observed)
    }

    /// Begins to observe a request whose body may be read.
    pub(crate) fn observe(&self, admitted: Admitted<'_>) -> Observed {
        Observed::admitted(admitted.route.path)
    }

    /// Verifies a request whose body was read, or could not be, and dispatches it, inside its span.
    /// Neither counts nor logs how it ended.
    // Not an `async fn`, and verified and decoded before the future is made: otherwise the future
    // would hold the request more than once.
    #[inline]
    pub(crate) fn process<'r>(
        &'r self,
        request: Result<Unverified<'r>, Box<Rejection>>,
        observed: &'r Observed,
    ) -> impl Future<Output = Dispatched> + Send + use<'r> {
        let verify = |unverified| self.verify(unverified, observed);
        let dispatched = observed.span.in_scope(|| match (request.and_then(verify), &self.core.mode) {
            (Ok(verified), None) => Either::Left(self.dispatch_inline(verified)),
            (Ok(verified), Some(mode)) => Either::Right(Either::Left(mode.dispatch(self, verified))),
            (Err(rejection), _) => Either::Right(Either::Right(ready(Err(rejection)))),
        });
        dispatched.instrument(observed.span.clone())
    }
}

impl fmt::Debug for WebhookRouter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookRouter")
            .field("routes", &self.core.routes)
            .field("secrets", &self.core.keyring.now().len())
            .field("accept_unsigned", &self.core.accept_unsigned)
            .field("limits", &self.core.limits)
            .field("mode", &self.core.mode.as_ref().map_or("inline", |mode| mode.name()))
            .finish_non_exhaustive()
    }
}
