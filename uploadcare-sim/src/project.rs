//! The state of the one project that is simulated: keys, subscriptions, attempts to deliver, and
//! faults to come. Knows nothing of HTTP.

mod attempts;
mod faults;
mod subscriptions;

use std::sync::{Mutex, MutexGuard, PoisonError};

pub use self::{
    attempts::Attempt,
    faults::{Fault, FaultKind},
    subscriptions::Subscription,
};
pub(crate) use self::{
    attempts::AttemptLog,
    faults::Faults,
    subscriptions::{Fields, Refusal, Subscriptions},
};

/// The API keys of the project.
#[derive(Clone)]
pub(crate) struct Keys {
    pub(crate) public: String,
    pub(crate) secret: String,
}

/// What the server's workers and the deliveries share.
pub(crate) struct Project {
    pub(crate) keys: Keys,
    subscriptions: Mutex<Subscriptions>,
    faults: Mutex<Faults>,
    attempts: Mutex<AttemptLog>,
}

impl Project {
    pub(crate) fn new(keys: Keys, kept_attempts: usize, more_events: Vec<String>) -> Self {
        let subscriptions = Mutex::new(Subscriptions::new(more_events));
        let attempts = Mutex::new(AttemptLog::new(kept_attempts));
        Self { keys, subscriptions, faults: Mutex::default(), attempts }
    }

    pub(crate) fn subscriptions(&self) -> MutexGuard<'_, Subscriptions> {
        lock(&self.subscriptions)
    }

    pub(crate) fn faults(&self) -> MutexGuard<'_, Faults> {
        lock(&self.faults)
    }

    pub(crate) fn attempts(&self) -> MutexGuard<'_, AttemptLog> {
        lock(&self.attempts)
    }
}

/// Locks a part of the state. A panic elsewhere does not make it useless.
fn lock<T>(part: &Mutex<T>) -> MutexGuard<'_, T> {
    part.lock().unwrap_or_else(PoisonError::into_inner)
}
