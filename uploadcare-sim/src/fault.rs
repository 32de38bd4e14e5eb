//! Faults on demand: what the next REST calls run into.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

/// Something that goes wrong with the next REST calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// What goes wrong.
    #[serde(rename = "fault")]
    pub kind: FaultKind,
    /// With how many calls.
    #[serde(default = "once")]
    pub times: usize,
    /// Whether what a call asks for is done all the same.
    #[serde(default)]
    pub carried_out: bool,
}

fn once() -> usize {
    1
}

/// What goes wrong with a REST call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FaultKind {
    /// 429, to be tried again after a second.
    Throttle,
    /// 502 with a proxy's page.
    Error,
    /// The answer takes ten seconds.
    Slow,
    /// The connection is closed before the answer is complete.
    Cut,
}

/// The faults to come.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    to_come: VecDeque<Fault>,
    /// How many calls go well before the first of them.
    after: usize,
}

impl Faults {
    pub(crate) fn add(&mut self, fault: Fault) {
        self.to_come.push_back(fault);
    }

    pub(crate) fn add_after(&mut self, calls: usize, fault: Fault) {
        self.after = calls;
        self.add(fault);
    }

    /// The fault that the next call runs into.
    pub(crate) fn next(&mut self) -> Option<Fault> {
        if self.after > 0 {
            self.after -= 1;
            return None;
        }
        loop {
            let fault = self.to_come.front_mut()?;
            if fault.times > 0 {
                fault.times -= 1;
                return Some(*fault);
            }
            self.to_come.pop_front();
        }
    }
}
