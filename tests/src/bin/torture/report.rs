//! What came of it.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fmt,
    time::Duration,
};

use uuid::Uuid;

use crate::{application::HANDLERS, journal::Success};

/// How long the record of a handler's end may take, in milliseconds: a storage that fails is away for a while, and a small machine is slow.
const RECORDED_WITHIN: u64 = 5000;

/// What happened to the deliveries of one run.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) storage: String,
    pub(crate) took: Duration,
    pub(crate) kills: usize,
    /// Starts that the storage's failures spoiled.
    pub(crate) failed_starts: usize,
    pub(crate) storage_failures: usize,
    pub(crate) events: usize,
    /// How often each status was answered; `None` for no answer.
    pub(crate) answers: BTreeMap<Option<u16>, usize>,
    pub(crate) acknowledged: usize,
    pub(crate) completed: usize,
    pub(crate) dead: usize,
    /// Jobs of acknowledged deliveries that were never done, and are not dead.
    pub(crate) lost: usize,
    /// Done again although it was recorded, or should have been.
    pub(crate) repeated: usize,
    /// Done again since the process was killed between a handler's end and its record.
    pub(crate) repeated_after_kill: usize,
    /// Done again since the storage failed to record a handler's end, and the process that knew of it was killed.
    pub(crate) repeated_after_failure: usize,
}

/// What the journal says.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) completed: HashSet<(Uuid, u8)>,
    pub(crate) repeated: usize,
    pub(crate) repeated_after_kill: usize,
    pub(crate) repeated_after_failure: usize,
}

/// Counts what was done. `ends` says when each life of the application ended, `failures` when the storage failed, in milliseconds.
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

/// The jobs of these deliveries.
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
        writeln!(f, ", {failed_starts} starts spoiled by them")?;
        writeln!(f, "  {:>6} attempts to deliver, answered", answers.values().sum::<usize>())?;
        for (status, number) in answers {
            let status = status.map_or("not at all".to_owned(), |status| status.to_string());
            writeln!(f, "  {number:>13} {status}")?;
        }
        writeln!(f, "  {:>6} events acknowledged", self.acknowledged)?;
        writeln!(f, "  {:>6} jobs completed, of {HANDLERS} handlers each", self.completed)?;
        writeln!(f, "  {:>6} jobs dead, to be listed and run again", self.dead)?;
        writeln!(f, "  {:>6} lost", self.lost)?;
        writeln!(f, "  {:>6} run again after success", self.repeated)?;
        writeln!(f, "  {:>6} run again after a kill between a handler's end and its record", self.repeated_after_kill)?;
        write!(f, "  {:>6} run again after its record failed, and then a kill", self.repeated_after_failure)
    }
}
