//! The queue in memory: jobs that run when the test says so, by a clock that the test moves.

use std::{
    sync::{Arc, Mutex, OnceLock, atomic::Ordering},
    time::Duration,
};

use futures_util::poll;
use http::StatusCode;
use uploadcare_hooks::{
    FileUploaded, State, WebhookRouter,
    queue::Retries,
    testing::{Clock, JobEnd, MemoryQueue, Ran},
    webhook_handler, webhook_handlers,
};

use crate::{
    Runs, any, builder, copy, deliver, discard, hang_once, index, panic_once, send, upload_of, wait_until,
    worker::hostile,
};

const HOUR: Duration = Duration::from_secs(60 * 60);

/// Attempts that are 1 to 1.3, 2 to 2.6 and 4 to 5.2 hours apart.
fn hourly(attempts: u32) -> Retries {
    Retries::new(attempts).first_delay(HOUR).longest_delay(24 * HOUR)
}

fn router(runs: &Runs, queue: &MemoryQueue) -> WebhookRouter {
    let builder = builder(runs).queue(queue.storage()).queue_retries(hourly(3));
    builder.handlers(webhook_handlers![index, copy, discard]).build().unwrap()
}

/// The handlers of jobs that ran, the numbers of their attempts and the errors in which they ended.
fn told(ran: &[Ran]) -> Vec<(&str, u32, &str)> {
    let error = |end| match end {
        &JobEnd::Done => "",
        JobEnd::Retried { error, .. } | JobEnd::Discarded { error } | JobEnd::Dead { error } => error,
        end => panic!("{end:?}"),
    };
    ran.iter().map(|ran| (ran.job.handler(), ran.attempt, error(&ran.end))).collect()
}

