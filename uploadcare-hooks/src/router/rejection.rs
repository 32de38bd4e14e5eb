//! Why a request was not acknowledged: all of it for the application, a code for the caller.

use std::{fmt, time::Duration};

use http::StatusCode;

use super::{answer::Refusal, keyring::MatchedSecret, span::MAX_LOGGED_CHARS};
use crate::{
    delivery::DeliveryId,
    handler::HandlerError,
    message::cut_off,
    payload::{DecodeError, EventKind},
    signature::SignatureError,
};

/// A request that was not acknowledged, as
/// [`on_rejection`](crate::WebhookRouterBuilder::on_rejection) sees it.
///
/// `Display` says it in one line, without secrets and without values of the payload, except for
/// what the errors of handlers quote. A path, a method or an event that a stranger made long is cut
/// off.
#[derive(Debug)]
pub struct Rejection {
    pub(super) reason: RejectionReason,
    pub(super) path: String,
    pub(super) secrets: TriedSecrets,
    pub(super) delivery: Option<DeliveryId>,
    pub(super) event: Option<EventKind>,
}

impl Rejection {
    /// A rejection of a request of which only the path is known. Boxed, because it is rare and
    /// large.
    pub(super) fn at(path: &str, reason: RejectionReason) -> Box<Self> {
        Box::new(Self { reason, path: path.to_owned(), secrets: TriedSecrets::None, delivery: None, event: None })
    }

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

    /// The delivery's id, if the request was verified and read.
    pub fn delivery_id(&self) -> Option<DeliveryId> {
        self.delivery
    }

    /// The event, if the request was verified and read.
    pub fn event(&self) -> Option<&EventKind> {
        self.event.as_ref()
    }

    /// The status that the caller was answered.
    pub fn status(&self) -> StatusCode {
        self.refusal().status
    }

