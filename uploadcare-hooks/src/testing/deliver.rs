//! Delivers a request to a router, and says what became of it.

use std::{
    fmt,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response, StatusCode};

use super::unhandled::Unhandled;
use crate::router::{FailureKind, Rejection, Watcher, WebhookRouter};

/// Delivers a request to a router, as [`WebhookRouter::handle`] does, and says what became of it:
/// the answer, what each handler did, and why the delivery was rejected.
///
/// The path of the request is relative to the router's mount. With a
/// [queue](crate::WebhookRouterBuilder#method.queue) the handlers run later, and are listed as
/// [`Queued`](HandlerOutcome::Queued).
///
/// ```
/// # #[cfg(feature = "macros")]
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), uploadcare_hooks::BuildError> {
/// use uploadcare_hooks::{FileStored, WebhookRouter, testing, webhook_handler, webhook_handlers};
/// use testing::{HandlerOutcome, Sample};
///
/// #[webhook_handler(event = "file.stored")]
/// async fn archive(event: FileStored) -> Result<(), &'static str> {
///     Err("the disk is full")
/// }
///
/// let secret = testing::secret();
/// let builder = WebhookRouter::builder().signing_secret(secret.clone());
/// let hooks = builder.handlers(webhook_handlers![archive]).build()?;
/// let delivered = testing::deliver(&hooks, Sample::of("file.stored").sign(&secret)).await;
/// assert_eq!(delivered.status(), 500);
/// assert_eq!(*delivered.outcome_of("archive"), HandlerOutcome::Failed("the disk is full".to_owned()));
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "macros"))]
/// # fn main() {}
/// ```
pub async fn deliver(router: &WebhookRouter, request: Request<Bytes>) -> Delivered {
    let (path, body) = (request.uri().path().to_owned(), request.body().clone());
    let record = Record::default();
    let (response, rejection) = router.handle_watched(request, Some(&record)).await;
    let Seen { handlers, done_before } = record.0.into_inner().unwrap_or_else(PoisonError::into_inner);
    let rejection = rejection.map(|rejection| *rejection);
    let is_unhandled = rejection.is_none() && handlers.is_empty() && !done_before;
    let unhandled = is_unhandled.then(|| Unhandled::new(router, &path, &body));
    Delivered { response, handlers, done_before, rejection, unhandled }
}

/// What became of a delivery, see [`deliver`]. `Display` says all of it in one line.
#[derive(Debug)]
pub struct Delivered {
    response: Response<Bytes>,
    handlers: Vec<HandlerRun>,
    done_before: bool,
    rejection: Option<Rejection>,
    /// Set if no handler wanted the delivery.
    unhandled: Option<Unhandled>,
}

/// What one handler did.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct HandlerRun {
    /// The name of the handler's function.
    pub handler: &'static str,
    /// How it ended.
    pub outcome: HandlerOutcome,
}

/// How a handler ended.
// No variant may have the name of a marker in `event`, such as `Stored`: the compiler would then
// print the marker's whole path in its messages.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum HandlerOutcome {
    /// It succeeded.
    Ok,
    /// It returned [`HandlerError::discard`](crate::HandlerError::discard), with this error. The
    /// delivery counts as done.
    Discarded(String),
    /// It, or one of its parameters, failed with this error.
    Failed(String),
    /// It panicked with this message.
    Panicked(String),
    /// It did not finish within this time.
    TimedOut(Duration),
    /// It was stopped at its first `.await`: its time limit needs a Tokio runtime with timers.
    NoTimer,
    /// It did not run: the queue has a job for it, stored now or by an earlier delivery of the same
    /// bytes.
    Queued,
}

impl Delivered {
    /// The status of the answer.
    pub fn status(&self) -> StatusCode {
        self.response.status()
    }

    /// The answer, as Uploadcare gets it.
    pub fn response(&self) -> &Response<Bytes> {
        &self.response
    }

    /// The handlers that wanted the delivery, in the order in which they ended. Empty if there are
    /// none, if the delivery was rejected before they ran, or if it was done before.
    pub fn handlers(&self) -> &[HandlerRun] {
        &self.handlers
    }

    /// How this handler ended.
    ///
    /// # Panics
    /// If it did not run.
    #[track_caller]
    pub fn outcome_of(&self, handler: &str) -> &HandlerOutcome {
        match self.handlers.iter().find(|run| run.handler == handler) {
            Some(run) => &run.outcome,
            None => panic!("handler `{handler}` did not run: {self}"),
        }
    }

