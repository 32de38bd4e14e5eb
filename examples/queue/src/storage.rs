//! The two storages for several machines, opened so that they lose no acknowledged delivery.

use std::time::Duration;

use apalis::layers::retry::{
    HasherRng,
    backoff::{ExponentialBackoff, ExponentialBackoffMaker, MakeBackoff},
};
use apalis_core::error::BoxDynError;
use apalis_postgres::PostgresStorage;
use apalis_redis::RedisStorage;
use sqlx::postgres::PgPoolOptions;
use uploadcare_hooks::queue::Job;

/// By default a queue has the name of a Rust type, and types move.
const QUEUE: &str = "uploadcare-hooks";

/// Needs a server with `appendonly yes` and `appendfsync always`.
pub(crate) async fn redis(url: &str) -> Result<RedisStorage<Job>, BoxDynError> {
    // Longer than Uploadcare redelivers. By default, stored jobs are not recognised.
    let config = apalis_redis::Config::default().queue(QUEUE);
    let config = config.idempotency_ttl(Some(Duration::from_secs(4 * 24 * 60 * 60)));
    Ok(RedisStorage::new(apalis_redis::connect(url).await?).with_config(config))
}

/// Needs no settings of the server.
pub(crate) async fn postgres(url: &str) -> Result<PostgresStorage<Job>, BoxDynError> {
    let pool = PgPoolOptions::new().connect(url).await?;
    PostgresStorage::setup(&pool).await?;
    Ok(PostgresStorage::new(&pool).with_config(apalis_postgres::Config::default().queue(QUEUE)))
}

/// From a fifth of a second to half a minute, with 50 % jitter.
pub(crate) fn backoff() -> Result<ExponentialBackoff, BoxDynError> {
    let (first, longest) = (Duration::from_millis(200), Duration::from_secs(30));
    Ok(ExponentialBackoffMaker::new(first, longest, 0.5, HasherRng::default())?.make_backoff())
}
