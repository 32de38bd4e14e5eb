//! Sends events to their subscriptions, and again until the receiver acknowledges them.

use std::{sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tokio::{runtime::Handle, sync::broadcast::error::RecvError, time::sleep};
use uuid::Uuid;

use crate::{
    attempt::attempt,
    event::SimulatedEvent,
    http::Http,
    payload::payload,
    project::{Change, Delivery, DeliveryFaultKind, DeliveryState, DrawnFaults, Exchange, Project, Subscription},
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

/// Why a delivery is not replayed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ReplayError {
    /// The delivery is not kept.
    NotFound,
    /// The order is wrong; holds what to say.
    Invalid(String),
}

impl EventSender {
    /// Triggers an event for a file, with default options.
    pub(crate) fn send(self: &Arc<Self>, event: &SimulatedEvent) -> Triggered {
        let trigger = Trigger::from(event.clone());
        let receivers = self.subscribed_to(&event.event);
        self.send_to(&trigger, &receivers)
    }

    /// Triggers an event. Returns what is wrong with its options.
    pub(crate) fn trigger(self: &Arc<Self>, trigger: &Trigger) -> Result<Triggered, String> {
        trigger.check()?;
        let receivers = match &trigger.subscriptions {
            None => self.subscribed_to(&trigger.event.event),
            Some(ids) => {
                let known = self.project.subscriptions();
                ids.iter().map(|id| by_id(&known, *id)).collect::<Result<_, _>>()?
            }
        };
        receivers.iter().try_for_each(|receiver| trigger.check_for(receiver))?;
        Ok(self.send_to(trigger, &receivers))
    }

    fn subscribed_to(&self, event: &str) -> Vec<Subscription> {
        let mut subscriptions = self.project.subscriptions();
        subscriptions.retain(|known| known.is_active && known.event == event);
        subscriptions
    }

    fn send_to(self: &Arc<Self>, trigger: &Trigger, receivers: &[Subscription]) -> Triggered {
        let delay = Duration::from_millis(trigger.event.delay_ms);
        let uuids: Vec<_> = (0..trigger.burst).map(|_| trigger.event.uuid()).collect();
        let mut deliveries = Vec::new();
        for uuid in &uuids {
            for subscription in receivers {
                let body = match &trigger.payload {
                    Some(payload) => payload.clone(),
                    None => payload(&self.project, subscription, trigger, *uuid).to_string(),
                };
                for _ in 0..trigger.event.copies {
                    let event = trigger.event.event.clone();
                    deliveries.push(self.start(new_delivery(event, body.clone(), subscription), delay));
                }
            }
        }
        let uuid = uuids.first().copied().unwrap_or_else(Uuid::new_v4);
        Triggered { uuid, subscriptions: receivers.len(), deliveries }
    }

    /// Sends a delivery once more, as a new one. Returns the ids of the copies.
    pub(crate) fn replay(self: &Arc<Self>, id: Uuid, replay: &Replay) -> Result<Vec<Uuid>, ReplayError> {
        let original = self.project.delivery(id).ok_or(ReplayError::NotFound)?;
        replay.check().map_err(ReplayError::Invalid)?;
        let body = replay.body.as_ref().unwrap_or(&original.body);
        let event = match &replay.body {
            Some(edited) => event_of(edited).unwrap_or_else(|| original.event.clone()),
            None => original.event.clone(),
        };
        let as_before = || Delivery {
            subscription: original.subscription,
            target_url: original.target_url.clone(),
            signing_secret: original.signing_secret.clone(),
            ..empty_delivery(event.clone(), body.clone())
        };
        let copies = match &replay.subscriptions {
            None => vec![as_before()],
            Some(receivers) => {
                let receivers = receivers.among(&self.project.subscriptions()).map_err(ReplayError::Invalid)?;
                if receivers.is_empty() {
                    let problem = "`subscriptions` names no active subscription, so the replay would not be sent";
                    return Err(ReplayError::Invalid(problem.to_owned()));
                }
                receivers.iter().map(|receiver| new_delivery(event.clone(), body.clone(), receiver)).collect()
            }
        };
        let edited = *body != original.body;
        let copy = |copy| Delivery { copy_of: Some(id), edited, ..copy };
        Ok(copies.into_iter().map(|delivery| self.start(copy(delivery), Duration::ZERO)).collect())
    }

    /// Goes on with the deliveries that were waiting when the simulator was stopped.
    pub(crate) fn resume(self: &Arc<Self>) {
        let now = Timestamp::now();
        for delivery in self.project.deliveries().iter().rev() {
            if delivery.state == DeliveryState::Waiting {
                let due = delivery.next_attempt.unwrap_or(now);
                let delay = Duration::try_from(due.duration_since(now)).unwrap_or_default();
                self.spawn(delivery.id, delivery.attempts.len(), delay);
            }
        }
    }

    /// Keeps a new delivery, and begins to send it. Returns its id.
    fn start(self: &Arc<Self>, delivery: Delivery, delay: Duration) -> Uuid {
        let delivery = Delivery { next_attempt: after(delay), ..delivery };
        let id = self.project.add_delivery(delivery).id;
        self.spawn(id, 0, delay);
        id
    }

    fn spawn(self: &Arc<Self>, id: Uuid, made: usize, delay: Duration) {
        let sender = Arc::clone(self);
        self.runtime.spawn(async move { sender.deliver(id, made, delay).await });
    }

    /// Repeats the attempt until the receiver acknowledges it, no delay is left, or the delivery is
    /// forgotten.
    async fn deliver(&self, id: Uuid, made: usize, first_delay: Duration) {
        let mut delays = self.redelivery_delays.iter().skip(made).copied();
        let mut delay = first_delay;
        loop {
            sleep(delay).await;
            let mut faults = self.project.delivery_faults().draw();
            let Some(delivery) = self.hold_up(id, &faults).await else { return };
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
    async fn hold_up(&self, id: Uuid, faults: &DrawnFaults) -> Option<Arc<Delivery>> {
        if let Some(time) = faults.time(DeliveryFaultKind::Delay) {
            sleep(time).await;
        }
        if let Some(time) = faults.time(DeliveryFaultKind::Reorder) {
            let delivery = self.project.delivery(id)?;
            // If there is no later delivery in this time, the order stays.
            let _ = tokio::time::timeout(time, self.later_attempt(&delivery)).await;
        }
        self.project.delivery(id)
    }

    /// Waits until a later delivery of the same subscription was sent.
    async fn later_attempt(&self, delivery: &Delivery) {
        let is_later = |other: &Arc<Delivery>| {
            other.subscription == delivery.subscription && other.number > delivery.number && !other.attempts.is_empty()
        };
        let mut changes = self.project.watch();
        while !self.project.deliveries().iter().any(is_later) {
            loop {
                match changes.recv().await {
                    Ok(Change::Delivery(other)) if is_later(&other) => return,
                    Ok(_) => {}
                    // It may be among the changes that were missed.
                    Err(RecvError::Lagged(_)) => break,
                    Err(RecvError::Closed) => return,
                }
            }
        }
    }
}

fn new_delivery(event: String, body: String, subscription: &Subscription) -> Delivery {
    Delivery {
        subscription: subscription.id,
        target_url: subscription.target_url.clone(),
        signing_secret: subscription.signing_secret.clone(),
        ..empty_delivery(event, body)
    }
}

fn empty_delivery(event: String, body: String) -> Delivery {
    let payload: Value = serde_json::from_str(&body).unwrap_or_default();
    let uuid = payload.pointer("/data/uuid").and_then(Value::as_str).and_then(|uuid| uuid.parse().ok());
    Delivery {
        id: Uuid::new_v4(),
        number: 0,
        event,
        uuid,
        subscription: 0,
        target_url: String::new(),
        created: Timestamp::now(),
        copy_of: None,
        edited: false,
        body,
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
