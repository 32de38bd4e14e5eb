//! The REST API's objects: a subscription, and what creates and changes one. Sends nothing.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{ClientError, web_url};
use crate::{
    payload::{EventKind, PayloadVersion, null_default, string, timestamp},
    service::MAX_TARGET_URL_CHARS,
    signature::SigningSecret,
};

/// A subscription, as Uploadcare has it.
///
/// See [Uploadcare: list of
/// webhooks](https://uploadcare.com/api-refs/rest-api/v0.7.0/#operation/webhooksList).
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
    /// Its event.
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
    // Any scalar is read, because an error about its type would quote it.
    let secret = string(deserializer)?.filter(|secret| !secret.is_empty());
    secret.map(SigningSecret::from_uploadcare).transpose().map_err(de::Error::custom)
}

fn exposed<S: Serializer>(secret: &Option<SigningSecret>, serializer: S) -> Result<S::Ok, S::Error> {
    secret.as_ref().map(SigningSecret::expose).serialize(serializer)
}

/// A subscription to create, of payload version 0.7.
///
/// See [Uploadcare: create
/// webhook](https://uploadcare.com/api-refs/rest-api/v0.7.0/#operation/webhookCreate).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CreateWebhook {
    target_url: String,
    event: EventKind,
    is_active: bool,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "exposed")]
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

    /// Sets whether deliveries are sent from the start. Defaults to true.
    #[must_use]
    pub fn is_active(mut self, is_active: bool) -> Self {
        self.is_active = is_active;
        self
    }

    pub(super) fn check(&self) -> Result<(), ClientError> {
        check_target_url(&self.target_url)
    }

    /// Whether the two have one URL and event: Uploadcare has at most one subscription for each
    /// such pair.
    pub(super) fn is_for_the_same_as(&self, subscription: &Subscription) -> bool {
        self.target_url == subscription.target_url && self.event == subscription.event
    }

    pub(super) fn is_like(&self, subscription: &Subscription) -> bool {
        self.is_active == subscription.is_active
            && self.signing_secret == subscription.signing_secret
            && self.version == subscription.version
    }
}

/// Changes to a subscription. What is not set stays as it is.
///
/// See [Uploadcare: update
/// webhook](https://uploadcare.com/api-refs/rest-api/v0.7.0/#operation/updateWebhook).
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct UpdateWebhook {
    #[serde(skip_serializing_if = "Option::is_none")]
    target_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<EventKind>,
    #[serde(skip_serializing_if = "Option::is_none")]
    is_active: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "exposed")]
    signing_secret: Option<SigningSecret>,
}

impl UpdateWebhook {
    /// No changes.
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
            return Err(ClientError::Input("the update changes nothing: set at least one of its fields".to_owned()));
        }
        self.target_url.as_deref().map_or(Ok(()), check_target_url)
    }
}

/// Refuses a target URL that Uploadcare would refuse.
pub(super) fn check_target_url(target_url: &str) -> Result<(), ClientError> {
    let refuse = |problem| ClientError::Input(format!("the target URL {:?} {problem}", web_url::shown(target_url)));
    target_url_problem(target_url).map_or(Ok(()), |problem| Err(refuse(problem)))
}

/// What is wrong with a target URL, to be put after the URL itself.
pub(crate) fn target_url_problem(target_url: &str) -> Option<String> {
    let chars = target_url.chars().count();
    if chars > MAX_TARGET_URL_CHARS {
        return Some(format!("has {chars} characters: Uploadcare accepts at most {MAX_TARGET_URL_CHARS}"));
    }
    let problem = web_url::parse(target_url).err()?;
    Some(format!("{problem}: write it whole, as https://app.example.com/hooks"))
}
