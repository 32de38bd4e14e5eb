//! A queue in a PostgreSQL database. Knows nothing of requests and handlers.

use std::{borrow::Cow, time::Duration};

use sqlx::{
    AssertSqlSafe, Connection, Executor, PgConnection, PgPool, Postgres,
    postgres::{PgArguments, PgConnectOptions, PgPoolOptions},
    query::Query,
};
use tokio::time::timeout;

use super::{
    Job, OpenOptions, QueueError, QueueStats, Storage,
    dead::Search,
    home::{AtHome, Resident},
    sql::{
        BATCHES, COLUMNS, DEAD, DONE, JobRow, LARGEST_BATCH, RUNNING, SqlFailure, WAITING, all_found, all_taken, batch,
    },
    storage::{Attempts, End, Ended, Found, Taken, Turn, Verdict, failures_to_json, milliseconds},
};

/// The comment on the table that says what it is.
const VERSION: &str = "queue of uploadcare-hooks, version 1";

/// What the comment of any version begins with.
const OURS: &str = "queue of uploadcare-hooks";

/// How many connections a process uses: one that stores, one for its worker, and some for
/// administrators.
const CONNECTIONS: u32 = 4;

/// How long to wait for a connection.
const CONNECT: Duration = Duration::from_secs(5);

/// Has commits wait for the disk, where the server's default is not to. A default that waits for
/// more than that stays.
const SYNCHRONOUS: &str = "SELECT set_config('synchronous_commit', 'on', false)
                           WHERE current_setting('synchronous_commit') = 'off'";

/// Opens a queue in a PostgreSQL database, such as `postgres://user:password@host/database`, and
/// creates its table and indexes if they are missing. Needs the feature `queue-postgres`.
///
/// The table `uploadcare_hooks_webhooks` stands in the first schema of the connection's
/// `search_path`, and the user must be allowed to create it. Any number of processes on any number
/// of machines can share it. Commits are synchronous, also where the server's default is not; a
/// server with `fsync = off` is warned of, because it loses what it acknowledged when its machine
/// crashes.
///
/// TLS: add `sqlx = { version = "0.9", features = ["tls-rustls"] }` to the application, and the
/// connection uses it.
///
/// # Errors
/// If the text is no URL of PostgreSQL, the server cannot be reached or refuses the user, the table
/// cannot be created, or one of its name belongs to something else. No error shows the password.
pub async fn open_postgres(url: impl AsRef<str>) -> Result<Storage, QueueError> {
    OpenOptions::new().open_postgres(url).await
}

impl OpenOptions {
    /// Opens a PostgreSQL database, see [`open_postgres`]. Needs the feature `queue-postgres`.
    ///
    /// # Errors
    /// As `open_postgres`, and if the name is not valid.
    pub async fn open_postgres(&self, url: impl AsRef<str>) -> Result<Storage, QueueError> {
        let url = url.as_ref();
        self.open(|| open(url, &self.name)).await
    }
}

async fn open(url: &str, name: &str) -> Result<Storage, QueueError> {
    let is_postgres = url.starts_with("postgres://") || url.starts_with("postgresql://");
    // The error could quote the URL, which may hold a password.
    let options: PgConnectOptions = url.parse().ok().filter(|_| is_postgres).ok_or_else(|| {
        QueueError::misused(
            "this is no URL of PostgreSQL: write it as postgres://user:password@host:5432/database, with characters \
             such as # and @ in a password percent-encoded",
        )
    })?;
    let place = format!("PostgreSQL at {}:{}, queue {name:?}", options.get_host(), options.get_port());
    let (there, name) = (place.clone(), name.to_owned());
    let opened = AtHome::open(async move { Database::open(options, there, &name).await });
    opened.await.map(Storage::new).map_err(|error| error.about(place))
}

#[derive(Debug)]
struct Database {
    pool: PgPool,
    place: String,
    sql: Statements,
}

/// The statements, for the table of this queue. Times are milliseconds since 1970, by the server's
/// clock.
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

/// The time of the server.
const NOW: &str = "(SELECT (extract(epoch FROM statement_timestamp()) * 1000)::bigint)";

