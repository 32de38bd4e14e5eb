//! What is stored of a delivery, for one handler.

use std::fmt;

use apalis_core::task::builder::TaskBuilder;
use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{delivery::DeliveryId, payload::EventKind};

/// One delivery for one handler, as it is kept in a queue.
///
/// The signature was verified before; the payload is decoded again when the job runs, so that one that this version of the crate cannot read is kept, not lost.
/// The request's headers are not kept, since the signature among them could be replayed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    handler: String,
    delivery: DeliveryId,
    key: DeliveryId,
    event: EventKind,
    received_at: Timestamp,
    body: Body,
    /// How often somebody had it run again after it was dead.
    #[serde(default)]
    run: u32,
}

/// A body is text almost always; in JSON that is shorter, and a person can read it.
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

    /// The name of the handler that it is for.
    pub fn handler(&self) -> &str {
        &self.handler
    }

    /// The delivery that it came with.
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
            // Nobody but this file writes them; what somebody else broke there is no payload.
            Body::Hex(digits) => hex::decode(digits).unwrap_or_default().into(),
        }
    }

    /// How often it was [run again](super::run_again) after it was dead.
    pub fn run(&self) -> u32 {
        self.run
    }

    /// The same, for another chance.
    pub(super) fn next_run(&self) -> Self {
        Self { run: self.run.saturating_add(1), ..self.clone() }
    }

    /// What the jobs of a queue are told apart by: the same for every redelivery.
    pub(crate) fn idempotency_key(&self) -> String {
        match self.run {
            0 => format!("{}/{}", self.key, self.handler),
            run => format!("{}/{}#{run}", self.key, self.handler),
        }
    }

    /// Its id is left to the storage. It must not follow from the delivery, since storages want ids that no other queue of theirs has.
    pub(super) fn into_task(self, attempts: usize) -> TaskBuilder<Self> {
        let key = self.idempotency_key();
        TaskBuilder::new(self).idempotency_key(key).max_attempts(attempts)
    }
}

/// Without the body, which may hold what should not be in a log.
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
