//! Random deliveries and failures over every storage, with workers that come and go: at the end
//! each job ran as often as its outcomes say, and the dead ones are those that must be.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::Duration,
};

use futures_util::future::join_all;
use http::StatusCode;
use tests::{
    deliveries::upload_of,
    routers::send,
    storages::{Kind, RunningWorker, TestQueue},
};
use uploadcare_hooks::{
    FileUploaded, HandlerError, State, WebhookRouter,
    queue::{DeadJobs, Retries, Storage},
    webhook_handler, webhook_handlers,
};

use super::{builder, over_every_storage, wait_until};

over_every_storage! { random_deliveries_end_as_their_handlers_say }

const FILES: u32 = 24;
const ATTEMPTS: usize = 3;

/// How often each job has run, by the size of the file and the handler.
type Counts = BTreeMap<(u32, &'static str), usize>;

/// The jobs that are dead.
type Dead = BTreeSet<(u32, String)>;

type Runs = Arc<Mutex<Counts>>;

/// What the handler does with the file of this size: so many failures, and then success; `None` if
/// it discards it at once.
fn failures(size: u32, handler: &str) -> Option<usize> {
    match (size, handler) {
        (5 | 17, "first") => None,
        (size, "first") => Some(size as usize % 4),
        (size, _) => Some(size as usize / 3 % 6),
    }
}

fn run(event: &FileUploaded, handler: &'static str, runs: &Runs) -> Result<(), HandlerError> {
    let size = u32::try_from(event.data.size.unwrap()).unwrap();
    let run = {
        let mut runs = runs.lock().unwrap();
        let run = runs.entry((size, handler)).or_default();
        *run += 1;
        *run
    };
    let Some(failures) = failures(size, handler) else { return Err(HandlerError::discard("never")) };
    assert!(run != 2 || run > failures, "the second failure is a panic");
    if run <= failures { Err("not yet".into()) } else { Ok(()) }
}

#[webhook_handler(event = "file.uploaded")]
async fn first(event: FileUploaded, State(runs): State<Runs>) -> Result<(), HandlerError> {
    run(&event, "first", &runs)
}

#[webhook_handler(event = "file.uploaded")]
async fn second(event: FileUploaded, State(runs): State<Runs>) -> Result<(), HandlerError> {
    tokio::task::yield_now().await;
    run(&event, "second", &runs)
}

fn router(storage: &Storage, runs: &Runs) -> WebhookRouter {
    let retries = Retries::new(ATTEMPTS as u32).first_delay(Duration::from_millis(1));
    let builder = builder(runs).queue(storage.clone());
    let builder = builder.queue_retries(retries.longest_delay(Duration::from_millis(20)));
    builder.handlers(webhook_handlers![first, second]).build().unwrap()
}

/// Waits until no job waits or runs any more.
async fn settled(hooks: &WebhookRouter) {
    wait_until("all jobs are done or dead", async || {
        let stats = hooks.queue_stats().await.unwrap();
        stats.waiting + stats.running + stats.scheduled == 0
    })
    .await;
}

/// How often each job has run, and which are dead, when each was given so many attempts.
fn expected(attempts: usize) -> (Counts, Dead) {
    let (mut runs, mut dead) = (Counts::new(), Dead::new());
    for size in 0..FILES {
        for handler in ["first", "second"] {
            let (times, dies) = match failures(size, handler) {
                None => (attempts / ATTEMPTS, true),
                Some(failures) => ((failures + 1).min(attempts), failures >= attempts),
            };
            runs.insert((size, handler), times);
            if dies {
                dead.insert((size, handler.to_owned()));
            }
        }
    }
    (runs, dead)
}

async fn dead(hooks: &WebhookRouter) -> Dead {
    let dead = hooks.dead_jobs(1000).await.unwrap();
    let size = |body: &[u8]| serde_json::from_slice::<FileUploaded>(body).unwrap().data.size.unwrap();
    dead.iter().map(|dead| (size(&dead.job.body()) as u32, dead.job.handler().to_owned())).collect()
}

async fn random_deliveries_end_as_their_handlers_say(storage: Storage) {
    let runs = Runs::default();
    let (one, two) = (router(&storage, &runs), router(&storage, &runs));
    // Each file once, and many of them again, in a random order.
    let mut sizes: Vec<_> = (0..FILES).chain((0..2 * FILES).map(|_| fastrand::u32(..FILES))).collect();
    fastrand::shuffle(&mut sizes);
    let mut worker = RunningWorker::start(&one);
    for (number, some) in sizes.chunks(8).enumerate() {
        let hooks = if number % 2 == 0 { &one } else { &two };
        let answers = join_all(some.iter().map(|size| send(hooks, upload_of(*size)))).await;
        assert!(answers.iter().all(|answer| answer.status() == StatusCode::ACCEPTED), "{some:?}");
        if number % 3 == 1 {
            let next = RunningWorker::start(hooks);
            std::mem::replace(&mut worker, next).stop().await.unwrap();
        }
    }
    settled(&one).await;
    let (expected_runs, expected_dead) = expected(ATTEMPTS);
    assert_eq!(*runs.lock().unwrap(), expected_runs, "{sizes:?}");
    assert_eq!(dead(&two).await, expected_dead, "{sizes:?}");

    // Another chance for all of them.
    assert_eq!(two.run_all_again(&DeadJobs::default()).await.unwrap(), expected_dead.len() as u64);
    settled(&one).await;
    let (expected_runs, expected_dead) = expected(2 * ATTEMPTS);
    assert_eq!(*runs.lock().unwrap(), expected_runs, "{sizes:?}");
    assert_eq!(dead(&one).await, expected_dead, "{sizes:?}");
    worker.stop().await.unwrap();
}
