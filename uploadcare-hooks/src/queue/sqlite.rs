//! A queue in a SQLite file. Knows nothing of requests and handlers.

use std::{path::Path, time::Duration};

use jiff::Timestamp;
use sqlx::{
    AssertSqlSafe, SqlitePool, Transaction,
    query::Query,
    sqlite::{Sqlite, SqliteArguments, SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use super::{
    Job, OpenOptions, QueueError, QueueStats, Storage,
    dead::Search,
    home::{AtHome, Resident},
    sql::{
        BATCHES, COLUMNS, DEAD, DONE, JobRow, LARGEST_BATCH, RUNNING, SqlFailure, WAITING, all_found, all_taken, batch,
    },
    storage::{Attempts, End, Ended, Found, Taken, Turn, Verdict, failures_to_json, milliseconds},
};

/// The number at the head of a SQLite file that says which application it belongs to: `UCHQ`.
const APPLICATION: i32 = 0x5543_4851;

/// The version of the tables. A later version of this crate may change it, and then converts the
/// tables.
const VERSION: i32 = 1;

/// How long a writer waits for one of another process.
const BUSY: Duration = Duration::from_secs(5);

/// Opens a queue in a SQLite file, and creates the file if it is missing. Needs the feature
/// `queue-sqlite`.
///
/// For one machine with a local disk: SQLite's locks do not work reliably on network file systems.
/// What is stored survives a crash of the machine, because the file is in WAL mode with
/// `synchronous = FULL`. Several processes may open it.
///
/// # Errors
/// If the file cannot be opened or written, is not a SQLite database, belongs to another
/// application, or was written by a later version of this crate.
pub async fn open_sqlite(file: impl AsRef<Path>) -> Result<Storage, QueueError> {
    OpenOptions::new().open_sqlite(file).await
}

impl OpenOptions {
    /// Opens a SQLite file, see [`open_sqlite`]. Needs the feature `queue-sqlite`.
    ///
    /// # Errors
    /// As `open_sqlite`, and if the name is not valid.
    pub async fn open_sqlite(&self, file: impl AsRef<Path>) -> Result<Storage, QueueError> {
        let file = file.as_ref();
        self.open(|| open(file, &self.name)).await
    }
}

async fn open(file: &Path, name: &str) -> Result<Storage, QueueError> {
    check_path(file).map_err(|error| QueueError::misused(error).about(format!("{:?}", file.display().to_string())))?;
    let (path, name) = (file.to_owned(), name.to_owned());
    let opened = AtHome::open(async move { SqliteFile::open(&path, &name).await });
    opened.await.map(Storage::new).map_err(|error| error.about(file.display()))
}

/// Says what is wrong with a path, where SQLite's own words would not help, or SQLite would keep
/// the queue in memory.
fn check_path(file: &Path) -> Result<(), &'static str> {
    let text = file.to_string_lossy();
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    match () {
        () if text.is_empty() => Err("the path of the file is empty"),
        () if text == ":memory:" => Err("a queue in memory loses what it acknowledged: give the path of a file"),
        () if text.starts_with("sqlite:") || text.starts_with("file:") => Err("give a path, and no URL"),
        () if file.is_dir() => Err("this is a folder: give the path of a file"),
        () if folder.is_some_and(|folder| !folder.exists()) => Err("the folder of this file does not exist: create it"),
        () => Ok(()),
    }
}

/// An opened file. All calls share one connection: SQLite has one writer at a time, and a second
/// connection would have to be tried again and again instead of waiting for its turn.
#[derive(Debug)]
struct SqliteFile {
    pool: SqlitePool,
    place: String,
    sql: Statements,
}

/// The statements, for the table of this queue. Times are milliseconds since 1970.
#[derive(Debug)]
struct Statements {
    table: String,
    create: String,
    /// For as many jobs as [`BATCHES`] says, see [`batch`].
    store: [String; BATCHES.len()],
    failed: String,
    turn: String,
    renew: String,
    hand_back: String,
    find_dead: String,
    find_failing: String,
    run_again: String,
    discard: String,
    stats: String,
    clean: String,
}

impl Statements {
    /// `name` has only letters, digits and `_`.
    fn of(name: &str) -> Self {
        let table = format!("queue_{name}");
        // The first condition is that of an index.
        let find = |which: &str, at: &str| {
            format!(
                "SELECT {COLUMNS} FROM {table}
                 WHERE {which} AND (?1 IS NULL OR handler = ?1) AND (?2 IS NULL OR event = ?2)
                   AND (?3 IS NULL OR ({at}, name) < (?3, ?4))
                 ORDER BY {at} DESC, name DESC LIMIT ?5"
            )
        };
        Self {
            create: format!(
                "CREATE TABLE IF NOT EXISTS {table} (
                    id INTEGER PRIMARY KEY,
                    name TEXT NOT NULL UNIQUE,
                    state INTEGER NOT NULL DEFAULT {WAITING},
                    due_at INTEGER NOT NULL,
                    attempts INTEGER NOT NULL DEFAULT 0,
                    run INTEGER NOT NULL DEFAULT 0,
                    ended_at INTEGER,
                    worker TEXT,
                    failures TEXT,
                    handler TEXT NOT NULL,
                    event TEXT NOT NULL,
                    delivery TEXT NOT NULL,
                    received_at INTEGER NOT NULL,
                    body BLOB NOT NULL
                ) STRICT;
                CREATE INDEX IF NOT EXISTS due_{name} ON {table}(due_at) WHERE state < {DEAD};
                CREATE INDEX IF NOT EXISTS ended_{name} ON {table}(state, ended_at) WHERE state >= {DEAD};"
            ),
            store: BATCHES.map(|jobs| {
                let rows = vec!["(?, ?, ?, ?, ?, ?, ?)"; jobs].join(", ");
                format!(
                    "INSERT INTO {table} (name, due_at, handler, event, delivery, received_at, body)
                     SELECT * FROM (VALUES {rows}) WHERE column1 IS NOT NULL ON CONFLICT (name) DO NOTHING"
                )
            }),
            failed: format!(
                "UPDATE {table} SET state = ?, due_at = ?, ended_at = ?, attempts = ?, failures = ?, worker = NULL
                 WHERE name = ? AND state = {RUNNING} AND worker = ?"
            ),
            // One statement for both, since each call costs as much as several rows.
            turn: format!(
                "WITH ended AS MATERIALIZED (SELECT value FROM json_each(?1))
                 UPDATE {table} SET
                    state = iif(name IN ended, {DONE}, {RUNNING}),
                    ended_at = iif(name IN ended, ?2, NULL),
                    due_at = iif(name IN ended, due_at, ?3),
                    worker = iif(name IN ended, NULL, ?4),
                    attempts = iif(name IN ended OR worker = ?4, attempts, attempts + 1),
                    failures = iif(name IN ended, NULL, failures),
                    body = iif(name IN ended, x'', body)
                 WHERE state < {DEAD} AND (
                    name IN ended OR id IN (
                        SELECT id FROM {table} WHERE state < {DEAD} AND due_at <= ?2 AND name NOT IN ended
                        ORDER BY due_at LIMIT ?5
                    )
                 )
                 RETURNING {COLUMNS}"
            ),
            renew: format!(
                "UPDATE {table} SET due_at = ?
                 WHERE name IN (SELECT value FROM json_each(?)) AND state = {RUNNING} AND worker = ?"
            ),
            hand_back: format!(
                "UPDATE {table} SET state = {WAITING}, due_at = ?1, worker = NULL, attempts = attempts - 1
                 WHERE state < {DEAD} AND due_at > ?1 AND state = {RUNNING} AND worker = ?3
                   AND name NOT IN (SELECT value FROM json_each(?2))"
            ),
            find_dead: find(&format!("state >= {DEAD} AND state = {DEAD}"), "ended_at"),
            find_failing: find(&format!("state < {DEAD} AND state = {WAITING} AND failures IS NOT NULL"), "due_at"),
            run_again: format!(
                "UPDATE {table} SET state = {WAITING}, due_at = ?, ended_at = NULL, attempts = 0, run = run + 1
                 WHERE name = ? AND state = {DEAD} AND ended_at = ?"
            ),
            discard: format!(
                "UPDATE {table} SET state = {DONE}, ended_at = ?, failures = NULL, body = x''
                 WHERE name = ? AND state = {DEAD} AND ended_at = ?"
            ),
            stats: format!(
                "SELECT count(*) FILTER (WHERE state < {DEAD} AND due_at <= ?1),
                        count(*) FILTER (WHERE state = {RUNNING} AND due_at > ?1),
                        count(*) FILTER (WHERE state = {WAITING} AND due_at > ?1),
                        (SELECT count(*) FROM {table} WHERE state >= {DEAD} AND state = {DEAD}),
                        min(due_at) FILTER (WHERE due_at <= ?1)
                 FROM {table} WHERE state < {DEAD}"
            ),
            clean: format!(
                "DELETE FROM {table} WHERE id IN (
                    SELECT id FROM {table} WHERE state >= {DEAD} AND state = {DONE} AND ended_at < ?
                    ORDER BY ended_at LIMIT ?
                 )"
            ),
            table,
        }
    }
}

