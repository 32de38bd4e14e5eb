//! A queue in memory, for tests: it keeps the promises of the other storages, but ends with its
//! process. Knows no handler and no clock.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use jiff::Timestamp;

use super::{
    Failure, Job, QueueError, QueueStats, Storage,
    dead::Search,
    storage::{Attempts, End, Ended, Engine, Found, Taken, Turn, Verdict, milliseconds},
};

/// The jobs of one queue.
pub(crate) struct Memory {
    jobs: Mutex<Jobs>,
    /// How many jobs it was ever given.
    given: AtomicU64,
    /// The runs that were dropped before they ended, as a process that died leaves them.
    abandoned: Mutex<BTreeSet<String>>,
    now: Box<dyn Fn() -> Timestamp + Send + Sync>,
}

/// By their names.
type Jobs = BTreeMap<String, Row>;

struct Row {
    /// How many jobs were given before it. Of those that are due at one time, the oldest runs
    /// first.
    position: u64,
    job: Job,
    state: State,
    /// Milliseconds since 1970, as all times here. Of a running job: when its lease ends.
    due_at: i64,
    attempts: u32,
    failures: Vec<Failure>,
}

#[derive(PartialEq, Eq)]
enum State {
    Waiting,
    /// By the worker of this name.
    Running(String),
    /// Since then.
    Dead(i64),
    /// Since then.
    Done(i64),
}

impl Row {
    /// Whether it waits or runs: what becomes due.
    fn is_open(&self) -> bool {
        matches!(self.state, State::Waiting | State::Running(_))
    }

    fn is_due(&self, now: i64) -> bool {
        self.is_open() && self.due_at <= now
    }

    fn is_run_by(&self, worker: &str) -> bool {
        matches!(&self.state, State::Running(by) if by == worker)
    }

    /// Keeps it without its body, so that a redelivery is recognised.
    fn finish(&mut self, now: i64) {
        self.state = State::Done(now);
        self.failures.clear();
        self.job.body = Bytes::new();
    }

    /// Records an attempt that failed.
    fn fail(&mut self, attempts: &Attempts, state: State, due_at: i64) {
        (self.attempts, self.failures) = (attempts.started, attempts.failures.clone());
        (self.state, self.due_at) = (state, due_at);
    }

    fn take(&mut self, worker: &str, until: i64) -> Taken {
        // A worker that takes a job twice never learnt that it had it.
        if !self.is_run_by(worker) {
            self.attempts += 1;
        }
        self.state = State::Running(worker.to_owned());
        self.due_at = until;
        Taken { job: self.job.clone(), attempt: self.attempts, failures: self.failures.clone() }
    }

    fn found(&self, at: i64) -> Found {
        Found { job: self.job.clone(), attempts: self.attempts, failures: self.failures.clone(), at }
    }
}

impl Memory {
    /// An empty queue that reads the time with this function.
    pub(crate) fn new(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self { jobs: Mutex::default(), given: AtomicU64::default(), abandoned: Mutex::default(), now: Box::new(now) }
    }

    pub(crate) fn storage(self: &Arc<Self>) -> Storage {
        let engine: Arc<dyn Engine> = Arc::<Self>::clone(self);
        Storage(engine)
    }

    /// The jobs that wait, the next due first.
    pub(super) fn waiting(&self) -> Vec<Found> {
        let jobs = self.lock();
        let waiting = in_order(&jobs).into_iter().filter(|row| row.state == State::Waiting);
        waiting.map(|row| row.found(row.due_at)).collect()
    }

    /// The names of the jobs that are due, the longest due first.
    pub(super) fn due(&self) -> Vec<String> {
        let (jobs, now) = (self.lock(), self.milliseconds());
        let due = in_order(&jobs).into_iter().filter(|row| row.is_due(now));
        due.map(|row| row.job.name.clone()).collect()
    }

