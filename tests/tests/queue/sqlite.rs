//! The SQLite file that `open_sqlite` creates.

use http::StatusCode;
use sqlx::{Connection, Row, SqliteConnection};
use tempfile::TempDir;
use uploadcare_hooks::{queue::open_sqlite, webhook_handlers};

use crate::{Runs, builder, deliver, index};

#[tokio::test]
async fn a_reopened_file_still_holds_its_jobs_and_is_synced_at_each_commit() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("name with spaces.db");
    for _ in 0..2 {
        let storage = open_sqlite(&file).await.unwrap();
        let hooks = builder(&Runs::default()).handlers(webhook_handlers![index]).queue(storage).build().unwrap();
        assert_eq!(deliver(&hooks, "file.uploaded").await, StatusCode::ACCEPTED);
        assert_eq!(hooks.queue_stats().await.unwrap().waiting, 1);
    }
    let mut connection = SqliteConnection::connect(&format!("sqlite:{}", file.display())).await.unwrap();
    let mode = sqlx::query("PRAGMA journal_mode").fetch_one(&mut connection).await.unwrap();
    assert_eq!(mode.get::<String, _>(0), "wal");
}

#[tokio::test]
async fn the_error_for_a_file_that_cannot_be_opened_names_the_file() {
    let directory = TempDir::new().unwrap();
    let in_missing_folder = directory.path().join("missing/queue.db");
    let error = open_sqlite(&in_missing_folder).await.unwrap_err().to_string();
    assert!(error.contains("missing/queue.db\": the folder of this file does not exist"), "{error}");
    let error = open_sqlite(directory.path()).await.unwrap_err().to_string();
    assert!(error.contains("this is a folder"), "{error}");
    for (path, what) in [("", "is empty"), (":memory:", "loses what it acknowledged"), ("sqlite:a.db", "no URL")] {
        let error = open_sqlite(path).await.unwrap_err().to_string();
        assert!(error.contains(what), "{error}");
    }
    let text_file = directory.path().join("letter.txt");
    std::fs::write(&text_file, "Dear Sir or Madam, ".repeat(1000)).unwrap();
    let error = open_sqlite(&text_file).await.unwrap_err().to_string();
    assert!(error.contains("letter.txt: file is not a database: give the queue a file of its own"), "{error}");
}

#[tokio::test]
async fn a_file_of_another_application_or_a_later_version_is_refused_and_not_changed() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("shop.db");
    let mut connection = SqliteConnection::connect(&format!("sqlite:{}?mode=rwc", file.display())).await.unwrap();
    sqlx::raw_sql("CREATE TABLE webhooks (id INTEGER)").execute(&mut connection).await.unwrap();
    let error = open_sqlite(&file).await.unwrap_err().to_string();
    assert!(error.contains("shop.db: this is a database of another application"), "{error}");
    let tables = sqlx::query("SELECT group_concat(name) FROM sqlite_schema").fetch_one(&mut connection).await.unwrap();
    assert_eq!(tables.get::<String, _>(0), "webhooks");

    let file = directory.path().join("later.db");
    drop(open_sqlite(&file).await.unwrap());
    let mut connection = SqliteConnection::connect(&format!("sqlite:{}", file.display())).await.unwrap();
    sqlx::raw_sql("PRAGMA user_version = 2").execute(&mut connection).await.unwrap();
    let error = open_sqlite(&file).await.unwrap_err().to_string();
    assert!(error.contains("a later version of uploadcare-hooks wrote this file"), "{error}");
}
