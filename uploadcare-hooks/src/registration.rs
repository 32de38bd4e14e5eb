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

mod plan;

use std::{
    collections::{BTreeMap, btree_map::Entry},
    time::Duration,
};

use backon::{BackoffBuilder, ExponentialBuilder};
use reqwest::Url;
use tokio::task::JoinHandle;

use self::plan::compare;
pub use self::plan::{Action, Finding, Plan, Step};
use crate::{
    client::{Client, ClientError, CreateWebhook, UpdateWebhook},
    handler::HandlerDescriptor,
    message::debug_like_display,
    payload::{EventKind, PayloadVersion},
    router::WebhookRouter,
    signature::SigningSecret,
};

impl Wanted {
    fn key(&self) -> (String, String) {
        (self.target_url.clone(), self.event.to_string())
    }
}

/// For how long Uploadcare goes on redelivering.
const GRACE_PERIOD: Duration = Duration::from_secs(72 * 60 * 60);

/// The subscriptions that a router's handlers need, at one public base URL.
///
/// One for each event and path that a handler takes; an `any` handler needs all events that are known. Those of other URLs are never
/// touched. See [Uploadcare: webhooks](https://uploadcare.com/docs/webhooks/).
#[derive(Debug, Clone)]
#[must_use = "nothing happens until `plan` or `sync` is called"]
pub struct Subscriptions {
    router: WebhookRouter,
    base_url: String,
    options: Options,
}

/// One subscription that handlers need.
#[derive(Debug, Clone)]
struct Wanted {
    event: EventKind,
    target_url: String,
    secret: Option<SigningSecret>,
    /// Whether it can be created: handlers of old versions alone can only be served by what is there.
    creatable: bool,
}

#[derive(Debug, Clone, Copy)]
struct Options {
    replace_outdated: bool,
    prune: bool,
    activate: bool,
    grace_period: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self { replace_outdated: false, prune: false, activate: false, grace_period: GRACE_PERIOD }
    }
}

impl WebhookRouter {
    /// The subscriptions that the handlers need. `base_url` is where the router is mounted, as the world sees it.
    ///
    /// Where several secrets are valid, the first that was given is the one to sign with.
    ///
    /// # Errors
    /// [`RegistrationError::BaseUrl`] if that is no absolute http or https URL, or has a query;
    /// [`RegistrationError::ConflictingSecrets`] if handlers of one event and path have different secrets, since a subscription has one.
    pub fn subscriptions(&self, base_url: &str) -> Result<Subscriptions, RegistrationError> {
        let base_url = check_base_url(base_url)?;
        let subscriptions = Subscriptions { router: self.clone(), base_url, options: Options::default() };
        subscriptions.wanted(None)?;
        Ok(subscriptions)
    }
}

impl Subscriptions {
    /// Replaces subscriptions of an older payload version: deletes and creates them, a gap of one request. Unless set they are kept, and
    /// served, since their payloads are lifted.
    pub fn replace_outdated(mut self, replace: bool) -> Self {
        self.options.replace_outdated = replace;
        self
    }

    /// Deletes subscriptions under the base URL that no handler needs. Unless set they are left alone and reported.
    pub fn prune(mut self, prune: bool) -> Self {
        self.options.prune = prune;
        self
    }

    /// Activates subscriptions that somebody paused. Unless set they stay paused and are reported.
    pub fn activate(mut self, activate: bool) -> Self {
        self.options.activate = activate;
        self
    }

    /// For how long [`rotate_secret`](Self::rotate_secret) goes on accepting the secret that it replaced; 72 hours unless set, for as long as
    /// Uploadcare redelivers what was signed with it.
    pub fn grace_period(mut self, grace_period: Duration) -> Self {
        self.options.grace_period = grace_period;
        self
    }

    /// Compares what is needed with what Uploadcare has. Changes nothing.
    ///
    /// # Errors
    /// [`RegistrationError::Client`] if the subscriptions cannot be listed.
    pub async fn plan(&self, client: &Client) -> Result<Plan, RegistrationError> {
        let wanted = self.wanted(None)?;
        let list = client.list().await.map_err(|error| during("listing the subscriptions", error))?;
        Ok(compare(&self.base_url, self.options, &wanted, &list))
    }

    /// Carries out the plan; returns what was planned and done.
    ///
    /// A second call writes nothing. Several processes may do it at once: whoever comes second finds that somebody else was first.
    ///
    /// # Errors
    /// [`RegistrationError::Client`] at the first call that fails; what was done before it stays, and another `sync` goes on from there.
    pub async fn sync(&self, client: &Client) -> Result<Plan, RegistrationError> {
        let plan = self.plan(client).await?;
        for step in &plan.steps {
            self.carry_out(client, step).await?;
        }
        tracing::info!(
            "subscriptions are in place: {} written, {} kept",
            plan.writes(),
            plan.steps.len() - plan.writes()
        );
        Ok(plan)
    }

