//! The state of the one project that is simulated: keys, subscriptions, deliveries with their
//! attempts, and faults. Knows nothing of HTTP.
//!
//! All changes go through the methods of [`Project`], which tell the watchers of them.

mod attempts;
mod changes;
mod deliveries;
mod delivery_faults;
mod faults;
mod generation;
mod shared_bytes;
mod store;
mod subscriptions;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
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
    changes::{Change, Changes, Missed, Watcher},
    deliveries::{Deliveries, Totals},
    delivery_faults::DrawnFaults,
    faults::Faults,
    generation::Generation,
    store::{Kept, Store},
    subscriptions::{Fields, Refusal, Subscriptions},
};

use self::generation::Resets;

/// How many bytes the waiting deliveries of a simulator may take: their payloads, of which equal
/// copies count once, and 2 KiB for each of them.
pub(crate) const MOST_WAITING_BYTES: usize = 128 * 1024 * 1024;

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

/// What is simulated.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) keys: Keys,
    pub(crate) limits: Limits,
    /// The events that can be subscribed to beside those that Uploadcare documents.
    pub(crate) more_events: Vec<String>,
    /// The default secret of subscriptions that are made on the page.
    pub(crate) signing_secret: String,
}

/// What the server's workers and the deliveries share.
pub(crate) struct Project {
    pub(crate) keys: Keys,
    /// The default secret of subscriptions that are made on the page.
    pub(crate) signing_secret: String,
    /// Locked before `deliveries` where both are.
    subscriptions: Mutex<Subscriptions>,
    faults: Mutex<Faults>,
    delivery_faults: Mutex<DeliveryFaults>,
    /// Locked before `attempts` where both are.
    deliveries: Mutex<Deliveries>,
    attempts: Mutex<AttemptLog>,
    /// Changes only while `deliveries` is locked.
    resets: Resets,
    changes: Changes,
    store: Option<Store>,
}

/// Why new deliveries are not kept.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NotAdded {
    /// The simulator was reset since they were ordered.
    Reset,
    /// Too much is waiting. Holds what to say.
    Full(String),
}

impl Project {
    /// With a store, the project begins with what the store kept, and keeps its changes there.
    pub(crate) fn new(settings: Settings, store: Option<(Store, Kept)>) -> Self {
        let Settings { keys, limits, more_events, signing_secret } = settings;
        let (store, kept) = store.map_or_else(Default::default, |(store, kept)| (Some(store), kept));
        let mut deliveries = Deliveries::restored(kept.deliveries, kept.totals, limits.deliveries);
        let attempts = AttemptLog::restored(&deliveries, limits.attempts);
        let dropped = deliveries.trim();
        if let Some(store) = store.as_ref().filter(|_| !dropped.is_empty()) {
            store.delivery(None, &dropped, deliveries.totals());
        }
        Self {
            keys,
            signing_secret,
            subscriptions: Mutex::new(Subscriptions::restored(kept.subscriptions, kept.last_subscription, more_events)),
            faults: Mutex::default(),
            delivery_faults: Mutex::default(),
            attempts: Mutex::new(attempts),
            deliveries: Mutex::new(deliveries),
            resets: Resets::default(),
            changes: Changes::default(),
            store,
        }
    }

    /// Waits until all changes so far are in the store, if there is one.
    ///
    /// # Errors
    /// Returns why they are not.
    pub(crate) async fn kept(&self) -> Result<(), String> {
        match &self.store {
            Some(store) => store.flush().await,
            None => Ok(()),
        }
    }

    /// The same for callers that are not async.
    pub(crate) fn kept_blocking(&self) -> Result<(), String> {
        self.store.as_ref().map_or(Ok(()), Store::flush_blocking)
    }

    /// Ends the streams of changes, because the simulator stops.
    pub(crate) fn stop(&self) {
        self.changes.tell(Change::Stop);
    }

    /// Closes the store. Later changes are not kept.
    pub(crate) fn close(&self) -> Result<(), String> {
        self.store.as_ref().map_or(Ok(()), Store::close)
    }

