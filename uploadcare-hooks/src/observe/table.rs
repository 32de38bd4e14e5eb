//! The one table of metrics: the names that are counted, their documentation, and what a recorder
//! is told about them are made from it.

/// One metric, from [`METRICS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Metric {
    /// Its name, with the suffix of its unit.
    pub name: &'static str,
    /// How it changes.
    pub kind: MetricKind,
    /// What it counts in.
    pub unit: MetricUnit,
    /// The names of its labels.
    pub labels: &'static [&'static str],
    /// What it says, in one sentence without a full stop.
    pub help: &'static str,
}

/// How a [`Metric`] changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum MetricKind {
    /// It only grows.
    Counter,
    /// It is set to the current value.
    Gauge,
    /// It collects values.
    Histogram,
}

/// What a [`Metric`] counts in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum MetricUnit {
    /// A number of things.
    Count,
    /// Seconds.
    Seconds,
    /// Bytes.
    Bytes,
}

macro_rules! metrics {
    ($(
        $constant:ident = $kind:ident $name:literal [$($label:literal),*] $unit:ident, $help:literal;
    )+) => {
        $(
            #[allow(dead_code, reason = "only the feature `metrics` counts")]
            pub(super) const $constant: &str = $name;
        )+

        /// All metrics of the feature `metrics`, for tests of your own dashboards and alerts.
        ///
        /// | name | kind | labels | what it says |
        /// |---|---|---|---|
        $(
            #[doc = concat!(
                "| `", $name, "` | ", stringify!($kind), " | ", $("`", $label, "` ",)* "| ", $help, " |"
            )]
        )+
        pub const METRICS: &[Metric] = &[$(
            Metric {
                name: $name,
                kind: MetricKind::$kind,
                unit: MetricUnit::$unit,
                labels: &[$($label),*],
                help: $help,
            },
        )+];
    };
}

metrics! {
    DELIVERIES = Counter "uploadcare_hooks_deliveries_total" ["event", "status"] Count,
        "Deliveries that were verified and answered, by event and status of the answer";
    REJECTIONS = Counter "uploadcare_hooks_rejections_total" ["code"] Count,
        "Requests that were not acknowledged, verified or not, by the code of the answer";
    DELIVERY_SECONDS = Histogram "uploadcare_hooks_delivery_duration_seconds" ["event"] Seconds,
        "Time from the head of a verified delivery to its answer, the reading of its body included";
    BODY_BYTES = Histogram "uploadcare_hooks_delivery_body_bytes" [] Bytes,
        "Sizes of the bodies of verified deliveries";
    UNHANDLED = Counter "uploadcare_hooks_unhandled_deliveries_total" [] Count,
        "Deliveries that no handler wanted";
    UNKNOWN_EVENTS = Counter "uploadcare_hooks_unknown_events_total" [] Count,
        "Deliveries of an event that this version of the crate does not know, without duplicates";
    DUPLICATES = Counter "uploadcare_hooks_duplicate_deliveries_total" [] Count,
        "Deliveries acknowledged without a run, because they were done before (not counted by a queue)";
    REPLACED_SECRET = Counter "uploadcare_hooks_replaced_secret_deliveries_total" [] Count,
        "Deliveries signed with a secret of the router other than the first";
    HANDLER_RUNS = Counter "uploadcare_hooks_handler_runs_total" ["handler", "outcome"] Count,
        "Runs of handlers, those of a queue's worker included, by name and outcome";
    HANDLER_SECONDS = Histogram "uploadcare_hooks_handler_duration_seconds" ["handler"] Seconds,
        "Time that each run of a handler took";
    QUEUE_JOBS = Gauge "uploadcare_hooks_queue_jobs" ["state"] Count,
        "Jobs in the queue that are waiting, running, scheduled for a later attempt, or dead";
    QUEUE_OLDEST = Gauge "uploadcare_hooks_queue_oldest_due_seconds" [] Seconds,
        "For how long the oldest of the waiting jobs has been due, 0 if none waits";
    QUEUE_COUNTED = Gauge "uploadcare_hooks_queue_counted_timestamp_seconds" [] Seconds,
        "When the jobs of the queue were last counted, as Unix time: the other gauges are as old";
}
