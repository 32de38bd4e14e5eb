//! The webhook part of Uploadcare's REST API: list, create, update and delete subscriptions. Needs
//! the feature `client`.
//!
//! See [Uploadcare: REST API 0.7,
//! webhooks](https://uploadcare.com/api-refs/rest-api/v0.7.0/#tag/Webhook).
//!
//! ```no_run
//! use uploadcare_hooks::{EventKind, SigningSecret, client::{Client, CreateWebhook}};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::from_env()?;
//! for subscription in client.list().await? {
//!     println!("{} {} {}", subscription.id, subscription.event, subscription.target_url);
//! }
//! let webhook = CreateWebhook::new("https://app.example.com/hooks", EventKind::FileStored)
//!     .signing_secret(SigningSecret::from_env("UC_SIGNING_SECRET")?);
//! client.create(&webhook).await?;
//! # Ok(())
//! # }
//! ```

mod auth;
mod builder;
mod error;
mod retry;
mod subscription;
mod transport;
pub(crate) mod web_url;

use std::{fmt, future::ready};

use reqwest::Method;
use serde::Serialize;

pub use self::auth::Auth;
pub use self::builder::ClientBuilder;
pub use self::error::{ApiError, ClientError};
pub(crate) use self::subscription::target_url_problem;
pub use self::subscription::{CreateWebhook, Subscription, UpdateWebhook};
use self::{
    retry::Settled,
    transport::{Answer, Transport},
};

/// A client of the webhook part of Uploadcare's REST API. Clones share its connections.
///
/// Every call is tried again, with growing delays and jitter, after a temporary failure: a
/// throttled request (after the time that Uploadcare asks for), a server error, a broken
/// connection. Each try has a time limit; see [`ClientBuilder`]. The client logs with `tracing`
/// each failed try that it repeats (`warn`), that a call succeeded after failed tries (`info`), and
/// the warnings of Uploadcare about the API (the header `Warning`, as `warn`, each text once).
#[derive(Clone)]
pub struct Client {
    transport: Transport,
}

impl Client {
    /// Starts a client for the project with this pair of API keys.
    ///
    /// See [Uploadcare: API keys](https://app.uploadcare.com/projects/-/api-keys/).
    pub fn builder(public_key: impl Into<String>, secret_key: impl Into<String>) -> ClientBuilder {
        ClientBuilder::new(public_key.into(), secret_key.into())
    }

    /// A client with the keys in the environment variables `UPLOADCARE_PUBLIC_KEY` and
    /// `UPLOADCARE_SECRET_KEY`, the base URL in `UPLOADCARE_API_BASE` if that is set, and defaults
    /// otherwise.
    ///
    /// With `UPLOADCARE_API_BASE=http://127.0.0.1:8500` an application reaches a simulator without
    /// a change in its code. Uploadcare's official Python client reads the same three variables.
    ///
    /// # Errors
    /// [`ClientError::Configuration`] if a key is unset, empty or not a valid key, or if the base
    /// URL is set and not valid. An empty base URL is not valid. As in
    /// [`ClientBuilder::base_url`], plain http is accepted for loopback addresses only.
    pub fn from_env() -> Result<Self, ClientError> {
        ClientBuilder::from_env()?.build()
    }

    /// All subscriptions of the project.
    ///
    /// # Errors
    /// [`ClientError`] if no try succeeded.
    pub async fn list(&self) -> Result<Vec<Subscription>, ClientError> {
        self.transport.call(Method::GET, "/webhooks/", &()).await?.json()
    }

    /// The subscription with this id.
    ///
    /// Uploadcare's documentation does not have this call, and its API answers it.
    ///
    /// # Errors
    /// [`ClientError::NotFound`] if there is no such subscription; others as they come.
    pub async fn get(&self, id: u64) -> Result<Subscription, ClientError> {
        self.transport.call(Method::GET, &format!("/webhooks/{id}/"), &()).await?.json()
    }

