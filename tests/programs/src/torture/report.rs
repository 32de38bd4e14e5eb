//! The result of a run: counts what the journal records, and prints it.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fmt,
    time::Duration,
};

use uuid::Uuid;

use crate::{
    application::HANDLERS,
    journal::{Entry, What},
};

/// How many milliseconds it may take to record the end of a handler's run: a failed storage needs
/// time to return, and a small machine is slow.
const RECORDED_WITHIN: u64 = 8000;

/// How long a job of a killed process may wait for another, and how long a due job may wait while
/// workers run.
const ORPHANED: Duration = Duration::from_secs(60);
const DUE: Duration = Duration::from_secs(5);

/// The result of one run.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) storage: String,
    pub(crate) took: Duration,
    pub(crate) kills: usize,
    /// How many starts of processes failed because of the storage.
    pub(crate) failed_starts: usize,
    pub(crate) storage_failures: usize,
    pub(crate) events: usize,
    /// How many attempts got each status; `None` counts attempts without an answer.
    pub(crate) answers: BTreeMap<Option<u16>, usize>,
    pub(crate) acknowledged: usize,
    pub(crate) dead: usize,
    /// How many jobs of acknowledged deliveries were never completed, and are not dead.
    pub(crate) lost: usize,
    /// For how long the oldest job was due at most, if that was looked at.
    pub(crate) oldest_due: Duration,
    pub(crate) tally: Tally,
}

/// The numbers from the journal.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) completed: HashSet<(Uuid, u8)>,
    pub(crate) attempts: usize,
    /// How many jobs ran again although their success was recorded, or should have been.
    pub(crate) repeated: usize,
    /// How many jobs ran again since the process was killed before it recorded their success.
    pub(crate) repeated_after_kill: usize,
    /// How many jobs ran again since the storage failed to record their success, and the process
    /// that knew of the success was killed.
    pub(crate) repeated_after_failure: usize,
    /// How many attempts ended with their process, and how long the longest of their jobs waited
    /// for the next.
    pub(crate) orphans: usize,
    pub(crate) longest_orphan: Duration,
}

/// Counts what the journal records. `ends` has the time when each life ended, `failures` the times
/// when the storage failed, in milliseconds since 1970.
pub(crate) fn tally(journal: &[Entry], ends: &HashMap<usize, u64>, failures: &[u64]) -> Tally {
    let mut tally = Tally::default();
    let mut succeeded: HashMap<(Uuid, u8), Entry> = HashMap::new();
    let mut running: HashMap<(Uuid, u8), Entry> = HashMap::new();
    for entry in journal {
        let job = (entry.uuid, entry.handler);
        match entry.what {
            What::Failed => drop(running.remove(&job)),
            What::Started => {
                tally.attempts += 1;
                if let Some(before) = running.insert(job, *entry)
                    && let Some(end) = ends.get(&before.life)
                {
                    tally.orphans += 1;
                    let waited = Duration::from_millis(entry.at.saturating_sub(*end));
                    tally.longest_orphan = tally.longest_orphan.max(waited);
                }
            }
            What::Succeeded => {
                running.remove(&job);
                if let Some(before) = succeeded.insert(job, *entry) {
                    let ended = ends.get(&before.life).filter(|_| before.life != entry.life);
                    let soon_after = |at: &u64| (before.at..before.at + RECORDED_WITHIN).contains(at);
                    match ended {
                        Some(at) if soon_after(at) => tally.repeated_after_kill += 1,
                        Some(_) if failures.iter().any(soon_after) => tally.repeated_after_failure += 1,
                        _ => tally.repeated += 1,
                    }
                }
                tally.completed.insert(job);
            }
        }
    }
    tally
}

/// The jobs of the events about these files.
pub(crate) fn jobs(uuids: &HashSet<Uuid>) -> impl Iterator<Item = (Uuid, u8)> + '_ {
    uuids.iter().flat_map(|uuid| (0..HANDLERS).map(move |handler| (*uuid, handler)))
}

impl Report {
    pub(crate) fn is_good(&self) -> bool {
        let in_time = self.tally.longest_orphan <= ORPHANED && self.oldest_due <= DUE;
        self.lost == 0 && self.dead == 0 && self.tally.repeated == 0 && in_time
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { storage, took, kills, storage_failures, failed_starts, events, answers, tally, .. } = self;
        write!(f, "{storage}: {events} events in {took:.1?}, {kills} kills, {storage_failures} storage failures")?;
        writeln!(f, ", {failed_starts} failed starts because of them")?;
        writeln!(f, "  {:>6} attempts to deliver, with these answers", answers.values().sum::<usize>())?;
        for (status, number) in answers {
            let status = status.map_or("no answer".to_owned(), |status| status.to_string());
            writeln!(f, "  {number:>13} {status}")?;
        }
        writeln!(f, "  {:>6} events acknowledged", self.acknowledged)?;
        let completed = tally.completed.len();
        writeln!(f, "  {completed:>6} jobs completed, {HANDLERS} for each event, in {} attempts", tally.attempts)?;
        writeln!(f, "  {:>6} dead jobs", self.dead)?;
        writeln!(f, "  {:>6} jobs lost", self.lost)?;
        writeln!(f, "  {:>6} jobs ran again after success", tally.repeated)?;
        writeln!(
            f,
            "  {:>6} jobs ran again since a kill came before the record of success",
            tally.repeated_after_kill
        )?;
        writeln!(
            f,
            "  {:>6} jobs ran again since the record of success failed, and a kill followed",
            tally.repeated_after_failure
        )?;
        let (orphans, longest) = (tally.orphans, tally.longest_orphan);
        writeln!(f, "  {orphans:>6} jobs ran in a process that was killed, and again after at most {longest:.1?}")?;
        write!(f, "  {:>6.1?} was the longest that a due job waited, where that was looked at", self.oldest_due)
    }
}
