//! The guide to a queue in production shows a program that runs, and quotes what its readers see.

use std::{
    fs,
    net::TcpListener,
    path::Path,
    process::{Child, Command},
    sync::atomic::Ordering,
    time::Duration,
};

use apalis_core::task::builder::TaskBuilder;
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
use tower_service::Service as _;
use uploadcare_hooks::{
    WebhookRouter,
    queue::{OpenOptions, Retries, open_postgres, open_redis, open_sqlite},
    testing::{MemoryQueue, Sample},
    webhook_handlers,
};

use crate::{Runs, copy, index, wait_until};

const GUIDE: &str = include_str!("../../../uploadcare-hooks/docs/queue_production.md");
const QUEUE: &str = include_str!("../../../uploadcare-hooks/docs/queue.md");
const APALIS: &str = include_str!("../../../uploadcare-hooks/docs/queue_apalis.md");
const DEPLOYMENT: &str = include_str!("../../../uploadcare-hooks/docs/deployment.md");

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
    assert_quoted(QUEUE, &no_folder[no_folder.find("the folder").unwrap()..], "create it");
    // A file that cannot be made, also by a root user, who may write in every folder.
    std::os::unix::fs::symlink(folder.path().join("no folder/webhooks.db"), file("webhooks.db")).unwrap();
    let not_made = open_sqlite(file("webhooks.db")).await.unwrap_err().to_string();
    let not_made = not_made.replace(&format!("{}/", folder.path().display()), "");
    assert_quoted(DEPLOYMENT, &not_made, "unable to open database file");
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
    for guide in [GUIDE, QUEUE] {
        assert_quoted(guide, &text[text.find("no worker runs").unwrap()..], "`.queue(..)`");
    }

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
    for guide in [GUIDE, QUEUE] {
        assert_quoted(guide, &text[failed..], "for delivery ");
        assert!(text.contains("attempt 1 of 2, next in ") && guide.contains("attempt 1 of 25, next in "), "{text}");
        assert!(text.contains("is dead, attempts: 2") && guide.contains("is dead, attempts: 25"), "{text}");
    }
}

#[tokio::test]
async fn the_guide_to_apalis_quotes_the_log_and_that_a_handler_is_missing() {
    let log = Log::default();
    let _guard = log.capture();
    let (runs, queue) = (Runs::default(), MemoryQueue::new());
    let of = |handlers| builder(&runs).queue(queue.storage()).queue_attempts(2).handlers(handlers).build().unwrap();
    let (hooks, another) = (of(webhook_handlers![index]), of(webhook_handlers![copy]));
    hooks.handle(Sample::of("file.uploaded").sign(&secret())).await;
    let job = queue.jobs().remove(0).job;
    runs.failures_left.store(2, Ordering::SeqCst);
    let run =
        |hooks: &WebhookRouter, attempt| hooks.worker().call(TaskBuilder::new(job.clone()).attempt(attempt).build());
    run(&hooks, 1).await.unwrap_err();
    run(&hooks, 2).await.unwrap_err();
    let text = log.text().replace("`index`", "`index_upload`");
    assert_quoted(APALIS, &text[text.find("job of handler").unwrap()..], "for delivery ");
    assert!(text.contains(", attempt 1 of 2: \"") && APALIS.contains(", attempt 1 of 25: \""), "{text}");
    assert!(text.contains("is dead after attempt 2 of 2: \"") && APALIS.contains("is dead after attempt 25 of 25: \""));

    let missing = run(&another, 1).await.unwrap_err().to_string().replace("index", "index_upload");
    for guide in [GUIDE, QUEUE, APALIS] {
        assert_quoted(guide, &missing[missing.find("this process").unwrap()..], "= \"index_upload\"`");
    }
}
