//! Builds a router, and finds at boot what requests would trip over.

use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};

use tokio::sync::Semaphore;

#[cfg(feature = "queue")]
use super::enqueue::Queue;
use super::{
    Inner, Rejection, RejectionHook, WebhookRouter,
    dispatch::{Handler, Route},
    once::DeliveryKey,
    secrets::{Keyring, SecretSource, Secrets},
};
#[cfg(feature = "queue")]
use crate::queue::Store;
use crate::{
    claims::DeliveryClaims,
    handler::{HandlerDescriptor, States},
    message::debug_like_display,
    signature::{SecretError, SigningSecret},
};

/// Some storages of apalis go no further.
#[cfg(feature = "queue")]
const MAX_QUEUE_ATTEMPTS: u32 = 25;
const BODY_LIMIT: usize = 1024 * 1024;
const BODY_TIMEOUT: Duration = Duration::from_secs(30);
const HANDLER_TIMEOUT: Duration = Duration::from_secs(30);
const MAX_CONCURRENT_HANDLERS: usize = 1024;

/// Builds a [`WebhookRouter`].
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
#[must_use = "a builder does nothing until `build` is called"]
pub struct WebhookRouterBuilder {
    secrets: Secrets,
    states: States,
    handlers: Vec<HandlerDescriptor>,
    accept_unsigned: bool,
    body_limit: usize,
    body_timeout: Duration,
    handler_timeout: Option<Duration>,
    max_concurrent_handlers: usize,
    on_rejection: Option<RejectionHook>,
    pub(super) claims: Option<Arc<dyn DeliveryClaims>>,
    pub(super) delivery_key: Option<DeliveryKey>,
    #[cfg(feature = "queue")]
    pub(super) queue: Option<Box<dyn Store>>,
    #[cfg(feature = "queue")]
    pub(super) queue_attempts: u32,
    problems: Vec<BuildProblem>,
}

impl Default for WebhookRouterBuilder {
    fn default() -> Self {
        Self {
            secrets: Secrets::default(),
            states: States::default(),
            handlers: Vec::new(),
            accept_unsigned: false,
            body_limit: BODY_LIMIT,
            body_timeout: BODY_TIMEOUT,
            handler_timeout: Some(HANDLER_TIMEOUT),
            max_concurrent_handlers: MAX_CONCURRENT_HANDLERS,
            on_rejection: None,
            claims: None,
            delivery_key: None,
            #[cfg(feature = "queue")]
            queue: None,
            #[cfg(feature = "queue")]
            queue_attempts: MAX_QUEUE_ATTEMPTS,
            problems: Vec::new(),
        }
    }
}

impl WebhookRouterBuilder {
    /// Adds a signing secret that deliveries may be signed with. Several may be valid at once, as during a rotation; the first is the one that
    /// subscriptions are made with.
    ///
    /// Handlers with `secret_env` do not use it.
    pub fn signing_secret(mut self, secret: SigningSecret) -> Self {
        self.secrets.add(secret);
        self
    }

    /// Adds several signing secrets, see [`signing_secret`](Self::signing_secret).
    pub fn signing_secrets(self, secrets: impl IntoIterator<Item = SigningSecret>) -> Self {
        secrets.into_iter().fold(self, Self::signing_secret)
    }

    /// Takes deliveries that have no signature, for handlers without `secret_env`. **Anybody can send those.**
    ///
    /// For subscriptions without a signing secret, on a network that nobody else reaches. A signature that is there is still checked,
    /// if there is a secret to check it with.
    pub fn dangerously_accept_unsigned(mut self) -> Self {
        self.accept_unsigned = true;
        self
    }

