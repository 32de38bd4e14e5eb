//! Subscriptions, as the REST API calls them: webhooks.

use jiff::Timestamp;
use reqwest::Url;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::ClientError;
use crate::{
    payload::{EventKind, PayloadVersion, null_default, text, timestamp},
    signature::SigningSecret,
};

/// The most characters that Uploadcare takes for a target URL.
const MAX_TARGET_URL_CHARS: usize = 255;

/// A subscription, as Uploadcare has it.
///
/// See [Uploadcare: list of webhooks](https://uploadcare.com/api-refs/rest-api/v0.7.0/#operation/webhooksList).
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct Subscription {
    /// Its id.
    pub id: u64,
    /// The id of its project.
    pub project: Option<u64>,
    /// When it was created.
    #[serde(default, deserialize_with = "timestamp")]
    pub created: Option<Timestamp>,
    /// When it was last changed.
    #[serde(default, deserialize_with = "timestamp")]
    pub updated: Option<Timestamp>,
    /// What it is for.
    pub event: EventKind,
    /// Where deliveries go.
    pub target_url: String,
    /// Whether deliveries are sent at all.
    #[serde(default = "yes")]
    pub is_active: bool,
    /// The version of the payloads.
    #[serde(default, deserialize_with = "null_default")]
    pub version: PayloadVersion,
    /// What deliveries are signed with, if they are.
    #[serde(default, deserialize_with = "secret")]
    pub signing_secret: Option<SigningSecret>,
}

fn yes() -> bool {
    true
}

fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SigningSecret>, D::Error> {
    // Whatever scalar it is: an error about its type would quote it.
    let secret = text(deserializer)?.filter(|secret| !secret.is_empty());
    secret.map(SigningSecret::from_uploadcare).transpose().map_err(de::Error::custom)
}

fn told<S: Serializer>(secret: &Option<SigningSecret>, serializer: S) -> Result<S::Ok, S::Error> {
    secret.as_ref().map(SigningSecret::expose).serialize(serializer)
}

/// A subscription to be created, of payload version 0.7.
///
/// See [Uploadcare: create webhook](https://uploadcare.com/api-refs/rest-api/v0.7.0/#operation/webhookCreate).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CreateWebhook {
    target_url: String,
    event: EventKind,
    is_active: bool,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "told")]
    signing_secret: Option<SigningSecret>,
    version: PayloadVersion,
}

impl CreateWebhook {
    /// An active subscription of this URL to this event, without a signing secret.
    pub fn new(target_url: impl Into<String>, event: EventKind) -> Self {
        Self {
            target_url: target_url.into(),
            event,
            is_active: true,
            signing_secret: None,
            version: PayloadVersion::V0_7,
        }
    }

    /// Signs its deliveries with this secret.
    #[must_use]
    pub fn signing_secret(mut self, secret: SigningSecret) -> Self {
        self.signing_secret = Some(secret);
        self
    }

    /// Whether deliveries are sent from the start.
    #[must_use]
    pub fn is_active(mut self, is_active: bool) -> Self {
        self.is_active = is_active;
        self
    }

    pub(super) fn check(&self) -> Result<(), ClientError> {
        check_target_url(&self.target_url)
    }

    /// Whether Uploadcare takes the two for one: it has one subscription for each URL and event.
    pub(super) fn is_for_the_same_as(&self, subscription: &Subscription) -> bool {
        self.target_url == subscription.target_url && self.event == subscription.event
    }

    pub(super) fn is_like(&self, subscription: &Subscription) -> bool {
        self.is_active == subscription.is_active
            && self.signing_secret == subscription.signing_secret
            && self.version == subscription.version
    }
}

/// What is to be changed of a subscription; the rest stays.
///
/// See [Uploadcare: update webhook](https://uploadcare.com/api-refs/rest-api/v0.7.0/#operation/updateWebhook).
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct UpdateWebhook {
    #[serde(skip_serializing_if = "Option::is_none")]
    target_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<EventKind>,
    #[serde(skip_serializing_if = "Option::is_none")]
    is_active: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "told")]
    signing_secret: Option<SigningSecret>,
}

impl UpdateWebhook {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sends deliveries to this URL.
    #[must_use]
    pub fn target_url(mut self, target_url: impl Into<String>) -> Self {
        self.target_url = Some(target_url.into());
        self
    }

    /// Sends deliveries of this event.
    #[must_use]
    pub fn event(mut self, event: EventKind) -> Self {
        self.event = Some(event);
        self
    }

    /// Sends deliveries, or pauses them.
    #[must_use]
    pub fn is_active(mut self, is_active: bool) -> Self {
        self.is_active = Some(is_active);
        self
    }

    /// Signs deliveries with this secret.
    #[must_use]
    pub fn signing_secret(mut self, secret: SigningSecret) -> Self {
        self.signing_secret = Some(secret);
        self
    }

    pub(super) fn check(&self) -> Result<(), ClientError> {
        if *self == Self::default() {
            return Err(ClientError::Input("an update that changes nothing".to_owned()));
        }
        self.target_url.as_deref().map_or(Ok(()), check_target_url)
    }
}

/// Finds out before a request what Uploadcare would refuse after it.
pub(super) fn check_target_url(target_url: &str) -> Result<(), ClientError> {
    let refuse = |problem: &str| Err(ClientError::Input(format!("the target URL {target_url:?} {problem}")));
    let chars = target_url.chars().count();
    if chars > MAX_TARGET_URL_CHARS {
        return refuse(&format!("has {chars} characters: Uploadcare takes at most {MAX_TARGET_URL_CHARS}"));
    }
    match Url::parse(target_url) {
        Err(error) => {
            refuse(&format!("is not an absolute URL ({error}): write it whole, as https://app.example.com/hooks"))
        }
        Ok(url) if !matches!(url.scheme(), "http" | "https") => refuse("is neither http nor https"),
        Ok(url) if !url.has_host() => refuse("has no host"),
        Ok(_) => Ok(()),
    }
}
