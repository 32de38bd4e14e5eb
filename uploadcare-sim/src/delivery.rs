//! Sends events to their subscriptions, and again until the receiver acknowledges them.

use std::{sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tokio::{runtime::Handle, time::timeout};
use uuid::Uuid;

use crate::{
    attempt::attempt,
    event::SimulatedEvent,
    http::Http,
    payload::payload,
    project::{
        Change, Delivery, DeliveryFaultKind, DeliveryState, DrawnFaults, Exchange, Generation, MOST_WAITING_BYTES,
        Missed, NotAdded, Project, Subscription,
    },
    trigger::{Replay, Trigger, by_id},
};

/// Sends events to the subscriptions of a project.
pub(crate) struct EventSender {
    pub(crate) project: Arc<Project>,
    pub(crate) redelivery_delays: Vec<Duration>,
    pub(crate) http: Http,
    /// Runs the deliveries. A server worker's own runtime would end with its connection.
    pub(crate) runtime: Handle,
}

/// What became of a trigger.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Triggered {
    /// The UUID of the first file.
    pub uuid: Uuid,
    /// How many subscriptions get the event.
    pub subscriptions: usize,
    /// The ids of the deliveries.
    pub deliveries: Vec<Uuid>,
}

/// Why an event is not triggered, or a delivery is not replayed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum SendError {
    /// The delivery that is to be replayed is not kept.
    NotFound,
    /// The order is wrong; holds what to say.
    Invalid(String),
    /// Too much is waiting; holds what to say.
    Full(String),
}

impl SendError {
    pub(crate) fn text(&self) -> &str {
        match self {
            Self::NotFound => "this delivery is not kept",
            Self::Invalid(text) | Self::Full(text) => text,
        }
    }
}

impl EventSender {
    /// Triggers an event for a file, with default options and without limits. Returns the UUID of
    /// the file.
    pub(crate) fn send(self: &Arc<Self>, event: &SimulatedEvent) -> Uuid {
        let uuid = event.uuid();
        let trigger = Trigger::from(event.clone());
        self.repeated_after_reset(|generation| {
            let receivers = self.subscribed_to(&event.event);
            self.send_to(&trigger, &[uuid], &receivers, generation, usize::MAX)
        })
        .map_or(uuid, |triggered| triggered.uuid)
    }

    /// Triggers an event.
    pub(crate) fn trigger(self: &Arc<Self>, trigger: &Trigger) -> Result<Triggered, SendError> {
        trigger.check().map_err(SendError::Invalid)?;
        let uuids: Vec<_> = (0..trigger.burst).map(|_| trigger.event.uuid()).collect();
        self.repeated_after_reset(|generation| {
            let receivers = self.receivers(trigger).map_err(|problem| Failed::For(SendError::Invalid(problem)))?;
            self.send_to(trigger, &uuids, &receivers, generation, MOST_WAITING_BYTES)
        })
    }

    fn receivers(&self, trigger: &Trigger) -> Result<Vec<Subscription>, String> {
        let receivers = match &trigger.subscriptions {
            None => self.subscribed_to(&trigger.event.event),
            Some(ids) => {
                let known = self.project.subscriptions();
                ids.iter().map(|id| by_id(&known, *id)).collect::<Result<_, _>>()?
            }
        };
        receivers.iter().try_for_each(|receiver| trigger.check_for(receiver))?;
        Ok(receivers)
    }

    /// Carries out an order in one generation: once more if the simulator is reset meanwhile, so
    /// that the order comes before or after all of the reset.
    fn repeated_after_reset<T>(&self, order: impl Fn(&Generation) -> Result<T, Failed>) -> Result<T, SendError> {
        loop {
            match order(&self.project.generation()) {
                Ok(done) => return Ok(done),
                Err(Failed::Reset) => {}
                Err(Failed::For(error)) => return Err(error),
            }
        }
    }

    fn subscribed_to(&self, event: &str) -> Vec<Subscription> {
        let mut subscriptions = self.project.subscriptions();
        subscriptions.retain(|known| known.is_active && known.event == event);
        subscriptions
    }

