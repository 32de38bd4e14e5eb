//! What a router answers, before an adapter turns it into a framework's response.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};

/// How long Uploadcare is told to wait when there is no room or no time now. It need not heed that, and keeps its own schedule.
const RETRY_AFTER: Duration = Duration::from_secs(30);

/// What a router answers.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Answer {
    /// The delivery is done.
    Done,
    /// The delivery is stored, and will be done.
    #[cfg(feature = "queue")]
    Stored,
    /// The delivery is to be sent again, or is none.
    Refused(Refusal),
}

/// What a caller sees of a rejection.
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
            Self::Done => (StatusCode::NO_CONTENT, Bytes::new()),
            #[cfg(feature = "queue")]
            Self::Stored => (StatusCode::ACCEPTED, Bytes::new()),
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
    /// An `application/problem+json` object, [RFC 9457](https://www.rfc-editor.org/rfc/rfc9457). Every part of it is written in
    /// this crate, so that nothing needs to be escaped.
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
