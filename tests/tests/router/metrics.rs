//! The metrics of the feature `metrics`: each number, and that they agree with the router's own
//! counts.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request};
use sqlx::Connection as _;
use tests::{
    deliveries::{payload, secret, signed_request, upload_of},
    metrics::Metrics,
    storages::{Kind, RunningWorker, TestQueue},
};
use uploadcare_hooks::{
    FileDeleted, FileInfected, FileStored, HandlerError, SigningSecret, WebhookRouter,
    observe::{METRICS, MetricUnit},
    testing::{MemoryQueue, Sample},
    webhook_handler, webhook_handlers,
};

use super::{Notes, builder, deliver, fail, index, send};

#[webhook_handler(event = "file.stored")]
async fn discard(_event: FileStored) -> Result<(), HandlerError> {
    Err(HandlerError::discard("no"))
}

#[webhook_handler(event = "file.stored")]
async fn take(_event: FileStored) {}

#[webhook_handler(event = "file.deleted")]
async fn panic(_event: FileDeleted) {
    panic!("an invariant is broken");
}

#[webhook_handler(event = "file.infected")]
async fn hang(_event: FileInfected) {
    std::future::pending::<()>().await;
}

fn all_handlers() -> WebhookRouter {
    let builder = builder(&Notes::default()).handler_timeout(Duration::from_millis(20));
    builder.handlers(webhook_handlers![index, discard, take, panic, hang]).build().unwrap()
}

/// Fails unless the metrics say the same as the router's own counts.
fn agree(metrics: &Metrics, hooks: &WebhookRouter) {
    let stats = hooks.stats();
    let of_status = |wanted: &str| {
        let values = metrics.values().into_iter();
        values.filter(|(key, _)| key.contains(&format!("status={wanted}"))).map(|(_, value)| value).sum::<f64>()
    };
    for (name, counted, metric) in [
        ("acknowledged", stats.acknowledged, of_status("2")),
        ("rejected", stats.rejected, metrics.total("rejections_total")),
        ("unhandled", stats.unhandled, metrics.total("unhandled_deliveries_total")),
        ("unknown_events", stats.unknown_events, metrics.total("unknown_events_total")),
        ("duplicates", stats.duplicates, metrics.total("duplicate_deliveries_total")),
        ("replaced_secret", stats.replaced_secret, metrics.total("replaced_secret_deliveries_total")),
        ("discarded", stats.discarded, metrics.value("handler_runs_total{handler=discard,outcome=discarded}")),
    ] {
        assert_eq!(counted as f64, metric, "{name}: {:?}", metrics.values());
    }
}

/// Fails unless exactly these counters and gauges are not 0.
fn assert_values<const N: usize>(metrics: &Metrics, expected: [(&str, f64); N]) {
    let expected = expected.map(|(key, value)| (key.to_owned(), value));
    let mut values = metrics.values();
    // A time, which no test knows.
    values.remove("queue_counted_timestamp_seconds");
    assert_eq!(values, expected.into_iter().collect());
}

