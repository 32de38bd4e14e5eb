//! Backends of apalis, assembled by hand as the documentation of `queue::apalis` says.

mod backend;
mod polling;
mod quirks;

use std::{sync::atomic::Ordering, time::Duration};

use apalis::{layers::WorkerBuilderExt, layers::retry::RetryPolicy};
use apalis_core::{backend::ext::BackendExt, error::BoxDynError, worker::builder::WorkerBuilder};
use apalis_postgres::PostgresStorage;
use apalis_redis::RedisStorage;
use apalis_sqlite::SqliteStorage;
use http::StatusCode;
use sqlx::PgPool;
use tempfile::TempDir;
use tests::storages::Kind;
use uploadcare_hooks::{
    queue::{
        Job,
        apalis::{dead_tasks, run_task_again, storage as apalis_storage},
    },
    webhook_handlers,
};

use crate::{Runs, builder, copy, deliver, index, wait_for_unexpected_runs, wait_until};

/// Another name for each run of the tests, as servers keep what they were given.
fn name(kind: &str) -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    format!("test-{kind}-{}-{}", std::process::id(), now.as_nanos())
}

/// Each handler runs once for a delivery and its redeliveries, a failed task is tried again until
/// it is dead, and a dead one runs again when asked to.
macro_rules! over {
    ($storage:expr) => {{
        let mut storage = $storage;
        let runs = Runs::default();
        runs.failures_left.store(3, Ordering::SeqCst);
        let hooks = builder(&runs)
            .handlers(webhook_handlers![index, copy])
            .queue(apalis_storage(storage.clone()))
            .queue_attempts(3);
        let hooks = hooks.build().unwrap();
        assert_eq!(deliver(&hooks, "file.uploaded").await, StatusCode::ACCEPTED);
        assert_eq!(deliver(&hooks, "file.uploaded").await, StatusCode::ACCEPTED);
        let worker = WorkerBuilder::new(name("worker"))
            .backend(storage.clone().poll_with_strategy(hooks.polling(Duration::from_millis(20))))
            .concurrency(4)
            .retry(RetryPolicy::retries(25))
            .build(hooks.worker());
        let worker =
            tokio::spawn(async move { worker.run().await.map_err(|error| BoxDynError::from(error.to_string())) });
        wait_until("the task is dead", async || dead_tasks(&mut storage.clone(), 10).await.unwrap().len() == 1).await;
        assert_eq!((runs.of("index"), runs.of("copy")), (3, 1));
        let dead = dead_tasks(&mut storage, 10).await.unwrap().remove(0);
        assert_eq!((dead.job.handler(), dead.attempts), ("index", 3));
        run_task_again(&mut storage, &dead).await.unwrap();
        run_task_again(&mut storage, &dead).await.unwrap();
        wait_until("the task ran again", async || runs.of("index") == 4).await;
        assert_eq!(deliver(&hooks, "file.uploaded").await, StatusCode::ACCEPTED);
        wait_for_unexpected_runs().await;
        assert_eq!((runs.of("index"), runs.of("copy")), (4, 1));
        assert!(dead_tasks(&mut storage, 10).await.unwrap().is_empty());
        worker.abort();
    }};
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite() {
    let directory = TempDir::new().unwrap();
    let url = format!("sqlite:{}?mode=rwc", directory.path().join("apalis.db").display());
    let pool = apalis_sqlite::SqlitePoolOptions::new().max_connections(1).connect(&url).await.unwrap();
    SqliteStorage::setup(&pool).await.unwrap();
    let config = apalis_sqlite::Config::default().queue(name("sqlite"));
    over!(SqliteStorage::<Job>::new(&pool).with_config(config));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis() {
    let Some(url) = Kind::Redis.server() else { return };
    let config = apalis_redis::Config::default().queue(name("redis"));
    let config = config.idempotency_ttl(Some(Duration::from_secs(4 * 24 * 60 * 60)));
    over!(RedisStorage::<Job>::new(apalis_redis::connect(url).await.unwrap()).with_config(config));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres() {
    let Some(url) = Kind::Postgres.server() else { return };
    let pool = PgPool::connect(&url).await.unwrap();
    PostgresStorage::setup(&pool).await.unwrap();
    let config = apalis_postgres::Config::default().queue(name("postgres"));
    over!(PostgresStorage::<Job>::new(&pool).with_config(config));
}
