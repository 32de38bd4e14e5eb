//! Measures a queue as its guide assembles it: how fast deliveries are stored and run.
//!
//! ```sh
//! cargo run --release -p programs --bin throughput
//! ```
//!
//! Redis is measured if `TEST_REDIS_URL` is set, and PostgreSQL if `TEST_POSTGRES_URL` is set. The
//! raw rate is what the database itself does in the same run: the same rows in a table with the
//! same key, 64 in each transaction, with one statement for all or one for each. Compare rates of
//! one run only.
#![allow(clippy::print_stdout)]

mod raw;

use std::{
    error::Error,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use clap::{Arg, Command, value_parser};
use futures_util::{StreamExt, stream};
use http::{Request, StatusCode};
use tests::{
    deliveries::{payload, secret, signed_request},
    storages::{Kind, RunningWorker, TestQueue},
};
use uploadcare_hooks::{FileUploaded, State, WebhookRouter, webhook_handler, webhook_handlers};

/// How many deliveries arrive at once.
const AT_ONCE: usize = 64;

#[webhook_handler(event = "file.uploaded")]
async fn note(_event: FileUploaded, State(runs): State<Arc<AtomicUsize>>) {
    runs.fetch_add(1, Ordering::Relaxed);
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let number = |name: &'static str, default: &'static str| {
        Arg::new(name).long(name).default_value(default).value_parser(value_parser!(usize))
    };
    let arguments = Command::new("throughput")
        .about("Measures how fast a queue stores deliveries and runs them")
        .arg(number("deliveries", "10000").help("How many deliveries are stored and run"))
        .arg(number("waiting", "0").help("How many jobs wait in the queue before"))
        .arg(number("concurrency", "64").help("How many jobs run at once"))
        .arg(
            Arg::new("storage").long("storage").value_parser(["sqlite", "redis", "postgres"]).help("Only this storage"),
        )
        .get_matches();
    let only = arguments.get_one::<String>("storage");
    let given = |name| arguments.get_one::<usize>(name).copied().unwrap_or_default();
    for kind in Kind::ALL {
        if only.is_some_and(|only| *only != format!("{kind:?}").to_lowercase()) {
            continue;
        }
        measure(kind, given("deliveries"), given("waiting"), given("concurrency")).await?;
    }
    Ok(())
}

async fn measure(kind: Kind, count: usize, waiting: usize, concurrency: usize) -> Result<(), Box<dyn Error>> {
    let queue = TestQueue::new(kind)?;
    let Some(storage) = queue.open().await? else { return Ok(()) };
    let runs = Arc::new(AtomicUsize::new(0));
    let builder = WebhookRouter::builder().signing_secret(secret()).state(Arc::clone(&runs));
    let hooks = builder.handlers(webhook_handlers![note]).queue(storage).queue_concurrency(concurrency).build()?;
    println!("{kind:?}, {count} deliveries, {waiting} jobs waiting before");
    store(&hooks, deliveries("waiting", waiting), AT_ONCE).await?;

    let raw = raw::measure(kind, count).await?;
    let mut alone = store(&hooks, deliveries("alone", 500), 1).await?;
    println!("  alone    p50 {:?}, p99 {:?}", percentile(&mut alone, 50), percentile(&mut alone, 99));
    let together = deliveries("together", count);
    let started = Instant::now();
    let mut times = store(&hooks, together, AT_ONCE).await?;
    let stored = rate(count, started.elapsed());
    let (p50, p99) = (percentile(&mut times, 50), percentile(&mut times, 99));
    println!("  stored   {stored:.0}/s, p50 {p50:?}, p99 {p99:?}, {AT_ONCE} at once");
    if let Some(raw) = raw {
        let ways = [("in one statement", raw.in_one_statement), ("row by row", raw.row_by_row)];
        for (way, raw) in ways {
            println!("  raw      {raw:.0}/s {way}, so stored is {:.2} of it", stored / raw);
        }
    }
    let all = count + waiting + alone.len();
    let started = Instant::now();
    let worker = RunningWorker::start(&hooks);
    while runs.load(Ordering::Relaxed) < all {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let ran = rate(all, started.elapsed());
    println!("  run      {ran:.0}/s, {:.2} of stored", ran / stored);
    let both = deliveries("both", count);
    let started = Instant::now();
    store(&hooks, both, AT_ONCE).await?;
    while runs.load(Ordering::Relaxed) < all + count {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    println!("  both     {:.0}/s stored and run at the same time", rate(count, started.elapsed()));
    worker.stop().await?;
    println!("  memory   {} KiB at most, of the process", peak_memory().unwrap_or_default());
    Ok(())
}

/// Signed deliveries of different events.
fn deliveries(label: &str, count: usize) -> Vec<Request<Bytes>> {
    let mut body = payload("file.uploaded");
    let delivery = |number: usize| {
        if let Some(metadata) = body.pointer_mut("/data/metadata/subsystem") {
            *metadata = format!("{label}-{number}").into();
        }
        signed_request("/", &secret(), body.to_string())
    };
    (0..count).map(delivery).collect()
}

/// Delivers them, so many at once. Returns how long each took.
async fn store(
    hooks: &WebhookRouter,
    deliveries: Vec<Request<Bytes>>,
    at_once: usize,
) -> Result<Vec<Duration>, Box<dyn Error>> {
    let mut times = Vec::with_capacity(deliveries.len());
    let mut answers = stream::iter(deliveries)
        .map(|request| {
            let hooks = hooks.clone();
            tokio::spawn(async move {
                let started = Instant::now();
                let answer = hooks.handle(request).await;
                (answer.status(), started.elapsed())
            })
        })
        .buffer_unordered(at_once);
    while let Some(answer) = answers.next().await {
        match answer? {
            (StatusCode::ACCEPTED, time) => times.push(time),
            (status, _) => return Err(format!("a delivery was answered {status}").into()),
        }
    }
    Ok(times)
}

fn percentile(times: &mut [Duration], percent: usize) -> Duration {
    times.sort_unstable();
    times.get(times.len().saturating_sub(1) * percent / 100).copied().unwrap_or_default()
}

#[allow(clippy::cast_precision_loss)]
fn rate(count: usize, took: Duration) -> f64 {
    count as f64 / took.as_secs_f64()
}

/// The most memory that the process had so far, where the system says so.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.split_whitespace().next()?.parse().ok()
}