impl Statements {
    /// `name` has only letters, digits and `_`.
    fn of(name: &str) -> Self {
        let table = format!("uploadcare_hooks_{name}");
        // The first condition is that of an index.
        let find = |which: &str, at: &str| {
            format!(
                "SELECT {COLUMNS} FROM {table}
                 WHERE {which} AND ($1 IS NULL OR handler = $1) AND ($2 IS NULL OR event = $2)
                   AND ($3::bigint IS NULL OR ({at}, name) < ($3, $4))
                 ORDER BY {at} DESC, name DESC LIMIT $5"
            )
        };
        Self {
            // The body is stored as it is: compression would cost time and save little.
            create: format!(
                "CREATE TABLE IF NOT EXISTS {table} (
                    name text COLLATE \"C\" PRIMARY KEY,
                    state smallint NOT NULL DEFAULT {WAITING},
                    due_at bigint NOT NULL,
                    attempts integer NOT NULL DEFAULT 0,
                    run integer NOT NULL DEFAULT 0,
                    ended_at bigint,
                    worker text,
                    failures text,
                    handler text NOT NULL,
                    event text NOT NULL,
                    delivery text NOT NULL,
                    received_at bigint NOT NULL,
                    body bytea NOT NULL
                );
                ALTER TABLE {table} ALTER COLUMN body SET STORAGE EXTERNAL;
                CREATE INDEX IF NOT EXISTS uploadcare_due_{name} ON {table} (due_at) WHERE state < {DEAD};
                CREATE INDEX IF NOT EXISTS uploadcare_ended_{name} ON {table} (state, ended_at) WHERE state >= {DEAD};
                COMMENT ON TABLE {table} IS '{VERSION}';"
            ),
            store: BATCHES.map(|jobs| {
                let row = |job: usize| {
                    let [a, b, c, d, e, f] = [1, 2, 3, 4, 5, 6].map(|column| 6 * job + column);
                    format!("(${a}::text, ${b}::text, ${c}::text, ${d}::text, ${e}::bigint, ${f}::bytea)")
                };
                let rows = (0..jobs).map(row).collect::<Vec<_>>().join(", ");
                format!(
                    "INSERT INTO {table} (name, due_at, handler, event, delivery, received_at, body)
                     SELECT name, {NOW}, handler, event, delivery, received_at, body
                     FROM (VALUES {rows}) AS new (name, handler, event, delivery, received_at, body)
                     WHERE name IS NOT NULL ON CONFLICT (name) DO NOTHING"
                )
            }),
            failed: format!(
                "UPDATE {table} SET state = $1, due_at = {NOW} + $2,
                    ended_at = CASE WHEN $1 = {DEAD} THEN {NOW} END, attempts = $3, failures = $4, worker = NULL
                 WHERE name = $5 AND state = {RUNNING} AND worker = $6"
            ),
            // One statement for both, since each call costs as much as several rows.
            turn: format!(
                "WITH done AS (
                    UPDATE {table} SET state = {DONE}, ended_at = {NOW}, worker = NULL, failures = NULL, body = ''
                    WHERE name = ANY($1) AND state < {DEAD}
                 ), due AS (
                    SELECT name FROM {table} WHERE state < {DEAD} AND due_at <= {NOW} AND name <> ALL($1)
                    ORDER BY due_at LIMIT $4 FOR UPDATE SKIP LOCKED
                 ), taken AS (
                    UPDATE {table} SET state = {RUNNING}, due_at = {NOW} + $2, worker = $3,
                        attempts = attempts + CASE WHEN worker = $3 THEN 0 ELSE 1 END
                    FROM due WHERE {table}.name = due.name RETURNING {table}.*
                 ) SELECT {COLUMNS} FROM taken"
            ),
            renew: format!(
                "UPDATE {table} SET due_at = {NOW} + $1
                 WHERE name = ANY($2) AND state = {RUNNING} AND worker = $3"
            ),
            hand_back: format!(
                "UPDATE {table} SET state = {WAITING}, due_at = {NOW}, worker = NULL, attempts = attempts - 1
                 WHERE state < {DEAD} AND due_at > {NOW} AND state = {RUNNING} AND worker = $2 AND name <> ALL($1)"
            ),
            find_dead: find(&format!("state >= {DEAD} AND state = {DEAD}"), "ended_at"),
            find_failing: find(&format!("state < {DEAD} AND state = {WAITING} AND failures IS NOT NULL"), "due_at"),
            run_again: format!(
                "UPDATE {table} SET state = {WAITING}, due_at = {NOW}, ended_at = NULL, attempts = 0, run = run + 1
                 WHERE name = $1 AND state = {DEAD} AND ended_at = $2"
            ),
            discard: format!(
                "UPDATE {table} SET state = {DONE}, ended_at = {NOW}, failures = NULL, body = ''
                 WHERE name = $1 AND state = {DEAD} AND ended_at = $2"
            ),
            stats: format!(
                "SELECT count(*) FILTER (WHERE due_at <= now.at),
                        count(*) FILTER (WHERE state = {RUNNING} AND due_at > now.at),
                        count(*) FILTER (WHERE state = {WAITING} AND due_at > now.at),
                        (SELECT count(*) FROM {table} WHERE state >= {DEAD} AND state = {DEAD}),
                        min(due_at) FILTER (WHERE due_at <= now.at),
                        (SELECT {NOW})
                 FROM {table}, (SELECT {NOW} AS at) AS now WHERE state < {DEAD}"
            ),
            clean: format!(
                "DELETE FROM {table} WHERE name IN (
                    SELECT name FROM {table} WHERE state >= {DEAD} AND state = {DONE} AND ended_at < {NOW} - $1
                    ORDER BY ended_at LIMIT $2 FOR UPDATE SKIP LOCKED
                 )"
            ),
            table,
        }
    }
}

