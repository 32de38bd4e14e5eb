//! Runs the jobs of a queue in memory when a test says so, in the test's own task. A worker does
//! the same with all storages by itself, and both leave it to `run.rs` what becomes of a job.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures_util::FutureExt;
use jiff::Timestamp;
use uuid::Uuid;

use super::{
    Failure, Job,
    dead::timestamp,
    dispatch::Queue,
    memory::Memory,
    run::{self, Fault},
    storage::{End, Ended, Found, Taken, milliseconds},
};
use crate::{
    handler::HandlerError,
    router::{WebhookRouter, contain},
};

/// A job that ran, from [`MemoryQueue::run_due`](crate::testing::MemoryQueue::run_due).
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Ran {
    /// The job, with its handler's name, its event and its delivery's id and body.
    pub job: Job,
    /// The number of the attempt, counted from 1.
    pub attempt: u32,
    /// How it ended.
    pub end: JobEnd,
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum JobEnd {
    /// The handler returned `Ok`.
    Done,
    /// The handler [discarded](HandlerError::discard) the job with this error. It is dead.
    Discarded {
        /// What the handler said.
        error: String,
    },
    /// The attempt failed, and the job waits for its next one.
    Retried {
        /// What the handler said, or why the job could not be started.
        error: String,
        /// When it is due.
        due: Timestamp,
    },
    /// The attempt failed and was the last. The job is dead.
    Dead {
        /// What the handler said, or why the job could not be started.
        error: String,
    },
}

/// A job that waits, from [`MemoryQueue::jobs`](crate::testing::MemoryQueue::jobs).
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct WaitingJob {
    /// The job, with its handler's name, its event and its delivery's id and body.
    pub job: Job,
    /// How many attempts started. 0 for a job that did not run yet.
    pub attempts: u32,
    /// The latest failures, oldest first.
    pub failures: Vec<Failure>,
    /// When it is due.
    pub due: Timestamp,
}

impl From<Found> for WaitingJob {
    fn from(found: Found) -> Self {
        let Found { job, attempts, failures, at } = found;
        Self { job, attempts, failures, due: timestamp(at) }
    }
}

impl Memory {
    /// The jobs that wait, the next due first.
    pub(crate) fn jobs(&self) -> Vec<WaitingJob> {
        self.waiting().into_iter().map(WaitingJob::from).collect()
    }

    /// Runs each job that is due now, once, the longest due first.
    ///
    /// # Panics
    /// If the router has another queue, or none: when it is called, so that the panic is at the
    /// caller's line.
    #[track_caller]
    pub(crate) fn run_due(self: &Arc<Self>, router: &WebhookRouter) -> impl Future<Output = Vec<Ran>> {
        let queue = self.queue_of(router);
        async move {
            self.forget_done(queue.options.retention, u32::MAX);
            let mut step = Step { router, queue, memory: self, worker: Uuid::new_v4().to_string(), has_ended: false };
            let mut ran = Vec::new();
            for name in self.due() {
                if let Some(taken) = self.take(&name, &step.worker, queue.options.lease) {
                    ran.push(step.run(taken).await);
                }
            }
            step.has_ended = true;
            ran
        }
    }

    #[track_caller]
    fn queue_of<'r>(&self, router: &'r WebhookRouter) -> &'r Queue {
        let is_this = |queue: &&Queue| std::ptr::addr_eq(Arc::as_ptr(&queue.storage.0), self);
        match Queue::of(router).filter(is_this) {
            Some(queue) => queue,
            None => panic!("this router's jobs are elsewhere: build it with `.queue(queue.storage())`"),
        }
    }
}

/// One call of [`Memory::run_due`], which is a worker for as long as it lasts.
struct Step<'a> {
    router: &'a WebhookRouter,
    queue: &'a Queue,
    memory: &'a Memory,
    worker: String,
    has_ended: bool,
}

impl Drop for Step<'_> {
    fn drop(&mut self) {
        if !self.has_ended {
            self.memory.abandon(&self.worker);
        }
    }
}

impl Step<'_> {
    /// Runs a job and records how it ended. If this is dropped meanwhile, the job is left as by a
    /// process that died.
    async fn run(&self, taken: Taken) -> Ran {
        let retries = &self.queue.options.retries;
        let attempt = run::attempt(self.router, &taken, retries, self.queue.engine());
        // What the handler itself does is contained, so a panic is one of its error.
        let (end, discarded) = AssertUnwindSafe(attempt).catch_unwind().await.unwrap_or_else(|panic| {
            let _ = contain(|| drop(panic));
            let fault = Fault::Failed(HandlerError::new("its error panicked"));
            (run::failed(&taken, fault, retries, self.now()), false)
        });
        let ended = Ended { name: taken.job.name.clone(), end };
        self.memory.record(&self.worker, std::slice::from_ref(&ended));
        let end = match ended.end {
            End::Done => JobEnd::Done,
            End::Dead(attempts) if discarded => JobEnd::Discarded { error: last_error(&attempts.failures) },
            End::Dead(attempts) => JobEnd::Dead { error: last_error(&attempts.failures) },
            End::Again(attempts, delay) => {
                JobEnd::Retried { error: last_error(&attempts.failures), due: self.due_after(delay) }
            }
        };
        Ran { job: taken.job, attempt: taken.attempt, end }
    }

    fn due_after(&self, delay: Duration) -> Timestamp {
        timestamp(self.now().as_millisecond().saturating_add(milliseconds(delay)))
    }

    fn now(&self) -> Timestamp {
        self.queue.engine().now()
    }
}

fn last_error(failures: &[Failure]) -> String {
    failures.last().map_or_else(String::new, |failure| failure.error.clone())
}
