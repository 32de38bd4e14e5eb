//! Why subscriptions could not be planned or made: one failure, or all failures of a sync together.

use std::fmt;

use crate::{client::ClientError, message::debug_like_display, payload::EventKind};

/// Why subscriptions could not be planned or made.
///
/// `Debug` says the same as `Display`, because a `main` that returns an error prints its `Debug`
/// form.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum RegistrationError {
    /// The base URL is not valid.
    #[error(
        "the base URL {base_url:?} {problem}; give the address of the router's mount, \
         as in https://app.example.com/hooks"
    )]
    BaseUrl {
        /// The URL that was given, without user name and password.
        base_url: String,
        /// What is wrong with it.
        problem: String,
    },
    /// Uploadcare would refuse the target URL of a handler.
    #[error("the target URL {target_url:?} of handler `{handler}` {problem}")]
    TargetUrl {
        /// The base URL with the handler's path.
        target_url: String,
        /// The handler's name.
        handler: String,
        /// What is wrong with the URL.
        problem: String,
    },
    /// Handlers of one event and path have different secrets, and a subscription has one.
    #[error(
        "handlers `{}` and `{}` take `{event}` at {path:?} with different signing secrets, and a subscription has \
         one: give one of them another `path`",
        .handlers[0], .handlers[1]
    )]
    ConflictingSecrets {
        /// The event.
        event: EventKind,
        /// The path.
        path: &'static str,
        /// The handlers' names.
        handlers: [String; 2],
    },
    /// The router has no signing secret for a handler any more, and accepts no unsigned deliveries.
    #[error(
        "there is no signing secret for handler `{handler}`: the router would refuse every delivery of its \
         subscription; accept a secret with `.accept_secret(..)` first"
    )]
    NoSecret {
        /// The handler's name.
        handler: String,
    },
    /// Every handler has a `secret_env`, so no handler uses the router's own secret.
    #[error(
        "there is no secret to rotate: every handler has a `secret_env`; set those variables anew and restart instead"
    )]
    NothingToRotate,
    /// A call of the REST API failed before anything was written.
    #[error("{step} failed: {error}")]
    Client {
        /// The call.
        step: String,
        /// Why it failed.
        error: ClientError,
    },
    /// Some steps of the plan failed. The others were carried out.
    #[error("{} of {writes} changes to subscriptions failed, the others were made:{}", .failures.len(), list(failures))]
    Steps {
        /// The steps that failed, at least one.
        failures: Vec<StepFailure>,
        /// How many steps had something to write.
        writes: usize,
    },
}

impl RegistrationError {
    /// Whether all that failed is that Uploadcare does not offer the events of some `unlisted`
    /// handlers to the project yet. All other subscriptions are in place, so an application can
    /// start:
    ///
    /// ```
    /// use uploadcare_hooks::{client::Client, registration::{RegistrationError, Subscriptions}};
    ///
    /// async fn register(subscriptions: &Subscriptions, client: &Client) -> Result<(), RegistrationError> {
    ///     match subscriptions.sync(client).await {
    ///         Err(error) if error.is_only_refused_events() => eprintln!("{error}"),
    ///         synced => println!("{}", synced?),
    ///     }
    ///     Ok(())
    /// }
    /// ```
    pub fn is_only_refused_events(&self) -> bool {
        let refused = |failure: &StepFailure| matches!(failure.error, ClientError::UnknownEvent(_));
        matches!(self, Self::Steps { failures, .. } if failures.iter().all(refused))
    }
}

/// A step of a plan that failed.
#[non_exhaustive]
pub struct StepFailure {
    /// The step, such as "creating the subscription of (URL) to `file.stored`".
    pub step: String,
    /// Why it failed.
    pub error: ClientError,
}

impl StepFailure {
    pub(super) fn new(step: impl Into<String>, error: ClientError) -> Self {
        Self { step: step.into(), error }
    }
}

impl fmt::Display for StepFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} failed: {}", self.step, self.error)
    }
}

debug_like_display!(RegistrationError, StepFailure);

impl std::error::Error for StepFailure {}

fn list(failures: &[StepFailure]) -> String {
    failures.iter().map(|failure| format!("\n- {failure}")).collect()
}
