//! Stores deliveries that arrive together in one transaction. Knows no database and no handler.

use std::{
    collections::VecDeque,
    pin::pin,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::future::{Either, select};
use tokio::{sync::oneshot, task::yield_now, time::timeout};

use super::{Job, QueueError, storage::Engine};

/// How long one transaction may take.
const LIMIT: Duration = Duration::from_secs(10);

/// How many jobs one transaction stores, at most. Larger ones are no faster.
const MOST_JOBS: usize = 128;

/// How many bytes the bodies of one transaction have, about.
const MOST_BYTES: usize = 4 << 20;

/// The deliveries that wait to be stored. While one of them writes for all, further ones gather,
/// and the next of them writes those: no task runs in the background, and a delivery that comes
/// alone waits for no other.
#[derive(Default)]
pub(super) struct GroupCommit {
    waiting: Mutex<VecDeque<Waiting>>,
    writing: tokio::sync::Mutex<()>,
}

/// The jobs of one delivery.
struct Waiting {
    jobs: Vec<Job>,
    report: oneshot::Sender<Result<(), QueueError>>,
}

impl GroupCommit {
    /// Stores the jobs of one delivery.
    ///
    /// # Errors
    /// If they were not stored, or not within the time limit of a transaction. A failure of other
    /// deliveries' jobs is no error.
    pub(super) async fn store(&self, engine: &dyn Engine, jobs: Vec<Job>) -> Result<(), QueueError> {
        // Again if another delivery was writing for this one and ended before it reported, because
        // its client went away.
        loop {
            let (report, mut reported) = oneshot::channel();
            self.waiting().push_back(Waiting { jobs: jobs.clone(), report });
            loop {
                match select(&mut reported, pin!(self.writing.lock())).await {
                    Either::Left((Ok(result), _)) => return result,
                    Either::Left((Err(_), _)) => break,
                    // Its turn to write, perhaps without its own jobs, if many have waited longer.
                    Either::Right((_turn, _)) => self.write(engine).await,
                }
            }
        }
    }

    /// Writes the jobs of those that have waited longest.
    async fn write(&self, engine: &dyn Engine) {
        // Lets those that are about to wait join this batch.
        yield_now().await;
        let batch = self.next_batch();
        // Another has stored all that waited.
        if batch.is_empty() {
            return;
        }
        let jobs: Vec<_> = batch.iter().flat_map(|waiting| waiting.jobs.iter().cloned()).collect();
        match store(engine, &jobs).await {
            // The storage refused one of the jobs, so store each delivery alone.
            Err(error) if error.is_refusal() && batch.len() > 1 => {
                for waiting in batch {
                    let stored = store(engine, &waiting.jobs).await;
                    let _ = waiting.report.send(stored);
                }
            }
            // One that has gone away needs no report.
            stored => batch.into_iter().for_each(|waiting| drop(waiting.report.send(stored.clone()))),
        }
    }

    fn next_batch(&self) -> Vec<Waiting> {
        let mut waiting = self.waiting();
        let (mut batch, mut jobs, mut bytes) = (Vec::new(), 0, 0);
        while let Some(next) = waiting.front() {
            jobs += next.jobs.len();
            bytes += next.jobs.iter().map(|job| job.body.len()).sum::<usize>();
            if !batch.is_empty() && (jobs > MOST_JOBS || bytes > MOST_BYTES) {
                break;
            }
            batch.extend(waiting.pop_front());
        }
        batch
    }

    fn waiting(&self) -> MutexGuard<'_, VecDeque<Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn store(engine: &dyn Engine, jobs: &[Job]) -> Result<(), QueueError> {
    let stored = QueueError::in_time("storing a delivery", timeout(LIMIT, engine.store(jobs)).await);
    stored.map_err(|error| error.about(engine.describe()))
}
