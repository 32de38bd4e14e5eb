//! The options of a router and their defaults. `boot` checks them.

use std::{fmt, time::Duration};

use super::{
    BuildProblem, Rejection, RejectionHook, delivery_key::DeliveryKey, dispatch::Mode, keyring::Secrets,
    time_limit::TimeLimit,
};
use crate::{
    clock::Clock,
    handler::{HandlerDescriptor, IntoHandlers, States},
    signature::SigningSecret,
};

/// Builds a [`WebhookRouter`](crate::WebhookRouter).
///
/// ```
/// # #[cfg(feature = "macros")] {
/// use std::time::Duration;
/// use uploadcare_hooks::{webhook_handler, webhook_handlers, FileUploaded, SigningSecret, WebhookRouter};
///
/// #[webhook_handler(event = "file.uploaded")]
/// async fn index(event: FileUploaded) {}
///
/// let hooks = WebhookRouter::builder()
///     .signing_secret(SigningSecret::new("7kMVZivndx0ErgvhRKAr")?)
///     .handlers(webhook_handlers![index])
///     .handler_timeout(Duration::from_secs(10))
///     .on_rejection(|rejection| eprintln!("{rejection}"))
///     .build()?;
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Default)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct WebhookRouterBuilder {
    pub(super) secrets: Secrets,
    pub(super) states: States,
    pub(super) handlers: Vec<HandlerDescriptor>,
    /// Whether the handlers that are linked in were added.
    #[allow(dead_code, reason = "only the feature `discover` adds them")]
    pub(crate) has_discovered: bool,
    pub(super) expected_handlers: Option<usize>,
    pub(super) accept_unsigned: bool,
    pub(super) limits: Limits,
    pub(super) on_rejection: Option<RejectionHook>,
    pub(super) delivery_key: Option<DeliveryKey>,
    pub(super) modes: Vec<Box<dyn Mode>>,
    pub(crate) clock: Clock,
    /// What was found wrong while options were given.
    pub(super) problems: Vec<BuildProblem>,
}

/// How much a request may cost.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// In bytes.
    pub(crate) body: usize,
    pub(crate) body_time: Duration,
    pub(crate) handler: TimeLimit,
    pub(crate) concurrent_handlers: usize,
}

impl Default for Limits {
    fn default() -> Self {
        const THIRTY_SECONDS: Duration = Duration::from_secs(30);
        Self {
            body: 256 * 1024,
            body_time: THIRTY_SECONDS,
            handler: TimeLimit(Some(THIRTY_SECONDS)),
            concurrent_handlers: 1024,
        }
    }
}

impl WebhookRouterBuilder {
    /// Remembers what is wrong until the router is built.
    #[allow(dead_code, reason = "only options behind a feature find problems of their own")]
    pub(crate) fn add_problem(&mut self, problem: BuildProblem) {
        self.problems.push(problem);
    }

    /// Adds a signing secret that deliveries may be signed with. Several may be valid at once, as
    /// during a rotation; subscriptions are made with the first.
    ///
    /// Handlers with `secret_env` do not use it.
    pub fn signing_secret(mut self, secret: SigningSecret) -> Self {
        self.secrets.accept(&secret);
        self
    }

    /// Adds several signing secrets, see [`signing_secret`](Self::signing_secret).
    pub fn signing_secrets(self, secrets: impl IntoIterator<Item = SigningSecret>) -> Self {
        secrets.into_iter().fold(self, Self::signing_secret)
    }

    /// Accepts deliveries without a signature, for handlers without `secret_env`. **Every client
    /// that reaches the router can send those.**
    ///
    /// For subscriptions without a signing secret, in a network that only Uploadcare's deliveries
    /// reach. The router still checks a signature that is sent, if it has a secret to check it
    /// with.
    pub fn dangerously_accept_unsigned(mut self) -> Self {
        self.accept_unsigned = true;
        self
    }