    /// Receives what changes from now on.
    pub(crate) fn watch(&self) -> Watcher {
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
        let mut subscriptions = lock(&self.subscriptions);
        let changed = change(&mut subscriptions)?;
        self.store_subscriptions(&subscriptions);
        self.changes.tell(Change::Subscriptions);
        Ok(changed)
    }

    fn store_subscriptions(&self, subscriptions: &Subscriptions) {
        if let Some(store) = &self.store {
            store.subscriptions(subscriptions.all(), subscriptions.last_id());
        }
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

    /// The counts of deliveries since the last reset.
    pub(crate) fn totals(&self) -> Totals {
        lock(&self.deliveries).totals()
    }

    /// The time until the next reset. An order takes it before it looks at subscriptions or
    /// deliveries, so that [`add_deliveries`](Self::add_deliveries) notices if they are gone.
    pub(crate) fn generation(&self) -> Generation {
        self.resets.current()
    }

    /// Keeps the new deliveries of one order, all or none, and gives them their numbers. Returns
    /// their ids.
    pub(crate) fn add_deliveries(
        &self,
        generation: &Generation,
        new: Vec<Delivery>,
        most_waiting_bytes: usize,
    ) -> Result<Vec<Uuid>, NotAdded> {
        let mut deliveries = lock(&self.deliveries);
        if !self.resets.is_current(generation) {
            return Err(NotAdded::Reset);
        }
        if deliveries.waiting_bytes_with(&new) > most_waiting_bytes {
            return Err(NotAdded::full());
        }
        let mut ids = Vec::with_capacity(new.len());
        for delivery in new {
            let (delivery, dropped) = deliveries.add(delivery);
            if let Some(store) = &self.store {
                store.delivery(Some(Arc::clone(&delivery)), &dropped, deliveries.totals());
            }
            ids.push(delivery.id);
            self.changes.tell(Change::Delivery(delivery));
        }
        Ok(ids)
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
        // The lock is held to the end, so that a reset comes before or after all of it, and
        // watchers see the changes in their order.
        let mut deliveries = lock(&self.deliveries);
        let changed = deliveries.change(id, |delivery| {
            delivery.attempts.push(exchange);
            delivery.state = state;
            delivery.next_attempt = next_attempt;
        });
        let Some(delivery) = changed else { return false };
        let attempt = Attempt::of(&delivery, &attempt);
        self.attempts().push(attempt.clone());
        let dropped = if state == DeliveryState::Waiting { Vec::new() } else { deliveries.trim() };
        if let Some(store) = &self.store {
            store.delivery(Some(Arc::clone(&delivery)), &dropped, deliveries.totals());
        }
        self.changes.tell(Change::Delivery(Arc::clone(&delivery)));
        self.changes.tell(Change::Attempt(Arc::new(attempt), delivery));
        true
    }

    /// Forgets deliveries, attempts, faults and, if it is not told to keep them, subscriptions.
    /// Deliveries that wait for their next attempt are not sent any more. An order that is being
    /// carried out comes before or after all of it.
    pub(crate) fn reset(&self, keep_subscriptions: bool) {
        let mut subscriptions = lock(&self.subscriptions);
        let mut deliveries = lock(&self.deliveries);
        if !keep_subscriptions {
            subscriptions.clear();
            self.store_subscriptions(&subscriptions);
        }
        *lock(&self.faults) = Faults::default();
        *lock(&self.delivery_faults) = DeliveryFaults::default();
        deliveries.clear();
        self.attempts().clear();
        self.resets.next();
        if let Some(store) = &self.store {
            store.clear_deliveries(deliveries.totals());
        }
        self.changes.tell(Change::Reset);
    }
}

impl NotAdded {
    pub(crate) fn full() -> Self {
        Self::Full(format!(
            "the deliveries that wait would take more than {} MiB; wait until some are sent, forget them with POST \
             /_sim/reset, or order fewer or smaller ones",
            MOST_WAITING_BYTES / (1024 * 1024)
        ))
    }
}

/// Locks a part of the state. A panic elsewhere does not make it useless.
fn lock<T>(part: &Mutex<T>) -> MutexGuard<'_, T> {
    part.lock().unwrap_or_else(PoisonError::into_inner)
}