    /// Creates a subscription.
    ///
    /// If the outcome of a try is unknown (the connection broke, a server error, an unreadable
    /// answer), the client lists the subscriptions before it goes on. A subscription that matches
    /// `webhook` counts as created; only if there is none the client tries again.
    ///
    /// # Errors
    /// [`ClientError::Input`] before anything is sent, if the target URL is not valid;
    /// [`ClientError::AlreadySubscribed`] if the URL is subscribed to the event already;
    /// [`ClientError::UnknownEvent`] if Uploadcare does not offer the event to the project; other
    /// errors of the last try.
    pub async fn create(&self, webhook: &CreateWebhook) -> Result<Subscription, ClientError> {
        webhook.check()?;
        let mut may_be_done = false;
        let settle = |error: &ClientError| {
            may_be_done |= error.outcome_is_unknown();
            let settled = may_be_done.then(|| self.settle_create(webhook));
            async move {
                match settled {
                    Some(settled) => settled.await,
                    None => Settled::NotDone,
                }
            }
        };
        let create = || async {
            self.transport.call_once(Method::POST, "/webhooks/", webhook).await.and_then(|answer| answer.json())
        };
        self.transport.repeat(&Method::POST, "/webhooks/", create, settle).await
    }

    /// Whether the API is on this machine, as a simulator is.
    pub(crate) fn is_local(&self) -> bool {
        web_url::is_loopback(&self.transport.base_url)
    }

    /// Finds out what became of a create.
    async fn settle_create(&self, webhook: &CreateWebhook) -> Settled<Subscription> {
        match self.list().await {
            Ok(list) => match list.into_iter().find(|found| webhook.is_for_the_same_as(found)) {
                Some(found) if webhook.is_like(&found) => Settled::Done(found),
                Some(_) => Settled::DoneByAnother,
                None => Settled::NotDone,
            },
            Err(error) => Settled::Unknown(error),
        }
    }

    /// Changes the subscription with this id; what `changes` leaves out stays. The version cannot
    /// be changed.
    ///
    /// # Errors
    /// [`ClientError::Input`] before anything is sent, if the URL cannot be one or nothing is to be
    /// changed; [`ClientError::NotFound`] if there is no such subscription; others as they come.
    pub async fn update(&self, id: u64, changes: &UpdateWebhook) -> Result<Subscription, ClientError> {
        changes.check()?;
        self.transport.call(Method::PUT, &format!("/webhooks/{id}/"), changes).await?.json()
    }

    /// Deletes the subscriptions of this URL.
    ///
    /// # Errors
    /// [`ClientError::Input`] before anything is sent, if the URL cannot be one; others as they
    /// come.
    pub async fn unsubscribe(&self, target_url: &str) -> Result<(), ClientError> {
        #[derive(Serialize)]
        struct Unsubscribe<'a> {
            target_url: &'a str,
        }
        subscription::check_target_url(target_url)?;
        self.delete_at("/webhooks/unsubscribe/", &Unsubscribe { target_url }).await
    }

    /// Deletes the subscription with this id.
    ///
    /// # Errors
    /// [`ClientError::NotFound`] if there is no such subscription; others as they come.
    pub async fn delete(&self, id: u64) -> Result<(), ClientError> {
        self.delete_at(&format!("/webhooks/{id}/"), &()).await
    }

    /// Deletes. If a try of unknown outcome is followed by 404, that try has deleted it.
    async fn delete_at<B: Serialize + Sync>(&self, path: &str, body: &B) -> Result<(), ClientError> {
        let mut may_be_done = false;
        let settle = |error: &ClientError| {
            let gone = may_be_done && matches!(error, ClientError::NotFound(_));
            may_be_done |= error.outcome_is_unknown();
            ready(if gone { Settled::Done(()) } else { Settled::NotDone })
        };
        let delete = || async { self.transport.call_once(Method::DELETE, path, body).await.map(|_: Answer| ()) };
        self.transport.repeat(&Method::DELETE, path, delete, settle).await
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("transport", &self.transport).finish()
    }
}
