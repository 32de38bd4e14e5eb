//! The span of each run of a stored job.

use std::{sync::atomic::Ordering, time::Duration};

use apalis_core::task::builder::TaskBuilder;
use tests::spans::{Span, Spans};
use tower_service::Service;
use uploadcare_hooks::{queue::Retries, testing::MemoryQueue, webhook_handlers};

use crate::{
    Kind, RunningWorker, Runs, TestQueue, builder, copy, deliver, discard, hang_once, index, panic_once, quick,
    wait_until,
};

const HOUR: Duration = Duration::from_secs(60 * 60);

/// Handler, attempt and outcome of each span of a job.
fn told(jobs: &[Span]) -> Vec<[&str; 3]> {
    jobs.iter().map(|job| ["handler", "attempt", "outcome"].map(|field| job.field(field))).collect()
}

#[tokio::test]
async fn each_attempt_of_a_job_has_a_span_of_its_own_with_the_id_of_its_delivery() {
    let (runs, queue, spans) = (Runs::default(), MemoryQueue::new(), Spans::default());
    let retries = Retries::new(3).first_delay(HOUR).longest_delay(24 * HOUR);
    let hooks = builder(&runs).queue(queue.storage()).queue_retries(retries);
    let hooks = hooks.handlers(webhook_handlers![index, copy, discard, panic_once, hang_once]).build().unwrap();
    let _guard = spans.capture();
    runs.failures_left.store(2, Ordering::SeqCst);
    deliver(&hooks, "file.uploaded").await;
    for _ in 0..3 {
        queue.run_due(&hooks).await;
        queue.clock().advance(6 * HOUR);
    }
    let delivery = spans.named("delivery").remove(0);
    let jobs = spans.named("job");
    assert_eq!(
        told(&jobs),
        [["index", "1", "failed"], ["copy", "1", "ok"], ["index", "2", "failed"], ["index", "3", "ok"]]
    );
    for job in &jobs {
        assert!(job.is_closed() && job.parent.is_none(), "{job:?}");
        assert_eq!((job.field("event"), job.field("otel.kind")), ("file.uploaded", "consumer"));
        assert_eq!(job.field("delivery.id"), delivery.field("delivery.id"));
        assert!((0.0..5.0).contains(&job.field("duration").parse::<f64>().unwrap()));
        let failed = if job.field("outcome") == "ok" { ["", ""] } else { ["ERROR", "failed"] };
        assert_eq!(["otel.status_code", "error.type"].map(|field| job.field(field)), failed);
    }
    assert!(spans.named("handler").is_empty(), "the span of the job is that of the run");
    let failed: Vec<_> =
        spans.events().into_iter().filter(|event| event.fields["message"].contains("not yet")).collect();
    assert_eq!(failed.len(), 2);
    for (event, attempt) in failed.iter().zip(["1", "2"]) {
        assert!(event.span.is_some_and(|span| spans.all()[span].field("attempt") == attempt), "{event:?}");
        let fields = ["delivery.id", "event", "handler", "attempt"].map(|field| event.fields[field].as_str());
        assert_eq!(fields, [delivery.field("delivery.id"), "file.uploaded", "index", attempt]);
    }
}

#[tokio::test]
async fn the_span_of_a_job_says_how_its_run_ended() {
    let (runs, queue, spans) = (Runs::default(), MemoryQueue::new(), Spans::default());
    let hooks = || builder(&runs).queue(queue.storage()).handler_timeout(Duration::from_millis(20));
    let all = hooks().handlers(webhook_handlers![discard, panic_once, hang_once]).build().unwrap();
    let _guard = spans.capture();
    deliver(&all, "file.stored").await;
    let without = hooks().handlers(webhook_handlers![index]).build().unwrap();
    queue.run_due(&without).await;
    queue.clock().advance(HOUR);
    queue.run_due(&all).await;
    let mut jobs = spans.named("job");
    // They are due at random times, and so run in any order.
    jobs.sort_by_key(|job| (job.field("outcome") != "not_started", job.field("handler").to_owned()));
    assert_eq!(
        told(&jobs),
        [
            ["discard", "1", "not_started"],
            ["hang_once", "1", "not_started"],
            ["panic_once", "1", "not_started"],
            ["discard", "1", "discarded"],
            ["hang_once", "1", "timed_out"],
            ["panic_once", "1", "panicked"]
        ]
    );
    assert_eq!(all.stats().discarded, 1, "a run in the queue counts like others");
}

#[tokio::test]
async fn a_worker_makes_the_same_spans_also_for_runs_that_it_could_not_wait_for() {
    let (runs, queue, spans) = (Runs::default(), TestQueue::new(Kind::Sqlite).unwrap(), Spans::default());
    let storage = queue.open().await.unwrap().unwrap();
    let hooks = quick(&runs, &storage).queue_stop_timeout(Duration::from_millis(10));
    let hooks = hooks.handlers(webhook_handlers![panic_once, hang_once]).build().unwrap();
    let _guard = spans.capture();
    deliver(&hooks, "file.stored").await;
    let worker = RunningWorker::start(&hooks);
    wait_until("both run, one twice", async || runs.of("panic_once") == 2 && runs.of("hang_once") == 1).await;
    worker.stop().await.unwrap();
    let mut jobs = spans.named("job");
    jobs.sort_by_key(|job| job.field("handler").to_owned());
    assert_eq!(
        told(&jobs),
        [["hang_once", "1", "dropped"], ["panic_once", "1", "panicked"], ["panic_once", "2", "ok"]]
    );
    assert!(jobs.iter().all(|job| job.is_closed() && job.parent.is_none()), "{jobs:?}");
}

#[tokio::test]
async fn the_worker_of_apalis_makes_the_same_spans() {
    let (runs, queue, spans) = (Runs::default(), MemoryQueue::new(), Spans::default());
    let hooks = builder(&runs).queue(queue.storage()).queue_attempts(3).handlers(webhook_handlers![index]);
    let hooks = hooks.build().unwrap();
    deliver(&hooks, "file.uploaded").await;
    let job = queue.jobs().remove(0).job;
    runs.failures_left.store(1, Ordering::SeqCst);
    let _guard = spans.capture();
    for attempt in [1, 2, 4] {
        let task = TaskBuilder::new(job.clone()).attempt(attempt).build();
        let _ = hooks.worker().call(task).await;
    }
    let jobs = spans.named("job");
    assert_eq!(told(&jobs), [["index", "1", "failed"], ["index", "2", "ok"], ["index", "4", "used_up"]]);
    for job in &jobs {
        assert!(job.is_closed() && job.parent.is_none(), "{job:?}");
        assert_eq!(job.field("delivery.id"), queue.jobs()[0].job.delivery_id().to_string());
    }
    let failed = spans.events().into_iter().find(|event| event.fields["message"].contains("not yet")).unwrap();
    assert_eq!((failed.span, failed.fields["attempt"].as_str()), (Some(0), "1"));
    assert_eq!(spans.entered(), None);
}
