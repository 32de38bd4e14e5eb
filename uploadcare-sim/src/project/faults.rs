//! The faults that the next REST calls run into. How a call then fails is in `fault.rs`.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

/// Makes REST calls fail. It waits for calls below `/webhooks/` with the right keys: other requests
/// do not use it up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// How the calls fail.
    #[serde(rename = "fault")]
    pub kind: FaultKind,
    /// How many calls fail. Defaults to 1.
    #[serde(default = "once")]
    pub times: usize,
    /// How many calls succeed before the first one fails, counted from the end of the previous
    /// fault. Defaults to 0.
    #[serde(default)]
    pub after: usize,
    /// Whether a failing call still takes effect. Defaults to `false`.
    #[serde(default)]
    pub carried_out: bool,
}

fn once() -> usize {
    1
}

impl Fault {
    /// Makes the next call fail, without effect.
    pub fn new(kind: FaultKind) -> Self {
        Self { kind, times: 1, after: 0, carried_out: false }
    }
}

/// How a REST call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FaultKind {
    /// 429 with `Retry-After: 1`.
    Throttle,
    /// 502 with a proxy's HTML page.
    Error,
    /// The right answer, ten seconds late. The call always takes effect.
    Slow,
    /// The connection is closed before the answer is complete.
    Cut,
}

/// The faults to come, in the order in which they were added.
#[derive(Debug, Default)]
pub(crate) struct Faults(VecDeque<Fault>);

impl Faults {
    pub(crate) fn add(&mut self, fault: Fault) {
        self.0.push_back(fault);
    }

    pub(crate) fn all(&self) -> Vec<Fault> {
        self.0.iter().filter(|fault| fault.times > 0).copied().collect()
    }

    /// Counts one call, and returns the fault that it runs into.
    pub(crate) fn next(&mut self) -> Option<Fault> {
        loop {
            let fault = self.0.front_mut()?;
            if fault.times == 0 {
                self.0.pop_front();
            } else if fault.after > 0 {
                fault.after -= 1;
                return None;
            } else {
                fault.times -= 1;
                return Some(*fault);
            }
        }
    }
}