/// PostgreSQL's texts cannot hold a zero byte, and an event that this version does not know might.
/// The body is kept as it is.
fn text(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { text.replace('\0', "\u{FFFD}").into() } else { text.into() }
}

impl Database {
    async fn open(options: PgConnectOptions, place: String, name: &str) -> Result<Self, SqlFailure> {
        // The pool would try until its time is over, and then not say why it failed.
        let first = timeout(CONNECT, PgConnection::connect_with(&options)).await;
        first.map_err(|_| QueueError::new("connecting took too long"))??.close().await?;
        let pool = PgPoolOptions::new()
            .max_connections(CONNECTIONS)
            .acquire_timeout(CONNECT)
            .after_connect(|connection, _| Box::pin(async move { connection.execute(SYNCHRONOUS).await.map(drop) }));
        let opened = Self { pool: pool.connect_lazy_with(options), place, sql: Statements::of(name) };
        opened.create().await?;
        opened.check_rights().await?;
        let fsync: String = sqlx::query_scalar("SHOW fsync").fetch_one(&opened.pool).await?;
        if fsync != "on" {
            tracing::warn!(
                "{} runs with fsync = {fsync}: a crash of its machine loses deliveries that were acknowledged. Set \
                 `fsync = on` in its configuration",
                opened.place
            );
        }
        Ok(opened)
    }

    /// Creates the table if it is missing.
    async fn create(&self) -> Result<(), SqlFailure> {
        let mut transaction = self.pool.begin().await?;
        // Two processes that create a table at the same time would fail.
        sqlx::query("SELECT pg_advisory_xact_lock(hashtext($1))")
            .bind(&self.sql.table)
            .execute(&mut *transaction)
            .await?;
        let comment: Option<(Option<String>,)> =
            sqlx::query_as("SELECT obj_description(id, 'pg_class') FROM to_regclass($1) AS id WHERE id IS NOT NULL")
                .bind(&self.sql.table)
                .fetch_optional(&mut *transaction)
                .await?;
        match comment.map(|(comment,)| comment.unwrap_or_default()) {
            None => {
                sqlx::raw_sql(AssertSqlSafe(&*self.sql.create)).execute(&mut *transaction).await?;
            }
            Some(comment) if comment == VERSION => {}
            Some(comment) if comment.starts_with(OURS) => {
                return Err(QueueError::new(format!(
                    "a later version of uploadcare-hooks wrote the table {} ({comment:?}), and this one reads \
                     {VERSION:?}: update the application",
                    self.sql.table
                ))
                .refused()
                .into());
            }
            Some(comment) => {
                return Err(QueueError::new(format!(
                    "the table {} belongs to something else, its comment is {comment:?} and not {VERSION:?}: update \
                     the application, or give the queue another name with `OpenOptions`",
                    self.sql.table
                ))
                .refused()
                .into());
            }
        }
        Ok(transaction.commit().await?)
    }

    async fn check_rights(&self) -> Result<(), SqlFailure> {
        let missing: Vec<String> = sqlx::query_scalar(
            "SELECT name FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS name
             WHERE NOT has_table_privilege($1, name)",
        )
        .bind(&self.sql.table)
        .fetch_all(&self.pool)
        .await?;
        if missing.is_empty() {
            return Ok(());
        }
        let (table, missing) = (&self.sql.table, missing.join(", "));
        Err(QueueError::new(format!("the user has no right to {missing} on the table {table}: grant it"))
            .refused()
            .into())
    }