#[tokio::test]
async fn deliveries_and_runs_are_counted_by_event_status_and_outcome() {
    let metrics = Metrics::default();
    let _guard = metrics.record();
    let hooks = all_handlers();
    for event in ["file.stored", "file.uploaded", "file.uploaded", "file.deleted", "file.infected", "file.info_updated"]
    {
        deliver(&hooks, event).await;
    }
    assert_values(
        &metrics,
        [
            ("deliveries_total{event=file.stored,status=204}", 1.0),
            ("deliveries_total{event=file.uploaded,status=204}", 2.0),
            ("deliveries_total{event=file.deleted,status=500}", 1.0),
            ("deliveries_total{event=file.infected,status=503}", 1.0),
            ("deliveries_total{event=file.info_updated,status=204}", 1.0),
            ("unhandled_deliveries_total", 1.0),
            ("rejections_total{code=handler_failed}", 1.0),
            ("rejections_total{code=handler_timeout}", 1.0),
            ("handler_runs_total{handler=index,outcome=ok}", 2.0),
            ("handler_runs_total{handler=take,outcome=ok}", 1.0),
            ("handler_runs_total{handler=discard,outcome=discarded}", 1.0),
            ("handler_runs_total{handler=panic,outcome=panicked}", 1.0),
            ("handler_runs_total{handler=hang,outcome=timed_out}", 1.0),
        ],
    );
    agree(&metrics, &hooks);
    let sizes = metrics.collected("delivery_body_bytes");
    assert_eq!((sizes.len(), sizes[0]), (6, Sample::of("file.stored").body().len() as f64));
    let [hung] = metrics.collected("handler_duration_seconds{handler=hang}")[..] else { panic!() };
    let [whole] = metrics.collected("delivery_duration_seconds{event=file.infected}")[..] else { panic!() };
    assert!((0.02..5.0).contains(&hung) && whole >= hung, "{whole} {hung}");
    assert_eq!(metrics.collected("handler_duration_seconds{handler=index}").len(), 2);
    assert_eq!(metrics.collected("delivery_duration_seconds{event=file.uploaded}").len(), 2);
}

#[tokio::test]
async fn what_comes_from_the_network_is_no_label() {
    let metrics = Metrics::default();
    let _guard = metrics.record();
    let hooks = all_handlers();
    for number in 0..20 {
        deliver(&hooks, &format!("group.odd_{number}")).await;
        hooks.handle(signed_request(&format!("/odd_{number}"), &secret(), "{}")).await;
        let mut odd_method = signed_request("/", &secret(), "{}");
        *odd_method.method_mut() = Method::from_bytes(format!("ODD{number}").as_bytes()).unwrap();
        hooks.handle(odd_method).await;
    }
    assert_values(
        &metrics,
        [
            ("deliveries_total{event=unknown,status=204}", 20.0),
            ("unhandled_deliveries_total", 20.0),
            ("unknown_events_total", 20.0),
            ("rejections_total{code=unknown_path}", 20.0),
            ("rejections_total{code=method_not_allowed}", 20.0),
        ],
    );
    agree(&metrics, &hooks);
}

#[tokio::test]
async fn rejections_are_counted_by_code_and_are_deliveries_only_when_verified() {
    let metrics = Metrics::default();
    let _guard = metrics.record();
    let hooks = all_handlers();
    let other = SigningSecret::new("another secret").unwrap();
    hooks.handle(Request::post("/").body(Bytes::new()).unwrap()).await;
    hooks.handle(Request::post("/").header("x-uc-signature", "v1=").body(Bytes::new()).unwrap()).await;
    hooks.handle(Sample::of("file.stored").sign(&other)).await;
    send(&hooks, "[]").await;
    send(&hooks, vec![b' '; 300_000]).await;
    assert_values(
        &metrics,
        [
            ("rejections_total{code=signature_missing}", 1.0),
            ("rejections_total{code=signature_malformed}", 1.0),
            ("rejections_total{code=signature_mismatch}", 1.0),
            ("rejections_total{code=body_too_large}", 1.0),
            ("rejections_total{code=not_a_payload}", 1.0),
            ("deliveries_total{event=unreadable,status=422}", 1.0),
        ],
    );
    agree(&metrics, &hooks);
    assert_eq!(metrics.collected("delivery_body_bytes"), [2.0], "a body is counted once it is verified");
}

#[tokio::test]
async fn duplicates_and_replaced_secrets_are_counted() {
    let metrics = Metrics::default();
    let _guard = metrics.record();
    let hooks = builder(&Notes::default()).signing_secret(SigningSecret::new("second").unwrap());
    let hooks = hooks.handlers(webhook_handlers![index, fail, discard]).deduplicate(10, Duration::from_secs(60));
    let hooks = hooks.build().unwrap();
    for _ in 0..3 {
        hooks.handle(Sample::of("file.stored").sign(&SigningSecret::new("second").unwrap())).await;
        deliver(&hooks, "file.uploaded").await;
    }
    assert_values(
        &metrics,
        [
            ("deliveries_total{event=file.stored,status=204}", 3.0),
            ("deliveries_total{event=file.uploaded,status=500}", 3.0),
            ("duplicate_deliveries_total", 2.0),
            ("replaced_secret_deliveries_total", 3.0),
            ("rejections_total{code=handler_failed}", 3.0),
            ("handler_runs_total{handler=discard,outcome=discarded}", 1.0),
            ("handler_runs_total{handler=index,outcome=ok}", 3.0),
            ("handler_runs_total{handler=fail,outcome=failed}", 3.0),
        ],
    );
    agree(&metrics, &hooks);
}

