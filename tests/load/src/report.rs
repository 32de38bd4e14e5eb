//! A line for each server.

use std::{iter, time::Duration};

use crate::servers::Receiver;

/// What was measured of a server.
pub(crate) struct Row {
    pub(crate) receiver: Receiver,
    /// Requests a second.
    pub(crate) rate: f64,
    /// Microseconds of processor time for each request.
    pub(crate) user: f64,
    pub(crate) system: f64,
    /// Within which 99 % of the requests are answered.
    pub(crate) latency: Duration,
}

impl Row {
    fn processor(&self) -> f64 {
        self.user + self.system
    }
}

/// The lines; those of a framework follow the one of the bare framework.
pub(crate) fn lines(rows: &[Row]) -> impl Iterator<Item = String> {
    let heading = format!(
        "  {:14}  {:>10}  {:>7}  {:>7}  {:>9}  {:>9}  {:>7}  {:>9}",
        "", "requests/s", "of bare", "of ours", "user µs", "system µs", "of ours", "p99"
    );
    let ours = rows.iter().find(|row| row.receiver.is_reference());
    let (rate, processor) = ours.map_or((f64::NAN, f64::NAN), |ours| (ours.rate, ours.processor()));
    let mut bare = f64::NAN;
    let lines = rows.iter().map(move |row| {
        if row.receiver.is_bare() {
            bare = row.rate;
        }
        format!(
            "  {:14}  {:10.0}  {:7.2}  {:7.2}  {:9.1}  {:9.1}  {:7.2}  {:>9}",
            format!("{} {}", row.receiver.framework(), row.receiver.name()),
            row.rate,
            row.rate / bare,
            row.rate / rate,
            row.user,
            row.system,
            row.processor() / processor,
            format!("{:.2?}", row.latency),
        )
    });
    iter::once(heading).chain(lines)
}
