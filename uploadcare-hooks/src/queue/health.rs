//! Whether a queue is being worked on: counts of its jobs, and a warning where no worker runs.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use super::{QueueError, dispatch::Queue};
use crate::router::WebhookRouter;

/// How long the oldest due job may wait before an application without a worker is warned, and how
/// often that is looked at.
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
    /// counts them with an index, and does not read them.
    ///
    /// # Errors
    /// If the router has no queue, or the storage fails.
    pub async fn queue_stats(&self) -> Result<QueueStats, QueueError> {
        Queue::required(self)?.engine().stats().await
    }
}

/// The workers of this process.
#[derive(Debug, Default)]
pub(super) struct Workers {
    running: AtomicUsize,
    /// When a router without a worker first stored a delivery, or looked at its queue.
    looked: Mutex<Option<Instant>>,
}

/// A worker that runs. It ends when this is dropped.
pub(super) struct RunningWorker<'a>(&'a Workers);

impl Workers {
    pub(super) fn start(&self) -> RunningWorker<'_> {
        self.running.fetch_add(1, Ordering::SeqCst);
        RunningWorker(self)
    }

    /// Whether it is time to look if any worker takes the jobs that this process stores.
    fn must_look(&self) -> bool {
        if self.running.load(Ordering::SeqCst) > 0 {
            return false;
        }
        let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        let due = looked.is_some_and(|looked| looked.elapsed() >= PATIENCE);
        if due || looked.is_none() {
            *looked = Some(Instant::now());
        }
        due
    }
}

impl Drop for RunningWorker<'_> {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Queue {
    /// Warns once a minute if no worker takes the jobs, neither in this process nor in another.
    pub(super) async fn warn_without_worker(&self) {
        if !self.workers.must_look() {
            return;
        }
        // A storage that fails is reported by the deliveries that it does not store.
        if let Ok(stats) = self.engine().stats().await
            && let Some(oldest) = stats.oldest_due.filter(|oldest| *oldest >= PATIENCE)
        {
            tracing::warn!(
                "no worker takes the jobs of the queue: {} are due, the oldest for {oldest:.0?}. Start one with \
                 `tokio::spawn(hooks.run_worker(stop))`, here or in another process",
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
            .ok_or_else(|| QueueError::new("this router has no queue: give its builder one with `.queue(..)`"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_looks_for_workers_after_a_minute_and_not_while_it_runs_one() {
        let workers = Workers::default();
        let a_minute_ago = || *workers.looked.lock().unwrap() = Instant::now().checked_sub(PATIENCE);
        assert!(!workers.must_look(), "a worker may start soon");
        assert!(!workers.must_look());
        a_minute_ago();
        assert!(workers.must_look());
        assert!(!workers.must_look());
        a_minute_ago();
        let running = workers.start();
        assert!(!workers.must_look());
        drop(running);
        assert!(workers.must_look());
    }
}