    fn send_to(
        self: &Arc<Self>,
        trigger: &Trigger,
        uuids: &[Uuid],
        receivers: &[Subscription],
        generation: &Generation,
        most_waiting_bytes: usize,
    ) -> Result<Triggered, Failed> {
        let given = trigger.payload.as_deref().map(Payload::new);
        let (mut new, mut bytes) = (Vec::new(), 0);
        for uuid in uuids {
            for subscription in receivers {
                let payload = given.clone().unwrap_or_else(|| {
                    let made = Payload::new(&payload(&self.project, subscription, trigger, *uuid).to_string());
                    bytes += made.body.len();
                    made
                });
                if bytes > most_waiting_bytes {
                    return Err(NotAdded::full().into());
                }
                let copy = || new_delivery(&trigger.event.event, &payload, subscription);
                new.extend((0..trigger.event.copies).map(|_| copy()));
            }
        }
        let deliveries =
            self.start(new, Duration::from_millis(trigger.event.delay_ms), generation, most_waiting_bytes)?;
        let uuid = uuids.first().copied().unwrap_or_else(Uuid::new_v4);
        Ok(Triggered { uuid, subscriptions: receivers.len(), deliveries })
    }

    /// Sends a delivery once more, as a new one. Returns the ids of the copies.
    pub(crate) fn replay(self: &Arc<Self>, id: Uuid, replay: &Replay) -> Result<Vec<Uuid>, SendError> {
        self.repeated_after_reset(|generation| {
            let copies = self.copies(id, replay).map_err(Failed::For)?;
            self.start(copies, Duration::ZERO, generation, MOST_WAITING_BYTES)
        })
    }

    fn copies(&self, id: Uuid, replay: &Replay) -> Result<Vec<Delivery>, SendError> {
        let original = self.project.delivery(id).ok_or(SendError::NotFound)?;
        replay.check().map_err(SendError::Invalid)?;
        let edited = replay.body.as_deref().filter(|body| **body != *original.body).map(Payload::new);
        let is_edited = edited.is_some();
        let payload = edited.unwrap_or_else(|| Payload { body: Arc::clone(&original.body), uuid: original.uuid });
        let named = replay.body.as_deref().and_then(event_of);
        let event = named.as_ref().unwrap_or(&original.event);
        let as_before = || Delivery {
            subscription: original.subscription,
            target_url: original.target_url.clone(),
            signing_secret: original.signing_secret.clone(),
            ..empty_delivery(event, &payload)
        };
        let copies = match &replay.subscriptions {
            None => vec![as_before()],
            Some(receivers) => {
                let receivers = receivers.among(&self.project.subscriptions()).map_err(SendError::Invalid)?;
                if receivers.is_empty() {
                    let problem = "`subscriptions` names no active subscription, so the replay would not be sent";
                    return Err(SendError::Invalid(problem.to_owned()));
                }
                receivers.iter().map(|receiver| new_delivery(event, &payload, receiver)).collect()
            }
        };
        let copy = |copy| Delivery { copy_of: Some(id), edited: is_edited, ..copy };
        Ok(copies.into_iter().map(copy).collect())
    }

    /// Goes on with the deliveries that were waiting when the simulator was stopped.
    pub(crate) fn resume(self: &Arc<Self>) {
        let now = Timestamp::now();
        let generation = self.project.generation();
        for delivery in self.project.deliveries().iter().rev() {
            if delivery.state == DeliveryState::Waiting {
                let due = delivery.next_attempt.unwrap_or(now);
                let delay = Duration::try_from(due.duration_since(now)).unwrap_or_default();
                self.spawn(delivery.id, delivery.attempts.len(), delay, generation.clone());
            }
        }
    }

    /// Keeps new deliveries, all or none, and begins to send them. Returns their ids.
    fn start(
        self: &Arc<Self>,
        mut new: Vec<Delivery>,
        delay: Duration,
        generation: &Generation,
        most_waiting_bytes: usize,
    ) -> Result<Vec<Uuid>, Failed> {
        let due = after(delay);
        new.iter_mut().for_each(|delivery| delivery.next_attempt = due);
        let ids = self.project.add_deliveries(generation, new, most_waiting_bytes)?;
        for id in &ids {
            self.spawn(*id, 0, delay, generation.clone());
        }
        Ok(ids)
    }

    fn spawn(self: &Arc<Self>, id: Uuid, made: usize, delay: Duration, generation: Generation) {
        let sender = Arc::clone(self);
        self.runtime.spawn(async move { sender.deliver(id, made, delay, generation).await });
    }

