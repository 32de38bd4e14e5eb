//! The result of a run: counts what the journal records, and prints it.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fmt,
    time::Duration,
};

use uuid::Uuid;

use crate::{application::HANDLERS, journal::Success};

/// How many milliseconds it may take to record the end of a handler's run: a failed storage needs
/// time to return, and a small machine is slow.
const RECORDED_WITHIN: u64 = 5000;

/// The result of one run.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) storage: String,
    pub(crate) took: Duration,
    pub(crate) kills: usize,
    /// How many starts of the application failed because of the storage.
    pub(crate) failed_starts: usize,
    pub(crate) storage_failures: usize,
    pub(crate) events: usize,
    /// How many attempts got each status; `None` counts attempts without an answer.
    pub(crate) answers: BTreeMap<Option<u16>, usize>,
    pub(crate) acknowledged: usize,
    pub(crate) completed: usize,
    pub(crate) dead: usize,
    /// How many jobs of acknowledged deliveries were never completed, and are not dead.
    pub(crate) lost: usize,
    /// How many jobs ran again although their success was recorded, or should have been.
    pub(crate) repeated: usize,
    /// How many jobs ran again since the process was killed before it recorded their success.
    pub(crate) repeated_after_kill: usize,
    /// How many jobs ran again since the storage failed to record their success, and the process
    /// that knew of the success was killed.
    pub(crate) repeated_after_failure: usize,
}

/// The numbers from the journal.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) completed: HashSet<(Uuid, u8)>,
    pub(crate) repeated: usize,
    pub(crate) repeated_after_kill: usize,
    pub(crate) repeated_after_failure: usize,
}

/// Counts the jobs that completed and that ran again. `ends` has the times when each life of the
/// application ended, `failures` the times when the storage failed, in milliseconds since 1970.
pub(crate) fn tally(successes: &[Success], ends: &[u64], failures: &[u64]) -> Tally {
    let mut tally = Tally::default();
    let mut last: HashMap<(Uuid, u8), Success> = HashMap::new();
    for success in successes {
        let job = (success.uuid, success.handler);
        if let Some(before) = last.insert(job, *success) {
            let ended = ends.get(before.life).filter(|_| before.life != success.life);
            let soon_after = |at: &u64| (before.at..before.at + RECORDED_WITHIN).contains(at);
            match ended {
                Some(at) if soon_after(at) => tally.repeated_after_kill += 1,
                Some(_) if failures.iter().any(soon_after) => tally.repeated_after_failure += 1,
                _ => tally.repeated += 1,
            }
        }
        tally.completed.insert(job);
    }
    tally
}

/// The jobs of the events about these files.
pub(crate) fn jobs(uuids: &HashSet<Uuid>) -> impl Iterator<Item = (Uuid, u8)> + '_ {
    uuids.iter().flat_map(|uuid| (0..HANDLERS).map(move |handler| (*uuid, handler)))
}

impl Report {
    pub(crate) fn is_good(&self) -> bool {
        self.lost == 0 && self.repeated == 0
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { storage, took, kills, storage_failures, failed_starts, events, answers, .. } = self;
        write!(f, "{storage}: {events} events in {took:.1?}, {kills} kills, {storage_failures} storage failures")?;
        writeln!(f, ", {failed_starts} failed starts because of them")?;
        writeln!(f, "  {:>6} attempts to deliver, with these answers", answers.values().sum::<usize>())?;
        for (status, number) in answers {
            let status = status.map_or("no answer".to_owned(), |status| status.to_string());
            writeln!(f, "  {number:>13} {status}")?;
        }
        writeln!(f, "  {:>6} events acknowledged", self.acknowledged)?;
        writeln!(f, "  {:>6} jobs completed, {HANDLERS} for each event", self.completed)?;
        writeln!(f, "  {:>6} dead jobs", self.dead)?;
        writeln!(f, "  {:>6} jobs lost", self.lost)?;
        writeln!(f, "  {:>6} jobs ran again after success", self.repeated)?;
        writeln!(f, "  {:>6} jobs ran again since a kill came before the record of success", self.repeated_after_kill)?;
        write!(
            f,
            "  {:>6} jobs ran again since the record of success failed, and a kill followed",
            self.repeated_after_failure
        )
    }
}
