//! Whether a queue is being worked on: counts of its jobs, and a warning where no worker runs.

use std::{
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    runtime::Handle,
    time::{sleep, timeout},
};

use super::{QueueError, dispatch::Queue};
use crate::{
    observe,
    router::{Core, WebhookRouter},
};

/// How often a process without a worker looks if others take its jobs. The oldest due job may have
/// waited for half of it.
const PATIENCE: Duration = Duration::from_secs(60);

/// How many jobs a queue has, from [`WebhookRouter::queue_stats`]. Jobs that are done do not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct QueueStats {
    /// Jobs that are due and wait for a worker.
    pub waiting: u64,
    /// Jobs that a worker is running.
    pub running: u64,
    /// Jobs that failed and wait for the time of their next attempt.
    pub scheduled: u64,
    /// Jobs that will not be tried again.
    pub dead: u64,
    /// For how long the oldest of the waiting jobs has been due; `None` if none waits. With enough
    /// workers it stays below a second or two, so an alert on it finds a worker that is missing,
    /// stuck or too slow.
    pub oldest_due: Option<Duration>,
}

impl QueueStats {
    /// From the counts in the order of the fields, and when the oldest was due: milliseconds since
    /// 1970, as `now`.
    pub(super) fn of(counts: (i64, i64, i64, i64, Option<i64>), now: i64) -> Self {
        let (waiting, running, scheduled, dead, oldest) = counts;
        let count = |count: i64| u64::try_from(count).unwrap_or_default();
        let oldest_due = oldest.map(|oldest| Duration::from_millis(count(now.saturating_sub(oldest))));
        Self {
            waiting: count(waiting),
            running: count(running),
            scheduled: count(scheduled),
            dead: count(dead),
            oldest_due,
        }
    }
}

impl WebhookRouter {
    /// Counts the jobs of the [queue](crate::queue), for health checks and dashboards. The storage
    /// counts them with an index, and does not read them. With the feature `metrics` this also sets
    /// the gauges of the queue, see [`observe`](crate::observe).
    ///
    /// # Errors
    /// If the router has no queue, or the storage fails.
    pub async fn queue_stats(&self) -> Result<QueueStats, QueueError> {
        Queue::required(self)?.stats().await
    }
}

/// The workers of this process.
#[derive(Debug, Default)]
pub(super) struct Workers {
    running: AtomicUsize,
    /// Whether a task looks if any worker takes the jobs that this process stores.
    watched: AtomicBool,
}

/// A worker that runs. It ends when this is dropped.
pub(super) struct RunningWorker<'a>(&'a Workers);

impl Workers {
    pub(super) fn start(&self) -> RunningWorker<'_> {
        self.running.fetch_add(1, Ordering::SeqCst);
        RunningWorker(self)
    }

    fn is_running(&self) -> bool {
        self.running.load(Ordering::SeqCst) > 0
    }
}

impl Drop for RunningWorker<'_> {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Has a task look from time to time if any worker takes the jobs that this process stores, while
/// it runs none itself.
pub(super) fn watch_for_workers(router: &WebhookRouter) {
    let Some(queue) = Queue::of(router) else { return };
    if queue.workers.is_running() || queue.workers.watched.swap(true, Ordering::SeqCst) {
        return;
    }
    // Not every executor is Tokio's. Without a task there is no warning.
    let Ok(runtime) = Handle::try_current() else { return };
    let watch = Watch(Arc::downgrade(&router.core));
    runtime.spawn(async move {
        loop {
            sleep(PATIENCE).await;
            let Some(router) = watch.router_without_worker() else { return };
            if let Some(queue) = Queue::of(&router) {
                queue.warn_if_late().await;
            }
        }
    });
}

/// A task that looks for workers. When it ends, the next delivery may start another.
struct Watch(Weak<Core>);

impl Watch {
    fn router_without_worker(&self) -> Option<WebhookRouter> {
        let router = WebhookRouter { core: self.0.upgrade()? };
        let is_running = Queue::of(&router).is_some_and(|queue| queue.workers.is_running());
        (!is_running).then_some(router)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if let Some(core) = self.0.upgrade()
            && let Some(queue) = Queue::of(&WebhookRouter { core })
        {
            queue.workers.watched.store(false, Ordering::SeqCst);
        }
    }
}

impl Queue {
    /// Counts the jobs, also for the metrics.
    pub(super) async fn stats(&self) -> Result<QueueStats, QueueError> {
        let stats = self.engine().stats().await.inspect_err(|_| observe::queue_not_counted())?;
        let QueueStats { waiting, running, scheduled, dead, oldest_due } = stats;
        observe::queue_counted([waiting, running, scheduled, dead], oldest_due);
        Ok(stats)
    }

    /// Counts the jobs for the metrics alone.
    pub(super) async fn sample(&self, limit: Duration) {
        match timeout(limit, self.stats()).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => tracing::debug!("the jobs of the queue were not counted: {error}"),
            Err(_) => {
                observe::queue_not_counted();
                tracing::debug!("the jobs of the queue were not counted within {limit:?}");
            }
        }
    }

    /// Warns if no worker takes the jobs, neither in this process nor in another.
    async fn warn_if_late(&self) {
        // A storage that fails is reported by the deliveries that it does not store.
        if let Ok(stats) = self.stats().await
            && let Some(oldest) = stats.oldest_due.filter(|oldest| *oldest >= PATIENCE / 2)
        {
            tracing::warn!(
                "no worker takes the jobs of the queue in {}: {} are due, the oldest for {oldest:.0?}. Start one with \
                 `tokio::spawn(hooks.run_worker(stop))`, here or in another process",
                self.engine().describe(),
                stats.waiting
            );
        }
    }

    /// The queue of this router.
    ///
    /// # Errors
    /// If it has none.
    pub(super) fn required(router: &WebhookRouter) -> Result<&Self, QueueError> {
        Self::of(router)
            .ok_or_else(|| QueueError::misused("this router has no queue: give its builder one with `.queue(..)`"))
    }
}
