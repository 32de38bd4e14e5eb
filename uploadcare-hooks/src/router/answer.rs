//! What the router answers, before an adapter turns it into a framework's response.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};

/// The `Retry-After` of a 503. Uploadcare may ignore it and keep its own schedule.
const RETRY_AFTER: Duration = Duration::from_secs(30);

/// What the router answers.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Answer {
    /// 2xx: Uploadcare does not send the delivery again.
    Acknowledged(Promise),
    /// Any other status.
    Refused(Refusal),
}

/// A delivery that is answered with 2xx. Made by
/// [`Identified::acknowledge`](super::stage::Identified::acknowledge).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Acknowledged {
    pub(super) promise: Promise,
    /// The event; one name for all unknown events.
    pub(super) event: &'static str,
}

/// What a 2xx promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Promise {
    /// All handlers of the delivery have succeeded.
    Handled,
    /// No handler wants the delivery.
    Unhandled,
    /// The delivery was done before.
    Duplicate,
    /// The work is stored and will be done.
    #[allow(dead_code, reason = "only modes behind a feature store")]
    Stored,
}

impl Promise {
    pub(super) fn status(self) -> StatusCode {
        match self {
            Self::Handled | Self::Unhandled | Self::Duplicate => StatusCode::NO_CONTENT,
            Self::Stored => StatusCode::ACCEPTED,
        }
    }

    /// What spans say of it. The caller learns only the status.
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::Handled => "handled",
            Self::Unhandled => "unhandled",
            Self::Duplicate => "duplicate",
            Self::Stored => "stored",
        }
    }
}

/// What the caller sees of a rejection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) code: &'static str,
    pub(super) title: &'static str,
}

impl Answer {
    /// The answer as a response of plain `http` types.
    pub(crate) fn into_response(self) -> http::Response<Bytes> {
        let (status, body) = match self {
            Self::Acknowledged(promise) => (promise.status(), Bytes::new()),
            Self::Refused(refusal) => (refusal.status, refusal.problem().into()),
        };
        let mut response = http::Response::new(body);
        *response.status_mut() = status;
        if let Self::Refused(refusal) = self {
            refusal.describe(response.headers_mut());
        }
        response
    }
}

impl Refusal {
    /// An `application/problem+json` object ([RFC 9457](https://www.rfc-editor.org/rfc/rfc9457)).
    /// All its texts are literals of this crate, so nothing needs escaping.
    fn problem(self) -> String {
        let Self { status, code, title } = self;
        format!(r#"{{"type":"about:blank","status":{},"code":"{code}","title":"{title}"}}"#, status.as_u16())
    }

    fn describe(self, headers: &mut HeaderMap) {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if self.status == StatusCode::METHOD_NOT_ALLOWED {
            headers.insert(header::ALLOW, HeaderValue::from_static("POST"));
        }
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER.as_secs()));
        }
    }
}