    /// Changes the router's signing secret without losing a delivery.
    ///
    /// From now on the running router accepts `new` beside what it accepted before, and `new` is what the subscriptions are made with. Then they are
    /// made so, as [`sync`](Self::sync) does it. Only when that succeeded does the [grace period](Self::grace_period) of the replaced secrets begin; at its end
    /// they are not accepted any more, and wiped. [`RouterStats::replaced_secret`](crate::RouterStats::replaced_secret) and
    /// [`Delivery::secret_position`](crate::Delivery::secret_position) tell what is still signed with them. Secrets of handlers with `secret_env` stay.
    ///
    /// It changes this process alone. Before the application starts again, and where there are several of it, both secrets have to be in its configuration:
    /// `.signing_secret(new).signing_secret(old)`, which a `sync` at boot turns into the same rotation.
    ///
    /// # Errors
    /// [`RegistrationError::Client`] at the first call that fails: both secrets stay valid, and another call goes on from there.
    /// [`RegistrationError::NothingToRotate`] if every handler has a secret of its own, and [`RegistrationError::ConflictingSecrets`] if a
    /// subscription is shared with one that has: nothing is changed then.
    ///
    /// # Panics
    /// Outside of a Tokio runtime.
    pub async fn rotate_secret(&self, client: &Client, new: SigningSecret) -> Result<Plan, RegistrationError> {
        self.wanted(Some(&new))?;
        if self.router.handlers().all(|handler| handler.secret_env().is_some()) {
            return Err(RegistrationError::NothingToRotate);
        }
        self.router.replace_secret(&new, Duration::MAX);
        let plan = self.sync(client).await?;
        self.router.replace_secret(&new, self.options.grace_period);
        Ok(plan)
    }

    /// Carries out the plan in a task of its own, again and again until it succeeds; failures are logged.
    ///
    /// For applications that are to start even while Uploadcare cannot be reached. The delay grows from a second to five minutes, with
    /// jitter. Dropping the handle leaves the task running; `abort` ends it.
    ///
    /// # Panics
    /// Outside of a Tokio runtime.
    pub fn sync_in_background(self, client: Client) -> JoinHandle<Plan> {
        const FIRST_DELAY: Duration = Duration::from_secs(1);
        const LONGEST_DELAY: Duration = Duration::from_secs(5 * 60);
        let delays = ExponentialBuilder::new().with_min_delay(FIRST_DELAY).with_max_delay(LONGEST_DELAY);
        let mut delays = delays.without_max_times().with_jitter().build();
        tokio::spawn(async move {
            loop {
                let error = match self.sync(&client).await {
                    Ok(plan) => return plan,
                    Err(error) => error,
                };
                let delay = delays.next().unwrap_or(LONGEST_DELAY);
                tracing::error!("the subscriptions are not in place yet, the next try is in {delay:?}: {error}");
                tokio::time::sleep(delay).await;
            }
        })
    }

    /// What the handlers need by now. `instead` is taken for the router's own secret, if it is given.
    fn wanted(&self, instead: Option<&SigningSecret>) -> Result<Vec<Wanted>, RegistrationError> {
        let target_of = |path: &str| format!("{}{}", self.base_url, path.trim_end_matches('/'));
        let mut wanted: BTreeMap<(String, String), (Wanted, &str)> = BTreeMap::new();
        let secret_of = |handler: &HandlerDescriptor| match instead {
            Some(instead) if handler.secret_env().is_none() => Some(instead.clone()),
            _ => self.router.signing_secret_for(handler),
        };
        let handlers: Vec<_> = self.router.handlers().map(|handler| (handler, secret_of(handler))).collect();
        for (handler, secret) in &handlers {
            let Some(events) = handler.events() else { continue };
            let creatable = handler.version().is_none_or(|version| version == PayloadVersion::V0_7);
            for event in events {
                let new = Wanted { event, target_url: target_of(handler.path()), secret: secret.clone(), creatable };
                match wanted.entry(new.key()) {
                    Entry::Vacant(free) => {
                        free.insert((new, handler.name()));
                    }
                    Entry::Occupied(known) if known.get().0.secret != new.secret => {
                        return Err(RegistrationError::ConflictingSecrets {
                            event: new.event,
                            path: handler.path(),
                            handlers: [known.get().1.to_owned(), handler.name().to_owned()],
                        });
                    }
                    Entry::Occupied(mut known) => known.get_mut().0.creatable |= creatable,
                }
            }
        }
        // Handlers of every event come last: what others name is theirs to decide.
        for (handler, secret) in handlers.iter().filter(|(handler, _)| handler.events().is_none()) {
            for event in EventKind::KNOWN {
                let (event, target_url) = (EventKind::from(*event), target_of(handler.path()));
                let new = Wanted { event, target_url, secret: secret.clone(), creatable: true };
                wanted.entry(new.key()).or_insert((new, handler.name())).0.creatable = true;
            }
        }
        Ok(wanted.into_values().map(|(wanted, _)| wanted).collect())
    }

