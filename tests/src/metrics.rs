//! The metrics that a test causes on its thread.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, LocalRecorderGuard, Metadata, Recorder,
    SharedString, Unit,
};

/// What was recorded, by a text such as `deliveries_total{event=file.stored,status=204}`: the name
/// without what all names begin with, and the labels in the order of their names.
#[derive(Debug, Default)]
struct Recorded {
    values: BTreeMap<String, f64>,
    collected: BTreeMap<String, Vec<f64>>,
    described: BTreeMap<String, (&'static str, Option<Unit>, String)>,
    /// Every name with the names of its labels.
    names: BTreeMap<String, Vec<String>>,
}

/// The metrics of a test.
#[derive(Debug, Clone, Default)]
pub struct Metrics(Arc<Mutex<Recorded>>);

impl Metrics {
    /// What the name of every metric begins with.
    pub const PREFIX: &str = "uploadcare_hooks_";

    /// Records what happens on this thread until the guard is dropped.
    pub fn record(&self) -> LocalRecorderGuard<'_> {
        metrics::set_default_local_recorder(self)
    }

    /// The value of a counter or gauge; 0 if it has none.
    pub fn value(&self, key: &str) -> f64 {
        self.lock().values.get(key).copied().unwrap_or_default()
    }

    /// The sum of a counter over all labels.
    pub fn total(&self, name: &str) -> f64 {
        let labelled = format!("{name}{{");
        let recorded = self.lock();
        let of_name = recorded.values.iter().filter(|(key, _)| *key == name || key.starts_with(&labelled));
        of_name.map(|(_, value)| value).sum()
    }

    /// All counters and gauges that are not 0.
    pub fn values(&self) -> BTreeMap<String, f64> {
        self.lock().values.clone().into_iter().filter(|(_, value)| *value != 0.0).collect()
    }

    /// What a histogram collected.
    pub fn collected(&self, key: &str) -> Vec<f64> {
        self.lock().collected.get(key).cloned().unwrap_or_default()
    }

    /// Kind, unit and description of each metric by its name.
    pub fn described(&self) -> BTreeMap<String, (&'static str, Option<Unit>, String)> {
        self.lock().described.clone()
    }

    /// The whole name of each metric that was recorded, with the names of its labels in order.
    pub fn names(&self) -> BTreeMap<String, Vec<String>> {
        self.lock().names.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Recorded> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn handle(&self, key: &Key) -> Arc<Handle> {
        let mut labels: Vec<_> = key.labels().map(|label| (label.key(), label.value())).collect();
        labels.sort_unstable();
        let names = labels.iter().map(|(name, _)| (*name).to_owned()).collect();
        self.lock().names.insert(key.name().to_owned(), names);
        let name = key.name().trim_start_matches(Self::PREFIX).to_owned();
        let labels: Vec<_> = labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let key = if labels.is_empty() { name } else { format!("{name}{{{}}}", labels.join(",")) };
        Arc::new(Handle { metrics: self.clone(), key })
    }

    fn describe(&self, kind: &'static str, name: &KeyName, unit: Option<Unit>, description: &SharedString) {
        let description = (kind, unit, description.clone().into_owned());
        self.lock().described.insert(name.as_str().to_owned(), description);
    }
}

impl Recorder for Metrics {
    fn describe_counter(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        self.describe("Counter", &key, unit, &description);
    }

    fn describe_gauge(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        self.describe("Gauge", &key, unit, &description);
    }

    fn describe_histogram(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        self.describe("Histogram", &key, unit, &description);
    }

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.handle(key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.handle(key))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(self.handle(key))
    }
}

/// One metric with its labels.
struct Handle {
    metrics: Metrics,
    key: String,
}

impl Handle {
    fn change(&self, change: impl FnOnce(&mut f64)) {
        change(self.metrics.lock().values.entry(self.key.clone()).or_default());
    }
}

impl CounterFn for Handle {
    fn increment(&self, value: u64) {
        self.change(|sum| *sum += value as f64);
    }

    fn absolute(&self, value: u64) {
        self.change(|sum| *sum = value as f64);
    }
}

impl GaugeFn for Handle {
    fn increment(&self, value: f64) {
        self.change(|sum| *sum += value);
    }

    fn decrement(&self, value: f64) {
        self.change(|sum| *sum -= value);
    }

    fn set(&self, value: f64) {
        self.change(|sum| *sum = value);
    }
}

impl HistogramFn for Handle {
    fn record(&self, value: f64) {
        self.metrics.lock().collected.entry(self.key.clone()).or_default().push(value);
    }
}