    /// Why the delivery was not acknowledged; `None` if it was.
    pub fn rejection(&self) -> Option<&Rejection> {
        self.rejection.as_ref()
    }

    /// Whether no handler ran because the delivery was done before, with
    /// [`deduplicate`](crate::WebhookRouterBuilder#method.deduplicate).
    pub fn was_done_before(&self) -> bool {
        self.done_before
    }

    /// Checks that at least one handler ran, or was stored, and that each of them succeeded.
    ///
    /// # Panics
    /// If not, with a message that says what happened.
    #[track_caller]
    pub fn assert_ok(&self) -> &Self {
        let succeeded = |run: &HandlerRun| matches!(run.outcome, HandlerOutcome::Ok | HandlerOutcome::Queued);
        assert!(self.rejection.is_none() && self.handlers.iter().all(succeeded), "expected success: {self}");
        assert!(!self.handlers.is_empty(), "expected a handler to run: {self}");
        self
    }

    /// Checks that the delivery was rejected with this code, such as `signature_mismatch`.
    /// [`RejectionReason`](crate::RejectionReason) lists the codes.
    ///
    /// # Panics
    /// If not, with a message that says what happened.
    #[track_caller]
    pub fn assert_rejected(&self, code: &str) -> &Self {
        let found = self.rejection.as_ref().map(Rejection::code);
        assert!(found == Some(code), "expected a rejection with the code {code:?}: {self}");
        self
    }
}

impl fmt::Display for Delivered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.rejection, &self.unhandled) {
            (Some(rejection), _) => write!(f, "rejected: {rejection}")?,
            (None, _) if self.done_before => write!(f, "answered {}: it was done before", self.status())?,
            (None, Some(unhandled)) => write!(f, "answered {}: {unhandled}", self.status())?,
            (None, None) => write!(f, "answered {}", self.status())?,
        }
        for (number, HandlerRun { handler, outcome }) in self.handlers.iter().enumerate() {
            write!(f, "{} `{handler}` {outcome}", if number == 0 { "; handlers:" } else { "," })?;
        }
        Ok(())
    }
}

/// Error texts are quoted, because they may have line breaks.
impl fmt::Display for HandlerOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ok => f.write_str("succeeded"),
            Self::Discarded(error) => write!(f, "discarded the delivery: {error:?}"),
            Self::Failed(error) => write!(f, "failed: {error:?}"),
            Self::Panicked(message) => write!(f, "panicked: {message:?}"),
            Self::TimedOut(limit) => write!(f, "did not finish within {limit:?}"),
            Self::NoTimer => f.write_str("was stopped, since its time limit needs a Tokio runtime with timers"),
            Self::Queued => f.write_str("is stored in the queue"),
        }
    }
}

impl From<Result<(), &FailureKind>> for HandlerOutcome {
    fn from(ended: Result<(), &FailureKind>) -> Self {
        match ended {
            Ok(()) => Self::Ok,
            Err(FailureKind::Error(error)) if error.is_discard() => Self::Discarded(error.to_string()),
            Err(FailureKind::Error(error)) => Self::Failed(error.to_string()),
            Err(FailureKind::Panicked(message)) => Self::Panicked(message.clone()),
            Err(FailureKind::TimedOut(limit)) => Self::TimedOut(*limit),
            Err(FailureKind::NoTimer) => Self::NoTimer,
        }
    }
}

/// What a [`deliver`] sees.
#[derive(Default)]
struct Record(Mutex<Seen>);

#[derive(Default)]
struct Seen {
    handlers: Vec<HandlerRun>,
    done_before: bool,
}

impl Record {
    fn note(&self, note: impl FnOnce(&mut Seen)) {
        note(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl Watcher for Record {
    fn ran(&self, handler: &'static str, ended: Result<(), &FailureKind>) {
        self.note(|seen| seen.handlers.push(HandlerRun { handler, outcome: ended.into() }));
    }

    fn stored(&self, handler: &'static str) {
        self.note(|seen| seen.handlers.push(HandlerRun { handler, outcome: HandlerOutcome::Queued }));
    }

    fn done_before(&self) {
        self.note(|seen| seen.done_before = true);
    }
}
