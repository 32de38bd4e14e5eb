//! One delivery for one handler, as it is stored.

use std::fmt;

use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{delivery::DeliveryId, payload::EventKind};

/// One delivery for one handler, as a queue stores it.
///
/// The router verified the signature before. The worker decodes the payload when it runs the job,
/// so a payload that this version of the crate cannot read is kept and not lost. The request's
/// headers are not stored, because the signature among them could be replayed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// The same for every redelivery, and unlike that of any other job in its queue.
    pub(super) name: String,
    pub(super) handler: String,
    pub(super) delivery: DeliveryId,
    pub(super) event: EventKind,
    pub(super) received_at: Timestamp,
    #[serde(with = "text_or_digits")]
    pub(super) body: Bytes,
    /// How often it was run again after it was dead.
    #[serde(default)]
    pub(super) run: u32,
}

impl Job {
    /// `key` is the delivery's deduplication key.
    pub(super) fn new(
        handler: &str,
        delivery: DeliveryId,
        key: DeliveryId,
        event: EventKind,
        received_at: Timestamp,
        body: &Bytes,
    ) -> Self {
        let (name, handler, body) = (format!("{key}/{handler}"), handler.to_owned(), body.clone());
        Self { name, handler, delivery, event, received_at, body, run: 0 }
    }

    /// The name of its handler.
    pub fn handler(&self) -> &str {
        &self.handler
    }

    /// The id of its delivery.
    pub fn delivery_id(&self) -> DeliveryId {
        self.delivery
    }

    /// What happened.
    pub fn event(&self) -> &EventKind {
        &self.event
    }

    /// When the delivery was received.
    pub fn received_at(&self) -> Timestamp {
        self.received_at
    }

    /// The body, as it was received and signed.
    pub fn body(&self) -> Bytes {
        self.body.clone()
    }

    /// How often it was [run again](crate::WebhookRouter::run_again) after it was dead.
    pub fn run(&self) -> u32 {
        self.run
    }
}

/// Without the body, which may hold text that should not be in a log.
impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job")
            .field("handler", &self.handler)
            .field("delivery", &self.delivery)
            .field("event", &self.event)
            .field("received_at", &self.received_at)
            .field("run", &self.run)
            .finish_non_exhaustive()
    }
}

/// For storages that keep a job as JSON. Almost every body is text, which is shorter in JSON than
/// digits, and people can read it.
mod text_or_digits {
    use std::borrow::Cow;

    use bytes::Bytes;
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

    #[derive(Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Body<'a> {
        Text(Cow<'a, str>),
        Hex(String),
    }

    pub(super) fn serialize<S: Serializer>(body: &Bytes, serializer: S) -> Result<S::Ok, S::Error> {
        match std::str::from_utf8(body) {
            Ok(text) => Body::Text(text.into()),
            Err(_) => Body::Hex(hex::encode(body)),
        }
        .serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Bytes, D::Error> {
        match Body::deserialize(deserializer)? {
            Body::Text(text) => Ok(text.into_owned().into()),
            Body::Hex(digits) => hex::decode(digits).map(Bytes::from).map_err(D::Error::custom),
        }
    }
}
