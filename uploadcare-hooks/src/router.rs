//! The router: verify, decode, dispatch, and what to answer. Knows HTTP's statuses, and nothing of any web framework.

mod answer;
mod builder;
mod dispatch;
#[cfg(feature = "queue")]
mod enqueue;
mod once;
mod rejection;
#[cfg(feature = "client")]
mod rotation;
mod secrets;
mod stats;

use std::{fmt, panic, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, header};
use tokio::sync::Semaphore;

pub(crate) use self::answer::Answer;
pub use self::builder::{BuildError, BuildProblem, WebhookRouterBuilder};
use self::dispatch::Route;
pub use self::rejection::{FailureKind, HandlerFailure, Rejection, RejectionReason, TriedSecrets};
use self::secrets::Keyring;
pub use self::stats::RouterStats;
use crate::{
    claims::DeliveryClaims,
    delivery::{Delivery, DeliveryId, MatchedSecret, Received},
    event::{Event, EventKind},
    handler::States,
    signature::{self, MacBytes, SIGNATURE_HEADER, SignatureError},
};

/// Receives deliveries and hands each to the handlers of its event.
///
/// Mount it in a web framework, or call [`handle`](Self::handle) with a request of your own. Clones share everything, so one
/// router serves every worker of a server.
///
/// # What is answered
///
/// Uploadcare sends a delivery again, for up to 72 hours, until the answer is 2xx
/// ([Uploadcare: webhooks](https://uploadcare.com/docs/webhooks/)). So 2xx means that the work is done:
///
/// | what happened | status |
/// |---|---|
/// | all handlers for the event returned `Ok`, or none is registered (an unknown event included) | 204 |
/// | stored in the queue, if there is one | 202 |
/// | signature missing, malformed or wrong | 401 |
/// | unknown path · not `POST` | 404 · 405 with `Allow` |
/// | the body came too slowly | 408 |
/// | body over the limit | 413 |
/// | verified, but not a webhook payload | 422 |
/// | a handler failed or panicked, or something upstream consumed the body | 500 |
/// | a handler ran out of time, too many run at once, the delivery is still running, or the storage of the queue or of the claims failed | 503 with `Retry-After` |
///
/// Checks come in this order: path, method, size, signature, and only then parsing. Bodies are `application/problem+json` with a
/// `code` that stays the same; they never carry a handler's error, a secret or the payload. [`on_rejection`](WebhookRouterBuilder::on_rejection)
/// gets the details.
///
/// A panic is caught only where panics unwind, which is the default; with `panic = "abort"` it ends the process.
#[derive(Clone)]
pub struct WebhookRouter {
    inner: Arc<Inner>,
}

struct Inner {
    routes: Vec<Route>,
    keyring: Keyring,
    states: Arc<States>,
    accept_unsigned: bool,
    body_limit: usize,
    #[cfg_attr(
        not(feature = "actix-web"),
        expect(dead_code, reason = "the plain `http` adapter is given the body whole")
    )]
    body_timeout: Duration,
    handler_timeout: Option<Duration>,
    max_concurrent_handlers: usize,
    permits: Semaphore,
    on_rejection: Option<RejectionHook>,
    claims: Option<Arc<dyn DeliveryClaims>>,
    delivery_key: Option<once::DeliveryKey>,
    #[cfg(feature = "queue")]
    queue: Option<enqueue::Queue>,
    counters: stats::Counters,
}

type RejectionHook = Box<dyn Fn(&Rejection) + Send + Sync>;

/// A request that may be read: its path, method and announced size are fine.
#[derive(Clone, Copy)]
pub(crate) struct Admitted<'r> {
    route: &'r Route,
}

/// What is known of a request while it is looked at, for the report if it is rejected.
struct Seen<'a> {
    path: &'a str,
    secrets: TriedSecrets,
    delivery: Option<(DeliveryId, EventKind)>,
}

impl<'a> Seen<'a> {
    fn at(path: &'a str) -> Self {
        Self { path, secrets: TriedSecrets::None, delivery: None }
    }
}

impl WebhookRouter {
    /// Starts a router: add a signing secret, states and handlers, then build it.
    pub fn builder() -> WebhookRouterBuilder {
        WebhookRouterBuilder::default()
    }

    /// The most bytes that a body may have.
    pub fn body_limit(&self) -> usize {
        self.inner.body_limit
    }

    /// What was counted since the router was built.
    pub fn stats(&self) -> RouterStats {
        self.inner.counters.snapshot()
    }

    #[cfg(feature = "actix-web")]
    pub(crate) fn body_timeout(&self) -> Duration {
        self.inner.body_timeout
    }

