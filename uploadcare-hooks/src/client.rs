//! The webhook part of Uploadcare's REST API: list, create, update and delete subscriptions. Needs the feature `client`.
//!
//! See [Uploadcare: REST API 0.7, webhooks](https://uploadcare.com/api-refs/rest-api/v0.7.0/#tag/Webhook).
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
mod subscription;
mod transport;

use std::fmt;

use reqwest::Method;
use serde::Serialize;

pub use self::auth::Auth;
pub use self::builder::ClientBuilder;
pub(crate) use self::builder::is_loopback;
pub use self::error::{ApiError, ClientError};
pub use self::subscription::{CreateWebhook, Subscription, UpdateWebhook};
use self::transport::Transport;

/// A client of the webhook part of Uploadcare's REST API. Clones share its connections.
///
/// Every call is tried again, with growing delays and jitter, after a failure that may pass: a throttled request after the time that
/// Uploadcare asks for, a server error, a broken connection. Each try has a time limit; see [`ClientBuilder`].
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

    /// A client with the keys in the environment variables `UPLOADCARE_PUBLIC_KEY` and `UPLOADCARE_SECRET_KEY`, and defaults otherwise.
    ///
    /// # Errors
    /// [`ClientError::Configuration`] if one of them is unset, empty or cannot be a key.
    pub fn from_env() -> Result<Self, ClientError> {
        ClientBuilder::from_env()?.build()
    }

    /// All subscriptions of the project.
    ///
    /// # Errors
    /// [`ClientError`], when it did not succeed within its tries.
    pub async fn list(&self) -> Result<Vec<Subscription>, ClientError> {
        self.transport.call(Method::GET, "/webhooks/", &()).await?.json()
    }

    /// Creates a subscription.
    ///
    /// When it is not known what became of a try (the connection broke, a server error, an answer that cannot be read), the subscriptions are listed first: one that
    /// is as it was to be counts as created, and only where there is none it is tried again.
    ///
    /// # Errors
    /// [`ClientError::Input`] before anything is sent, if the webhook's URL cannot be one; [`ClientError::AlreadySubscribed`] if its
    /// URL is subscribed to its event already; others as they come.
    pub async fn create(&self, webhook: &CreateWebhook) -> Result<Subscription, ClientError> {
        webhook.check()?;
        let mut tries = self.transport.tries();
        let mut may_be_done = false;
        loop {
            let answer = self.transport.call_once(Method::POST, "/webhooks/", webhook).await;
            let error = match answer.and_then(|answer| answer.json()) {
                Ok(created) => return Ok(created),
                Err(error) => error,
            };
            may_be_done |= error.outcome_is_unknown();
            let delay = tries.delay_after(&error);
            if let Some(delay) = delay {
                tokio::time::sleep(delay).await;
            }
            if may_be_done {
                match self.list().await {
                    Ok(list) => match list.into_iter().find(|found| webhook.is_for_the_same_as(found)) {
                        Some(found) if webhook.is_like(&found) => return Ok(found),
                        Some(_) => return Err(error.into_already_subscribed()),
                        None => {}
                    },
                    Err(unsettled) if delay.is_some() => return Err(unsettled),
                    Err(_) => {}
                }
            }
            if delay.is_none() {
                return Err(error);
            }
        }
    }

    /// Changes the subscription with this id; what `changes` leaves out stays. The version cannot be changed.
    ///
    /// # Errors
    /// [`ClientError::Input`] before anything is sent, if the URL cannot be one or nothing is to be changed;
    /// [`ClientError::NotFound`] if there is no such subscription; others as they come.
    pub async fn update(&self, id: u64, changes: &UpdateWebhook) -> Result<Subscription, ClientError> {
        changes.check()?;
        self.transport.call(Method::PUT, &format!("/webhooks/{id}/"), changes).await?.json()
    }

    /// Deletes the subscriptions of this URL.
    ///
    /// # Errors
    /// [`ClientError::Input`] before anything is sent, if the URL cannot be one; others as they come.
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

    /// Deletes; what is gone after a try of unknown outcome was deleted by it.
    async fn delete_at<B: Serialize>(&self, path: &str, body: &B) -> Result<(), ClientError> {
        let mut tries = self.transport.tries();
        let mut may_be_done = false;
        loop {
            match self.transport.call_once(Method::DELETE, path, body).await {
                Ok(_) => return Ok(()),
                Err(ClientError::NotFound(_)) if may_be_done => return Ok(()),
                Err(error) => {
                    let Some(delay) = tries.delay_after(&error) else { return Err(error) };
                    may_be_done |= error.outcome_is_unknown();
                    tokio::time::sleep(delay).await;
                }
            }
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("transport", &self.transport).finish()
    }
}
