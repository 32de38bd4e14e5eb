//! What a queue asks of its storage. Knows no database and no handler.

use std::{any::Any, fmt, sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;

use super::{Job, QueueError, QueueStats, dead::Search};

/// Where a queue keeps its jobs: an opened SQLite file, PostgreSQL database or Redis server.
///
/// Clones share it. Give it to [`WebhookRouterBuilder::queue`](crate::WebhookRouterBuilder::queue).
#[derive(Clone)]
pub struct Storage(pub(super) Arc<dyn Engine>);

impl Storage {
    pub(super) fn new(engine: impl Engine) -> Self {
        Self(Arc::new(engine))
    }
}

impl fmt::Debug for Storage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Storage({})", self.0.describe())
    }
}

/// One attempt that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Failure {
    /// The number of the attempt, counted from 1.
    pub attempt: u32,
    /// How often the job had been [run again](crate::WebhookRouter::run_again) before.
    #[serde(default)]
    pub run: u32,
    /// When it ended.
    pub at: Timestamp,
    /// What the handler said, or why the job could not be started.
    pub error: String,
}

/// A job that a worker has taken out. No other worker takes it until its lease ends.
#[derive(Debug, Clone)]
pub(super) struct Taken {
    pub(super) job: Job,
    /// How often it was taken out, this time included.
    pub(super) attempt: u32,
    pub(super) failures: Vec<Failure>,
}

impl From<Found> for Taken {
    fn from(Found { job, attempts, failures, .. }: Found) -> Self {
        Self { job, attempt: attempts, failures }
    }
}

/// How an attempt ended.
#[derive(Debug, Clone)]
pub(super) struct Ended {
    /// The job's name.
    pub(super) name: String,
    pub(super) end: End,
}

/// What becomes of a job after an attempt.
#[derive(Debug, Clone)]
pub(super) enum End {
    Done,
    /// It is tried again after this delay.
    Again(Attempts, Duration),
    Dead(Attempts),
}

/// The attempts of a job so far.
#[derive(Debug, Clone)]
pub(super) struct Attempts {
    /// How many of them started.
    pub(super) started: u32,
    pub(super) failures: Vec<Failure>,
}

/// A worker's turn at the storage: what ended, and how many jobs it can start now.
#[derive(Debug, Clone, Copy)]
pub(super) struct Turn<'a> {
    /// The name of the worker's start, which no other has.
    pub(super) worker: &'a str,
    pub(super) ended: &'a [Ended],
    pub(super) most: usize,
    /// For how long no other worker takes these jobs.
    pub(super) lease: Duration,
}

/// A job that waits for its next attempt, or is dead.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) job: Job,
    pub(super) attempts: u32,
    pub(super) failures: Vec<Failure>,
    /// When it is due, or died: milliseconds since 1970.
    pub(super) at: i64,
}

/// What an administrator decides about a dead job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    RunAgain,
    /// From then on the job is done.
    Discard,
}

/// A storage. Each call is one transaction, and may be made again after it failed.
///
/// Jobs are known by their name. A job is waiting, running, dead or done. A done one
/// is kept without its body, so that a redelivery is recognised. Time is that of the storage, as
/// machines may disagree.
pub(super) trait Engine: Any + Send + Sync {
    /// The kind of storage, where it is and the name of the queue, without passwords.
    fn describe(&self) -> String;

    /// Why [`run_worker`](crate::WebhookRouter::run_worker) cannot run its jobs, if it cannot.
    fn runs_nothing(&self) -> Option<QueueError> {
        None
    }

    /// The runtime of the storage's own thread, if it has one.
    fn runtime(&self) -> Option<Handle> {
        None
    }

    /// The time to note at deliveries and failures. Each storage decides by its own time when a job
    /// is due.
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    /// Whether all its calls are ready at once, and so need no task and no timer.
    fn never_waits(&self) -> bool {
        false
    }

    /// Stores jobs. Skips each one whose name is stored already.
    fn store<'a>(&'a self, jobs: &'a [Job]) -> BoxFuture<'a, Result<(), QueueError>>;

    /// Records what ended and takes out jobs that are due, the longest due first. A running job
    /// whose lease has ended is due as well. Taking a job out counts as an attempt, except if the
    /// same worker took it out before: then the answer was lost, and the job did not start. An end
    /// other than `Done` is recorded only if no other worker has taken the job.
    fn turn<'a>(&'a self, turn: Turn<'a>) -> BoxFuture<'a, Result<Vec<Taken>, QueueError>>;

    /// Renews the lease of these running jobs of the worker.
    fn renew<'a>(
        &'a self,
        worker: &'a str,
        running: &'a [String],
        lease: Duration,
    ) -> BoxFuture<'a, Result<(), QueueError>>;

    /// Makes the worker's other running jobs due again. They never started, because the answer that
    /// gave them to the worker was lost, so that attempt does not count.
    fn hand_back<'a>(&'a self, worker: &'a str, running: &'a [String]) -> BoxFuture<'a, Result<(), QueueError>>;

    /// Finds waiting jobs that failed before, or dead jobs, latest first.
    fn find<'a>(&'a self, search: &'a Search) -> BoxFuture<'a, Result<Vec<Found>, QueueError>>;

    /// Carries out a verdict on dead jobs, each given by its name and the time of its death.
    /// Passes over those that are no longer dead, or died again since. Returns how many it changed.
    fn decide<'a>(&'a self, dead: &'a [(String, i64)], verdict: Verdict) -> BoxFuture<'a, Result<u64, QueueError>>;

    /// Counts the jobs.
    fn stats(&self) -> BoxFuture<'_, Result<QueueStats, QueueError>>;

    /// Removes jobs that have been done for longer than this, at most so many. Returns how many it
    /// removed.
    fn clean(&self, keep: Duration, most: u32) -> BoxFuture<'_, Result<u64, QueueError>>;
}

/// The failures of a job as JSON, as storages keep them.
pub(super) fn failures_to_json(failures: &[Failure]) -> String {
    serde_json::to_string(failures).unwrap_or_default()
}

/// Reads what [`failures_to_json`] wrote. Failures are for people to read, so a text that cannot be
/// parsed becomes an empty list, and the job runs.
pub(super) fn failures_from_json(json: &str) -> Vec<Failure> {
    serde_json::from_str(json).unwrap_or_default()
}

/// Milliseconds, as storages count time. At most some thousand years, so that sums do not overflow
/// and Lua's numbers hold them.
pub(super) fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX).min(1 << 50)
}
