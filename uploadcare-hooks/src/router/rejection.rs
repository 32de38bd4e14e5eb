//! Why a request was not acknowledged: all of it for the application, a code for the caller.

use std::{fmt, time::Duration};

use http::StatusCode;

use super::answer::Refusal;
use crate::{
    delivery::DeliveryId,
    handler::HandlerError,
    payload::{DecodeError, EventKind},
    signature::SignatureError,
};

/// A request that was not acknowledged, as [`on_rejection`](crate::WebhookRouterBuilder::on_rejection) sees it.
///
/// `Display` says it in one line, without secrets and without the body; it may quote a value out of the payload.
#[derive(Debug)]
pub struct Rejection {
    pub(super) reason: RejectionReason,
    pub(super) path: String,
    pub(super) secrets: TriedSecrets,
    pub(super) delivery: Option<DeliveryId>,
    pub(super) event: Option<EventKind>,
}

impl Rejection {
    /// Why it was rejected.
    pub fn reason(&self) -> &RejectionReason {
        &self.reason
    }

    /// The path inside the router that the request came to.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The secrets that its signature was checked against.
    pub fn secrets(&self) -> &TriedSecrets {
        &self.secrets
    }

    /// What identifies the delivery, once it was verified and read.
    pub fn delivery_id(&self) -> Option<DeliveryId> {
        self.delivery
    }

    /// The event, once it was verified and read.
    pub fn event(&self) -> Option<&EventKind> {
        self.event.as_ref()
    }

    /// The status that the caller was given.
    pub fn status(&self) -> StatusCode {
        self.refusal().status
    }

    /// The code that the caller was given, all that it learns besides the status. Codes do not change between releases.
    pub fn code(&self) -> &'static str {
        self.refusal().code
    }

    pub(super) fn refusal(&self) -> Refusal {
        self.reason.refusal()
    }

    pub(super) fn log(&self) {
        // Requests that are no deliveries come from scanners all the time; the others are somebody's problem.
        match self.status() {
            StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => tracing::debug!("rejected: {self}"),
            status if status.is_server_error() => tracing::error!("rejected: {self}"),
            _ => tracing::warn!("rejected: {self}"),
        }
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} at {:?}", self.status().as_u16(), self.code(), self.path)?;
        if let (Some(event), Some(id)) = (&self.event, self.delivery) {
            write!(f, ", delivery {id} of {:?}", event.as_str())?;
        }
        match &self.secrets {
            TriedSecrets::None => {}
            TriedSecrets::Failed(positions) => write!(f, ", secrets tried {positions:?}")?,
            TriedSecrets::Matched(position) => write!(f, ", secret {position}")?,
        }
        write!(f, ": {}", self.reason)
    }
}

/// The secrets that a signature was checked against, by position.
///
/// Positions count from 0: first the secrets given to the builder in their order, then each `secret_env` of the handlers, then each new one
/// of a rotation.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum TriedSecrets {
    /// No secret was tried: the request was rejected before, or had no well-formed signature.
    None,
    /// These were tried, and none matched.
    Failed(Vec<usize>),
    /// This one matched.
    Matched(usize),
}

/// Why a request was not acknowledged.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RejectionReason {
    /// No handler has this path: 404, `unknown_path`.
    #[error(
        "no handler answers at this path: paths are relative to the router's mount, without a `path` option it is `/`"
    )]
    UnknownPath,
    /// Not a `POST`: 405, `method_not_allowed`.
    #[error("the method is {method:?}, and deliveries are POST")]
    MethodNotAllowed {
        /// The method.
        method: String,
    },
    /// The body, or the length announced for it, is over the limit: 413, `body_too_large`.
    #[error("the body is larger than {limit} bytes; raise it with `.body_limit(bytes)` if this is a delivery")]
    BodyTooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// The body had not arrived in time: 408, `body_too_slow`.
    #[error("the body had not arrived after {limit:?}")]
    BodyTooSlow {
        /// The limit.
        limit: Duration,
    },
    /// The connection broke, or the body was not well-formed HTTP: 400, `body_unreadable`.
    #[error("the body could not be read: {0}")]
    BodyUnreadable(String),
    /// A body was announced and none was left: 500, `body_consumed`.
    #[error(
        "the request announces a body, but none was left to read: something before this router (a middleware, an extractor) consumed it; it must leave the body alone, since the signature covers the raw bytes"
    )]
    BodyConsumed,
    /// No `X-Uc-Signature`: 401, `signature_missing`.
    #[error(
        "the request has no X-Uc-Signature header: it does not come from Uploadcare, or the subscription has no signing secret"
    )]
    SignatureMissing,
    /// A signature that is malformed or wrong: 401, `signature_malformed` or `signature_mismatch`.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// Verified, but not a webhook's payload: 422, `not_a_payload`.
    #[error("the body is verified, but is not a webhook's payload: {0}")]
    NotAPayload(DecodeError),
    /// At least one handler did not succeed: 503, `handler_timeout`, if all that failed ran out of time, else 500, `handler_failed`.
    #[error("{}", list(.0))]
    HandlersFailed(Vec<HandlerFailure>),
    /// No room for the handlers now: 503, `overloaded`.
    #[error(
        "{limit} handlers may run at once, and there is no room for {wanted} more; see `.max_concurrent_handlers(n)`"
    )]
    Overloaded {
        /// How many may run at once.
        limit: usize,
        /// How many the delivery needs.
        wanted: usize,
    },
    /// The same delivery is being done: 503, `still_running`.
    #[error("the same delivery is being done at this moment")]
    StillRunning,
    /// Whether the delivery was done cannot be known: 503, `claim_failed`.
    #[error("whether this delivery was done before cannot be known: {0}")]
    ClaimFailed(String),
    /// Not every job of the delivery could be stored in the queue: 503, `queue_failed`. What was stored stays, and the redelivery adds the rest.
    #[error("{0}")]
    QueueFailed(String),
}