    async fn carry_out(&self, client: &Client, step: &Step) -> Result<(), RegistrationError> {
        match (step.action, step.id) {
            (Action::Create, _) => self.create(client, step).await,
            (Action::Update, Some(id)) => match client.update(id, &step.update()).await {
                Ok(_) => Ok(()),
                // Somebody else deleted it since it was listed.
                Err(ClientError::NotFound(_)) => self.create(client, step).await,
                Err(error) => Err(during(format!("updating {}", step.what()), error)),
            },
            (Action::Replace, Some(id)) => {
                delete(client, step, id).await?;
                self.create(client, step).await
            }
            (Action::Delete, Some(id)) => delete(client, step, id).await,
            _ => Ok(()),
        }
    }

    /// Creates a subscription, or makes the one that somebody else was first to create like it.
    async fn create(&self, client: &Client, step: &Step) -> Result<(), RegistrationError> {
        let failed = |error| during(format!("creating {}", step.what()), error);
        let error = match client.create(&step.create()).await {
            Ok(_) => return Ok(()),
            Err(error @ ClientError::AlreadySubscribed(_)) => error,
            Err(error) => return Err(failed(error)),
        };
        let now = self.plan(client).await?;
        let found = now.steps.iter().find(|other| other.event == step.event && other.target_url == step.target_url);
        match found {
            Some(Step { action: Action::Keep, .. }) => Ok(()),
            Some(found @ Step { action: Action::Update, id: Some(id), .. }) => {
                client.update(*id, &found.update()).await.map(|_| ()).map_err(failed)
            }
            _ => Err(failed(error)),
        }
    }
}

/// Deletes; what is gone already is no error.
async fn delete(client: &Client, step: &Step, id: u64) -> Result<(), RegistrationError> {
    match client.delete(id).await {
        Ok(()) | Err(ClientError::NotFound(_)) => Ok(()),
        Err(error) => Err(during(format!("deleting {}", step.what()), error)),
    }
}

impl Step {
    fn create(&self) -> CreateWebhook {
        let webhook = CreateWebhook::new(&self.target_url, self.event.clone());
        match &self.secret {
            Some(secret) => webhook.signing_secret(secret.clone()),
            None => webhook,
        }
    }

    fn update(&self) -> UpdateWebhook {
        let mut update = UpdateWebhook::new();
        if let (true, Some(secret)) = (self.findings.contains(&Finding::SecretDiffers), &self.secret) {
            update = update.signing_secret(secret.clone());
        }
        if self.activate { update.is_active(true) } else { update }
    }

    fn what(&self) -> String {
        format!("the subscription of {} to `{}`", self.target_url, self.event)
    }
}

fn during(step: impl Into<String>, error: ClientError) -> RegistrationError {
    RegistrationError::Client { step: step.into(), error }
}

/// Returns the URL without a slash at its end.
fn check_base_url(base_url: &str) -> Result<String, RegistrationError> {
    let refuse = |problem: String| Err(RegistrationError::BaseUrl { base_url: base_url.to_owned(), problem });
    match Url::parse(base_url) {
        Err(error) => refuse(format!("is not an absolute URL ({error})")),
        Ok(url) if !matches!(url.scheme(), "http" | "https") => refuse("is neither http nor https".to_owned()),
        Ok(url) if url.query().is_some() || url.fragment().is_some() => refuse("has a query or a fragment".to_owned()),
        Ok(_) => Ok(base_url.trim_end_matches('/').to_owned()),
    }
}

/// Why subscriptions could not be planned or made.
///
/// `Debug` says the same as `Display`, since a `main` that returns an error prints it with `Debug`.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum RegistrationError {
    /// The base URL cannot be one.
    #[error(
        "the base URL {base_url:?} {problem}: give the address of the router's mount, as in https://app.example.com/hooks"
    )]
    BaseUrl {
        /// What was given.
        base_url: String,
        /// What is wrong with it.
        problem: String,
    },
    /// Handlers of one event and path have different secrets, and a subscription has one.
    #[error(
        "handlers `{}` and `{}` take `{event}` at {path:?} with different signing secrets, and a subscription has one: give one of them another `path`",
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
    /// Every handler has a `secret_env`, so that the router's own secret is used by none.
    #[error(
        "there is no secret to rotate: every handler has a `secret_env`; set those variables anew and restart instead"
    )]
    NothingToRotate,
    /// A call of the REST API failed.
    #[error("{step} failed: {error}")]
    Client {
        /// What was done.
        step: String,
        /// Why it failed.
        error: ClientError,
    },
}

debug_like_display!(RegistrationError);
