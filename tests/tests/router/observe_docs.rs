//! The documentation of spans and metrics names what there is.

use std::collections::{BTreeMap, BTreeSet};

use tests::{metrics::Metrics, spans::Spans};
use uploadcare_hooks::{
    observe::{METRICS, MetricKind},
    testing::MemoryQueue,
    webhook_handlers,
};

use super::{Notes, builder, deliver, index};

const GUIDE: &str = include_str!("../../../uploadcare-hooks/docs/observe.md");
const EXAMPLE: &str = include_str!("../../../examples/metrics/README.md");

/// The cells of the rows of the table whose first column has this title.
fn rows(title: &str) -> Vec<Vec<&'static str>> {
    let header = format!("| {title} |");
    let rows = GUIDE.lines().skip_while(|line| !line.starts_with(&header)).skip(2);
    let rows = rows.take_while(|line| line.starts_with('|'));
    rows.map(|row| row.trim_matches('|').split(" | ").map(|cell| cell.trim().trim_matches('`')).collect()).collect()
}

#[tokio::test]
async fn the_table_of_fields_has_every_field_of_every_span_and_no_other() {
    let (queue, spans) = (MemoryQueue::new(), Spans::default());
    let inline = builder(&Notes::default()).handlers(webhook_handlers![index]).build().unwrap();
    let queued = builder(&Notes::default()).handlers(webhook_handlers![index]).queue(queue.storage()).build().unwrap();
    let _guard = spans.capture();
    deliver(&inline, "file.uploaded").await;
    deliver(&queued, "file.uploaded").await;
    queue.run_due(&queued).await;
    let mut documented: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for row in rows("field") {
        for span in row[1].split(", ") {
            documented.entry(span).or_default().insert(row[0]);
        }
        let is_standard = ["otel.", "error.", "http."].iter().any(|prefix| row[0].starts_with(prefix));
        assert_eq!(row[2], if is_standard { "yes" } else { "no" }, "{row:?}");
    }
    let mut declared: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for span in spans.all() {
        declared.entry(span.name).or_default().extend(span.declared);
    }
    assert_eq!(documented, declared);
    assert_eq!(rows("span").iter().map(|row| row[0]).collect::<Vec<_>>(), ["delivery", "handler", "job"]);
    let outcomes: Vec<_> = rows("outcome").iter().map(|row| row[0]).collect();
    assert_eq!(
        outcomes,
        ["ok", "failed", "discarded", "panicked", "timed_out", "no_timer", "dropped", "not_started", "used_up"]
    );
}

/// Each metric that a text names, with the name of its series.
fn named(text: &'static str) -> Vec<&'static str> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words = text.split(|c| !is_part(c)).filter(|word| word.starts_with(Metrics::PREFIX));
    words.collect()
}

#[test]
fn the_guide_and_the_example_name_only_metrics_that_exist() {
    for (file, text) in [("observe.md", GUIDE), ("examples/metrics/README.md", EXAMPLE)] {
        assert!(named(text).len() > 3, "{file}");
        for name in named(text) {
            let is_known = METRICS.iter().any(|metric| {
                let series = name.strip_prefix(metric.name);
                let of_histogram = ["_bucket", "_sum", "_count"].map(Some).contains(&series);
                series == Some("") || of_histogram && metric.kind == MetricKind::Histogram
            });
            assert!(is_known, "{file}: no metric has the name {name}");
        }
    }
}

#[test]
fn the_queries_of_the_example_use_only_labels_codes_and_outcomes_that_exist() {
    let queries: Vec<_> = EXAMPLE.split("```promql").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert_eq!(queries.len(), 3);
    let alerts: Vec<_> = EXAMPLE.split("expr: ").skip(1).map(|rest| rest.split(" > ").next().unwrap()).collect();
    assert_eq!(alerts.len(), 5);
    for query in queries.into_iter().chain(alerts) {
        let name = named(query)[0];
        let metric = METRICS.iter().find(|metric| name.starts_with(metric.name)).unwrap();
        let grouped = query.split("by (").skip(1).flat_map(|rest| rest.split(')').next().unwrap().split(", "));
        let matched = query.split('{').skip(1).map(|rest| rest.split(['=', '!']).next().unwrap().trim());
        for label in grouped.chain(matched).filter(|label| *label != "le") {
            assert!(metric.labels.contains(&label), "{label} is no label of {}", metric.name);
        }
    }
}

#[test]
fn the_alerts_of_the_example_are_those_of_the_guide() {
    let mut alerted = BTreeSet::new();
    for values in EXAMPLE.split("code=~\"").skip(1).map(|rest| rest.split('"').next().unwrap()) {
        for value in values.split('|') {
            let is_meant = |code: &&str| match value.strip_suffix(".*") {
                Some(prefix) => code.starts_with(prefix),
                None => *code == value,
            };
            let meant: Vec<_> = codes().into_iter().filter(is_meant).collect();
            assert!(!meant.is_empty(), "no code is {value}");
            alerted.extend(meant);
        }
    }
    let listed: BTreeSet<_> = rows("code").iter().flat_map(|row| row[0].split("`, `")).collect();
    assert_eq!(alerted, listed);
    for row in rows("alert") {
        assert!(EXAMPLE.contains(&format!("expr: {}\n", row[0])), "the example has no alert {}", row[0]);
    }
}

#[test]
fn the_guide_quotes_what_a_second_recorder_leads_to() {
    let second = metrics::SetRecorderError(Metrics::default()).to_string();
    tests::guides::assert_quoted(GUIDE, &second, "already initialized");
}

/// The codes of all rejections, read from the source of their table, because no function lists
/// them.
fn codes() -> Vec<&'static str> {
    let source = include_str!("../../../uploadcare-hooks/src/router/rejection.rs");
    let table = source.split("\nrejections! {").nth(1).and_then(|rest| rest.split("\n}").next()).unwrap();
    table.split(';').filter_map(|row| row.split('"').nth(1)).collect()
}
