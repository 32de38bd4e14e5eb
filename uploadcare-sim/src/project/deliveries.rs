//! The deliveries that the simulator keeps, each with its attempts: what was sent and what was
//! answered.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::DeliveryFaultKind;

/// An event for one subscription, with all attempts to deliver it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Delivery {
    /// The id of the delivery. Uploadcare has no such id: the receiver never sees it.
    pub id: Uuid,
    /// Counts the deliveries of the simulator, from 1. A newer delivery has a higher number.
    pub number: u64,
    /// The event's name.
    pub event: String,
    /// The UUID of the event's file; `null` if the payload has none.
    pub uuid: Option<Uuid>,
    /// The id of the subscription.
    pub subscription: u64,
    /// The URL that the delivery is sent to.
    pub target_url: String,
    /// When the event was triggered.
    pub created: Timestamp,
    /// The delivery that this one is a replay of.
    pub copy_of: Option<Uuid>,
    /// Whether the payload of a replay was edited.
    pub edited: bool,
    /// The payload, as it is sent.
    pub body: String,
    /// How far the delivery is.
    pub state: DeliveryState,
    /// When the next attempt is due; `null` if there will be none.
    pub next_attempt: Option<Timestamp>,
    /// The attempts, oldest first.
    pub attempts: Vec<Exchange>,
    /// Signs the attempts. Not part of the delivery's JSON.
    #[serde(skip)]
    pub(crate) signing_secret: Option<String>,
}

impl Delivery {
    /// The status of the newest answer.
    pub fn last_status(&self) -> Option<u16> {
        self.attempts.last()?.answer.as_ref().map(|answer| answer.status)
    }
}

/// How far a delivery is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DeliveryState {
    /// An attempt is due or under way.
    Waiting,
    /// The receiver answered 2xx.
    Acknowledged,
    /// The receiver acknowledged none of the attempts, and there will be no more.
    Failed,
}

/// One attempt to deliver: the request that was sent, and what came back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Exchange {
    /// The number of the attempt; the first one is 1.
    pub attempt: usize,
    /// When the request was sent.
    pub started: Timestamp,
    /// The milliseconds until the answer was read, or until the attempt failed.
    pub duration_ms: u64,
    /// The request's headers, in the order in which they were sent.
    pub request_headers: Vec<(String, String)>,
    /// Whether the signature verifies over the body with the subscription's secret.
    pub signature: SignatureCheck,
    /// The faults that changed this attempt. A fault that could not, such as a wrong secret for a
    /// subscription without a secret, is not listed.
    pub faults: Vec<DeliveryFaultKind>,
    /// The answer; `null` if there was none.
    pub answer: Option<Answer>,
    /// Why there was no answer.
    pub error: Option<String>,
}

impl Exchange {
    /// Whether the receiver answered 2xx.
    pub fn is_acknowledged(&self) -> bool {
        self.answer.as_ref().is_some_and(|answer| (200..300).contains(&answer.status))
    }
}

/// What the simulator found when it verified the signature that it had sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SignatureCheck {
    /// The signature is the right one.
    Verifies,
    /// The request has a signature, and it is wrong.
    Wrong,
    /// The subscription has a secret, but the request has no signature.
    Missing,
    /// The subscription has no secret, so its deliveries are not signed.
    NoSecret,
}

/// The answer of a receiver.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: Vec<(String, String)>,
    /// The beginning of the body, at most 16 KiB. Bytes that are no UTF-8 are replaced.
    pub body: String,
    /// Whether the body is longer than what is kept.
    pub body_cut: bool,
}

/// The newest deliveries. Drops the oldest finished ones when there are more than the limit;
/// deliveries that are still waiting are never dropped.
#[derive(Debug)]
pub(crate) struct Deliveries {
    kept: BTreeMap<u64, Arc<Delivery>>,
    numbers: HashMap<Uuid, u64>,
    /// The numbers of those that are not waiting any more, and may be dropped.
    finished: BTreeSet<u64>,
    totals: Totals,
    limit: usize,
}

/// Counts deliveries, those that are not kept any more included.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Totals {
    /// The highest number that a delivery ever had.
    pub(crate) last_number: u64,
    /// How many were acknowledged since the last reset.
    pub(crate) acknowledged: u64,
    /// How many failed since the last reset.
    pub(crate) failed: u64,
    /// How many were dropped since the last reset, to keep no more than the limit.
    pub(crate) dropped: u64,
}

