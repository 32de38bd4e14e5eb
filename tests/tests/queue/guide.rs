//! The guide to a queue in production shows a program that runs, and quotes what its readers see.

use std::{
    fs,
    net::TcpListener,
    path::Path,
    process::{Child, Command},
    sync::atomic::Ordering,
    time::Duration,
};

use http::StatusCode;
use serde_json::Value;
use tempfile::TempDir;
use tests::{
    deliveries::{UUID, secret},
    guides::{assert_quoted, assert_shown},
    log::Log,
    routers::builder,
    storages::{Kind, RunningWorker, TestQueue},
};
use uploadcare_hooks::{
    queue::{OpenOptions, Retries, open_postgres, open_redis, open_sqlite},
    testing::Sample,
    webhook_handlers,
};

use crate::{Runs, index, wait_until};

const GUIDE: &str = include_str!("../../../uploadcare-hooks/docs/queue_production.md");

#[test]
fn the_program_is_that_of_the_guide() {
    assert_shown(GUIDE, include_str!("../../src/bin/guide_queue.rs"));
}

/// The program, started in a folder of its own.
struct Program {
    child: Child,
    address: String,
}

impl Program {
    fn start(folder: &Path) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let address = format!("127.0.0.1:{port}");
        let mut command = Command::new(env!("CARGO_BIN_EXE_guide_queue"));
        command.current_dir(folder).arg(&address).env("UC_SIGNING_SECRET", "7kMVZivndx0ErgvhRKAr");
        Self { child: command.spawn().unwrap(), address }
    }

    /// Sends the delivery until the program has started. Returns the status.
    async fn deliver(&self) -> StatusCode {
        let body = Sample::of("file.uploaded").body();
        let client = reqwest::Client::new();
        loop {
            let request = client.post(format!("http://{}/hooks", self.address));
            let request = request.header("X-Uc-Signature", secret().sign(&body)).body(body.clone());
            match request.send().await {
                Ok(answer) => return answer.status(),
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }

    /// Ends the program as a supervisor does, and waits for it.
    async fn stop(mut self) -> bool {
        assert!(Command::new("kill").arg(self.child.id().to_string()).status().unwrap().success());
        let mut ended = None;
        wait_until("the program ended", async || {
            ended = self.child.try_wait().unwrap();
            ended.is_some()
        })
        .await;
        ended.unwrap().success()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How often the only job of the queue has failed.
async fn failures(file: &Path) -> usize {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file).read_only(true);
    let Ok(mut connection) = sqlx::ConnectOptions::connect(&options).await else { return 0 };
    let failures: Result<Option<String>, _> =
        sqlx::query_scalar("SELECT failures FROM queue_webhooks").fetch_one(&mut connection).await;
    let failures: Value = serde_json::from_str(&failures.ok().flatten().unwrap_or_default()).unwrap_or_default();
    failures.as_array().map_or(0, Vec::len)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn its_handler_fails_twice_and_succeeds_after_a_restart() {
    let folder = TempDir::new().unwrap();
    let program = Program::start(folder.path());
    assert_eq!(program.deliver().await, StatusCode::ACCEPTED);
    wait_until("the handler failed twice", async || failures(&folder.path().join("webhooks.db")).await == 2).await;
    assert!(program.stop().await, "it ends without an error");

    let indexed = folder.path().join("index").join(UUID);
    fs::create_dir(folder.path().join("index")).unwrap();
    let program = Program::start(folder.path());
    wait_until("the third attempt succeeded", async || indexed.exists()).await;
    assert_eq!(fs::read_to_string(&indexed).unwrap(), "ananas.jpg");
    fs::remove_file(&indexed).unwrap();
    assert_eq!(program.deliver().await, StatusCode::ACCEPTED);
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert!(!indexed.exists(), "a redelivery does not run a job that was done");
    assert!(program.stop().await);
}

#[tokio::test]
async fn the_guide_quotes_why_a_storage_cannot_be_opened() {
    let folder = TempDir::new().unwrap();
    let file = |name: &str| folder.path().join(name).display().to_string();
    let no_folder = open_sqlite(file("data/webhooks.db")).await.unwrap_err().to_string();
    assert_quoted(GUIDE, &no_folder.replace(&format!("{}/", folder.path().display()), ""), "create it");
    let in_memory = open_sqlite(":memory:").await.unwrap_err().to_string();
    assert_quoted(GUIDE, in_memory.split_once(": ").unwrap().1, "path of a file");

    drop(open_sqlite(file("later.db")).await.unwrap());
    for (name, sql, end) in [
        ("foreign.db", "CREATE TABLE users (id)", "file of its own"),
        ("later.db", "PRAGMA user_version = 2", "the application"),
    ] {
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file(name)).create_if_missing(true);
        let mut connection = sqlx::ConnectOptions::connect(&options).await.unwrap();
        sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
        let error = open_sqlite(file(name)).await.unwrap_err().to_string();
        assert_quoted(GUIDE, error.rsplit_once(".db: ").unwrap().1, end);
    }

    for (error, end) in [
        (open_postgres("mysql://db").await.unwrap_err(), "percent-encoded"),
        (open_redis("http://db").await.unwrap_err(), "percent-encoded"),
        (open_postgres("postgres://app@127.0.0.1:1/app").await.unwrap_err(), "PostgreSQL at 127.0.0.1:"),
        (OpenOptions::new().name("Billing").open_sqlite(file("x.db")).await.unwrap_err(), "and _"),
    ] {
        assert_quoted(GUIDE, &error.to_string(), end);
    }
}

#[tokio::test]
async fn the_guide_quotes_the_log() {
    let log = Log::default();
    let _guard = log.capture();
    let runs = Runs::default();
    builder(&runs).handlers(webhook_handlers![index]).build().unwrap().run_worker(std::future::ready(())).await;
    let text = log.text();
    assert_quoted(GUIDE, &text[text.find("no worker runs").unwrap()..], "`.queue(..)`");

    let queue = TestQueue::new(Kind::Sqlite).unwrap();
    let twice = Retries::new(2).first_delay(Duration::from_millis(1));
    let hooks = builder(&runs).handlers(webhook_handlers![index]).queue_retries(twice);
    let hooks = hooks.queue(queue.open().await.unwrap().unwrap()).build().unwrap();
    runs.failures_left.store(2, Ordering::SeqCst);
    hooks.handle(Sample::of("file.uploaded").sign(&secret())).await;
    let worker = RunningWorker::start(&hooks);
    wait_until("the job is dead", async || !hooks.dead_jobs(1).await.unwrap().is_empty()).await;
    worker.stop().await.unwrap();
    let text = log.text().replace("`index`", "`index_upload`");
    let failed = text.find("job of handler").unwrap();
    assert_quoted(GUIDE, &text[failed..], "for delivery ");
    assert!(text.contains("attempt 1 of 2, next in ") && GUIDE.contains("attempt 1 of 25, next in "), "{text}");
    assert!(text.contains("is dead, attempts: 2") && GUIDE.contains("is dead, attempts: 25"), "{text}");
}
