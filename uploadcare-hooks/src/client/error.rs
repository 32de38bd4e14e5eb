//! What may go wrong with a call, each kind of failure as a program can act on it.

use std::{fmt, time::Duration};

use reqwest::StatusCode;

use crate::message::debug_like_display;

/// Why a call did not succeed. Never shows a key or a signing secret.
///
/// `Debug` says the same as `Display`, since a `main` that returns an error prints it with `Debug`.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The client cannot be built: a key, the base URL or the environment is wrong.
    #[error("the client cannot be built: {0}")]
    Configuration(String),
    /// What was to be sent is not what Uploadcare takes; nothing was sent.
    #[error("nothing was sent: {0}")]
    Input(String),
    /// 401: the keys or the signature are wrong.
    #[error(
        "Uploadcare does not accept the keys: {0}; check that both belong to one project, and that this machine's clock is right: a signed request more than 15 minutes off is refused"
    )]
    Authentication(ApiError),
    /// 406: Uploadcare does not know the version of the API that was asked for.
    #[error("Uploadcare does not speak version 0.7 of its API here: {0}; check the base URL")]
    WrongApiVersion(ApiError),
    /// 400: the URL is subscribed to the event already.
    #[error(
        "the target URL is subscribed to this event already: {0}; list the subscriptions, and update the one that is there"
    )]
    AlreadySubscribed(ApiError),
    /// 400: Uploadcare does not take the target URL.
    #[error("Uploadcare does not take the target URL: {0}")]
    BadTargetUrl(ApiError),
    /// 400: the project's plan has no webhooks.
    #[error("the project cannot use webhooks: {0}; they come with another plan")]
    NotAllowed(ApiError),
    /// 404: there is no such subscription.
    #[error("there is no such subscription: {0}")]
    NotFound(ApiError),
    /// 429: too many requests, even after waiting.
    #[error("too many requests: {error}; wait for {}", .retry_after.map_or_else(|| "a while".to_owned(), |delay| format!("{} seconds", delay.as_secs())))]
    Throttled {
        /// What was answered.
        error: ApiError,
        /// How long Uploadcare asks to wait.
        retry_after: Option<Duration>,
    },
    /// Another status of 3xx or 4xx.
    #[error("Uploadcare refused the request: {0}")]
    Refused(ApiError),
    /// 5xx: Uploadcare, or a proxy before it, failed.
    #[error("Uploadcare failed: {0}; this passes, try again later")]
    Server(ApiError),
    /// The connection could not be made, broke, or took too long.
    #[error("Uploadcare could not be reached: {0}")]
    Transport(String),
    /// An answer that says success, with a body that is not what it should be.
    #[error(
        "the answer could not be read: {problem} ({error}); if it is a page of a proxy or of a captive portal, this machine cannot reach Uploadcare"
    )]
    Undecodable {
        /// What was answered.
        error: ApiError,
        /// What is wrong with the body.
        problem: String,
    },
}

impl ClientError {
    /// What was answered, if anything was.
    pub fn answer(&self) -> Option<&ApiError> {
        match self {
            Self::Configuration(_) | Self::Input(_) | Self::Transport(_) => None,
            Self::Authentication(error)
            | Self::WrongApiVersion(error)
            | Self::AlreadySubscribed(error)
            | Self::BadTargetUrl(error)
            | Self::NotAllowed(error)
            | Self::NotFound(error)
            | Self::Refused(error)
            | Self::Server(error)
            | Self::Throttled { error, .. }
            | Self::Undecodable { error, .. } => Some(error),
        }
    }

    /// Whether the same request may succeed later.
    pub fn is_temporary(&self) -> bool {
        matches!(self, Self::Throttled { .. } | Self::Server(_) | Self::Transport(_))
    }

    /// Whether Uploadcare may have done what was asked for.
    pub(super) fn outcome_is_unknown(&self) -> bool {
        matches!(self, Self::Server(_) | Self::Transport(_) | Self::Undecodable { .. })
    }

    /// For a create that found another subscription in its place.
    pub(super) fn into_already_subscribed(self) -> Self {
        if matches!(self, Self::AlreadySubscribed(_)) {
            return self;
        }
        let detail = "a subscription with another secret, state or version is there".to_owned();
        Self::AlreadySubscribed(ApiError { status: StatusCode::BAD_REQUEST, detail, request_id: None })
    }

    /// Tells the kinds of refusals apart.
    pub(super) fn from_answer(error: ApiError, retry_after: Option<Duration>) -> Self {
        match error.status {
            StatusCode::UNAUTHORIZED => Self::Authentication(error),
            StatusCode::NOT_FOUND => Self::NotFound(error),
            StatusCode::NOT_ACCEPTABLE => Self::WrongApiVersion(error),
            StatusCode::TOO_MANY_REQUESTS => Self::Throttled { error, retry_after },
            StatusCode::BAD_REQUEST if error.detail.contains("already subscribed") => Self::AlreadySubscribed(error),
            StatusCode::BAD_REQUEST if error.detail.contains("can't use webhooks") => Self::NotAllowed(error),
            StatusCode::BAD_REQUEST if error.detail.contains("target_url") => Self::BadTargetUrl(error),
            status if status.is_server_error() => Self::Server(error),
            _ => Self::Refused(error),
        }
    }
}

debug_like_display!(ClientError);

/// What Uploadcare answered in place of what was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ApiError {
    /// The status of the answer.
    pub status: StatusCode,
    /// What Uploadcare says is wrong, or the start of what was answered instead; at most 300 characters.
    pub detail: String,
    /// Uploadcare's id of the request, for its support.
    pub request_id: Option<String>,
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "status {}", self.status.as_u16())?;
        if !self.detail.is_empty() {
            write!(f, ", {:?}", self.detail)?;
        }
        match &self.request_id {
            Some(id) => write!(f, ", request {id:?}"),
            None => Ok(()),
        }
    }
}
