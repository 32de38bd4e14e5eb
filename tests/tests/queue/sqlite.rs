//! The SQLite file that `open_sqlite` creates.

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
async fn a_reopened_file_still_holds_its_jobs() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("name with spaces.db");
    for _ in 0..2 {
        let mut storage = open_sqlite(&file).await.unwrap();
        let hooks = builder(&Runs::default()).handlers(webhook_handlers![index]).queue(storage.clone()).build();
        assert_eq!(deliver(&hooks.unwrap(), "file.uploaded").await, StatusCode::ACCEPTED);
        assert_eq!(storage.list_tasks(&Filter { status: None, page: 1, page_size: None }).await.unwrap().len(), 1);
        assert_eq!(queue::dead_jobs(&mut storage, 10).await.unwrap().len(), 0);
        // SQLite syncs the file at each commit (2 is FULL).
        let pragma = async |name: &'static str| sqlx::query(name).fetch_one(storage.pool()).await.unwrap();
        assert_eq!(pragma("PRAGMA journal_mode").await.get::<String, _>(0), "wal");
        assert_eq!(pragma("PRAGMA synchronous").await.get::<i64, _>(0), 2);
    }
}

/// A query that reads all jobs is slow when the file holds many. The query plan shows whether it
/// does.
#[tokio::test]
async fn frequent_queries_use_an_index_instead_of_reading_all_jobs() {
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
async fn the_error_for_a_file_that_cannot_be_opened_names_the_file() {
    let directory = TempDir::new().unwrap();
    let in_missing_folder = directory.path().join("missing/queue.db");
    let error = open_sqlite(&in_missing_folder).await.unwrap_err().to_string();
    assert!(error.contains("missing/queue.db: ") && error.contains("unable to open database file"), "{error}");
    let text_file = directory.path().join("letter.txt");
    std::fs::write(&text_file, "Dear Sir or Madam, ".repeat(1000)).unwrap();
    let error = open_sqlite(&text_file).await.unwrap_err().to_string();
    assert!(error.contains("letter.txt: ") && error.contains("file is not a database"), "{error}");
}
