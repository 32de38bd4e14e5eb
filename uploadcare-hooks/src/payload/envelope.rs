//! The parts of a payload beside the file: the subscription and the initiator.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::{AddonName, EventKind, InitiatorKind, PayloadVersion, Text, lenient};

/// The subscription that a delivery belongs to.
///
/// See [Uploadcare: webhook payload](https://uploadcare.com/docs/webhooks/).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "SentHook")]
#[non_exhaustive]
pub struct Hook {
    /// The subscription's id.
    pub id: Option<u64>,
    /// The project's id.
    pub project_id: Option<u64>,
    /// The project's public key.
    pub project_pub_key: Option<Text>,
    /// The target URL to which the delivery was sent.
    pub target: Option<Text>,
    /// The kind of the event.
    pub event: EventKind,
    /// Whether the subscription is active. Uploadcare sends nothing for an inactive one.
    pub is_active: Option<bool>,
    /// The version of the payload, as it was sent.
    pub version: PayloadVersion,
    /// When the subscription was created.
    pub created_at: Option<Timestamp>,
    /// When the subscription was last changed.
    pub updated_at: Option<Timestamp>,
}

impl Hook {
    /// A subscription of payload version 0.7, of which only the event is known. For tests of
    /// handlers.
    pub fn new(event: impl Into<EventKind>) -> Self {
        Self {
            id: None,
            project_id: None,
            project_pub_key: None,
            target: None,
            event: event.into(),
            is_active: None,
            version: PayloadVersion::V0_7,
            created_at: None,
            updated_at: None,
        }
    }
}

/// A hook as it is sent. The project's id has two names; real deliveries use `project_id`.
#[derive(Deserialize)]
#[serde(expecting = "a subscription, which is a JSON object")]
struct SentHook {
    #[serde(default, deserialize_with = "lenient::whole")]
    id: Option<u64>,
    #[serde(default, deserialize_with = "lenient::whole")]
    project_id: Option<u64>,
    #[serde(default, deserialize_with = "lenient::whole")]
    project: Option<u64>,
    project_pub_key: Option<Text>,
    target: Option<Text>,
    event: EventKind,
    is_active: Option<bool>,
    #[serde(default, deserialize_with = "lenient::null_default")]
    version: PayloadVersion,
    #[serde(default, deserialize_with = "lenient::timestamp")]
    created_at: Option<Timestamp>,
    #[serde(default, deserialize_with = "lenient::timestamp")]
    updated_at: Option<Timestamp>,
}

impl From<SentHook> for Hook {
    fn from(sent: SentHook) -> Self {
        Self {
            id: sent.id,
            project_id: sent.project_id.or(sent.project),
            project_pub_key: sent.project_pub_key,
            target: sent.target,
            event: sent.event,
            is_active: sent.is_active,
            version: sent.version,
            created_at: sent.created_at,
            updated_at: sent.updated_at,
        }
    }
}

/// The cause of an event. Deliveries from before July 2023 do not have it.
///
/// See [Uploadcare: webhook payload](https://uploadcare.com/docs/webhooks/).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Initiator {
    /// Whether an API request, Uploadcare itself or an add-on caused the event.
    #[serde(rename = "type")]
    pub kind: Option<InitiatorKind>,
    /// Which request or add-on caused the event.
    #[serde(deserialize_with = "lenient::null_default")]
    pub detail: InitiatorDetail,
}

/// The request or add-on that caused an event.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct InitiatorDetail {
    /// The id of the API request.
    pub request_id: Option<Text>,
    /// The name of the add-on.
    pub addon_name: Option<AddonName>,
    /// The file from which this one was made.
    pub source_file_uuid: Option<Uuid>,
}

/// The event and the version of a payload, also if the rest does not have the form of the event.
#[derive(Deserialize)]
#[serde(expecting = "a webhook payload, which is a JSON object")]
pub(crate) struct Peek {
    pub(crate) hook: PeekedHook,
}

#[derive(Deserialize)]
#[serde(expecting = "a subscription, which is a JSON object")]
pub(crate) struct PeekedHook {
    pub(crate) event: EventKind,
    #[serde(default, deserialize_with = "peeked_version")]
    pub(crate) version: PayloadVersion,
}

/// The form of an unknown event is not known, so its version may be anything. What is no scalar
/// counts as absent.
fn peeked_version<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PayloadVersion, D::Error> {
    let version = match Value::deserialize(deserializer)? {
        Value::String(version) => version,
        scalar @ (Value::Number(_) | Value::Bool(_)) => scalar.to_string(),
        Value::Null | Value::Array(_) | Value::Object(_) => String::new(),
    };
    Ok(PayloadVersion::from(version))
}
