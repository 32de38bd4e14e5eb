//! Opens a queue in a SQLite file. Knows nothing of jobs but their type.

use std::path::Path;

use apalis_sqlite::{Config, SqliteConnectOptions, SqlitePoolOptions, SqliteStorage};
use sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};

use super::{Job, QueueError};
use crate::message::with_causes;

/// The name of the queue. By default it would be the name of a Rust type, and types move.
const QUEUE: &str = "uploadcare-hooks";

/// With apalis' index over the workers of all jobs, SQLite reads every job that a worker ever ran
/// to record the end of one. Other indexes cover its remaining queries.
const DROP_INDEX: &str = "DROP INDEX IF EXISTS LIdx";

/// Opens a queue in a SQLite file, and creates the file if it is missing. Needs the feature
/// `queue-sqlite`.
///
/// For one machine with a local disk: SQLite's locks do not work reliably on network file systems.
/// Stored jobs survive a crash of the machine, because the file is in WAL mode with `synchronous =
/// FULL`. A `Config` of your own should name the queue, `uploadcare-hooks` for instance: the name
/// in `Config::default()` is `default`.
///
/// # Errors
/// [`QueueError`] if the file cannot be opened or written, or is not a SQLite database.
pub async fn open_sqlite(file: impl AsRef<Path>) -> Result<SqliteStorage<Job>, QueueError> {
    let file = file.as_ref();
    open(file).await.map_err(|error| QueueError(format!("{}: {}", file.display(), with_causes(&error))))
}

async fn open(file: &Path) -> Result<SqliteStorage<Job>, sqlx::Error> {
    let options = SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full);
    // SQLite has one writer at a time. With one connection, a second writer waits instead of
    // failing.
    let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await?;
    SqliteStorage::migrations().run(&pool).await?;
    sqlx::query(DROP_INDEX).execute(&pool).await?;
    Ok(SqliteStorage::new(&pool).with_config(Config::default().queue(QUEUE)))
}