impl RejectionReason {
    fn refusal(&self) -> Refusal {
        use StatusCode as S;
        let (status, code, title) = match self {
            Self::UnknownPath => (S::NOT_FOUND, "unknown_path", "no webhook handler at this path"),
            Self::MethodNotAllowed { .. } => (S::METHOD_NOT_ALLOWED, "method_not_allowed", "deliveries are POST"),
            Self::BodyTooLarge { .. } => (S::PAYLOAD_TOO_LARGE, "body_too_large", "the body is too large"),
            Self::BodyTooSlow { .. } => (S::REQUEST_TIMEOUT, "body_too_slow", "the body came too slowly"),
            Self::BodyUnreadable(_) => (S::BAD_REQUEST, "body_unreadable", "the body could not be read"),
            Self::BodyConsumed => (
                S::INTERNAL_SERVER_ERROR,
                "body_consumed",
                "something in the server consumed the body before its signature could be checked",
            ),
            Self::SignatureMissing => (S::UNAUTHORIZED, "signature_missing", "the request is not signed"),
            Self::Signature(SignatureError::Malformed) => {
                (S::UNAUTHORIZED, "signature_malformed", "the signature is malformed")
            }
            Self::Signature(SignatureError::Mismatch) => {
                (S::UNAUTHORIZED, "signature_mismatch", "the signature does not match")
            }
            Self::NotAPayload(_) => (S::UNPROCESSABLE_ENTITY, "not_a_payload", "the body is not a webhook payload"),
            Self::HandlersFailed(failures) if failures.iter().all(HandlerFailure::is_timeout) => {
                (S::SERVICE_UNAVAILABLE, "handler_timeout", "a handler ran out of time")
            }
            Self::HandlersFailed(_) => (S::INTERNAL_SERVER_ERROR, "handler_failed", "a handler failed"),
            Self::Overloaded { .. } => (S::SERVICE_UNAVAILABLE, "overloaded", "too many handlers run at once"),
            Self::StillRunning => (S::SERVICE_UNAVAILABLE, "still_running", "the delivery is being done"),
            Self::ClaimFailed(_) => {
                (S::SERVICE_UNAVAILABLE, "claim_failed", "whether the delivery was done cannot be known")
            }
            Self::QueueFailed(_) => (S::SERVICE_UNAVAILABLE, "queue_failed", "the delivery could not be stored"),
        };
        Refusal { status, code, title }
    }
}

/// A handler that did not succeed.
#[derive(Debug, thiserror::Error)]
#[error("handler `{handler}` {kind}")]
#[non_exhaustive]
pub struct HandlerFailure {
    /// The handler's name.
    pub handler: &'static str,
    /// What went wrong.
    pub kind: FailureKind,
}

impl HandlerFailure {
    fn is_timeout(&self) -> bool {
        matches!(self.kind, FailureKind::TimedOut(_))
    }
}

/// How a handler did not succeed.
#[derive(Debug)]
#[non_exhaustive]
pub enum FailureKind {
    /// It returned an error.
    Error(HandlerError),
    /// It panicked, with this message.
    Panicked(String),
    /// It had not finished after this time, and was stopped at its next `.await`.
    TimedOut(Duration),
    /// It was stopped at its first `.await`: its time limit needs a Tokio runtime with timers, and there is none here.
    NoTimer,
}

impl fmt::Display for FailureKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // Quoted: the text may hold an end user's line breaks, and a rejection is one line of a log.
            Self::Error(error) => write!(f, "failed: {:?}", error.to_string()),
            Self::Panicked(message) => write!(f, "panicked: {message:?}"),
            Self::TimedOut(limit) => write!(f, "had not finished after {limit:?}"),
            Self::NoTimer => f.write_str(
                "was stopped at its first `.await`: its time limit needs a Tokio runtime with time enabled; run inside one, or build the router with `.no_handler_timeout()`",
            ),
        }
    }
}

fn list(failures: &[HandlerFailure]) -> String {
    failures.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}