    /// Provides a value that handlers take as [`State<T>`](crate::State). Each run gets a clone.
    /// There is one value of each type.
    pub fn state<T: Clone + Send + Sync + 'static>(mut self, state: T) -> Self {
        if !self.states.insert(state) {
            self.problems.push(BuildProblem::DuplicateState { type_name: std::any::type_name::<T>() });
        }
        self
    }

    /// Adds handlers, as [`webhook_handlers!`](crate::webhook_handlers) lists them. May be called
    /// several times, so that each module of an application can bring a list of its own:
    ///
    /// ```
    /// # #[cfg(feature = "macros")] {
    /// use uploadcare_hooks::{SigningSecret, WebhookRouter};
    ///
    /// mod scans {
    ///     use uploadcare_hooks::{webhook_handler, webhook_handlers, FileInfected, HandlerDescriptor};
    ///
    ///     #[webhook_handler(event = "file.infected")]
    ///     async fn quarantine(event: FileInfected) {}
    ///
    ///     pub fn handlers() -> Vec<HandlerDescriptor> {
    ///         webhook_handlers![quarantine]
    ///     }
    /// }
    ///
    /// let hooks = WebhookRouter::builder()
    ///     .signing_secret(SigningSecret::new("7kMVZivndx0ErgvhRKAr")?)
    ///     .handlers(scans::handlers())
    ///     .build()?;
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn handlers(mut self, handlers: impl IntoHandlers) -> Self {
        self.handlers.extend(handlers.into_handlers());
        self
    }

    /// Sets how many handlers the router must have. [`build`](Self::build) fails with another
    /// number. Not checked by default.
    ///
    /// A guard for handlers that are collected instead of listed (feature `discover`): without it
    /// the handlers of a whole crate can be missing unnoticed.
    pub fn expect_handlers(mut self, number: usize) -> Self {
        self.expected_handlers = Some(number);
        self
    }

    /// Sets the most bytes that a body may have. Defaults to 256 KiB (262,144).
    ///
    /// A delivery has about 1.5 KB, and up to 60 KB with the labels of an image. Each connection
    /// can make the server hold this much before its signature is checked, for as long as
    /// [`body_timeout`](Self::body_timeout): limit the number of connections in front of the
    /// application.
    pub fn body_limit(mut self, bytes: usize) -> Self {
        self.limits.body = bytes;
        self
    }

    /// Sets how long a body may take to arrive. Defaults to 30 seconds.
    ///
    /// Applies where this crate reads the body; [`handle`](crate::WebhookRouter::handle) gets it
    /// whole.
    pub fn body_timeout(mut self, limit: Duration) -> Self {
        self.limits.body_time = limit;
        self
    }

    /// Sets how long one run of a handler may take. Defaults to 30 seconds. The time starts when
    /// the handler first waits, after the signature was verified.
    ///
    /// A run that takes longer is dropped at the `.await` where it waits, and the delivery is
    /// answered 503; with a `queue` its job is tried again. Needs a Tokio runtime with time
    /// enabled. A handler that blocks its thread cannot be stopped; the first time it takes longer
    /// than the limit, the router logs a warning.
    pub fn handler_timeout(mut self, limit: Duration) -> Self {
        self.limits.handler = TimeLimit(Some(limit));
        self
    }

    /// Lets handlers run without a time limit. The router then runs on any executor, not only on
    /// Tokio.
    pub fn no_handler_timeout(mut self) -> Self {
        self.limits.handler = TimeLimit(None);
        self
    }

    /// Sets how many handlers may run at once. Defaults to 1,024. A delivery that finds no room for
    /// all its handlers is answered 503, before any of them runs.
    pub fn max_concurrent_handlers(mut self, limit: usize) -> Self {
        self.limits.concurrent_handlers = limit;
        self
    }

    /// Sets a function that sees every request that is not acknowledged, with the reason.
    ///
    /// It runs before the answer is sent, so it should be quick. The router logs rejections with
    /// `tracing` in any case. A second call replaces the function.
    pub fn on_rejection(mut self, report: impl Fn(&Rejection) + Send + Sync + 'static) -> Self {
        self.on_rejection = Some(Box::new(report));
        self
    }
}

impl fmt::Debug for WebhookRouterBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookRouterBuilder")
            .field("handlers", &self.handlers)
            .field("secrets", &self.secrets.len())
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
