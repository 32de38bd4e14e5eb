//! An application with a queue: it stores each delivery, answers 202, and runs the handlers
//! afterwards. A simulator of Uploadcare on this machine sends the deliveries.
//!
//! ```sh
//! cargo run -p queue                                                      # a SQLite file
//! cargo run -p queue -- --storage redis --url redis://127.0.0.1:6379
//! cargo run -p queue -- --storage postgres --url postgres://postgres@127.0.0.1/postgres
//! ```
#![allow(clippy::print_stdout)]

mod handlers;
mod storage;

use std::time::Duration;

use actix_web::{App, HttpServer, rt};
use apalis::layers::{WorkerBuilderExt, retry::RetryPolicy};
use apalis_core::{backend::ext::BackendExt, error::BoxDynError, worker::builder::WorkerBuilder};
use clap::{Arg, Command};
use tempfile::TempDir;
use tokio::sync::oneshot;
use uploadcare_hooks::{
    SigningSecret, WebhookRouter,
    client::Client,
    queue::{dead_jobs, open_sqlite, run_again},
    webhook_handlers,
};
use uploadcare_sim::{SimulatedEvent, Simulator};
use uuid::Uuid;

use crate::handlers::Archive;

/// Runs the application with this storage. A macro, because each storage has another type.
macro_rules! run {
    ($storage:expr) => {{
        let mut storage = $storage;
        let archive = Archive::default();
        let hooks = WebhookRouter::builder()
            .signing_secret(SigningSecret::new("queue")?)
            .state(archive.clone())
            .handlers(webhook_handlers![handlers::archive, handlers::scan])
            .queue(storage.clone())
            .queue_attempts(5)
            .build()?;
        let worker = WorkerBuilder::new(format!("webhooks-{}", Uuid::new_v4()))
            // Looks for jobs as soon as this process has stored some, and at least once a second.
            .backend(storage.clone().poll_with_strategy(hooks.polling(Duration::from_secs(1))))
            .concurrency(16)
            .retry(RetryPolicy::retries(25).with_backoff(storage::backoff()?))
            .build(hooks.worker());
        let (stop, stopped) = oneshot::channel::<()>();
        let stopped = async move {
            // An error means that the sender was dropped, which stops the worker as well.
            let _ = stopped.await;
            Ok::<(), std::io::Error>(())
        };
        // A real application starts a new worker when this one ends because its storage failed.
        let worker = rt::spawn(worker.run_until(stopped));

        let uploadcare = start(&hooks).await?;
        println!("1. A file is stored. Its handler fails twice before it succeeds.");
        uploadcare.trigger(&SimulatedEvent::new("file.stored"));
        wait_until(|| archive.files() == 1).await?;
        println!("\n2. A file is infected. Its handler discards the delivery, and the job is dead.");
        uploadcare.trigger(&SimulatedEvent::new("file.infected"));
        let mut dead = Vec::new();
        while dead.is_empty() {
            rt::time::sleep(Duration::from_millis(50)).await;
            dead = dead_jobs(&mut storage, 100).await?;
        }
        for dead_job in &dead {
            let job = &dead_job.job;
            let attempts = dead_job.attempts;
            println!("   dead job: `{}` of delivery {}, attempts: {attempts}", job.handler(), job.delivery_id());
        }
        println!("\n3. The missing rule is added, and the dead job runs again.");
        archive.add_rule();
        for dead_job in &dead {
            run_again(&mut storage, dead_job).await?;
        }
        wait_until(|| archive.scans() == 1).await?;
        println!("   dead jobs left: {}", dead_jobs(&mut storage, 100).await?.len());

        println!("\nThe worker finishes its running jobs and stops.");
        let _ = stop.send(());
        worker.await??;
        for attempt in uploadcare.attempts() {
            println!("   Uploadcare got {:?} for {}", attempt.status, attempt.event);
        }
        Ok(())
    }};
}

#[actix_web::main]
async fn main() -> Result<(), BoxDynError> {
    let storages = ["sqlite", "redis", "postgres"];
    let storage = Arg::new("storage").long("storage").default_value("sqlite").value_parser(storages);
    let url = Arg::new("url").long("url").required_if_eq_any([("storage", "redis"), ("storage", "postgres")]);
    let arguments = Command::new("queue")
        .about("Shows an application that stores each delivery before it runs the handlers")
        .arg(storage.help("The kind of storage for the queue"))
        .arg(url.help("The URL of the server, or the path of the SQLite file. Defaults to a temporary SQLite file."))
        .get_matches();
    let text = |name| arguments.get_one::<String>(name).cloned().unwrap_or_default();
    match text("storage").as_str() {
        "redis" => run!(storage::redis(&text("url")).await?),
        "postgres" => run!(storage::postgres(&text("url")).await?),
        _ => {
            let directory = TempDir::new()?;
            let file = if text("url").is_empty() { directory.path().join("queue.db") } else { text("url").into() };
            run!(open_sqlite(&file).await?)
        }
    }
}

/// Starts a server for the router and the simulator, and subscribes the server to the simulator's
/// events.
async fn start(hooks: &WebhookRouter) -> Result<Simulator, BoxDynError> {
    let simulator = Simulator::builder("demopublickey", "demosecretkey").start("127.0.0.1:0".parse()?)?;
    let router = hooks.clone();
    let server = HttpServer::new(move || App::new().service(router.clone().mount("/hooks")));
    let server = server.workers(1).disable_signals().bind("127.0.0.1:0")?;
    let address = *server.addrs().first().ok_or("the server has no address")?;
    rt::spawn(server.run());
    let client = Client::builder("demopublickey", "demosecretkey").base_url(simulator.base_url()).build()?;
    hooks.subscriptions(&format!("http://{address}/hooks"))?.sync(&client).await?;
    Ok(simulator)
}

/// Waits until the condition holds, at most 30 seconds.
async fn wait_until(holds: impl Fn() -> bool) -> Result<(), BoxDynError> {
    for _ in 0..600 {
        if holds() {
            return Ok(());
        }
        rt::time::sleep(Duration::from_millis(50)).await;
    }
    Err("the handler did not succeed within 30 seconds".into())
}
