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
        let (engine, group) = (Choosy::default(), GroupCommit::default());
        let body = Bytes::from_static(b"{}");
        let store = |number: u8| {
            let id = DeliveryId::from_bytes(&[number]);
            let handler = if number == 7 { "bad" } else { "good" };
            group.store(&engine, vec![Job::new(handler, id, id, "file.stored".into(), &body)])
        };
        let stored = join_all((0..10).map(store)).await;
        let failed: Vec<_> = stored.iter().enumerate().filter(|(_, stored)| stored.is_err()).collect();
        assert!(matches!(failed.as_slice(), [(7, _)]), "{failed:?}");
        let transactions = engine.transactions.lock().unwrap_or_else(PoisonError::into_inner).clone();
        // One of all, which is refused, and then each alone.
        assert_eq!(transactions, [10, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]);
    }
}
