//! What users see when a storage cannot be opened, or fails.

use std::time::{Duration, Instant};

use http::StatusCode;
use tests::storages::{Kind, RunningWorker, TestQueue};
use uploadcare_hooks::{
    RejectionReason,
    queue::{OpenOptions, Retries, open_postgres, open_redis},
    webhook_handlers,
};

use crate::{Runs, builder, index, quick, send, upload_of, wait_until};

#[tokio::test]
async fn the_error_for_a_server_that_is_down_names_it_and_no_password() {
    let errors = [
        open_postgres("postgres://app:hunter2@127.0.0.1:1/app").await.unwrap_err().to_string(),
        open_redis("redis://:hunter2@127.0.0.1:1").await.unwrap_err().to_string(),
        open_postgres("mysql://app:hunter2@127.0.0.1:1/app").await.unwrap_err().to_string(),
        open_redis("http://app:hunter2@127.0.0.1:1").await.unwrap_err().to_string(),
    ];
    for (error, what) in errors.iter().zip(["127.0.0.1:1", "127.0.0.1:1", "no URL of PostgreSQL", "no URL of Redis"]) {
        assert!(error.contains(what), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
}

#[tokio::test]
async fn a_wrong_password_is_an_error_without_it() {
    if let Some(url) = Kind::Redis.server() {
        let url = url.replace("redis://", "redis://no_such_user:hunter2@");
        let error = open_redis(&url).await.unwrap_err().to_string();
        assert!(error.contains("authentication failed") && !error.contains("hunter2"), "{error}");
    }
    if let Some(url) = Kind::Postgres.server() {
        let url = url.replace("postgres@", "no_such_user:hunter2@");
        let error = open_postgres(&url).await.unwrap_err().to_string();
        assert!(error.contains("no_such_user") && !error.contains("hunter2"), "{error}");
    }
}

#[tokio::test]
async fn a_server_that_is_down_is_tried_again_only_if_asked_to() {
    let started = Instant::now();
    let options = OpenOptions::new().keep_trying(Duration::from_secs(2));
    options.open_postgres("postgres://app@127.0.0.1:1/app").await.unwrap_err();
    let took = started.elapsed();
    assert!((Duration::from_millis(700)..Duration::from_secs(9)).contains(&took), "{took:?}");
    // A wrong name is no better a moment later.
    let started = Instant::now();
    let error = options.name("Web-Hooks").open_postgres("postgres://app@127.0.0.1:1/app").await.unwrap_err();
    assert!(error.to_string().contains("\"Web-Hooks\" cannot be the name of a queue"), "{error}");
    assert!(started.elapsed() < Duration::from_secs(1));
}

#[tokio::test]
async fn a_delivery_is_refused_while_the_storage_fails_and_accepted_afterwards() {
    let queue = TestQueue::new(Kind::Sqlite).unwrap();
    let storage = queue.open().await.unwrap().unwrap();
    let hooks = quick(&Runs::default(), &storage)
        .handlers(webhook_handlers![index])
        .on_rejection(|rejection| assert!(matches!(rejection.reason(), RejectionReason::QueueFailed(_))))
        .build()
        .unwrap();
    let mut other = sqlx::sqlite::SqliteConnectOptions::new().filename(queue.file());
    other = other.busy_timeout(Duration::ZERO);
    let mut other = sqlx::ConnectOptions::connect(&other).await.unwrap();
    sqlx::raw_sql("BEGIN EXCLUSIVE").execute(&mut other).await.unwrap();
    let answer = send(&hooks, upload_of(1)).await;
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.headers()["retry-after"], "30");
    assert!(String::from_utf8_lossy(answer.body()).contains(r#""code":"queue_failed""#));
    assert!(
        !String::from_utf8_lossy(answer.body()).contains("locked"),
        "the sender does not learn the storage's error"
    );
    sqlx::raw_sql("ROLLBACK").execute(&mut other).await.unwrap();
    assert_eq!(send(&hooks, upload_of(1)).await.status(), StatusCode::ACCEPTED);
    assert_eq!((hooks.stats().acknowledged, hooks.stats().rejected), (1, 1));
}

#[tokio::test]
async fn options_that_contradict_each_other_are_problems_at_boot() {
    let queue = TestQueue::new(Kind::Sqlite).unwrap();
    let storage = queue.open().await.unwrap().unwrap();
    let error = builder(&Runs::default())
        .handlers(webhook_handlers![index])
        .queue(storage)
        .queue_retries(Retries::new(0).first_delay(Duration::from_secs(9)).longest_delay(Duration::from_secs(3)))
        .queue_concurrency(0)
        .queue_lease(Duration::from_millis(10))
        .build()
        .unwrap_err()
        .to_string();
    for part in [
        "`queue_attempts` or `Retries::new` 1 to 1000",
        "`queue_retries` has delays from 9s to 3s",
        "`queue_concurrency` is zero",
        "`queue_lease` is 10ms",
    ] {
        assert!(error.contains(part), "{error}");
    }
}

/// Other programs may write into the same storage.
#[tokio::test]
async fn a_job_of_another_shape_stops_no_other_and_is_dead_in_the_end() {
    for kind in Kind::ALL {
        let runs = Runs::default();
        let queue = TestQueue::new(kind).unwrap();
        let Some(storage) = queue.open().await.unwrap() else { continue };
        write_strange_jobs(&queue).await;
        let hooks = quick(&runs, &storage).handlers(webhook_handlers![index]).queue_attempts(2).build().unwrap();
        assert_eq!(send(&hooks, upload_of(1)).await.status(), StatusCode::ACCEPTED);
        let worker = RunningWorker::start(&hooks);
        wait_until("the job is done, and others are dead", async || {
            let stats = hooks.queue_stats().await.unwrap();
            (stats.waiting, stats.running, stats.scheduled, stats.dead) == (0, 0, 0, 2)
        })
        .await;
        let dead = hooks.dead_jobs(10).await.unwrap();
        assert_eq!(dead.len(), 2);
        for dead in &dead {
            assert!(dead.last_error().contains("this process has no handler"), "{}", dead.last_error());
            assert!(hooks.discard_dead_job(dead, "not ours").await.unwrap());
        }
        worker.stop().await.unwrap();
        assert_eq!(runs.of("index"), 1);
    }
}

async fn write_strange_jobs(queue: &TestQueue) {
    let url = queue.kind.server().unwrap();
    let values = "('strange', 0, '', '', 'zz', -1, ''), ('x/y/z', 0, 'gone', 'a b', '', 0, '')";
    let columns = "(name, due_at, handler, event, delivery, received_at, body)";
    match queue.kind {
        Kind::Sqlite => {
            let options = sqlx::sqlite::SqliteConnectOptions::new().filename(queue.file());
            let mut connection = sqlx::ConnectOptions::connect(&options).await.unwrap();
            let insert = format!("INSERT INTO queue_{} {columns} VALUES {values}", queue.name).replace("'')", "x'')");
            sqlx::raw_sql(sqlx::AssertSqlSafe(insert)).execute(&mut connection).await.unwrap();
        }
        Kind::Postgres => {
            let mut connection = <sqlx::PgConnection as sqlx::Connection>::connect(&url).await.unwrap();
            let insert = format!("INSERT INTO uploadcare_hooks_{} {columns} VALUES {values}", queue.name);
            sqlx::raw_sql(sqlx::AssertSqlSafe(insert)).execute(&mut connection).await.unwrap();
        }
        Kind::Redis => {
            let client = redis::Client::open(url).unwrap();
            let mut connection = client.get_multiplexed_async_connection().await.unwrap();
            let key = |key: &str| format!("{{uploadcare-hooks:{}}}:{key}", queue.name);
            let mut strange = redis::pipe();
            strange.cmd("HSET").arg(key("job:strange")).arg("attempts").arg("many").arg("body").arg(b"\xFF");
            strange.cmd("HSET").arg(key("job:x/y/z")).arg("received_at").arg("once").arg("handler").arg(b"\xFF");
            strange.cmd("SET").arg(key("job:text")).arg("no hash");
            for name in ["strange", "x/y/z", "text", "missing"] {
                strange.cmd("ZADD").arg(key("waiting")).arg(0).arg(name);
            }
            strange.exec_async(&mut connection).await.unwrap();
        }
    }
}
