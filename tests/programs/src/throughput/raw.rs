//! The same rows without a queue: 64 in each transaction, one transaction after the other.

use std::{error::Error, ops::Range, time::Instant};

use sqlx::{
    AssertSqlSafe, Connection, Database, Encode, Executor, IntoArguments, PgConnection, QueryBuilder, SqliteConnection,
    Type,
};
use tempfile::TempDir;
use tests::{deliveries::payload, storages::Kind};

const ROWS: usize = 64;

/// How many rows a second the database takes, 64 in each transaction.
pub(crate) struct Raw {
    /// With one statement for all 64.
    pub(crate) in_one_statement: f64,
    /// With one for each.
    pub(crate) row_by_row: f64,
}

/// Measures it. `None` for Redis, which has no tables.
pub(crate) async fn measure(kind: Kind, rows: usize) -> Result<Option<Raw>, Box<dyn Error>> {
    let directory = TempDir::new()?;
    let file = directory.path().join("raw.db");
    Ok(match kind {
        Kind::Redis => None,
        Kind::Sqlite => {
            let mut connection = SqliteConnection::connect(&format!("sqlite:{}?mode=rwc", file.display())).await?;
            connection.execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL").await?;
            let columns = "name TEXT PRIMARY KEY, due_at INTEGER, handler TEXT, event TEXT, delivery TEXT, \
                           received_at INTEGER, body BLOB";
            connection.execute(AssertSqlSafe(format!("CREATE TABLE raw ({columns})"))).await?;
            Some(insert(&mut connection, rows).await?)
        }
        Kind::Postgres => {
            let mut connection = PgConnection::connect(&kind.server().ok_or("no server")?).await?;
            let columns = "name text PRIMARY KEY, due_at bigint, handler text, event text, delivery text, \
                           received_at bigint, body bytea";
            connection.execute("DROP TABLE IF EXISTS raw").await?;
            connection.execute(AssertSqlSafe(format!("CREATE TABLE raw ({columns})"))).await?;
            Some(insert(&mut connection, rows).await?)
        }
    })
}

async fn insert<C>(connection: &mut C, rows: usize) -> Result<Raw, sqlx::Error>
where
    C: Connection,
    for<'e> &'e mut C: Executor<'e, Database = C::Database>,
    <C::Database as Database>::Arguments: IntoArguments<C::Database>,
    String: for<'q> Encode<'q, C::Database> + Type<C::Database>,
    i64: for<'q> Encode<'q, C::Database> + Type<C::Database>,
    Vec<u8>: for<'q> Encode<'q, C::Database> + Type<C::Database>,
{
    let body = payload("file.uploaded").to_string().into_bytes();
    let statement = |numbers: Range<usize>| {
        let mut insert =
            QueryBuilder::new("INSERT INTO raw (name, due_at, handler, event, delivery, received_at, body) ");
        insert.push_values(numbers, |mut row, number| {
            // Spread like the names of jobs, which are digests.
            let name = format!("{:016x}{number:016x}/count", (number as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15));
            row.push_bind(name).push_bind(0_i64).push_bind("count".to_owned()).push_bind("file.uploaded".to_owned());
            row.push_bind(format!("{number:032x}")).push_bind(0_i64).push_bind(body.clone());
        });
        insert
    };
    let started = Instant::now();
    for first in (0..rows).step_by(ROWS) {
        statement(first..first + ROWS).build().execute(&mut *connection).await?;
    }
    let in_one_statement = rate(rows, started);
    let started = Instant::now();
    for first in (rows..2 * rows).step_by(ROWS) {
        connection.execute("BEGIN").await?;
        for number in first..first + ROWS {
            // Another number than those above, also where the last of them was not full.
            statement(ROWS + number..ROWS + number + 1).build().execute(&mut *connection).await?;
        }
        connection.execute("COMMIT").await?;
    }
    Ok(Raw { in_one_statement, row_by_row: rate(rows, started) })
}

#[allow(clippy::cast_precision_loss)]
fn rate(rows: usize, started: Instant) -> f64 {
    rows as f64 / started.elapsed().as_secs_f64()
}
