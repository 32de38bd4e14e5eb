//! Renews the leases of a worker's running jobs, in a thread of its own: a handler that blocks the
//! worker's thread must not cost it its jobs.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::{sleep, timeout};

use super::{QueueError, home::Home, storage::Engine};

/// The jobs of a worker that run, or have ended and are not recorded yet. Their leases are renewed
/// until this is dropped.
pub(super) struct Leases {
    names: Names,
    _home: Home,
}

type Names = Arc<Mutex<HashSet<String>>>;

impl Leases {
    /// Renews the leases four times in each.
    ///
    /// # Errors
    /// If no thread can be started.
    pub(super) fn renew(engine: Arc<dyn Engine>, worker: String, lease: Duration) -> Result<Self, QueueError> {
        let (names, home) = (Names::default(), Home::new()?);
        let renewed = Arc::clone(&names);
        home.runtime.spawn(async move { renew_all(engine.as_ref(), &worker, lease, &renewed).await });
        Ok(Self { names, _home: home })
    }

    pub(super) fn insert(&self, name: String) {
        lock(&self.names).insert(name);
    }

    pub(super) fn remove(&self, name: &str) {
        lock(&self.names).remove(name);
    }

    pub(super) fn contains(&self, name: &str) -> bool {
        lock(&self.names).contains(name)
    }

    pub(super) fn names(&self) -> Vec<String> {
        all(&self.names)
    }
}

async fn renew_all(engine: &dyn Engine, worker: &str, lease: Duration, names: &Names) {
    let period = lease / 4;
    loop {
        sleep(period).await;
        let names = all(names);
        if names.is_empty() {
            continue;
        }
        let renewed = timeout(period, engine.renew(worker, &names, lease)).await;
        if let Err(error) = QueueError::in_time("renewing leases", renewed) {
            tracing::warn!(
                "the leases of {} running jobs were not renewed, and are tried again: {}",
                names.len(),
                error.about(engine.describe())
            );
        }
    }
}

fn all(names: &Names) -> Vec<String> {
    lock(names).iter().cloned().collect()
}

fn lock(names: &Names) -> MutexGuard<'_, HashSet<String>> {
    names.lock().unwrap_or_else(PoisonError::into_inner)
}