impl Deliveries {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            kept: BTreeMap::new(),
            numbers: HashMap::new(),
            finished: BTreeSet::new(),
            totals: Totals::default(),
            limit,
        }
    }

    /// Those that a file kept.
    pub(super) fn restored(deliveries: Vec<Delivery>, totals: Totals, limit: usize) -> Self {
        let mut restored = Self { totals, ..Self::new(limit) };
        for delivery in deliveries {
            restored.restore(delivery);
        }
        restored
    }

    pub(crate) fn totals(&self) -> Totals {
        self.totals
    }

    /// Adds a delivery and gives it its number. Returns it, and the deliveries that were dropped.
    pub(crate) fn add(&mut self, mut delivery: Delivery) -> (Arc<Delivery>, Vec<Arc<Delivery>>) {
        self.totals.last_number += 1;
        delivery.number = self.totals.last_number;
        let delivery = self.restore(delivery);
        (delivery, self.trim())
    }

    /// Adds a delivery that has its number already.
    fn restore(&mut self, delivery: Delivery) -> Arc<Delivery> {
        self.totals.last_number = self.totals.last_number.max(delivery.number);
        self.numbers.insert(delivery.id, delivery.number);
        if delivery.state != DeliveryState::Waiting {
            self.finished.insert(delivery.number);
        }
        let delivery = Arc::new(delivery);
        self.kept.insert(delivery.number, Arc::clone(&delivery));
        delivery
    }

    /// Changes a delivery. Returns it as it is then, or `None` if it is not kept.
    pub(crate) fn change(&mut self, id: Uuid, change: impl FnOnce(&mut Delivery)) -> Option<Arc<Delivery>> {
        let delivery = self.kept.get_mut(self.numbers.get(&id)?)?;
        let before = delivery.state;
        change(Arc::make_mut(delivery));
        match delivery.state {
            state if state == before => {}
            DeliveryState::Acknowledged => self.totals.acknowledged += 1,
            DeliveryState::Failed => self.totals.failed += 1,
            DeliveryState::Waiting => {}
        }
        if delivery.state != DeliveryState::Waiting {
            self.finished.insert(delivery.number);
        }
        Some(Arc::clone(delivery))
    }

    pub(crate) fn get(&self, id: Uuid) -> Option<Arc<Delivery>> {
        self.kept.get(self.numbers.get(&id)?).cloned()
    }

    pub(crate) fn newest_first(&self) -> impl Iterator<Item = &Arc<Delivery>> {
        self.kept.values().rev()
    }

    /// Forgets all deliveries. Numbers go on after the highest one.
    pub(crate) fn clear(&mut self) {
        self.kept.clear();
        self.numbers.clear();
        self.finished.clear();
        self.totals = Totals { last_number: self.totals.last_number, ..Totals::default() };
    }

    /// Drops finished deliveries over the limit, oldest first.
    pub(crate) fn trim(&mut self) -> Vec<Arc<Delivery>> {
        let over = self.kept.len().saturating_sub(self.limit);
        let mut dropped = Vec::new();
        while dropped.len() < over
            && let Some(number) = self.finished.pop_first()
        {
            let Some(delivery) = self.kept.remove(&number) else { continue };
            self.numbers.remove(&delivery.id);
            self.totals.dropped += 1;
            dropped.push(delivery);
        }
        dropped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delivery(state: DeliveryState) -> Delivery {
        Delivery {
            id: Uuid::new_v4(),
            number: 0,
            event: "file.uploaded".to_owned(),
            uuid: None,
            subscription: 1,
            target_url: String::new(),
            created: Timestamp::UNIX_EPOCH,
            copy_of: None,
            edited: false,
            body: String::new(),
            state,
            next_attempt: None,
            attempts: Vec::new(),
            signing_secret: None,
        }
    }

    #[test]
    fn the_oldest_finished_deliveries_are_dropped_and_waiting_ones_are_kept() {
        let mut deliveries = Deliveries::new(2);
        for state in [DeliveryState::Waiting, DeliveryState::Acknowledged, DeliveryState::Waiting] {
            assert_eq!(deliveries.add(delivery(state)).1.len(), usize::from(deliveries.totals.last_number == 3));
        }
        let (_, dropped) = deliveries.add(delivery(DeliveryState::Waiting));
        assert_eq!(dropped.len(), 0);
        let numbers: Vec<_> = deliveries.newest_first().map(|kept| kept.number).collect();
        assert_eq!(numbers, [4, 3, 1]);
        let first = deliveries.newest_first().last().unwrap().id;
        let changed = deliveries.change(first, |delivery| delivery.state = DeliveryState::Failed).unwrap();
        assert_eq!(deliveries.trim().iter().map(|dropped| dropped.id).collect::<Vec<_>>(), [changed.id]);
        assert_eq!((deliveries.get(first), deliveries.newest_first().count()), (None, 2));
        assert_eq!(deliveries.add(delivery(DeliveryState::Waiting)).0.number, 5);
    }
}
