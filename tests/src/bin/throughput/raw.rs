//! The same rows without a queue: 64 in each transaction, one transaction after the other.

use std::{error::Error, time::Instant};

use sqlx::{
    AssertSqlSafe, Connection, Database, Encode, Executor, IntoArguments, PgConnection, QueryBuilder, SqliteConnection,
    Type,
};
use tempfile::TempDir;
use tests::{deliveries::payload, storages::Kind};

const ROWS: usize = 64;

/// How many rows a second the database takes. `None` for Redis, which has no tables.
pub(crate) async fn rate(kind: Kind, rows: usize) -> Result<Option<f64>, Box<dyn Error>> {
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

async fn insert<'c, C>(connection: &'c mut C, rows: usize) -> Result<f64, sqlx::Error>
where
    C: Connection,
    for<'e> &'e mut C: Executor<'e, Database = C::Database>,
    <C::Database as Database>::Arguments: IntoArguments<C::Database>,
    String: for<'q> Encode<'q, C::Database> + Type<C::Database>,
    i64: for<'q> Encode<'q, C::Database> + Type<C::Database>,
    Vec<u8>: for<'q> Encode<'q, C::Database> + Type<C::Database>,
{
    let body = payload("file.uploaded").to_string().into_bytes();
    let batches: Vec<Vec<usize>> = (0..rows).collect::<Vec<_>>().chunks(ROWS).map(<[_]>::to_vec).collect();
    let started = Instant::now();
    for batch in batches {
        let mut insert =
            QueryBuilder::new("INSERT INTO raw (name, due_at, handler, event, delivery, received_at, body) ");
        insert.push_values(batch, |mut row, number| {
            // Spread like the names of jobs, which are digests.
            let name = format!("{:016x}{number:016x}/count", (number as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15));
            row.push_bind(name).push_bind(0_i64).push_bind("count".to_owned()).push_bind("file.uploaded".to_owned());
            row.push_bind(format!("{number:032x}")).push_bind(0_i64).push_bind(body.clone());
        });
        insert.build().execute(&mut *connection).await?;
    }
    #[allow(clippy::cast_precision_loss)]
    Ok(rows as f64 / started.elapsed().as_secs_f64())
}
