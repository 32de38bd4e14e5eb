//! The program in the README's section on queues, as it stands there.

use std::{
    fs,
    net::TcpListener,
    path::Path,
    process::{Child, Command},
    time::Duration,
};

use http::StatusCode;
use serde_json::Value;
use tempfile::TempDir;
use tests::deliveries::{UUID, secret};
use uploadcare_hooks::testing::Sample;

use crate::wait_until;

const PROGRAM: &str = include_str!("../../src/bin/readme_queue.rs");

#[test]
fn the_program_is_that_of_the_readme() {
    let readme = include_str!("../../../README.md");
    let program = PROGRAM.trim_start_matches(|c| c != '\n').trim_start();
    let program = program.lines().skip_while(|line| line.starts_with("//!")).collect::<Vec<_>>().join("\n");
    assert!(readme.contains(program.trim()), "README.md and tests/src/bin/readme_queue.rs differ");
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
        let mut command = Command::new(env!("CARGO_BIN_EXE_readme_queue"));
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
