//! Makes Uploadcare's subscriptions match the handlers of a router. Needs the feature `client`.
//!
//! ```no_run
//! # use uploadcare_hooks::{WebhookRouter, client::Client};
//! # async fn example(hooks: WebhookRouter) -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::from_env()?;
//! let subscriptions = hooks.subscriptions("https://app.example.com/hooks")?;
//! println!("{}", subscriptions.plan(&client).await?);
//! subscriptions.sync(&client).await?;
//! # Ok(())
//! # }
//! ```

mod apply;
mod error;
mod plan;
mod rotation;
mod wanted;

use std::time::Duration;

pub use self::error::{RegistrationError, StepFailure};
pub use self::plan::{Action, Finding, Plan, Step};
use crate::{client::web_url, router::WebhookRouter, service::REDELIVERED_FOR};

/// The subscriptions that a router's handlers need, at one public base URL.
///
/// There is one for each event and path that a handler takes, `unlisted` events included; an `any`
/// handler needs one for each event that this version knows. Subscriptions of other URLs are never
/// touched. See [Uploadcare: webhooks](https://uploadcare.com/docs/webhooks/).
#[derive(Debug, Clone)]
#[must_use = "nothing happens until `plan` or `sync` is called"]
pub struct Subscriptions {
    router: WebhookRouter,
    /// Normalised, without a slash at its end.
    base_url: String,
    options: SyncOptions,
}

/// What `sync` may do to existing subscriptions.
#[derive(Debug, Clone, Copy)]
struct SyncOptions {
    replace_outdated: bool,
    prune: bool,
    activate: bool,
    grace_period: Duration,
    /// Whether a new secret is what is wanted.
    is_rotation: bool,
}

impl Default for SyncOptions {
    fn default() -> Self {
        Self {
            replace_outdated: false,
            prune: false,
            activate: false,
            grace_period: REDELIVERED_FOR,
            is_rotation: false,
        }
    }
}

impl WebhookRouter {
    /// The subscriptions that the handlers need. `base_url` is where the router is mounted, as
    /// Uploadcare reaches it.
    ///
    /// The URL is normalised: `HTTPS://App.Example.com:443/hooks/` is
    /// `https://app.example.com/hooks`. If the router accepts several secrets, subscriptions are
    /// made with the first. Logs a warning with `tracing` if the URL is plain http and leads to
    /// another machine: everyone on the way can read the deliveries.
    ///
    /// # Errors
    /// [`RegistrationError::BaseUrl`] if the URL is not an absolute http or https URL, or has a
    /// query, a user name or a password; [`RegistrationError::TargetUrl`] if Uploadcare would
    /// refuse the URL of a handler's path, because it has more than 255 characters;
    /// [`RegistrationError::ConflictingSecrets`] if handlers of one event and path have different
    /// secrets, because a subscription has one.
    pub fn subscriptions(&self, base_url: &str) -> Result<Subscriptions, RegistrationError> {
        let url = web_url::parse_base(base_url).map_err(|problem| RegistrationError::BaseUrl {
            base_url: web_url::shown(base_url),
            problem: problem.to_string(),
        })?;
        let base_url = url.as_str().trim_end_matches('/').to_owned();
        let subscriptions = Subscriptions { router: self.clone(), base_url, options: SyncOptions::default() };
        subscriptions.wanted(None)?;
        if let Some(Finding::TargetIsNotEncrypted) = plan::target_finding(&subscriptions.base_url) {
            let base_url = &subscriptions.base_url;
            tracing::warn!(
                "the base URL {base_url:?} is plain http: everyone on the way can read its deliveries; use https"
            );
        }
        Ok(subscriptions)
    }
}

impl Subscriptions {
    /// The path of the base URL.
    fn path(&self) -> String {
        web_url::parse(&self.base_url).map_or_else(|_| String::new(), |url| url.path().to_owned())
    }
}

impl Subscriptions {
    /// Sets whether to replace subscriptions of an older payload version. Defaults to `false`: the
    /// router serves them, because it lifts their payloads.
    ///
    /// They are deleted and created again, with a gap of one request in between.
    pub fn replace_outdated(mut self, replace: bool) -> Self {
        self.options.replace_outdated = replace;
        self
    }

    /// Sets whether to delete subscriptions under the base URL that no handler needs, and
    /// duplicates. Defaults to `false`: they stay, and the plan reports them.
    pub fn prune(mut self, prune: bool) -> Self {
        self.options.prune = prune;
        self
    }

    /// Sets whether to activate paused subscriptions. Defaults to `false`: they stay paused, and
    /// the plan reports them.
    pub fn activate(mut self, activate: bool) -> Self {
        self.options.activate = activate;
        self
    }

    /// Sets for how long the router accepts a secret that [`rotate_secret`](Self::rotate_secret)
    /// replaced. Defaults to 72 hours, because Uploadcare redelivers for as long what was signed
    /// with it.
    pub fn grace_period(mut self, grace_period: Duration) -> Self {
        self.options.grace_period = grace_period;
        self
    }
}