#[tokio::test]
async fn a_handler_that_fails_twice_succeeds_hours_later_in_the_third_attempt() {
    let (runs, queue) = (Runs::default(), MemoryQueue::new());
    let hooks = router(&runs, &queue);
    runs.failures_left.store(2, Ordering::SeqCst);
    assert_eq!(deliver(&hooks, "file.uploaded").await, StatusCode::ACCEPTED);
    assert_eq!(runs.of("index"), 0, "nothing runs until the queue is told to");
    let jobs: Vec<_> = queue.jobs().iter().map(|job| (job.job.handler().to_owned(), job.attempts, job.due)).collect();
    let now = queue.clock().now();
    assert_eq!(jobs.len(), 2);
    assert!(jobs.iter().all(|(_, attempts, due)| *attempts == 0 && *due <= now), "{jobs:?}");

    let ran = queue.run_due(&hooks).await;
    assert_eq!(told(&ran), [("index", 1, "not yet"), ("copy", 1, "")]);
    let JobEnd::Retried { due, .. } = ran[0].end else { panic!("{ran:?}") };
    assert_eq!(queue.jobs()[0].due, due);
    let delay = Duration::try_from(due.duration_since(now)).unwrap() + Duration::from_millis(1);
    assert!((HOUR..HOUR * 14 / 10).contains(&delay), "{delay:?}");

    queue.clock().advance(delay - Duration::from_secs(1));
    assert!(queue.run_due(&hooks).await.is_empty(), "it is not due yet");
    queue.clock().advance(Duration::from_secs(1));
    assert_eq!(told(&queue.run_due(&hooks).await), [("index", 2, "not yet")]);
    assert_eq!(queue.jobs()[0].failures.len(), 2);
    queue.clock().advance(3 * HOUR);
    assert_eq!(told(&queue.run_due(&hooks).await), [("index", 3, "")]);
    assert!(queue.jobs().is_empty());
    assert!(hooks.dead_jobs(10).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_job_is_dead_after_its_last_attempt_and_can_be_run_again() {
    let (runs, queue) = (Runs::default(), MemoryQueue::new());
    let hooks = router(&runs, &queue);
    runs.failures_left.store(3, Ordering::SeqCst);
    let start = queue.clock().now();
    assert_eq!(deliver(&hooks, "file.uploaded").await, StatusCode::ACCEPTED);
    let ran = queue.run_all(&hooks).await;
    assert_eq!(
        told(&ran),
        [("index", 1, "not yet"), ("copy", 1, ""), ("index", 2, "not yet"), ("index", 3, "not yet")]
    );
    assert_eq!(ran[3].end, JobEnd::Dead { error: "not yet".to_owned() });
    let passed = Duration::try_from(queue.clock().now().duration_since(start)).unwrap();
    assert!((3 * HOUR..4 * HOUR).contains(&passed), "{passed:?}");

    let dead = hooks.dead_jobs(10).await.unwrap();
    assert_eq!((dead.len(), dead[0].attempts, dead[0].failures.len()), (1, 3, 3));
    assert_eq!(dead[0].died_at.as_millisecond(), queue.clock().now().as_millisecond());
    assert!(hooks.run_again(&dead[0]).await.unwrap());
    assert_eq!(told(&queue.run_all(&hooks).await), [("index", 1, "")]);
}

#[tokio::test]
async fn a_discarded_job_says_so_and_the_longest_due_runs_first() {
    let (runs, queue) = (Runs::default(), MemoryQueue::new());
    let hooks = router(&runs, &queue);
    assert_eq!(deliver(&hooks, "file.stored").await, StatusCode::ACCEPTED);
    queue.clock().advance(Duration::from_secs(1));
    for size in [9, 1] {
        assert_eq!(send(&hooks, upload_of(size)).await.status(), StatusCode::ACCEPTED);
    }
    let ran = queue.run_due(&hooks).await;
    assert_eq!(ran[0].end, JobEnd::Discarded { error: "this can never succeed".to_owned() });
    let order: Vec<_> = ran.iter().map(|ran| (ran.job.handler(), ran.job.body().len())).collect();
    assert_eq!(
        order.iter().map(|(handler, _)| *handler).collect::<Vec<_>>(),
        ["discard", "index", "copy", "index", "copy"]
    );
    assert_eq!(hooks.dead_jobs(10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_job_of_a_process_that_died_waits_for_the_end_of_its_lease_and_its_attempt_counts() {
    let (runs, queue) = (Runs::default(), MemoryQueue::new());
    let builder = builder(&runs).queue(queue.storage()).queue_lease(Duration::from_secs(45));
    let hooks = builder.handlers(webhook_handlers![hang_once]).build().unwrap();
    assert_eq!(deliver(&hooks, "file.stored").await, StatusCode::ACCEPTED);
    let mut crashing = Box::pin(queue.run_due(&hooks));
    assert!(poll!(&mut crashing).is_pending());
    drop(crashing);
    assert_eq!(hooks.queue_stats().await.unwrap().running, 1);
    assert!(queue.run_due(&hooks).await.is_empty());
    queue.clock().advance(Duration::from_secs(44));
    assert!(queue.run_due(&hooks).await.is_empty());
    queue.clock().advance(Duration::from_secs(1));
    assert_eq!(told(&queue.run_due(&hooks).await), [("hang_once", 2, "")]);
}

#[tokio::test]
async fn a_router_that_is_built_later_finds_the_jobs_and_recognises_redeliveries_for_as_long_as_it_should() {
    let (runs, queue) = (Runs::default(), MemoryQueue::new());
    assert_eq!(deliver(&router(&runs, &queue), "file.uploaded").await, StatusCode::ACCEPTED);
    let hooks = router(&runs, &queue.clone());
    assert_eq!(queue.run_all(&hooks).await.len(), 2);
    for (hours, expected) in [(95, 0), (2, 2)] {
        queue.clock().advance(hours * HOUR);
        queue.run_due(&hooks).await;
        assert_eq!(deliver(&hooks, "file.uploaded").await, StatusCode::ACCEPTED);
        assert_eq!(queue.run_due(&hooks).await.len(), expected, "after {hours} more hours");
    }
}

#[tokio::test]
async fn a_panic_is_an_attempt_that_failed_even_that_of_an_error() {
    let (runs, queue) = (Runs::default(), MemoryQueue::new());
    let hooks = builder(&runs).queue(queue.storage()).handlers(webhook_handlers![panic_once, hostile]).build().unwrap();
    assert_eq!(deliver(&hooks, "file.stored").await, StatusCode::ACCEPTED);
    let ran = queue.run_all(&hooks).await;
    let told = told(&ran);
    assert!(told[0].2.contains("an invariant is broken"), "{told:?}");
    assert_eq!(told[1], ("hostile", 1, "its error panicked"));
    assert_eq!(ran.iter().filter(|ran| ran.end == JobEnd::Done).count(), 2);
}

/// Delivers another upload each time it runs, up to the third.
#[webhook_handler(event = "file.uploaded")]
async fn chain(_event: FileUploaded, State(runs): State<Runs>, State(hooks): State<Arc<OnceLock<WebhookRouter>>>) {
    let run = u32::try_from(runs.count("chain")).unwrap();
    if run < 3 {
        assert_eq!(send(hooks.get().unwrap(), upload_of(run)).await.status(), StatusCode::ACCEPTED);
    }
}

#[tokio::test]
async fn a_job_that_is_stored_by_a_handler_waits_for_the_next_call() {
    let (runs, queue, cell) = (Runs::default(), MemoryQueue::new(), Arc::new(OnceLock::new()));
    let builder = builder(&runs).state(Arc::clone(&cell)).queue(queue.storage());
    let hooks = builder.handlers(webhook_handlers![chain]).build().unwrap();
    cell.set(hooks.clone()).unwrap();
    assert_eq!(send(&hooks, upload_of(0)).await.status(), StatusCode::ACCEPTED);
    assert_eq!(queue.run_due(&hooks).await.len(), 1);
    assert_eq!(queue.run_all(&hooks).await.len(), 2);
}

#[tokio::test]
async fn a_job_whose_handler_is_missing_is_dead_when_a_failing_one_would_be() {
    let (runs, queue) = (Runs::default(), MemoryQueue::new());
    assert_eq!(deliver(&router(&runs, &queue), "file.uploaded").await, StatusCode::ACCEPTED);
    let other = builder(&runs).queue(queue.storage()).queue_retries(hourly(3)).handlers(webhook_handlers![any]);
    let other = other.build().unwrap();
    let start = queue.clock().now();
    let ran = queue.run_all(&other).await;
    assert!(
        matches!(&ran[0].end, JobEnd::Retried { error, .. } if error.contains("has no handler `index`")),
        "{ran:?}"
    );
    let dead = other.dead_jobs(10).await.unwrap();
    assert_eq!((dead.len(), dead[0].attempts), (2, 0));
    assert!(queue.clock().now().duration_since(start) >= jiff::SignedDuration::from_hours(3));
}

#[test]
fn without_a_handler_time_limit_the_queue_needs_no_tokio_runtime() {
    let (runs, queue) = (Runs::default(), MemoryQueue::new());
    let builder = builder(&runs).queue(queue.storage()).queue_retries(hourly(3)).no_handler_timeout();
    let hooks = builder.handlers(webhook_handlers![index]).build().unwrap();
    runs.failures_left.store(1, Ordering::SeqCst);
    futures_util::FutureExt::now_or_never(async {
        assert_eq!(deliver(&hooks, "file.uploaded").await, StatusCode::ACCEPTED);
        assert_eq!(queue.run_all(&hooks).await.len(), 2);
    })
    .unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_handler_over_its_time_limit_is_tried_again() {
    let (runs, queue) = (Runs::default(), MemoryQueue::new());
    let hooks = builder(&runs).queue(queue.storage()).handlers(webhook_handlers![hang_once]).build().unwrap();
    assert_eq!(deliver(&hooks, "file.stored").await, StatusCode::ACCEPTED);
    let ran = queue.run_all(&hooks).await;
    assert!(told(&ran)[0].2.contains("did not finish within 30s"), "{ran:?}");
    assert_eq!(told(&ran)[1], ("hang_once", 2, ""));
}

#[tokio::test]
async fn a_worker_runs_the_jobs_that_become_due_as_the_clock_is_moved() {
    let (runs, queue) = (Runs::default(), MemoryQueue::new());
    let hooks = router(&runs, &queue);
    let worker = tests::storages::RunningWorker::start(&hooks);
    runs.failures_left.store(1, Ordering::SeqCst);
    assert_eq!(deliver(&hooks, "file.uploaded").await, StatusCode::ACCEPTED);
    wait_until("the first attempt failed", async || hooks.failing_jobs(1).await.unwrap().len() == 1).await;
    queue.clock().advance(2 * HOUR);
    wait_until("the second attempt succeeded", async || runs.of("index") == 2).await;
    worker.stop().await.unwrap();
}

#[tokio::test]
#[should_panic(expected = "this router's jobs are elsewhere: build it with `.queue(queue.storage())`")]
async fn jobs_of_another_routers_queue_are_not_run() {
    let runs = Runs::default();
    let hooks = router(&runs, &MemoryQueue::new());
    MemoryQueue::new().run_due(&hooks).await;
}

#[test]
fn a_router_of_another_queue_panics_at_the_line_of_the_test() {
    let hooks = router(&Runs::default(), &MemoryQueue::new());
    let line = line!();
    let calls: [fn(&MemoryQueue, &WebhookRouter); 2] =
        [|queue, hooks| drop(queue.run_due(hooks)), |queue, hooks| drop(queue.run_all(hooks))];
    // Other tests may panic meanwhile, in other threads.
    let (seen, thread) = (Arc::new(Mutex::new(Vec::new())), std::thread::current().id());
    let (places, before) = (Arc::clone(&seen), std::panic::take_hook());
    std::panic::set_hook(Box::new(move |panic| match panic.location() {
        Some(at) if std::thread::current().id() == thread => {
            places.lock().unwrap().push((at.file().to_owned(), at.line()));
        }
        _ => before(panic),
    }));
    for call in calls {
        let call = std::panic::AssertUnwindSafe(|| call(&MemoryQueue::new(), &hooks));
        assert!(std::panic::catch_unwind(call).is_err());
    }
    drop(std::panic::take_hook());
    assert_eq!(*seen.lock().unwrap(), vec![(file!().to_owned(), line + 2); 2]);
}

#[tokio::test]
async fn a_clock_at_the_end_of_all_time_ends_a_run() {
    let runs = Runs::default();
    let queue = MemoryQueue::with_clock(&Clock::at(jiff::Timestamp::MAX));
    let hooks = router(&runs, &queue);
    runs.failures_left.store(1, Ordering::SeqCst);
    queue.clock().advance(Duration::MAX);
    assert_eq!(deliver(&hooks, "file.uploaded").await, StatusCode::ACCEPTED);
    assert_eq!(queue.run_all(&hooks).await.len(), 2);
    assert_eq!(queue.jobs().len(), 1);
}

#[tokio::test]
async fn running_all_leaves_a_job_that_runs_elsewhere_to_its_run() {
    let (runs, queue) = (Runs::default(), MemoryQueue::new());
    let hooks = builder(&runs).queue(queue.storage()).handlers(webhook_handlers![hang_once]).build().unwrap();
    assert_eq!(deliver(&hooks, "file.stored").await, StatusCode::ACCEPTED);
    let mut elsewhere = Box::pin(queue.run_due(&hooks));
    assert!(poll!(&mut elsewhere).is_pending());
    assert!(queue.run_all(&hooks).await.is_empty());
    assert_eq!(runs.of("hang_once"), 1);
    drop(elsewhere);
    assert_eq!(told(&queue.run_all(&hooks).await), [("hang_once", 2, "")]);
}