fn now() -> i64 {
    Timestamp::now().as_millisecond()
}

fn names<'a>(names: impl Iterator<Item = &'a String>) -> String {
    serde_json::to_string(&names.collect::<Vec<_>>()).unwrap_or_default()
}

impl SqliteFile {
    async fn open(file: &Path, name: &str) -> Result<Self, SqlFailure> {
        let options = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(true)
            .busy_timeout(BUSY)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            // Twice the default: fewer pages are copied more than once.
            .pragma("wal_autocheckpoint", "2000");
        let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await?;
        let place = format!("the SQLite file {}, queue {name:?}", file.display());
        let opened = Self { pool, place, sql: Statements::of(name) };
        opened.create().await?;
        Ok(opened)
    }

    /// Creates the table if it is missing.
    async fn create(&self) -> Result<(), SqlFailure> {
        let mut transaction = self.pool.begin().await?;
        let head = "SELECT application_id, user_version, (SELECT count(*) FROM sqlite_schema),
                           (SELECT count(*) FROM sqlite_schema WHERE name = ?)
                    FROM pragma_application_id, pragma_user_version";
        let (application, version, tables, own): (i32, i32, i64, i64) =
            sqlx::query_as(head).bind(&self.sql.table).fetch_one(&mut *transaction).await?;
        if application != APPLICATION && (application != 0 || version != 0 || tables != 0) {
            let error = "this is a database of another application: give the queue a file of its own";
            return Err(QueueError::new(error).refused().into());
        }
        if version > VERSION {
            return Err(QueueError::new(format!(
                "a later version of uploadcare-hooks wrote this file, in version {version}, and this one reads up to \
                 {VERSION}: update the application"
            ))
            .refused()
            .into());
        }
        transaction.rollback().await?;
        if own == 1 {
            return Ok(());
        }
        let mut transaction = self.begin().await?;
        let head = format!("PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {VERSION};");
        sqlx::raw_sql(AssertSqlSafe(format!("{head} {}", self.sql.create))).execute(&mut *transaction).await?;
        Ok(transaction.commit().await?)
    }

