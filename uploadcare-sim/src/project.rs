//! The state of the one project that is simulated: keys, subscriptions, deliveries with their
//! attempts, and faults. Knows nothing of HTTP.
//!
//! All changes go through the methods of [`Project`], which tell the watchers of them.

mod attempts;
mod changes;
mod deliveries;
mod delivery_faults;
mod faults;
mod subscriptions;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use tokio::sync::broadcast;
use uuid::Uuid;

pub use self::{
    attempts::Attempt,
    deliveries::{Answer, Delivery, DeliveryState, Exchange, SignatureCheck},
    delivery_faults::{DeliveryFault, DeliveryFaultKind, DeliveryFaults},
    faults::{Fault, FaultKind},
    subscriptions::Subscription,
};
pub(crate) use self::{
    attempts::AttemptLog,
    changes::{Change, Changes},
    deliveries::Deliveries,
    delivery_faults::DrawnFaults,
    faults::Faults,
    subscriptions::{Fields, Refusal, Subscriptions},
};

/// The API keys of the project.
#[derive(Clone)]
pub(crate) struct Keys {
    pub(crate) public: String,
    pub(crate) secret: String,
}

/// How much the simulator keeps.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) attempts: usize,
    pub(crate) deliveries: usize,
}

/// What the server's workers and the deliveries share.
pub(crate) struct Project {
    pub(crate) keys: Keys,
    subscriptions: Mutex<Subscriptions>,
    faults: Mutex<Faults>,
    delivery_faults: Mutex<DeliveryFaults>,
    attempts: Mutex<AttemptLog>,
    deliveries: Mutex<Deliveries>,
    changes: Changes,
}

impl Project {
    pub(crate) fn new(keys: Keys, limits: Limits, more_events: Vec<String>) -> Self {
        Self {
            keys,
            subscriptions: Mutex::new(Subscriptions::new(more_events)),
            faults: Mutex::default(),
            delivery_faults: Mutex::default(),
            attempts: Mutex::new(AttemptLog::new(limits.attempts)),
            deliveries: Mutex::new(Deliveries::new(limits.deliveries)),
            changes: Changes::default(),
        }
    }

    /// Receives what changes from now on.
    pub(crate) fn watch(&self) -> broadcast::Receiver<Change> {
        self.changes.watch()
    }

    /// The subscriptions, in the order in which they were created.
    pub(crate) fn subscriptions(&self) -> Vec<Subscription> {
        lock(&self.subscriptions).all().to_vec()
    }

    pub(crate) fn subscription(&self, id: u64) -> Result<Subscription, Refusal> {
        lock(&self.subscriptions).get(id).cloned()
    }

    /// Changes the subscriptions, and tells so if the change succeeded.
    pub(crate) fn change_subscriptions<T>(
        &self,
        change: impl FnOnce(&mut Subscriptions) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let changed = change(&mut lock(&self.subscriptions))?;
        self.changes.tell(Change::Subscriptions);
        Ok(changed)
    }

    pub(crate) fn add_fault(&self, fault: Fault) {
        lock(&self.faults).add(fault);
        self.changes.tell(Change::Faults);
    }

    /// The REST faults to come, in the order in which they happen.
    pub(crate) fn faults(&self) -> Vec<Fault> {
        lock(&self.faults).all()
    }

    /// Forgets the REST faults to come.
    pub(crate) fn clear_faults(&self) {
        *lock(&self.faults) = Faults::default();
        self.changes.tell(Change::Faults);
    }

    /// Counts one REST call, and returns the fault that it runs into.
    pub(crate) fn next_fault(&self) -> Option<Fault> {
        let fault = lock(&self.faults).next();
        if fault.is_some() {
            self.changes.tell(Change::Faults);
        }
        fault
    }

    pub(crate) fn delivery_faults(&self) -> DeliveryFaults {
        lock(&self.delivery_faults).clone()
    }

    /// Sets some faults of deliveries, see [`DeliveryFaults::set`].
    pub(crate) fn set_delivery_faults(
        &self,
        faults: impl IntoIterator<Item = (DeliveryFaultKind, DeliveryFault)>,
    ) -> Result<(), String> {
        lock(&self.delivery_faults).set(faults)?;
        self.changes.tell(Change::Faults);
        Ok(())
    }

    pub(crate) fn attempts(&self) -> MutexGuard<'_, AttemptLog> {
        lock(&self.attempts)
    }

    /// The kept deliveries, newest first.
    pub(crate) fn deliveries(&self) -> Vec<Arc<Delivery>> {
        lock(&self.deliveries).newest_first().cloned().collect()
    }

    pub(crate) fn delivery(&self, id: Uuid) -> Option<Arc<Delivery>> {
        lock(&self.deliveries).get(id)
    }

    /// Keeps a new delivery, and gives it its number.
    pub(crate) fn add_delivery(&self, delivery: Delivery) -> Arc<Delivery> {
        let (delivery, _dropped) = lock(&self.deliveries).add(delivery);
        self.changes.tell(Change::Delivery(Arc::clone(&delivery)));
        delivery
    }

    /// Records an attempt, and how the delivery goes on. Returns `false` if the delivery is not
    /// kept any more, as after a reset.
    pub(crate) fn attempted(
        &self,
        id: Uuid,
        exchange: Exchange,
        state: DeliveryState,
        next_attempt: Option<Timestamp>,
    ) -> bool {
        let attempt = exchange.clone();
        let changed = lock(&self.deliveries).change(id, |delivery| {
            delivery.attempts.push(exchange);
            delivery.state = state;
            delivery.next_attempt = next_attempt;
        });
        let Some(delivery) = changed else { return false };
        let attempt = Attempt::of(&delivery, &attempt);
        self.attempts().push(attempt.clone());
        self.changes.tell(Change::Delivery(delivery));
        self.changes.tell(Change::Attempt(Arc::new(attempt)));
        if state != DeliveryState::Waiting {
            let _dropped = lock(&self.deliveries).trim();
        }
        true
    }

    /// Forgets subscriptions, deliveries, attempts and faults. Deliveries that wait for their next
    /// attempt are not sent any more.
    pub(crate) fn reset(&self) {
        lock(&self.subscriptions).clear();
        self.attempts().clear();
        lock(&self.deliveries).clear();
        *lock(&self.faults) = Faults::default();
        *lock(&self.delivery_faults) = DeliveryFaults::default();
        self.changes.tell(Change::Reset);
    }
}

/// Locks a part of the state. A panic elsewhere does not make it useless.
fn lock<T>(part: &Mutex<T>) -> MutexGuard<'_, T> {
    part.lock().unwrap_or_else(PoisonError::into_inner)
}
