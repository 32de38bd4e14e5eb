#![doc = include_str!("../docs/observe.md")]

// This room has the one list of metrics, and how each is counted. It knows only names and numbers,
// and decides nothing. Without the feature `metrics` the same functions do nothing.

#[cfg(feature = "metrics")]
mod facade;
#[cfg(not(feature = "metrics"))]
mod off;
mod table;

#[cfg(feature = "metrics")]
pub(crate) use self::facade::*;
#[cfg(not(feature = "metrics"))]
pub(crate) use self::off::*;
pub use self::table::{METRICS, Metric, MetricKind, MetricUnit};
