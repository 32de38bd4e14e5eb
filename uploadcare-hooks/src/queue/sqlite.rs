//! A queue in a SQLite file.

use std::path::Path;

use apalis_sqlite::{Config, SqliteConnectOptions, SqlitePoolOptions, SqliteStorage};
use sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};

use super::{Job, QueueError};

/// The name of the queue. Unless it has one it is called like a type of Rust, and types move.
const QUEUE: &str = "uploadcare-hooks";

/// With apalis' index over the workers of all jobs, SQLite reads every job that a worker ever did to record the end of one. What else it serves, others do.
const DROP_INDEX: &str = "DROP INDEX IF EXISTS LIdx";

/// Opens a queue in a SQLite file, which is made if there is none. Needs the feature `queue-sqlite`.
///
/// For one machine, and a disk of its own: SQLite's locks are not to be trusted on network file systems. What was stored outlives a crash of the machine, since the file
/// is in WAL mode with `synchronous = FULL`. Give it another `Config` with a queue's name, `uploadcare-hooks` or another one: that of `Config::default()` is `default`.
///
/// # Errors
/// [`QueueError`] if the file cannot be opened or written, or is no SQLite database.
pub async fn open_sqlite(file: impl AsRef<Path>) -> Result<SqliteStorage<Job>, QueueError> {
    let file = file.as_ref();
    open(file).await.map_err(|error| QueueError::new(error).of(file.display()))
}

async fn open(file: &Path) -> Result<SqliteStorage<Job>, sqlx::Error> {
    let options = SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full);
    // SQLite has one writer at a time: waiting for the one connection is better than failing for want of it.
    let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await?;
    SqliteStorage::migrations().run(&pool).await?;
    sqlx::query(DROP_INDEX).execute(&pool).await?;
    Ok(SqliteStorage::new(&pool).with_config(Config::default().queue(QUEUE)))
}