    /// Begins a transaction that writes. A transaction that only turns into one could not wait for
    /// a writer of another process.
    async fn begin(&self) -> Result<Transaction<'static, Sqlite>, SqlFailure> {
        Ok(self.pool.begin_with("BEGIN IMMEDIATE").await?)
    }

    /// At most [`LARGEST_BATCH`] jobs.
    fn insert(&self, jobs: &[Job]) -> Query<'_, Sqlite, SqliteArguments> {
        let (sql, empty) = batch(&self.sql.store, jobs.len());
        let (mut insert, now) = (sqlx::query(AssertSqlSafe(sql)), now());
        for job in jobs {
            insert = insert.bind(job.name.clone()).bind(now).bind(job.handler.clone());
            insert = insert.bind(job.event.as_str().to_owned()).bind(job.delivery.to_string());
            insert = insert.bind(job.received_at.as_millisecond()).bind(job.body.to_vec());
        }
        for _ in 0..7 * empty {
            insert = insert.bind(None::<i64>);
        }
        insert
    }

    async fn record_failures(&self, worker: &str, ended: impl Iterator<Item = &Ended>) -> Result<(), SqlFailure> {
        let (mut transaction, now) = (self.begin().await?, now());
        for Ended { name, end } in ended {
            let (state, due_at, ended_at, Attempts { started, failures }) = match end {
                End::Done => continue,
                End::Again(attempts, delay) => (WAITING, now + milliseconds(*delay), None, attempts),
                End::Dead(attempts) => (DEAD, now, Some(now), attempts),
            };
            sqlx::query(AssertSqlSafe(&*self.sql.failed))
                .bind(state)
                .bind(due_at)
                .bind(ended_at)
                .bind(*started)
                .bind(failures_to_json(failures))
                .bind(name)
                .bind(worker)
                .execute(&mut *transaction)
                .await?;
        }
        Ok(transaction.commit().await?)
    }
}