#[tokio::test]
async fn a_dropped_request_is_no_answered_delivery_and_its_run_is_counted() {
    let metrics = Metrics::default();
    let _guard = metrics.record();
    let hooks = all_handlers();
    let mut request = Box::pin(deliver(&hooks, "file.infected"));
    assert!(futures_util::poll!(&mut request).is_pending());
    drop(request);
    assert_values(&metrics, [("handler_runs_total{handler=hang,outcome=dropped}", 1.0)]);
    agree(&metrics, &hooks);
}

#[tokio::test]
async fn the_queue_counts_its_jobs_and_their_runs() {
    let metrics = Metrics::default();
    let _guard = metrics.record();
    let queue = MemoryQueue::new();
    let hooks = builder(&Notes::default()).queue(queue.storage()).queue_attempts(2);
    let hooks = hooks.handlers(webhook_handlers![index, fail, discard]).build().unwrap();
    for size in 0..3 {
        send(&hooks, upload_of(size)).await;
    }
    queue.clock().advance(Duration::from_secs(30));
    hooks.queue_stats().await.unwrap();
    assert_values(
        &metrics,
        [
            ("deliveries_total{event=file.uploaded,status=202}", 3.0),
            ("queue_jobs{state=waiting}", 6.0),
            ("queue_oldest_due_seconds", 30.0),
        ],
    );
    deliver(&hooks, "file.stored").await;
    queue.run_due(&hooks).await;
    hooks.queue_stats().await.unwrap();
    assert_values(
        &metrics,
        [
            ("deliveries_total{event=file.uploaded,status=202}", 3.0),
            ("deliveries_total{event=file.stored,status=202}", 1.0),
            ("queue_jobs{state=scheduled}", 3.0),
            ("queue_jobs{state=dead}", 1.0),
            ("handler_runs_total{handler=index,outcome=ok}", 3.0),
            ("handler_runs_total{handler=fail,outcome=failed}", 3.0),
            ("handler_runs_total{handler=discard,outcome=discarded}", 1.0),
        ],
    );
    agree(&metrics, &hooks);
    assert_eq!(metrics.collected("handler_duration_seconds{handler=index}").len(), 3);
}

