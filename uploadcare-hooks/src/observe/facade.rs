//! Counts through the facade of the crate `metrics`. Without a recorder of the application its
//! calls do nothing.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use metrics::{Unit, counter, gauge, histogram};

use super::table::{
    BODY_BYTES, DELIVERIES, DELIVERY_SECONDS, DUPLICATES, HANDLER_RUNS, HANDLER_SECONDS, METRICS, MetricKind,
    MetricUnit, QUEUE_COUNTED, QUEUE_JOBS, QUEUE_OLDEST, REJECTIONS, REPLACED_SECRET, UNHANDLED, UNKNOWN_EVENTS,
};

/// How often a worker counts the jobs of its queue.
#[allow(dead_code, reason = "only a queue is sampled")]
pub(crate) const QUEUE_SAMPLING: Option<Duration> = Some(Duration::from_secs(15));

/// The values of the label `state`, in the order in which the jobs are counted.
const QUEUE_STATES: [&str; 4] = ["waiting", "running", "scheduled", "dead"];

/// When a request began.
pub(crate) struct Start(Instant);

impl Start {
    pub(crate) fn now() -> Self {
        Self(Instant::now())
    }
}

/// Tells the recorder the unit and the meaning of each metric.
pub(crate) fn describe() {
    for metric in METRICS {
        let unit = match metric.unit {
            MetricUnit::Count => Unit::Count,
            MetricUnit::Seconds => Unit::Seconds,
            MetricUnit::Bytes => Unit::Bytes,
        };
        match metric.kind {
            MetricKind::Counter => metrics::describe_counter!(metric.name, unit, metric.help),
            MetricKind::Gauge => metrics::describe_gauge!(metric.name, unit, metric.help),
            MetricKind::Histogram => metrics::describe_histogram!(metric.name, unit, metric.help),
        }
    }
}

pub(crate) fn verified(body: usize) {
    histogram!(BODY_BYTES).record(body as f64);
}

pub(crate) fn answered(event: &'static str, status: &str, start: &Start) {
    counter!(DELIVERIES, "event" => event, "status" => status.to_owned()).increment(1);
    histogram!(DELIVERY_SECONDS, "event" => event).record(start.0.elapsed());
}

pub(crate) fn rejected(code: &'static str) {
    counter!(REJECTIONS, "code" => code).increment(1);
}

pub(crate) fn unhandled() {
    counter!(UNHANDLED).increment(1);
}

pub(crate) fn unknown_event() {
    counter!(UNKNOWN_EVENTS).increment(1);
}

pub(crate) fn duplicate() {
    counter!(DUPLICATES).increment(1);
}

pub(crate) fn replaced_secret() {
    counter!(REPLACED_SECRET).increment(1);
}

pub(crate) fn handler_ran(handler: &'static str, outcome: &'static str, duration: Duration) {
    counter!(HANDLER_RUNS, "handler" => handler, "outcome" => outcome).increment(1);
    histogram!(HANDLER_SECONDS, "handler" => handler).record(duration);
}

/// The jobs that are waiting, running, scheduled and dead.
#[allow(dead_code, reason = "only a queue is counted")]
pub(crate) fn queue_counted(jobs: [u64; 4], oldest_due: Option<Duration>) {
    for (state, jobs) in QUEUE_STATES.into_iter().zip(jobs) {
        gauge!(QUEUE_JOBS, "state" => state).set(jobs as f64);
    }
    gauge!(QUEUE_OLDEST).set(oldest_due.unwrap_or_default());
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    gauge!(QUEUE_COUNTED).set(now);
}

/// The jobs could not be counted: their number is not known any more.
#[allow(dead_code, reason = "only a queue is counted")]
pub(crate) fn queue_not_counted() {
    for state in QUEUE_STATES {
        gauge!(QUEUE_JOBS, "state" => state).set(f64::NAN);
    }
    gauge!(QUEUE_OLDEST).set(f64::NAN);
}
