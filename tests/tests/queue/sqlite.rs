//! The queue in a SQLite file that the crate opens.

use apalis_core::backend::{Filter, ListTasks};
use http::StatusCode;
use sqlx::Row;
use tempfile::TempDir;
use uploadcare_hooks::{
    queue::{self, open_sqlite},
    webhook_handlers,
};

use crate::{Runs, builder, deliver, index};

#[tokio::test]
async fn jobs_are_still_in_a_file_when_it_is_opened_again() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("hooks of today.db");
    for _ in 0..2 {
        let mut storage = open_sqlite(&file).await.unwrap();
        let hooks = builder(&Runs::default()).handlers(webhook_handlers![index]).queue(storage.clone()).build();
        assert_eq!(deliver(&hooks.unwrap(), "file.uploaded").await, StatusCode::ACCEPTED);
        assert_eq!(storage.list_tasks(&Filter { status: None, page: 1, page_size: None }).await.unwrap().len(), 1);
        assert_eq!(queue::dead_jobs(&mut storage, 10).await.unwrap().len(), 0);
        // `FULL`: SQLite writes to the disk at each commit.
        let pragma = async |name: &'static str| sqlx::query(name).fetch_one(storage.pool()).await.unwrap();
        assert_eq!(pragma("PRAGMA journal_mode").await.get::<String, _>(0), "wal");
        assert_eq!(pragma("PRAGMA synchronous").await.get::<i64, _>(0), 2);
    }
}

/// Reading all jobs would be slow with many of them. SQLite's query plan shows it without any.
#[tokio::test]
async fn jobs_are_found_without_reading_all_of_them() {
    let directory = TempDir::new().unwrap();
    let storage = open_sqlite(directory.path().join("queue.db")).await.unwrap();
    let plan = async |query: &str| {
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {query}"))).fetch_all(storage.pool());
        rows.await.unwrap().iter().map(|row| row.get::<String, _>("detail")).collect::<Vec<_>>().join("\n")
    };
    let ack = "WITH j AS (SELECT value ->> 'task_id' AS task_id FROM json_each('[]'))
        UPDATE Jobs SET status = 'Done' FROM j WHERE Jobs.id = j.task_id AND Jobs.lock_by = 'me'";
    let ack = plan(ack).await;
    assert!(ack.contains("SEARCH Jobs USING INDEX sqlite_autoindex_Jobs_1 (id=?)"), "{ack}");
    let orphans = "SELECT Jobs.id FROM Jobs INNER JOIN Workers ON lock_by = Workers.id
        WHERE (status = 'Running' OR status = 'Queued') AND Workers.last_seen < 0";
    let orphans = plan(orphans).await;
    assert!(orphans.contains("SEARCH Jobs USING INDEX idx_jobs_status_run_at (status=?)"), "{orphans}");
}

#[tokio::test]
async fn a_file_that_cannot_be_opened_is_named() {
    let directory = TempDir::new().unwrap();
    let nowhere = directory.path().join("nowhere/queue.db");
    let error = open_sqlite(&nowhere).await.unwrap_err().to_string();
    assert!(error.contains("nowhere/queue.db: ") && error.contains("unable to open database file"), "{error}");
    let letter = directory.path().join("letter");
    std::fs::write(&letter, "Dear Sir or Madam, ".repeat(1000)).unwrap();
    let error = open_sqlite(&letter).await.unwrap_err().to_string();
    assert!(error.contains("letter: ") && error.contains("file is not a database"), "{error}");
}
