//! The deliveries that the simulator keeps, each with its attempts: what was sent and what was
//! answered.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{DeliveryFaultKind, shared_bytes::SharedBytes};

/// What a waiting delivery takes beside its payload, roughly: its texts, and the task that sends
/// it.
const OVERHEAD: usize = 2 * 1024;

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
    /// The payload, as it is sent. Deliveries of the same payload share it.
    #[serde(with = "shared_text")]
    pub body: Arc<str>,
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

/// Writes and reads a shared text as any other text.
mod shared_text {
    use std::sync::Arc;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(text: &Arc<str>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(text)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Arc<str>, D::Error> {
        String::deserialize(deserializer).map(Arc::from)
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
    /// The payloads of those that are waiting.
    waiting: SharedBytes,
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
            waiting: SharedBytes::default(),
            totals: Totals::default(),
            limit,
        }
    }

    /// Those that a file kept.
    pub(super) fn restored(deliveries: Vec<Delivery>, totals: Totals, limit: usize) -> Self {
        let mut restored = Self { totals, ..Self::new(limit) };
        let mut bodies: HashSet<Arc<str>> = HashSet::new();
        for mut delivery in deliveries {
            // In the file, deliveries of the same payload have a copy each.
            match bodies.get(&delivery.body) {
                Some(known) => delivery.body = Arc::clone(known),
                None => drop(bodies.insert(Arc::clone(&delivery.body))),
            }
            restored.restore(delivery);
        }
        restored
    }

    pub(crate) fn totals(&self) -> Totals {
        self.totals
    }

    /// How many bytes those that are waiting would take together with these new ones.
    pub(crate) fn waiting_bytes_with(&mut self, new: &[Delivery]) -> usize {
        new.iter().for_each(|delivery| self.waiting.add(&delivery.body));
        let payloads = self.waiting.bytes();
        new.iter().for_each(|delivery| self.waiting.remove(&delivery.body));
        payloads + (self.kept.len() - self.finished.len() + new.len()) * OVERHEAD
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
        if delivery.state == DeliveryState::Waiting {
            self.waiting.add(&delivery.body);
        } else {
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
        if delivery.state != DeliveryState::Waiting && self.finished.insert(delivery.number) {
            self.waiting.remove(&delivery.body);
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
        self.waiting = SharedBytes::default();
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
pub(super) mod tests {
    use super::*;

    pub(in crate::project) fn delivery() -> Delivery {
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
            body: "".into(),
            state: DeliveryState::Waiting,
            next_attempt: None,
            attempts: Vec::new(),
            signing_secret: None,
        }
    }

    #[test]
    fn the_oldest_finished_deliveries_are_dropped_and_waiting_ones_are_kept() {
        let mut deliveries = Deliveries::new(2);
        for state in [DeliveryState::Waiting, DeliveryState::Acknowledged, DeliveryState::Waiting] {
            assert_eq!(
                deliveries.add(Delivery { state, ..delivery() }).1.len(),
                usize::from(deliveries.totals.last_number == 3)
            );
        }
        let (_, dropped) = deliveries.add(delivery());
        assert_eq!(dropped.len(), 0);
        let numbers: Vec<_> = deliveries.newest_first().map(|kept| kept.number).collect();
        assert_eq!(numbers, [4, 3, 1]);
        let first = deliveries.newest_first().last().unwrap().id;
        let changed = deliveries.change(first, |delivery| delivery.state = DeliveryState::Failed).unwrap();
        assert_eq!(deliveries.trim().iter().map(|dropped| dropped.id).collect::<Vec<_>>(), [changed.id]);
        assert_eq!((deliveries.get(first), deliveries.newest_first().count()), (None, 2));
        assert_eq!(deliveries.add(delivery()).0.number, 5);
    }

    #[test]
    fn waiting_deliveries_count_a_payload_that_they_share_once() {
        let body: Arc<str> = "x".repeat(100_000).into();
        let of = |body: &Arc<str>| Delivery { body: Arc::clone(body), ..delivery() };
        let mut deliveries = Deliveries::new(10);
        let ids = [(); 3].map(|()| deliveries.add(of(&body)).0.id);
        assert_eq!(deliveries.waiting_bytes_with(&[]), 100_000 + 3 * OVERHEAD);
        assert_eq!(deliveries.waiting_bytes_with(&[of(&body), of(&"x".repeat(5).into())]), 100_005 + 5 * OVERHEAD);
        assert_eq!(deliveries.waiting_bytes_with(&[]), 100_000 + 3 * OVERHEAD);
        for id in ids {
            deliveries.change(id, |delivery| delivery.state = DeliveryState::Acknowledged);
        }
        assert_eq!(deliveries.waiting_bytes_with(&[]), 0);
        deliveries.add(of(&body));
        deliveries.clear();
        assert_eq!(deliveries.waiting_bytes_with(&[]), 0);
    }

    #[test]
    fn deliveries_that_a_file_kept_share_their_payloads_again() {
        let kept = [1, 2].map(|number| Delivery { number, body: "x".repeat(1000).into(), ..delivery() });
        let mut restored = Deliveries::restored(kept.to_vec(), Totals::default(), 10);
        assert_eq!(restored.waiting_bytes_with(&[]), 1000 + 2 * OVERHEAD);
        let json = serde_json::to_value(&kept[0]).unwrap();
        assert_eq!(
            (json["body"].as_str(), serde_json::from_value(json.clone()).ok()),
            (Some(&*kept[0].body), Some(kept[0].clone()))
        );
    }
}
