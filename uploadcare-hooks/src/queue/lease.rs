//! Renews the leases of a worker's running jobs, in a thread of its own: a handler that blocks the
//! worker's thread must not cost it its jobs.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use tokio::{
    runtime::Builder,
    sync::oneshot,
    time::{sleep, timeout},
};

use super::{QueueError, storage::Engine};

/// The jobs of a worker that run, or have ended and are not recorded yet. Their leases are renewed
/// until this is dropped.
pub(super) struct Leases {
    names: Names,
    _stop: oneshot::Sender<()>,
}

type Names = Arc<Mutex<HashSet<String>>>;

impl Leases {
    /// Renews the leases four times in each.
    ///
    /// # Errors
    /// If no thread can be started.
    pub(super) fn renew(engine: Arc<dyn Engine>, worker: String, lease: Duration) -> Result<Self, QueueError> {
        let failed = |error: std::io::Error| QueueError::new(format!("no thread could be started: {error}"));
        let (names, (stop, stopped)) = (Names::default(), oneshot::channel::<()>());
        let renewed = Arc::clone(&names);
        let runtime = Builder::new_current_thread().enable_time().build().map_err(failed)?;
        let run = move || {
            runtime.block_on(async move {
                let renew = renew_all(engine.as_ref(), &worker, lease, &renewed);
                tokio::select! {
                    _ = stopped => {}
                    () = renew => {}
                }
            });
        };
        thread::Builder::new().name("uploadcare-hooks leases".to_owned()).spawn(run).map_err(failed)?;
        Ok(Self { names, _stop: stop })
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
        lock(&self.names).iter().cloned().collect()
    }
}

async fn renew_all(engine: &dyn Engine, worker: &str, lease: Duration, names: &Names) {
    let period = lease / 4;
    loop {
        sleep(period).await;
        let names: Vec<_> = lock(names).iter().cloned().collect();
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

fn lock(names: &Names) -> MutexGuard<'_, HashSet<String>> {
    names.lock().unwrap_or_else(PoisonError::into_inner)
}
