//! What the two SQL storages share: the states of a job, and how a row becomes one.

use jiff::Timestamp;

use super::{
    Job, QueueError,
    storage::{Found, Taken, failures_from_json},
};
use crate::{delivery::DeliveryId, message::with_causes};

/// The columns that make a job, in the order of [`JobRow`].
pub(super) const COLUMNS: &str =
    "name, handler, delivery, event, received_at, body, run, attempts, failures, due_at, ended_at";

/// The state of a job that waits until it is due.
pub(super) const WAITING: i16 = 0;
/// A worker runs it. Due when the worker's lease ends.
pub(super) const RUNNING: i16 = 1;
/// It is kept until an administrator decides. The first of the states that never become due.
pub(super) const DEAD: i16 = 2;
/// It is kept without its body, so that a redelivery is recognised.
pub(super) const DONE: i16 = 3;

/// The numbers of jobs that have a statement of their own: a call costs as much as several jobs,
/// and so does a statement that is new to the database.
pub(super) const BATCHES: [usize; 8] = [1, 2, 4, 8, 16, 32, 64, 128];

/// The most jobs that one statement stores.
pub(super) const LARGEST_BATCH: usize = 128;

/// The statement for so many jobs, one for each of [`BATCHES`], and how many of its rows are left.
/// Those are filled with `NULL`, and stored nowhere.
pub(super) fn batch(statements: &[String; BATCHES.len()], jobs: usize) -> (&str, usize) {
    let [.., largest] = statements;
    let fits = BATCHES.iter().zip(statements).find(|(size, _)| **size >= jobs);
    fits.map_or((largest, 0), |(size, statement)| (statement, size - jobs))
}

/// SQLite's codes for a file that it cannot open, and for one that holds something else.
const SQLITE_CANTOPEN: &str = "14";
const SQLITE_NOTADB: &str = "26";

/// A failure inside of a storage. Its conversions are no part of the crate's API.
pub(super) struct SqlFailure(QueueError);

impl From<sqlx::Error> for SqlFailure {
    fn from(error: sqlx::Error) -> Self {
        Self(match error {
            sqlx::Error::PoolTimedOut => QueueError::new("no connection could be made in time: is the server running?"),
            sqlx::Error::Database(error) => {
                let code = error.code().unwrap_or_default();
                let advice = match &*code {
                    SQLITE_CANTOPEN => ": may this user write in its folder?",
                    SQLITE_NOTADB => ": give the queue a file of its own",
                    _ => "",
                };
                let text = QueueError::new(format!("{}{advice}", error.message()));
                // The storage itself works.
                if is_refusal(&code) { text.refused() } else { text }
            }
            error => QueueError::new(with_causes(&error)),
        })
    }
}

impl From<QueueError> for SqlFailure {
    fn from(error: QueueError) -> Self {
        Self(error)
    }
}

impl From<SqlFailure> for QueueError {
    fn from(SqlFailure(error): SqlFailure) -> Self {
        error
    }
}

/// What another attempt would not change: PostgreSQL's classes of data that does not fit, broken
/// constraints, users and databases that it does not know, rights and limits, and SQLite's codes
/// TOOBIG, CONSTRAINT, MISMATCH and NOTADB with their extended ones.
fn is_refusal(code: &str) -> bool {
    match code.parse::<u32>() {
        Ok(number) if code.len() < 5 => matches!(number & 0xFF, 18..=20 | 26),
        _ => ["22", "23", "28", "3D", "42", "54"].iter().any(|class| code.starts_with(class)),
    }
}

/// A row with [`COLUMNS`].
pub(super) type JobRow = (String, String, String, String, i64, Vec<u8>, i32, i32, Option<String>, i64, Option<i64>);

fn found(row: JobRow) -> Found {
    let (name, handler, delivery, event, received_at, body, run, attempts, failures, due_at, ended_at) = row;
    let job = Job {
        delivery: DeliveryId::from_digits(&delivery).unwrap_or_else(|| DeliveryId::from_bytes(name.as_bytes())),
        event: event.as_str().into(),
        received_at: Timestamp::from_millisecond(received_at).unwrap_or_default(),
        body: body.into(),
        run: number(run),
        name,
        handler,
    };
    let failures = failures.map_or_else(Vec::new, |json| failures_from_json(&json));
    Found { job, attempts: number(attempts), failures, at: ended_at.unwrap_or(due_at) }
}

pub(super) fn all_found(rows: Vec<JobRow>) -> Vec<Found> {
    rows.into_iter().map(found).collect()
}

pub(super) fn all_taken(rows: Vec<JobRow>) -> Vec<Taken> {
    // A job that has ended was done in the same turn.
    rows.into_iter().filter(|row| row.10.is_none()).map(found).map(Taken::from).collect()
}

fn number(number: i32) -> u32 {
    u32::try_from(number).unwrap_or_default()
}