impl Resident for SqliteFile {
    type Failure = SqlFailure;

    fn place(&self) -> &str {
        &self.place
    }

    async fn store(&self, jobs: &[Job]) -> Result<(), SqlFailure> {
        if jobs.len() <= LARGEST_BATCH {
            // One statement is a transaction of its own.
            return self.insert(jobs).execute(&self.pool).await.map(drop).map_err(SqlFailure::from);
        }
        let mut transaction = self.begin().await?;
        for jobs in jobs.chunks(LARGEST_BATCH) {
            self.insert(jobs).execute(&mut *transaction).await?;
        }
        Ok(transaction.commit().await?)
    }

    async fn turn(&self, turn: Turn<'_>) -> Result<Vec<Taken>, SqlFailure> {
        let failed = |ended: &&Ended| !matches!(ended.end, End::Done);
        if turn.ended.iter().any(|ended| failed(&ended)) {
            self.record_failures(turn.worker, turn.ended.iter().filter(failed)).await?;
        }
        let (done, now) = (turn.ended.iter().filter(|ended| !failed(ended)).map(|ended| &ended.name), now());
        let rows: Vec<JobRow> = sqlx::query_as(AssertSqlSafe(&*self.sql.turn))
            .bind(names(done))
            .bind(now)
            .bind(now + milliseconds(turn.lease))
            .bind(turn.worker)
            .bind(i64::try_from(turn.most).unwrap_or(i64::MAX))
            .fetch_all(&self.pool)
            .await?;
        Ok(all_taken(rows))
    }

    async fn renew(&self, worker: &str, running: &[String], lease: Duration) -> Result<(), SqlFailure> {
        let renew = sqlx::query(AssertSqlSafe(&*self.sql.renew)).bind(now() + milliseconds(lease));
        renew.bind(names(running.iter())).bind(worker).execute(&self.pool).await?;
        Ok(())
    }

    async fn hand_back(&self, worker: &str, running: &[String]) -> Result<(), SqlFailure> {
        let hand_back = sqlx::query(AssertSqlSafe(&*self.sql.hand_back)).bind(now());
        hand_back.bind(names(running.iter())).bind(worker).execute(&self.pool).await?;
        Ok(())
    }

    async fn find(&self, search: &Search) -> Result<Vec<Found>, SqlFailure> {
        let (at, name) = search.before.clone().unzip();
        let sql = if search.dead { &self.sql.find_dead } else { &self.sql.find_failing };
        let rows = sqlx::query_as(AssertSqlSafe(&**sql))
            .bind(&search.handler)
            .bind(&search.event)
            .bind(at)
            .bind(name)
            .bind(search.most)
            .fetch_all(&self.pool)
            .await?;
        Ok(all_found(rows))
    }

    async fn decide(&self, dead: &[(String, i64)], verdict: Verdict) -> Result<u64, SqlFailure> {
        let (mut transaction, mut changed) = (self.begin().await?, 0);
        let sql = if verdict == Verdict::RunAgain { &self.sql.run_again } else { &self.sql.discard };
        for (name, died) in dead {
            let update = sqlx::query(AssertSqlSafe(&**sql)).bind(now()).bind(name).bind(died);
            changed += update.execute(&mut *transaction).await?.rows_affected();
        }
        transaction.commit().await?;
        Ok(changed)
    }

    async fn stats(&self) -> Result<QueueStats, SqlFailure> {
        let now = now();
        let counts: (i64, i64, i64, i64, Option<i64>) =
            sqlx::query_as(AssertSqlSafe(&*self.sql.stats)).bind(now).fetch_one(&self.pool).await?;
        Ok(QueueStats::of(counts, now))
    }

    async fn clean(&self, keep: Duration, most: u32) -> Result<u64, SqlFailure> {
        let clean = sqlx::query(AssertSqlSafe(&*self.sql.clean)).bind(now() - milliseconds(keep)).bind(most);
        Ok(clean.execute(&self.pool).await?.rows_affected())
    }
}

#[cfg(test)]
mod tests;
