//! Promises of this crate's own storages that backends of apalis do not keep, with the reason in
//! the source of apalis 1.0.0. The guide names each below "What is left to you". A test here fails
//! when apalis keeps the promise: then take it out of the guide.

use std::time::Duration;

use super::*;

/// Fails if the promise is kept.
fn expect_broken(promise: &str, reason: &str, is_kept: bool) {
    assert!(!is_kept, "apalis keeps a promise that it did not keep: {promise} (it was because {reason})");
}

/// A file that apalis-sqlite has set up, with one connection.
async fn sqlite_file() -> (TempDir, sqlx::SqlitePool) {
    let directory = TempDir::new().unwrap();
    let url = format!("sqlite:{}?mode=rwc", directory.path().join("apalis.db").display());
    let pool = apalis_sqlite::SqlitePoolOptions::new().max_connections(1).connect(&url).await.unwrap();
    SqliteStorage::setup(&pool).await.unwrap();
    (directory, pool)
}

/// Starts a worker, as the guide shows it.
macro_rules! start {
    ($hooks:expr, $storage:expr) => {{
        let backend = $storage.clone().poll_with_strategy($hooks.polling(Duration::from_millis(20)));
        let worker = WorkerBuilder::new(name("worker")).backend(backend).build($hooks.worker());
        tokio::spawn(async move { worker.run().await.map_err(|error| BoxDynError::from(error.to_string())) })
    }};
}

#[tokio::test]
async fn sqlite_syncs_no_acknowledged_delivery_to_the_disk() {
    let (_directory, pool) = sqlite_file().await;
    let synchronous: i64 = sqlx::query_scalar("PRAGMA synchronous").fetch_one(&pool).await.unwrap();
    let reason = "`SqliteStorage::setup` runs `PRAGMA synchronous = OFF`";
    expect_broken("a crash of the machine loses no acknowledged delivery", reason, synchronous != 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_keeps_what_is_done() {
    let (_directory, pool) = sqlite_file().await;
    let config = apalis_sqlite::Config::default().queue(name("sqlite"));
    let storage = SqliteStorage::<Job>::new(&pool).with_config(config);
    let runs = Runs::default();
    let builder = builder(&runs).handlers(webhook_handlers![index]).queue(apalis_storage(storage.clone()));
    let hooks = builder.build().unwrap();
    assert_eq!(deliver(&hooks, "file.uploaded").await, StatusCode::ACCEPTED);
    let worker = start!(hooks, storage);
    let done = async || -> i64 {
        sqlx::query_scalar("SELECT COUNT(*) FROM Jobs WHERE done_at IS NOT NULL").fetch_one(&pool).await.unwrap()
    };
    wait_until("the task is done", async || runs.of("index") == 1 && done().await > 0).await;
    wait_for_unexpected_runs().await;
    let reason = "a backend removes tasks only when an application calls `Vacuum`";
    expect_broken("tasks that are done are removed", reason, done().await == 0);
    worker.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_of_sqlite_ends_when_the_storage_fails() {
    let (_directory, pool) = sqlite_file().await;
    let config = apalis_sqlite::Config::default().queue(name("sqlite"));
    let storage = SqliteStorage::<Job>::new(&pool).with_config(config);
    let builder = builder(&Runs::default()).handlers(webhook_handlers![index]).queue(apalis_storage(storage.clone()));
    let hooks = builder.build().unwrap();
    let worker = start!(hooks, storage);
    pool.close().await;
    let ended = tokio::time::timeout(Duration::from_secs(20), worker).await;
    let reason = "an error of the backend's stream ends `Worker::run`";
    expect_broken("a worker outlives a failure of its storage", reason, ended.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_forgets_by_default_which_deliveries_were_stored() {
    let Some(url) = Kind::Redis.server() else { return };
    let config = apalis_redis::Config::default().queue(name("redis"));
    let storage = RedisStorage::<Job>::new(apalis_redis::connect(url).await.unwrap()).with_config(config);
    let runs = Runs::default();
    // A process remembers what it ran, so the second one is another process.
    for process in 1..=2 {
        let builder = builder(&runs).handlers(webhook_handlers![index]).queue(apalis_storage(storage.clone()));
        let hooks = builder.build().unwrap();
        let worker = start!(hooks, storage);
        assert_eq!(deliver(&hooks, "file.uploaded").await, StatusCode::ACCEPTED);
        wait_until("the task ran", async || runs.of("index") >= 1).await;
        wait_for_unexpected_runs().await;
        worker.abort();
        let reason = "without `Config::idempotency_ttl` its script lets the name of a task expire at once";
        if process == 2 {
            expect_broken("a redelivery runs no handler again", reason, runs.of("index") == 1);
        }
    }
}
