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
    /// How many calls go well before; they count from the end of the fault that was asked for before this one.
    #[serde(default)]
    pub after: usize,
    /// Whether what a call asks for is done all the same.
    #[serde(default)]
    pub carried_out: bool,
}

fn once() -> usize {
    1
}

impl Fault {
    /// A fault that the next call runs into, and nothing is carried out.
    pub fn new(kind: FaultKind) -> Self {
        Self { kind, times: 1, after: 0, carried_out: false }
    }
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
pub(crate) struct Faults(VecDeque<Fault>);

impl Faults {
    pub(crate) fn add(&mut self, fault: Fault) {
        self.0.push_back(fault);
    }

    /// The fault that the next call runs into.
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