    /// Repeats the attempt until the receiver acknowledges it, no delay is left, or the simulator
    /// is reset. A reset does not break off a request that is being sent.
    async fn deliver(&self, id: Uuid, made: usize, first_delay: Duration, mut generation: Generation) {
        let mut delays = self.redelivery_delays.iter().skip(made).copied();
        let mut delay = first_delay;
        loop {
            if !generation.sleep(delay).await {
                return;
            }
            let mut faults = self.project.delivery_faults().draw();
            let Some(delivery) = self.hold_up(id, &faults, &mut generation).await else { return };
            // A delivery is duplicated once.
            let duplicate = delivery.attempts.iter().any(Exchange::is_acknowledged);
            if duplicate {
                faults.remove(DeliveryFaultKind::Duplicate);
            }
            let exchange = attempt(&self.http, &delivery, &faults).await;
            let (state, next) = match (exchange.is_acknowledged() || duplicate, delays.next()) {
                (true, _) if faults.has(DeliveryFaultKind::Duplicate) => (DeliveryState::Waiting, Some(Duration::ZERO)),
                (true, _) => (DeliveryState::Acknowledged, None),
                (false, Some(delay)) => (DeliveryState::Waiting, Some(delay)),
                (false, None) => (DeliveryState::Failed, None),
            };
            if !self.project.attempted(id, exchange, state, next.and_then(after)) {
                return;
            }
            match next {
                Some(next) => delay = next,
                None => return,
            }
        }
    }

    /// Waits as long as a delay or a reordering takes. Returns the delivery, if it is still kept.
    async fn hold_up(&self, id: Uuid, faults: &DrawnFaults, generation: &mut Generation) -> Option<Arc<Delivery>> {
        if let Some(time) = faults.time(DeliveryFaultKind::Delay)
            && !generation.sleep(time).await
        {
            return None;
        }
        if let Some(time) = faults.time(DeliveryFaultKind::Reorder) {
            let delivery = self.project.delivery(id)?;
            // If there is no later delivery in this time, the order stays.
            let _ = timeout(time, self.later_attempt(&delivery)).await;
        }
        self.project.delivery(id)
    }

    /// Waits until a later delivery of the same subscription was sent, or the simulator is reset.
    async fn later_attempt(&self, delivery: &Delivery) {
        let is_later = |other: &Arc<Delivery>| {
            other.subscription == delivery.subscription && other.number > delivery.number && !other.attempts.is_empty()
        };
        let mut changes = self.project.watch();
        while self.project.delivery(delivery.id).is_some() && !self.project.deliveries().iter().any(is_later) {
            loop {
                match changes.recv().await {
                    Ok(Change::Delivery(other)) if is_later(&other) => return,
                    Ok(Change::Reset) | Err(Missed::Closed) => return,
                    Ok(_) => {}
                    // It may be among the changes that were missed.
                    Err(Missed::Lagged(_)) => break,
                }
            }
        }
    }
}

/// Why an order was not carried out.
enum Failed {
    /// The simulator was reset meanwhile.
    Reset,
    For(SendError),
}

impl From<NotAdded> for Failed {
    fn from(reason: NotAdded) -> Self {
        match reason {
            NotAdded::Reset => Self::Reset,
            NotAdded::Full(text) => Self::For(SendError::Full(text)),
        }
    }
}

/// A payload, which deliveries share, and the UUID of its file.
#[derive(Clone)]
struct Payload {
    body: Arc<str>,
    uuid: Option<Uuid>,
}

impl Payload {
    fn new(body: &str) -> Self {
        let read: Value = serde_json::from_str(body).unwrap_or_default();
        let uuid = read.pointer("/data/uuid").and_then(Value::as_str).and_then(|uuid| uuid.parse().ok());
        Self { body: body.into(), uuid }
    }
}

fn new_delivery(event: &str, payload: &Payload, subscription: &Subscription) -> Delivery {
    Delivery {
        subscription: subscription.id,
        target_url: subscription.target_url.clone(),
        signing_secret: subscription.signing_secret.clone(),
        ..empty_delivery(event, payload)
    }
}

fn empty_delivery(event: &str, payload: &Payload) -> Delivery {
    Delivery {
        id: Uuid::new_v4(),
        number: 0,
        event: event.to_owned(),
        uuid: payload.uuid,
        subscription: 0,
        target_url: String::new(),
        created: Timestamp::now(),
        copy_of: None,
        edited: false,
        body: Arc::clone(&payload.body),
        state: DeliveryState::Waiting,
        next_attempt: None,
        attempts: Vec::new(),
        signing_secret: None,
    }
}

/// The event that a payload names.
fn event_of(body: &str) -> Option<String> {
    let payload: Value = serde_json::from_str(body).ok()?;
    Some(payload.pointer("/hook/event")?.as_str()?.to_owned())
}

/// The time so long from now.
fn after(delay: Duration) -> Option<Timestamp> {
    Timestamp::now().checked_add(SignedDuration::try_from(delay).ok()?).ok()
}

#[cfg(test)]
mod tests;