    /// When the next job is due that waits, or whose run was dropped: milliseconds since 1970.
    pub(crate) fn next_due(&self) -> Option<i64> {
        let abandoned = self.abandoned();
        let comes_due = |row: &&Row| match &row.state {
            State::Waiting => true,
            State::Running(worker) => abandoned.contains(worker),
            State::Dead(_) | State::Done(_) => false,
        };
        self.lock().values().filter(comes_due).map(|row| row.due_at).min()
    }

    /// Notes that a worker was dropped, so that nothing renews its leases.
    pub(super) fn abandon(&self, worker: &str) {
        self.abandoned().insert(worker.to_owned());
    }

    fn abandoned(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.abandoned.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes out this job if it is due.
    pub(super) fn take(&self, name: &str, worker: &str, lease: Duration) -> Option<Taken> {
        let (mut jobs, now) = (self.lock(), self.milliseconds());
        let row = jobs.get_mut(name).filter(|row| row.is_due(now))?;
        Some(row.take(worker, now + milliseconds(lease)))
    }

    /// Records what ended, as [`Engine::turn`] does.
    pub(super) fn record(&self, worker: &str, ended: &[Ended]) {
        let (mut jobs, now) = (self.lock(), self.milliseconds());
        for Ended { name, end } in ended {
            let Some(row) = jobs.get_mut(name) else { continue };
            match end {
                End::Done if row.is_open() => row.finish(now),
                End::Again(attempts, delay) if row.is_run_by(worker) => {
                    row.fail(attempts, State::Waiting, now + milliseconds(*delay));
                }
                End::Dead(attempts) if row.is_run_by(worker) => row.fail(attempts, State::Dead(now), now),
                _ => {}
            }
        }
    }

    fn store_all(&self, new: &[Job]) {
        let (mut jobs, due_at) = (self.lock(), self.milliseconds());
        for job in new {
            let position = self.given.fetch_add(1, Ordering::Relaxed);
            jobs.entry(job.name.clone()).or_insert_with(|| Row {
                position,
                job: job.clone(),
                state: State::Waiting,
                due_at,
                attempts: 0,
                failures: Vec::new(),
            });
        }
    }

    fn search(&self, search: &Search) -> Vec<Found> {
        let jobs = self.lock();
        let mut found: Vec<_> = jobs
            .values()
            .filter_map(|row| match row.state {
                State::Dead(died) if search.dead => Some(row.found(died)),
                State::Waiting if !search.dead && !row.failures.is_empty() => Some(row.found(row.due_at)),
                _ => None,
            })
            .filter(|found| search.handler.as_ref().is_none_or(|handler| *handler == found.job.handler))
            .filter(|found| search.event.as_ref().is_none_or(|event| event == found.job.event.as_str()))
            .filter(|found| search.before.as_ref().is_none_or(|(at, name)| (found.at, &found.job.name) < (*at, name)))
            .collect();
        found.sort_by(|one, other| (other.at, &other.job.name).cmp(&(one.at, &one.job.name)));
        found.truncate(usize::try_from(search.most).unwrap_or(usize::MAX));
        found
    }

    fn decide_all(&self, dead: &[(String, i64)], verdict: Verdict) -> u64 {
        let (mut jobs, now, mut changed) = (self.lock(), self.milliseconds(), 0);
        for (name, died) in dead {
            let Some(row) = jobs.get_mut(name).filter(|row| row.state == State::Dead(*died)) else { continue };
            match verdict {
                Verdict::RunAgain => {
                    (row.state, row.due_at, row.attempts) = (State::Waiting, now, 0);
                    row.job.run += 1;
                }
                Verdict::Discard => row.finish(now),
            }
            changed += 1;
        }
        changed
    }

    fn count(&self) -> QueueStats {
        let (jobs, now) = (self.lock(), self.milliseconds());
        let (mut waiting, mut running, mut scheduled, mut dead) = (0, 0, 0, 0);
        for row in jobs.values() {
            match row.state {
                State::Waiting | State::Running(_) if row.due_at <= now => waiting += 1,
                State::Running(_) => running += 1,
                State::Waiting => scheduled += 1,
                State::Dead(_) => dead += 1,
                State::Done(_) => {}
            }
        }
        let oldest = jobs.values().filter(|row| row.is_due(now)).map(|row| row.due_at).min();
        QueueStats::of((waiting, running, scheduled, dead, oldest), now)
    }

    /// Removes jobs that have been done for longer than this, at most so many.
    pub(super) fn forget_done(&self, keep: Duration, most: u32) -> u64 {
        let (mut jobs, before) = (self.lock(), self.milliseconds() - milliseconds(keep));
        let is_old = |row: &Row| matches!(row.state, State::Done(at) if at < before);
        let old = jobs.iter().filter(|(_, row)| is_old(row)).map(|(name, _)| name.clone());
        let old: Vec<_> = old.take(usize::try_from(most).unwrap_or(usize::MAX)).collect();
        old.iter().for_each(|name| drop(jobs.remove(name)));
        old.len() as u64
    }

    fn milliseconds(&self) -> i64 {
        (self.now)().as_millisecond()
    }

    fn lock(&self) -> MutexGuard<'_, Jobs> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// In the order in which they are due.
fn in_order(jobs: &Jobs) -> Vec<&Row> {
    let mut rows: Vec<_> = jobs.values().collect();
    rows.sort_by_key(|row| (row.due_at, row.position));
    rows
}

impl Engine for Memory {
    fn describe(&self) -> String {
        "memory".to_owned()
    }

    fn now(&self) -> Timestamp {
        (self.now)()
    }

    fn never_waits(&self) -> bool {
        true
    }

    fn store<'a>(&'a self, jobs: &'a [Job]) -> BoxFuture<'a, Result<(), QueueError>> {
        Box::pin(async move {
            self.store_all(jobs);
            Ok(())
        })
    }

    fn turn<'a>(&'a self, turn: Turn<'a>) -> BoxFuture<'a, Result<Vec<Taken>, QueueError>> {
        Box::pin(async move {
            self.record(turn.worker, turn.ended);
            let due = self.due().into_iter().take(turn.most);
            Ok(due.filter_map(|name| self.take(&name, turn.worker, turn.lease)).collect())
        })
    }

    fn renew<'a>(
        &'a self,
        worker: &'a str,
        running: &'a [String],
        lease: Duration,
    ) -> BoxFuture<'a, Result<(), QueueError>> {
        Box::pin(async move {
            let (mut jobs, until) = (self.lock(), self.milliseconds() + milliseconds(lease));
            let renewed = jobs.values_mut().filter(|row| row.is_run_by(worker) && running.contains(&row.job.name));
            renewed.for_each(|row| row.due_at = until);
            Ok(())
        })
    }