    /// The code that the caller was answered, all that it learns besides the status. Codes do not
    /// change between releases; [`RejectionReason`] lists them.
    pub fn code(&self) -> &'static str {
        self.refusal().code
    }

    pub(super) fn refusal(&self) -> Refusal {
        self.reason.refusal()
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = cut_off(&self.path, MAX_LOGGED_CHARS);
        write!(f, "{} {} at {path:?}", self.status().as_u16(), self.code())?;
        if let (Some(event), Some(id)) = (&self.event, self.delivery) {
            write!(f, ", delivery {id} of {:?}", cut_off(event.as_str(), MAX_LOGGED_CHARS))?;
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
/// Positions count from 0: first the secrets given to the builder in their order, then each
/// `secret_env` of the handlers, then each new one of a rotation.
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

impl TriedSecrets {
    pub(super) fn matched(secret: Option<MatchedSecret>) -> Self {
        secret.map_or(Self::None, |secret| Self::Matched(secret.position))
    }
}

/// The one table of rejections: which status and code each reason has, and what the caller reads.
/// The documentation of [`RejectionReason`] is made from it.
macro_rules! rejections {
    ($(
        $pattern:pat $(if $guard:expr)? => $number:literal $status:ident, $code:literal, $title:literal;
    )+) => {
        impl RejectionReason {
            pub(super) fn refusal(&self) -> Refusal {
                match self {
                    $($pattern $(if $guard)? => {
                        Refusal { status: StatusCode::$status, code: $code, title: $title }
                    })+
                }
            }
        }

        /// The table in Markdown.
        macro_rules! rejection_table {
            () => {
                concat!(
                    "| status | `code` | `title` |\n|---|---|---|\n",
                    $("| ", $number, " | `", $code, "` | ", $title, " |\n",)+
                )
            };
        }

        #[cfg(test)]
        const NUMBERS: &[(u16, StatusCode)] = &[$(($number, StatusCode::$status)),+];
    };
}

rejections! {
    Self::UnknownPath => 404 NOT_FOUND, "unknown_path", "no webhook handler at this path";
    Self::MethodNotAllowed { .. } => 405 METHOD_NOT_ALLOWED, "method_not_allowed", "deliveries are POST";
    Self::BodyUnreadable(_) => 400 BAD_REQUEST, "body_unreadable", "the body could not be read";
    Self::BodyTooSlow { .. } => 408 REQUEST_TIMEOUT, "body_too_slow", "the body came too slowly";
    Self::BodyTooLarge { .. } => 413 PAYLOAD_TOO_LARGE, "body_too_large", "the body is too large";
    Self::BodyConsumed => 500 INTERNAL_SERVER_ERROR, "body_consumed",
        "something in the server consumed the body before its signature could be checked";
    Self::SignatureMissing => 401 UNAUTHORIZED, "signature_missing", "the request is not signed";
    Self::Signature(SignatureError::Malformed) => 401 UNAUTHORIZED, "signature_malformed", "the signature is malformed";
    Self::Signature(SignatureError::Mismatch) => 401 UNAUTHORIZED, "signature_mismatch", "the signature does not match";
    Self::NotAPayload(_) => 422 UNPROCESSABLE_ENTITY, "not_a_payload", "the body is not a webhook payload";
    Self::HandlersFailed(failures) if failures.iter().all(HandlerFailure::is_timeout) =>
        503 SERVICE_UNAVAILABLE, "handler_timeout", "a handler ran out of time";
    Self::HandlersFailed(failures) if failures.iter().all(HandlerFailure::is_mismatch) =>
        422 UNPROCESSABLE_ENTITY, "payload_mismatch", "a handler cannot read the payload";
    Self::HandlersFailed(_) => 500 INTERNAL_SERVER_ERROR, "handler_failed", "a handler failed";
    Self::Overloaded { .. } => 503 SERVICE_UNAVAILABLE, "overloaded", "too many handlers run at once";
    Self::StillRunning => 503 SERVICE_UNAVAILABLE, "still_running", "the delivery is still running";
    Self::ClaimFailed(_) => 503 SERVICE_UNAVAILABLE, "claim_failed", "the server cannot tell if the delivery was done";
    Self::QueueFailed(_) => 503 SERVICE_UNAVAILABLE, "queue_failed", "the delivery could not be stored";
}

/// Why a request was not acknowledged.
///
/// The caller gets the status, and `code` and `title` in an `application/problem+json` body:
///
#[doc = rejection_table!()]
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RejectionReason {
    /// No handler has this path.
    #[error(
        "no handler answers at this path: paths are relative to the router's mount, \
         and a handler without a `path` option answers at `/`"
    )]
    UnknownPath,
    /// The method is not `POST`.
    #[error("the method is {:?}, and deliveries are POST", cut_off(.method, MAX_LOGGED_CHARS))]
    MethodNotAllowed {
        /// The method.
        method: String,
    },
    /// The body, or the length announced for it, is over the limit.
    #[error("the body is larger than {limit} bytes; raise the limit with `.body_limit(bytes)` if this is a delivery")]
    BodyTooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// The body did not arrive in time.
    #[error("the body did not arrive within {limit:?}")]
    BodyTooSlow {
        /// The limit.
        limit: Duration,
    },
    /// The connection broke, or the body was not well-formed HTTP.
    #[error("the body could not be read: {0}")]
    BodyUnreadable(String),
    /// The request announces a body, and the router found none.
    #[error(
        "the request announces a body, but the router found none: a middleware or an extractor before it consumed \
         the body; it must leave the body alone, because the signature covers the raw bytes"
    )]
    BodyConsumed,
    /// The request has no `X-Uc-Signature` header.
    #[error(
        "the request has no X-Uc-Signature header: it does not come from Uploadcare, \
         or the subscription has no signing secret"
    )]
    SignatureMissing,
    /// The signature is malformed or wrong.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// The signature is right, and the body is no webhook payload.
    #[error("the body is verified, but it is not a webhook payload: {0}")]
    NotAPayload(DecodeError),
    /// At least one handler did not succeed. The code is `handler_timeout` if all of these ran out
    /// of time, `payload_mismatch` if the payload fits the type of none of them, otherwise
    /// `handler_failed`.
    #[error("{}", list(.0))]
    HandlersFailed(Vec<HandlerFailure>),
    /// The router has no room for the handlers now.
    #[error(
        "{limit} handlers may run at once, and there is no room for {wanted} more; see `.max_concurrent_handlers(n)`"
    )]
    Overloaded {
        /// How many may run at once.
        limit: usize,
        /// How many the delivery needs.
        wanted: usize,
    },
    /// Another request is processing the same delivery.
    #[error("another request is processing the same delivery")]
    StillRunning,
    /// The claims could not say whether the delivery was done.
    #[error("the claims cannot say whether this delivery was done before: {0}")]
    ClaimFailed(String),
    /// The queue could not store every job of the delivery. Stored jobs stay, and the redelivery
    /// adds the rest.
    #[error("{0}")]
    QueueFailed(String),
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

    fn is_mismatch(&self) -> bool {
        matches!(&self.kind, FailureKind::Error(error) if error.is_mismatch())
    }
}

/// How a handler did not succeed.
#[derive(Debug)]
#[non_exhaustive]
pub enum FailureKind {
    /// It returned an error.
    Error(HandlerError),
    /// It panicked with this message.
    Panicked(String),
    /// It did not finish within this time, and was stopped at its next `.await`.
    TimedOut(Duration),
    /// It was stopped at its first `.await`: its time limit needs a Tokio runtime with timers, and
    /// there is none.
    NoTimer,
}

impl fmt::Display for FailureKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // Quoted, because the text may hold an end user's line breaks, and a rejection is one
            // line of a log.
            Self::Error(error) => write!(f, "failed: {:?}", error.to_string()),
            Self::Panicked(message) => write!(f, "panicked: {message:?}"),
            Self::TimedOut(limit) => write!(f, "did not finish within {limit:?}"),
            Self::NoTimer => f.write_str(
                "was stopped at its first `.await`: its time limit needs a Tokio runtime with time enabled; \
                 run inside one, or build the router with `.no_handler_timeout()`",
            ),
        }
    }
}

fn list(failures: &[HandlerFailure]) -> String {
    failures.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_in_the_documentation_are_those_of_the_statuses() {
        for (number, status) in NUMBERS {
            assert_eq!(status.as_u16(), *number);
        }
    }
}
