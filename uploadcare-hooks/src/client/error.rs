//! How a call can fail: one variant for each failure that a program can react to.

use std::{fmt, time::Duration};

use reqwest::StatusCode;

use crate::message::debug_like_display;

/// Why a call failed. Never shows a key or a signing secret.
///
/// `Debug` says the same as `Display`, because a `main` that returns an error prints its `Debug`
/// form.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The client cannot be built: a key, the base URL or the environment is wrong.
    #[error("the client cannot be built: {0}")]
    Configuration(String),
    /// Uploadcare would refuse the input, so nothing was sent.
    #[error("nothing was sent: {0}")]
    Input(String),
    /// 401: the keys or the signature are wrong.
    #[error(
        "Uploadcare does not accept the keys: {0}; check that both belong to one project and are not exchanged, and \
         that this machine's clock is right: a signed request more than 15 minutes off is refused"
    )]
    Authentication(ApiError),
    /// 406: Uploadcare does not know the requested version of the API.
    #[error("Uploadcare does not serve version 0.7 of its API here: {0}; check the base URL")]
    WrongApiVersion(ApiError),
    /// 400: the URL is subscribed to the event already.
    #[error(
        "the target URL is subscribed to this event already: {0}; list the subscriptions, and update the existing one"
    )]
    AlreadySubscribed(ApiError),
    /// 400: Uploadcare does not accept the target URL.
    #[error("Uploadcare does not accept the target URL: {0}")]
    BadTargetUrl(ApiError),
    /// 400: Uploadcare does not offer the event to the project.
    #[error(
        "Uploadcare does not accept the event for this project: {0}; check its name, or wait until Uploadcare offers it"
    )]
    UnknownEvent(ApiError),
    /// 400: the project's plan has no webhooks.
    #[error("the project cannot use webhooks: {0}; webhooks are part of other plans")]
    NotAllowed(ApiError),
    /// 404: there is no such subscription.
    #[error("there is no such subscription: {0}")]
    NotFound(ApiError),
    /// 429: too many requests, even after waiting.
    #[error("too many requests: {error}; wait for {}", waiting(*.retry_after))]
    Throttled {
        /// The answer.
        error: ApiError,
        /// How long Uploadcare asks to wait.
        retry_after: Option<Duration>,
    },
    /// Another status of 3xx or 4xx.
    #[error("Uploadcare refused the request: {0}")]
    Refused(ApiError),
    /// 5xx: Uploadcare, or a proxy in front of it, failed.
    #[error("Uploadcare failed: {0}; try again later")]
    Server(ApiError),
    /// The connection could not be made, broke, or took too long.
    ///
    /// The error of the last try names the URL, and the environment variable that it comes from.
    #[error("Uploadcare could not be reached: {0}")]
    Transport(String),
    /// The answer says success, and its body cannot be read.
    #[error(
        "the answer could not be read: {problem} ({error}); if it is a page of a proxy or of a captive portal, this \
         machine cannot reach Uploadcare"
    )]
    Undecodable {
        /// The answer.
        error: ApiError,
        /// What is wrong with the body.
        problem: String,
    },
}

impl ClientError {
    /// The answer, if there was one.
    pub fn answer(&self) -> Option<&ApiError> {
        match self {
            Self::Configuration(_) | Self::Input(_) | Self::Transport(_) => None,
            Self::Authentication(error)
            | Self::WrongApiVersion(error)
            | Self::AlreadySubscribed(error)
            | Self::BadTargetUrl(error)
            | Self::UnknownEvent(error)
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

    /// Whether Uploadcare may have carried out the request.
    pub(super) fn outcome_is_unknown(&self) -> bool {
        matches!(self, Self::Server(_) | Self::Transport(_) | Self::Undecodable { .. })
    }

    /// The same error, which says what could not be reached.
    pub(super) fn at(self, place: &str) -> Self {
        match self {
            Self::Transport(problem) => Self::Transport(format!("{problem}, at {place}")),
            other => other,
        }
    }

    /// The error of a create that found another subscription in its place.
    pub(super) fn into_already_subscribed(self) -> Self {
        if matches!(self, Self::AlreadySubscribed(_)) {
            return self;
        }
        let detail = "there is a subscription with another secret, state or version".to_owned();
        Self::AlreadySubscribed(ApiError { status: StatusCode::BAD_REQUEST, detail, request_id: None })
    }

    /// Chooses the variant for an answer by what it says, `said`, which may quote a key. The error
    /// has what is shown of it.
    pub(super) fn from_answer(said: &str, error: ApiError, retry_after: Option<Duration>) -> Self {
        match error.status {
            StatusCode::UNAUTHORIZED => Self::Authentication(error),
            StatusCode::NOT_FOUND => Self::NotFound(error),
            StatusCode::NOT_ACCEPTABLE => Self::WrongApiVersion(error),
            StatusCode::TOO_MANY_REQUESTS => Self::Throttled { error, retry_after },
            StatusCode::BAD_REQUEST if said.contains("already subscribed") => Self::AlreadySubscribed(error),
            StatusCode::BAD_REQUEST if said.contains("can't use webhooks") => Self::NotAllowed(error),
            StatusCode::BAD_REQUEST if said.contains("target_url") => Self::BadTargetUrl(error),
            StatusCode::BAD_REQUEST if said.contains("\"event\"") && said.contains("not a valid choice") => {
                Self::UnknownEvent(error)
            }
            status if status.is_server_error() => Self::Server(error),
            _ => Self::Refused(error),
        }
    }
}

debug_like_display!(ClientError);

fn waiting(retry_after: Option<Duration>) -> String {
    retry_after.map_or_else(|| "a while".to_owned(), |delay| format!("{} seconds", delay.as_secs()))
}

/// An answer of Uploadcare that is not a success.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ApiError {
    /// The status of the answer.
    pub status: StatusCode,
    /// What Uploadcare says is wrong, or the start of another answer; at most 300 characters.
    pub detail: String,
    /// Uploadcare's id of the request, which its support asks for.
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
