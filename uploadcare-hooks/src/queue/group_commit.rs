//! Stores deliveries that arrive together in one transaction. Knows no database and no handler.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{runtime::Handle, sync::oneshot, time::timeout};

use super::{Job, QueueError, storage::Engine};

/// How long one transaction may take.
const LIMIT: Duration = Duration::from_secs(10);

/// How many jobs one transaction stores, at most. Larger ones are no faster.
const MOST_JOBS: usize = 128;

/// How many bytes the bodies of one transaction have, about.
const MOST_BYTES: usize = 4 << 20;

/// The deliveries that wait to be stored. The first of them starts a writer. While it writes,
/// further ones gather, and it goes on until none waits: a delivery that comes alone waits for no
/// other.
#[derive(Default)]
pub(super) struct GroupCommit(Arc<Mutex<Gathered>>);

#[derive(Default)]
struct Gathered {
    waiting: VecDeque<Waiting>,
    /// Whether a writer runs.
    writing: bool,
}

/// The jobs of one delivery.
struct Waiting {
    jobs: Vec<Job>,
    report: oneshot::Sender<Result<(), QueueError>>,
}

impl GroupCommit {
    /// Stores the jobs of one delivery. They may be stored if this is dropped.
    ///
    /// # Errors
    /// If they were not stored, or not within the time limit of a transaction. A failure of other
    /// deliveries' jobs is no error.
    pub(super) async fn store(&self, engine: &Arc<dyn Engine>, jobs: Vec<Job>) -> Result<(), QueueError> {
        if engine.never_waits() {
            return engine.store(&jobs).await;
        }
        let (report, reported) = oneshot::channel();
        let is_first = {
            let mut gathered = lock(&self.0);
            gathered.waiting.push_back(Waiting { jobs, report });
            !std::mem::replace(&mut gathered.writing, true)
        };
        if is_first {
            let writer = Writer { gathered: Arc::clone(&self.0), engine: Arc::clone(engine), ended: false };
            // In the storage's own thread: this one may be blocked by others while it writes.
            match engine.runtime().or_else(|| Handle::try_current().ok()) {
                Some(runtime) => drop(runtime.spawn(writer.write_all())),
                None => writer.write_all().await,
            }
        }
        reported.await.unwrap_or_else(|_| Err(QueueError::new("its thread has ended")))
    }
}

/// Writes until no delivery waits.
struct Writer {
    gathered: Arc<Mutex<Gathered>>,
    engine: Arc<dyn Engine>,
    ended: bool,
}

impl Writer {
    async fn write_all(mut self) {
        while let Some(batch) = self.next_batch() {
            self.write(batch).await;
        }
    }

    async fn write(&self, batch: Vec<Waiting>) {
        let jobs: Vec<_> = batch.iter().flat_map(|waiting| waiting.jobs.iter().cloned()).collect();
        match self.store(&jobs).await {
            // The storage refused one of the jobs, so store each delivery alone.
            Err(error) if error.is_refusal() && batch.len() > 1 => {
                for waiting in batch {
                    let stored = self.store(&waiting.jobs).await;
                    let _ = waiting.report.send(stored);
                }
            }
            // One that has gone away needs no report.
            stored => batch.into_iter().for_each(|waiting| drop(waiting.report.send(stored.clone()))),
        }
    }

    async fn store(&self, jobs: &[Job]) -> Result<(), QueueError> {
        let stored = QueueError::in_time("storing a delivery", timeout(LIMIT, self.engine.store(jobs)).await);
        stored.map_err(|error| error.about(self.engine.describe()))
    }

    /// Those that have waited longest. The writer ends if there are none.
    fn next_batch(&mut self) -> Option<Vec<Waiting>> {
        let mut gathered = lock(&self.gathered);
        let (mut batch, mut jobs, mut bytes) = (Vec::new(), 0, 0);
        while let Some(next) = gathered.waiting.front() {
            jobs += next.jobs.len();
            bytes += next.jobs.iter().map(|job| job.body.len()).sum::<usize>();
            if !batch.is_empty() && (jobs > MOST_JOBS || bytes > MOST_BYTES) {
                break;
            }
            batch.extend(gathered.waiting.pop_front());
        }
        if batch.is_empty() {
            gathered.writing = false;
            self.ended = true;
            return None;
        }
        Some(batch)
    }
}