    /// Gives a value that handlers take as [`State<T>`](crate::State), each run a clone of its own. One of each type.
    pub fn state<T: Clone + Send + Sync + 'static>(mut self, state: T) -> Self {
        if !self.states.insert(state) {
            self.problems.push(BuildProblem::DuplicateState { type_name: std::any::type_name::<T>() });
        }
        self
    }

    /// Adds handlers, as [`webhook_handlers!`](crate::webhook_handlers) lists them. May be called several times.
    pub fn handlers(mut self, handlers: impl IntoIterator<Item = HandlerDescriptor>) -> Self {
        self.handlers.extend(handlers);
        self
    }

    /// The most bytes that a body may have; 1 MiB (1,048,576) unless set. A delivery has about 1.5 KB, with labels up to 60.
    pub fn body_limit(mut self, bytes: usize) -> Self {
        self.body_limit = bytes;
        self
    }

    /// How long the body may take to arrive, where this crate reads it (the plain `http` adapter is given it whole);
    /// 30 seconds unless set.
    pub fn body_timeout(mut self, limit: Duration) -> Self {
        self.body_timeout = limit;
        self
    }

    /// How long one run of a handler may take; 30 seconds unless set. The time starts after the signature was verified, when the handler
    /// first waits.
    ///
    /// A run that takes longer is dropped at the `.await` that it waits at, and the delivery answered 503. Needs a Tokio runtime with time enabled.
    pub fn handler_timeout(mut self, limit: Duration) -> Self {
        self.handler_timeout = Some(limit);
        self
    }

    /// Lets handlers run as long as they like. The router then runs on any executor, not only on Tokio.
    pub fn no_handler_timeout(mut self) -> Self {
        self.handler_timeout = None;
        self
    }

    /// How many handlers may run at once; 1,024 unless set. A delivery that finds no room for all its handlers is answered 503, before
    /// any of them runs.
    pub fn max_concurrent_handlers(mut self, limit: usize) -> Self {
        self.max_concurrent_handlers = limit;
        self
    }

    /// A function that sees every request that is not acknowledged, with the reason. It runs before the answer is sent, so it
    /// should be quick. Rejections are logged with `tracing` in any case. The last one given counts.
    pub fn on_rejection(mut self, report: impl Fn(&Rejection) + Send + Sync + 'static) -> Self {
        self.on_rejection = Some(Box::new(report));
        self
    }

    /// Checks everything, and builds the router.
    ///
    /// # Errors
    /// [`BuildError`], which lists all problems at once: no handlers, no signing secret for some of them, a `secret_env` that is unset
    /// or unusable, a state that nobody provided, two handlers of one name, a limit that lets nothing through.
    pub fn build(mut self) -> Result<WebhookRouter, BuildError> {
        self.find_problems();
        let own_secrets = self.read_own_secrets();
        let mut routes: Vec<Route> = Vec::new();
        for descriptor in self.handlers {
            // A variable that could not be read is a problem by now, so that its handler never runs.
            let own = descriptor.secret_env().and_then(|variable| own_secrets.get(variable));
            let source = own.map_or(SecretSource::Router, |position| SecretSource::Own(*position));
            let handler = Arc::new(Handler::new(descriptor, source));
            match routes.iter_mut().find(|route| route.path == descriptor.path()) {
                Some(route) => route.add(&handler),
                None => {
                    let mut route = Route::at(descriptor.path());
                    route.add(&handler);
                    routes.push(route);
                }
            }
        }
        let needed = routes.iter().map(Route::most_at_once).max().unwrap_or(0);
        let limit = self.max_concurrent_handlers;
        if limit < needed {
            self.problems.push(BuildProblem::LimitTooLow { limit, needed });
        }
        if !self.problems.is_empty() {
            return Err(BuildError { problems: self.problems });
        }
        if self.accept_unsigned {
            tracing::warn!("the webhook router accepts deliveries without a signature: anybody can send them");
        }
        Ok(WebhookRouter {
            inner: Arc::new(Inner {
                routes,
                keyring: Keyring::new(self.secrets),
                states: Arc::new(self.states),
                accept_unsigned: self.accept_unsigned,
                body_limit: self.body_limit,
                body_timeout: self.body_timeout,
                handler_timeout: self.handler_timeout,
                max_concurrent_handlers: limit,
                permits: Semaphore::new(limit.min(Semaphore::MAX_PERMITS)),
                on_rejection: self.on_rejection,
                claims: self.claims,
                delivery_key: self.delivery_key,
                #[cfg(feature = "queue")]
                queue: self.queue.map(|store| Queue::new(store, self.queue_attempts)),
                counters: super::stats::Counters::default(),
            }),
        })
    }

    /// The problems that need no environment and no routes.
    fn find_problems(&mut self) {
        if self.handlers.is_empty() {
            self.problems.push(BuildProblem::NoHandlers);
        }
        let mut places: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        let mut missing: BTreeMap<&str, Vec<&'static str>> = BTreeMap::new();
        let mut unsigned = Vec::new();
        for handler in &self.handlers {
            places.entry(handler.name()).or_default().push(handler.place());
            for state in handler.required_states().missing_from(&self.states) {
                missing.entry(state).or_default().push(handler.name());
            }
            if handler.secret_env().is_none() && self.secrets.len() == 0 && !self.accept_unsigned {
                unsigned.push(handler.name());
            }
        }
        for (name, places) in places {
            if places.len() > 1 {
                self.problems.push(BuildProblem::DuplicateName { name: name.to_owned(), places });
            }
        }
        for (type_name, handlers) in missing {
            self.problems.push(BuildProblem::MissingState { type_name: type_name.to_owned(), handlers });
        }
        if !unsigned.is_empty() {
            self.problems.push(BuildProblem::NoSigningSecret { handlers: unsigned });
        }
        #[cfg(feature = "queue")]
        if !(1..=MAX_QUEUE_ATTEMPTS).contains(&self.queue_attempts) {
            self.problems.push(BuildProblem::QueueAttempts { attempts: self.queue_attempts, most: MAX_QUEUE_ATTEMPTS });
        }
        let zero = [
            ("body_limit", self.body_limit == 0),
            ("body_timeout", self.body_timeout.is_zero()),
            ("handler_timeout", self.handler_timeout == Some(Duration::ZERO)),
        ];
        self.problems
            .extend(zero.iter().filter(|(_, is_zero)| *is_zero).map(|(option, _)| BuildProblem::Zero { option }));
    }

    /// Reads each `secret_env` once, adds its secret, and returns the position of each.
    fn read_own_secrets(&mut self) -> BTreeMap<&'static str, usize> {
        let mut positions = BTreeMap::new();
        let mut failed = BTreeMap::<&str, (SecretError, Vec<&'static str>)>::new();
        for handler in &self.handlers {
            let Some(variable) = handler.secret_env() else { continue };
            if let Some((_, handlers)) = failed.get_mut(variable) {
                handlers.push(handler.name());
            } else if !positions.contains_key(variable) {
                match SigningSecret::from_env(variable) {
                    Ok(secret) => {
                        positions.insert(variable, self.secrets.add_own(secret));
                    }
                    Err(error) => {
                        failed.insert(variable, (error, vec![handler.name()]));
                    }
                }
            }
        }
        self.problems.extend(failed.into_values().map(|(error, handlers)| BuildProblem::Secret { error, handlers }));
        positions
    }
}

