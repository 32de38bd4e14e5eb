//! The two storages that several machines can share, with the options that keep every stored job.

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

/// The name of the queue. Set here because apalis would name the queue after the Rust type of its
/// jobs, whose path can change.
const QUEUE: &str = "uploadcare-hooks";

/// A queue in Redis. Run the server with `appendonly yes` and `appendfsync always`.
pub(crate) async fn redis(url: &str) -> Result<RedisStorage<Job>, BoxDynError> {
    // Uploadcare redelivers for 72 hours. The keys of stored jobs must be kept for longer, so that
    // the storage recognises a redelivery. By default apalis forgets them at once.
    let config = apalis_redis::Config::default().queue(QUEUE);
    let config = config.idempotency_ttl(Some(Duration::from_secs(4 * 24 * 60 * 60)));
    Ok(RedisStorage::new(apalis_redis::connect(url).await?).with_config(config))
}

/// A queue in PostgreSQL. The server's default settings are fine.
pub(crate) async fn postgres(url: &str) -> Result<PostgresStorage<Job>, BoxDynError> {
    let pool = PgPoolOptions::new().connect(url).await?;
    PostgresStorage::setup(&pool).await?;
    Ok(PostgresStorage::new(&pool).with_config(apalis_postgres::Config::default().queue(QUEUE)))
}

/// The delay between attempts. It grows from 200 milliseconds to 30 seconds, and a random part of
/// up to half the delay is added.
pub(crate) fn backoff() -> Result<ExponentialBackoff, BoxDynError> {
    let (first, longest) = (Duration::from_millis(200), Duration::from_secs(30));
    Ok(ExponentialBackoffMaker::new(first, longest, 0.5, HasherRng::default())?.make_backoff())
}