/// A writer that ends early, with its runtime or in a panic, lets those that wait fail, and the
/// next delivery starts another.
impl Drop for Writer {
    fn drop(&mut self) {
        if !self.ended {
            let mut gathered = lock(&self.gathered);
            gathered.writing = false;
            gathered.waiting.clear();
        }
    }
}

fn lock(gathered: &Mutex<Gathered>) -> MutexGuard<'_, Gathered> {
    gathered.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use futures_util::future::{BoxFuture, join_all};

    use super::*;
    use crate::{
        delivery::DeliveryId,
        queue::{
            QueueStats,
            dead::Search,
            storage::{Found, Taken, Turn, Verdict},
        },
    };

    /// Refuses every transaction with a job of the handler `bad`, and notes the sizes of all.
    #[derive(Default)]
    struct Choosy {
        transactions: Mutex<Vec<usize>>,
    }

    impl Engine for Choosy {
        fn describe(&self) -> String {
            "a test".to_owned()
        }

        fn store<'a>(&'a self, jobs: &'a [Job]) -> BoxFuture<'a, Result<(), QueueError>> {
            Box::pin(async {
                self.transactions.lock().unwrap_or_else(PoisonError::into_inner).push(jobs.len());
                tokio::time::sleep(Duration::from_millis(5)).await;
                let is_bad = jobs.iter().any(|job| job.handler() == "bad");
                if is_bad { Err(QueueError::new("it does not fit").refused()) } else { Ok(()) }
            })
        }

        fn turn<'a>(&'a self, _: Turn<'a>) -> BoxFuture<'a, Result<Vec<Taken>, QueueError>> {
            unused()
        }

        fn renew<'a>(&'a self, _: &'a str, _: &'a [String], _: Duration) -> BoxFuture<'a, Result<(), QueueError>> {
            unused()
        }

        fn hand_back<'a>(&'a self, _: &'a str, _: &'a [String]) -> BoxFuture<'a, Result<(), QueueError>> {
            unused()
        }

        fn find<'a>(&'a self, _: &'a Search) -> BoxFuture<'a, Result<Vec<Found>, QueueError>> {
            unused()
        }

        fn decide<'a>(&'a self, _: &'a [(String, i64)], _: Verdict) -> BoxFuture<'a, Result<u64, QueueError>> {
            unused()
        }

        fn stats(&self) -> BoxFuture<'_, Result<QueueStats, QueueError>> {
            unused()
        }

        fn clean(&self, _: Duration, _: u32) -> BoxFuture<'_, Result<u64, QueueError>> {
            unused()
        }
    }

    fn unused<T: Send + 'static>() -> BoxFuture<'static, Result<T, QueueError>> {
        Box::pin(async { Err(QueueError::new("not asked for")) })
    }

    #[tokio::test]
    async fn deliveries_that_arrive_together_are_stored_together_and_a_refusal_fails_only_its_own() {
        let (choosy, group) = (Arc::new(Choosy::default()), GroupCommit::default());
        let engine: Arc<dyn Engine> = Arc::clone(&choosy) as _;
        let body = Bytes::from_static(b"{}");
        let store = |number: u8| {
            let id = DeliveryId::from_bytes(&[number]);
            let handler = if number == 7 { "bad" } else { "good" };
            group.store(&engine, vec![Job::new(handler, id, id, "file.stored".into(), engine.now(), &body)])
        };
        let stored = join_all((0..10).map(store)).await;
        let failed: Vec<_> = stored.iter().enumerate().filter(|(_, stored)| stored.is_err()).collect();
        assert!(matches!(failed.as_slice(), [(7, _)]), "{failed:?}");
        let transactions = choosy.transactions.lock().unwrap_or_else(PoisonError::into_inner).clone();
        // One of all, which is refused, and then each alone.
        assert_eq!(transactions, [10, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]);
    }
}
