//! The attempts to deliver, as far as the simulator keeps them.

use std::{collections::VecDeque, sync::Arc};

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use uuid::Uuid;

use super::{Deliveries, Delivery, Exchange};

/// One attempt to deliver.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Attempt {
    /// The id of the delivery, the same for all of its attempts.
    pub delivery: Uuid,
    /// The number of this attempt; the first one is 1.
    pub attempt: usize,
    /// The event's name.
    pub event: String,
    /// The UUID of the event's file; `null` if the payload has none.
    pub uuid: Option<Uuid>,
    /// The id of the subscription.
    pub subscription: u64,
    /// The URL that the delivery was sent to.
    pub target_url: String,
    /// When the answer arrived, or the attempt failed.
    pub at: Timestamp,
    /// The status of the answer; `null` if there was none.
    pub status: Option<u16>,
    /// Why there was no answer.
    pub error: Option<String>,
}

impl Attempt {
    pub(crate) fn of(delivery: &Delivery, exchange: &Exchange) -> Self {
        let took = SignedDuration::from_millis(i64::try_from(exchange.duration_ms).unwrap_or(i64::MAX));
        Self {
            delivery: delivery.id,
            attempt: exchange.attempt,
            event: delivery.event.clone(),
            uuid: delivery.uuid,
            subscription: delivery.subscription,
            target_url: delivery.target_url.clone(),
            at: exchange.started.checked_add(took).unwrap_or(exchange.started),
            status: exchange.answer.as_ref().map(|answer| answer.status),
            error: exchange.error.clone(),
        }
    }
}

/// The newest attempts. Drops the oldest when there are more than the limit.
#[derive(Debug)]
pub(crate) struct AttemptLog {
    kept: VecDeque<Attempt>,
    dropped: usize,
    limit: usize,
}

impl AttemptLog {
    pub(crate) fn new(limit: usize) -> Self {
        Self { kept: VecDeque::new(), dropped: 0, limit }
    }

    /// The attempts of deliveries that a file kept.
    pub(super) fn restored(deliveries: &Deliveries, limit: usize) -> Self {
        let of = |delivery: &Arc<Delivery>| -> Vec<_> {
            delivery.attempts.iter().map(|exchange| Attempt::of(delivery, exchange)).collect()
        };
        let mut attempts: Vec<_> = deliveries.newest_first().flat_map(of).collect();
        attempts.sort_by_key(|attempt| attempt.at);
        let mut restored = Self::new(limit);
        for attempt in attempts {
            restored.push(attempt);
        }
        restored
    }

    pub(crate) fn push(&mut self, attempt: Attempt) {
        self.kept.push_back(attempt);
        while self.kept.len() > self.limit {
            self.kept.pop_front();
            self.dropped += 1;
        }
    }

    pub(crate) fn clear(&mut self) {
        self.kept.clear();
        self.dropped = 0;
    }

    /// The kept attempts without the first `known` that were ever made.
    pub(crate) fn after(&self, known: usize) -> Vec<Attempt> {
        self.kept.iter().skip(known.saturating_sub(self.dropped)).cloned().collect()
    }
}