#[tokio::test]
async fn a_worker_sets_the_gauges_of_its_queue() {
    let metrics = Metrics::default();
    let _guard = metrics.record();
    let queue = TestQueue::new(Kind::Sqlite).unwrap();
    let hooks = builder(&Notes::default()).queue(queue.open().await.unwrap().unwrap()).queue_attempts(1);
    let hooks = hooks.handlers(webhook_handlers![fail]).build().unwrap();
    deliver(&hooks, "file.uploaded").await;
    let worker = RunningWorker::start(&hooks);
    while hooks.dead_jobs(1).await.unwrap().is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    worker.stop().await.unwrap();
    let worker = RunningWorker::start(&hooks);
    let start = std::time::Instant::now();
    while metrics.value("queue_jobs{state=dead}") != 1.0 {
        assert!(start.elapsed() < Duration::from_secs(10), "{:?}", metrics.values());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    worker.stop().await.unwrap();
}

#[tokio::test]
async fn the_gauges_of_a_queue_that_cannot_be_counted_have_no_number_and_say_how_old_they_are() {
    let metrics = Metrics::default();
    let _guard = metrics.record();
    let queue = TestQueue::new(Kind::Sqlite).unwrap();
    let hooks = builder(&Notes::default()).queue(queue.open().await.unwrap().unwrap());
    let hooks = hooks.handlers(webhook_handlers![index]).build().unwrap();
    deliver(&hooks, "file.uploaded").await;
    hooks.queue_stats().await.unwrap();
    assert_eq!(metrics.value("queue_jobs{state=waiting}"), 1.0);
    let counted = metrics.value("queue_counted_timestamp_seconds");
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs_f64();
    assert!((now - counted).abs() < 60.0, "{counted} is not about {now}");

    let mut connection = sqlx::SqliteConnection::connect(&queue.file()).await.unwrap();
    let table: String =
        sqlx::query_scalar("SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE 'queue_%'")
            .fetch_one(&mut connection)
            .await
            .unwrap();
    sqlx::query(sqlx::AssertSqlSafe(format!("DROP TABLE {table}"))).execute(&mut connection).await.unwrap();
    hooks.queue_stats().await.unwrap_err();
    for gauge in ["queue_jobs{state=waiting}", "queue_jobs{state=dead}", "queue_oldest_due_seconds"] {
        assert!(metrics.value(gauge).is_nan(), "{gauge} is {}", metrics.value(gauge));
    }
    assert_eq!(metrics.value("queue_counted_timestamp_seconds"), counted);
}

#[tokio::test]
async fn a_worker_that_stops_leaves_no_running_job_behind_in_the_gauges() {
    let metrics = Metrics::default();
    let _guard = metrics.record();
    let queue = TestQueue::new(Kind::Sqlite).unwrap();
    let hooks = builder(&Notes::default()).queue(queue.open().await.unwrap().unwrap());
    let hooks = hooks.queue_stop_timeout(Duration::ZERO).handlers(webhook_handlers![hang]).build().unwrap();
    deliver(&hooks, "file.infected").await;
    let worker = RunningWorker::start(&hooks);
    while hooks.queue_stats().await.unwrap().running == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(metrics.value("queue_jobs{state=running}"), 1.0);
    worker.stop().await.unwrap();
    assert_eq!(metrics.value("queue_jobs{state=running}"), 0.0);
}

#[tokio::test]
async fn each_metric_is_described_and_recorded_as_the_table_says() {
    let metrics = Metrics::default();
    let _guard = metrics.record();
    let queue = MemoryQueue::new();
    let stored = builder(&Notes::default()).queue(queue.storage()).handlers(webhook_handlers![index]).build().unwrap();
    assert_eq!(metrics.described().len(), METRICS.len());
    for metric in METRICS {
        let (kind, unit, help) = metrics.described()[metric.name].clone();
        assert_eq!((kind, help.as_str()), (format!("{:?}", metric.kind).as_str(), metric.help));
        assert_eq!(format!("{:?}", unit.unwrap()), format!("{:?}", metric.unit));
        let suffix = match (kind, metric.unit) {
            ("Counter", _) => "_total",
            (_, MetricUnit::Seconds) => "_seconds",
            (_, MetricUnit::Bytes) => "_bytes",
            _ => "",
        };
        assert!(metric.name.starts_with(Metrics::PREFIX) && metric.name.ends_with(suffix), "{}", metric.name);
    }
    stored.queue_stats().await.unwrap();
    let second = SigningSecret::new("second").unwrap();
    let hooks = builder(&Notes::default()).signing_secret(second.clone()).deduplicate(10, Duration::from_secs(60));
    let hooks = hooks.handlers(webhook_handlers![take, discard]).build().unwrap();
    for event in ["file.stored", "file.stored", "group.created"] {
        hooks.handle(Sample::of(event).sign(&second)).await;
    }
    send(&hooks, payload("file.stored").to_string().replace('{', "[")).await;
    let labels = METRICS.iter().map(|metric| {
        let mut labels: Vec<_> = metric.labels.iter().map(|label| (*label).to_owned()).collect();
        labels.sort();
        (metric.name.to_owned(), labels)
    });
    assert_eq!(metrics.names(), labels.collect());
}
