//! One delivery for one handler, as it is stored. Its form must stay readable for later releases.

use std::fmt;

use apalis_core::task::builder::TaskBuilder;
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
    handler: String,
    delivery: DeliveryId,
    key: DeliveryId,
    event: EventKind,
    received_at: Timestamp,
    body: Body,
    /// How often it was run again after it was dead.
    #[serde(default)]
    run: u32,
}

/// Almost every body is text. In JSON text is shorter than digits, and people can read it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Body {
    Text(String),
    Hex(String),
}

impl Job {
    pub(crate) fn new(handler: &str, delivery: DeliveryId, key: DeliveryId, event: EventKind, body: &Bytes) -> Self {
        let body = match std::str::from_utf8(body) {
            Ok(text) => Body::Text(text.to_owned()),
            Err(_) => Body::Hex(hex::encode(body)),
        };
        Self { handler: handler.to_owned(), delivery, key, event, received_at: Timestamp::now(), body, run: 0 }
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
        match &self.body {
            Body::Text(text) => Bytes::copy_from_slice(text.as_bytes()),
            // Only this file writes these digits. Broken ones give an empty body, which is no
            // payload.
            Body::Hex(digits) => hex::decode(digits).unwrap_or_default().into(),
        }
    }

    /// How often it was [run again](super::run_again) after it was dead.
    pub fn run(&self) -> u32 {
        self.run
    }

    /// The job for its next run.
    pub(super) fn next_run(&self) -> Self {
        Self { run: self.run.saturating_add(1), ..self.clone() }
    }

    /// The name of the job in its queue: the same for every redelivery.
    pub(crate) fn idempotency_key(&self) -> String {
        match self.run {
            0 => format!("{}/{}", self.key, self.handler),
            run => format!("{}/{}#{run}", self.key, self.handler),
        }
    }

    /// The storage chooses the id. It must not follow from the delivery, because storages want ids
    /// that are unique across all their queues.
    pub(super) fn into_task(self, attempts: usize) -> TaskBuilder<Self> {
        let key = self.idempotency_key();
        TaskBuilder::new(self).idempotency_key(key).max_attempts(attempts)
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