    /// At most [`LARGEST_BATCH`] jobs.
    fn insert<'q>(&'q self, jobs: &[&'q Job]) -> Query<'q, Postgres, PgArguments> {
        let (sql, empty) = batch(&self.sql.store, jobs.len());
        let mut insert = sqlx::query(AssertSqlSafe(sql));
        for job in jobs {
            insert = insert.bind(text(&job.name)).bind(text(&job.handler)).bind(text(job.event.as_str()));
            insert = insert.bind(job.delivery.to_string()).bind(job.received_at.as_millisecond()).bind(&*job.body);
        }
        for _ in 0..empty {
            insert = insert.bind(None::<&str>).bind(None::<&str>).bind(None::<&str>).bind(None::<&str>);
            insert = insert.bind(None::<i64>).bind(None::<&[u8]>);
        }
        insert
    }

    async fn record_failures(&self, worker: &str, ended: impl Iterator<Item = &Ended>) -> Result<(), SqlFailure> {
        let mut transaction = self.pool.begin().await?;
        for Ended { name, end } in ended {
            let (state, delay, Attempts { started, failures }) = match end {
                End::Done => continue,
                End::Again(attempts, delay) => (WAITING, milliseconds(*delay), attempts),
                End::Dead(attempts) => (DEAD, 0, attempts),
            };
            sqlx::query(AssertSqlSafe(&*self.sql.failed))
                .bind(state)
                .bind(delay)
                .bind(i32::try_from(*started).unwrap_or(i32::MAX))
                .bind(text(&failures_to_json(failures)))
                .bind(name)
                .bind(worker)
                .execute(&mut *transaction)
                .await?;
        }
        Ok(transaction.commit().await?)
    }
}

impl Resident for Database {
    type Failure = SqlFailure;

    fn place(&self) -> &str {
        &self.place
    }

    async fn store(&self, jobs: &[Job]) -> Result<(), SqlFailure> {
        // Two processes that store the same jobs in another order would wait for each other.
        let mut jobs: Vec<_> = jobs.iter().collect();
        jobs.sort_unstable_by(|one, other| one.name.cmp(&other.name));
        if jobs.len() <= LARGEST_BATCH {
            // One statement is a transaction of its own.
            return self.insert(&jobs).execute(&self.pool).await.map(drop).map_err(SqlFailure::from);
        }
        let mut transaction = self.pool.begin().await?;
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
        let done = turn.ended.iter().filter(|ended| !failed(ended)).map(|ended| &*ended.name);
        let rows: Vec<JobRow> = sqlx::query_as(AssertSqlSafe(&*self.sql.turn))
            .bind(done.collect::<Vec<_>>())
            .bind(milliseconds(turn.lease))
            .bind(turn.worker)
            .bind(i64::try_from(turn.most).unwrap_or(i64::MAX))
            .fetch_all(&self.pool)
            .await?;
        Ok(all_taken(rows))
    }

    async fn renew(&self, worker: &str, running: &[String], lease: Duration) -> Result<(), SqlFailure> {
        let renew = sqlx::query(AssertSqlSafe(&*self.sql.renew)).bind(milliseconds(lease)).bind(running).bind(worker);
        renew.execute(&self.pool).await?;
        Ok(())
    }

    async fn hand_back(&self, worker: &str, running: &[String]) -> Result<(), SqlFailure> {
        let hand_back = sqlx::query(AssertSqlSafe(&*self.sql.hand_back)).bind(running).bind(worker);
        hand_back.execute(&self.pool).await?;
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
            .bind(i64::from(search.most))
            .fetch_all(&self.pool)
            .await?;
        Ok(all_found(rows))
    }

    async fn decide(&self, dead: &[(String, i64)], verdict: Verdict) -> Result<u64, SqlFailure> {
        let (mut transaction, mut changed) = (self.pool.begin().await?, 0);
        let sql = if verdict == Verdict::RunAgain { &self.sql.run_again } else { &self.sql.discard };
        // Two callers that lock the same jobs in another order would wait for each other for ever.
        let mut dead: Vec<_> = dead.iter().collect();
        dead.sort();
        for (name, died) in dead {
            let update = sqlx::query(AssertSqlSafe(&**sql)).bind(name).bind(died);
            changed += update.execute(&mut *transaction).await?.rows_affected();
        }
        transaction.commit().await?;
        Ok(changed)
    }

    async fn stats(&self) -> Result<QueueStats, SqlFailure> {
        let (waiting, running, scheduled, dead, oldest, now) =
            sqlx::query_as(AssertSqlSafe(&*self.sql.stats)).fetch_one(&self.pool).await?;
        Ok(QueueStats::of((waiting, running, scheduled, dead, oldest), now))
    }

    async fn clean(&self, keep: Duration, most: u32) -> Result<u64, SqlFailure> {
        let clean = sqlx::query(AssertSqlSafe(&*self.sql.clean)).bind(milliseconds(keep)).bind(i64::from(most));
        Ok(clean.execute(&self.pool).await?.rows_affected())
    }
}