    /// The checks that need no body. `path` is relative to the mount.
    pub(crate) fn admit(&self, method: &str, path: &str, headers: &HeaderMap) -> Result<Admitted<'_>, Answer> {
        let path = if path.is_empty() { "/" } else { path };
        let wanted = if path.len() > 1 { path.strip_suffix('/').unwrap_or(path) } else { path };
        let Some(route) = self.inner.routes.iter().find(|route| route.path == wanted) else {
            return Err(self.reject(&Seen::at(path), RejectionReason::UnknownPath));
        };
        if method != "POST" {
            let reason = RejectionReason::MethodNotAllowed { method: method.to_owned() };
            return Err(self.reject(&Seen::at(path), reason));
        }
        let admitted = Admitted { route };
        match announced_length(headers) {
            Some(announced) if announced > self.inner.body_limit as u64 => {
                Err(self.refuse_body(admitted, RejectionReason::BodyTooLarge { limit: self.inner.body_limit }))
            }
            _ => Ok(admitted),
        }
    }

    /// The answer to a request whose body could not be read.
    pub(crate) fn refuse_body(&self, admitted: Admitted<'_>, reason: RejectionReason) -> Answer {
        self.reject(&Seen::at(admitted.route.path), reason)
    }

    /// Everything that comes after the body was read.
    pub(crate) async fn deliver(&self, admitted: Admitted<'_>, headers: HeaderMap, body: Bytes) -> Answer {
        let route = admitted.route;
        let mut seen = Seen::at(route.path);
        #[cfg(feature = "queue")]
        if let Some(queue) = &self.inner.queue {
            // Boxed, so that it does not make the future of inline dispatch larger.
            let stored = Box::pin(self.enqueue(queue, route, headers, body, &mut seen)).await;
            return self.answer(&seen, stored);
        }
        let done = match (self.open(route, headers, body, &mut seen), &self.inner.claims) {
            (Ok((kind, delivery)), None) => self.dispatch(route, &kind, delivery).await,
            (Ok((kind, delivery)), Some(claims)) => Box::pin(self.dispatch_once(claims, route, &kind, delivery)).await,
            (Err(reason), _) => Err(reason),
        };
        self.answer(&seen, done.map(|()| Answer::Done))
    }

    fn answer(&self, seen: &Seen<'_>, ended: Result<Answer, RejectionReason>) -> Answer {
        match ended {
            Ok(answer) => {
                self.inner.counters.acknowledged();
                answer
            }
            Err(reason) => self.reject(seen, reason),
        }
    }

    /// Verifies and reads a request.
    fn open(
        &self,
        route: &Route,
        headers: HeaderMap,
        body: Bytes,
        seen: &mut Seen<'_>,
    ) -> Result<(EventKind, Delivery), RejectionReason> {
        let (id, secret) = self.verify(route, &headers, &body, seen)?;
        let event = Event::from_bytes(&body).map_err(RejectionReason::NotAPayload)?;
        let kind = event.kind();
        seen.delivery = Some((id, kind.clone()));
        Ok((kind, Delivery::new(event, Received { id, path: route.path, headers, body, secret })))
    }

    /// Checks the body's size, and finds the secret that it was signed with, `None` if it is not signed and need not be.
    fn verify(
        &self,
        route: &Route,
        headers: &HeaderMap,
        body: &[u8],
        seen: &mut Seen<'_>,
    ) -> Result<(DeliveryId, Option<MatchedSecret>), RejectionReason> {
        if body.len() > self.inner.body_limit {
            return Err(RejectionReason::BodyTooLarge { limit: self.inner.body_limit });
        }
        if body.is_empty() && announces_body(headers) {
            return Err(RejectionReason::BodyConsumed);
        }
        let mut sent = headers.get_all(SIGNATURE_HEADER).iter();
        let claimed: MacBytes = match (sent.next(), sent.next()) {
            (None, _) if self.inner.accept_unsigned => return Ok((DeliveryId::from_bytes(body), None)),
            (None, _) => return Err(RejectionReason::SignatureMissing),
            (Some(one), None) => signature::parse(one.as_bytes())?,
            (Some(_), Some(_)) => return Err(SignatureError::Malformed.into()),
        };
        let secrets = self.inner.keyring.now();
        match secrets.find(&route.sources, body, &claimed) {
            Some(secret) => {
                let id = DeliveryId::from_mac(&claimed);
                seen.secrets = TriedSecrets::Matched(secret.position);
                if secrets.is_replaced(secret) {
                    self.inner.counters.replaced_secret();
                    tracing::info!("delivery {id} is signed with secret {}, which was replaced", secret.position);
                }
                Ok((id, Some(secret)))
            }
            None => match secrets.positions(&route.sources) {
                // Without a secret there is nothing to check a signature with: it counts as none.
                tried if self.inner.accept_unsigned && tried.is_empty() => Ok((DeliveryId::from_bytes(body), None)),
                tried => {
                    seen.secrets = TriedSecrets::Failed(tried);
                    Err(SignatureError::Mismatch.into())
                }
            },
        }
    }

    /// Counts, logs and reports a rejection; returns what the caller sees of it.
    fn reject(&self, seen: &Seen<'_>, reason: RejectionReason) -> Answer {
        let rejection = Rejection {
            reason,
            path: seen.path.to_owned(),
            secrets: seen.secrets.clone(),
            delivery: seen.delivery.as_ref().map(|(id, _)| *id),
            event: seen.delivery.as_ref().map(|(_, kind)| kind.clone()),
        };
        self.inner.counters.rejected();
        rejection.log();
        if let Some(report) = &self.inner.on_rejection {
            let report = panic::AssertUnwindSafe(|| report(&rejection));
            if panic::catch_unwind(report).is_err() {
                tracing::error!("the function given to `on_rejection` panicked");
            }
        }
        Answer::Refused(rejection.refusal())
    }
}

fn announced_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.trim().parse().ok()
}

/// Whether the request's head says that a body follows.
fn announces_body(headers: &HeaderMap) -> bool {
    match announced_length(headers) {
        Some(length) => length > 0,
        None => headers.contains_key(header::TRANSFER_ENCODING),
    }
}

impl fmt::Debug for WebhookRouter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookRouter")
            .field("routes", &self.inner.routes)
            .field("secrets", &self.inner.keyring.now().len())
            .field("accept_unsigned", &self.inner.accept_unsigned)
            .field("body_limit", &self.inner.body_limit)
            .field("handler_timeout", &self.inner.handler_timeout)
            .field("max_concurrent_handlers", &self.inner.max_concurrent_handlers)
            .finish_non_exhaustive()
    }
}