impl fmt::Debug for WebhookRouterBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookRouterBuilder")
            .field("handlers", &self.handlers)
            .field("secrets", &self.secrets.len())
            .finish_non_exhaustive()
    }
}

/// Why a router could not be built: every problem that was found, one a line.
///
/// `Debug` says the same as `Display`, since a `main` that returns an error prints it with `Debug`.
pub struct BuildError {
    problems: Vec<BuildProblem>,
}

impl BuildError {
    /// The problems, at least one.
    pub fn problems(&self) -> &[BuildProblem] {
        &self.problems
    }
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = if self.problems.len() == 1 { "problem" } else { "problems" };
        write!(f, "the webhook router cannot be built, {} {plural}:", self.problems.len())?;
        self.problems.iter().try_for_each(|problem| write!(f, "\n- {problem}"))
    }
}

debug_like_display!(BuildError);

impl std::error::Error for BuildError {}

/// One reason why a router could not be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildProblem {
    /// There are no handlers.
    #[error("there are no handlers: list them with `.handlers(webhook_handlers![..])`")]
    NoHandlers,
    /// Handlers that use the router's secrets, of which there is none.
    #[error(
        "no signing secret for {}: add `.signing_secret(SigningSecret::from_env(\"UC_SIGNING_SECRET\")?)`, or, where anybody may send deliveries, `.dangerously_accept_unsigned()`",
        names(.handlers)
    )]
    NoSigningSecret {
        /// The names of the handlers.
        handlers: Vec<&'static str>,
    },
    /// A handler's `secret_env` names a variable without a usable secret.
    #[error("{error} (`secret_env` of {})", names(.handlers))]
    Secret {
        /// What is wrong with the variable.
        error: SecretError,
        /// The names of the handlers.
        handlers: Vec<&'static str>,
    },
    /// Handlers take a state that was not given.
    #[error("nobody gave the state `{type_name}`, needed by {}: add `.state(..)`", names(.handlers))]
    MissingState {
        /// The state's type.
        type_name: String,
        /// The names of the handlers.
        handlers: Vec<&'static str>,
    },
    /// Two states of one type were given.
    #[error("the state `{type_name}` was given twice: wrap one of the two in a type of its own")]
    DuplicateState {
        /// The state's type.
        type_name: &'static str,
    },
    /// Several handlers have one name.
    #[error("several handlers are called `{name}`: {}; list each once, or rename one with `name = \"..\"`", .places.join(", "))]
    DuplicateName {
        /// The name.
        name: String,
        /// Where the functions stand.
        places: Vec<String>,
    },
    /// One delivery needs more handlers than may run at once, so that it would never be acknowledged.
    #[error(
        "`max_concurrent_handlers` is {limit}, and one delivery can need {needed} at once: raise it to {needed} or more"
    )]
    LimitTooLow {
        /// The limit that was set.
        limit: usize,
        /// What one delivery can need.
        needed: usize,
    },
    /// A job of the queue would not be tried, or more often than storages can count.
    #[error("`queue_attempts` is {attempts}: give 1 to {most}")]
    QueueAttempts {
        /// What was set.
        attempts: u32,
        /// The most that can be.
        most: u32,
    },
    /// A limit of zero, which lets nothing through.
    #[error("`{option}` is zero, which lets no delivery through")]
    Zero {
        /// The builder's option.
        option: &'static str,
    },
}

fn names(handlers: &[&str]) -> String {
    handlers.iter().map(|handler| format!("`{handler}`")).collect::<Vec<_>>().join(", ")
}