    fn hand_back<'a>(&'a self, worker: &'a str, running: &'a [String]) -> BoxFuture<'a, Result<(), QueueError>> {
        Box::pin(async move {
            let (mut jobs, now) = (self.lock(), self.milliseconds());
            // One whose lease has ended is due already, and its attempt counts.
            let unknown =
                |row: &&mut Row| row.due_at > now && row.is_run_by(worker) && !running.contains(&row.job.name);
            for row in jobs.values_mut().filter(unknown) {
                (row.state, row.due_at) = (State::Waiting, now);
                row.attempts = row.attempts.saturating_sub(1);
            }
            Ok(())
        })
    }

    fn find<'a>(&'a self, search: &'a Search) -> BoxFuture<'a, Result<Vec<Found>, QueueError>> {
        Box::pin(async move { Ok(self.search(search)) })
    }

    fn decide<'a>(&'a self, dead: &'a [(String, i64)], verdict: Verdict) -> BoxFuture<'a, Result<u64, QueueError>> {
        Box::pin(async move { Ok(self.decide_all(dead, verdict)) })
    }

    fn stats(&self) -> BoxFuture<'_, Result<QueueStats, QueueError>> {
        Box::pin(async move { Ok(self.count()) })
    }

    fn clean(&self, keep: Duration, most: u32) -> BoxFuture<'_, Result<u64, QueueError>> {
        Box::pin(async move { Ok(self.forget_done(keep, most)) })
    }
}
