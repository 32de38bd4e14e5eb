//! Without the feature `metrics` nothing is counted. The functions are those of `facade.rs`.

use std::time::Duration;

#[allow(dead_code, reason = "only a queue is sampled")]
pub(crate) const QUEUE_SAMPLING: Option<Duration> = None;

pub(crate) struct Start;

impl Start {
    pub(crate) fn now() -> Self {
        Self
    }
}

pub(crate) fn describe() {}

pub(crate) fn verified(_body: usize) {}

pub(crate) fn answered(_event: &'static str, _status: &str, _start: &Start) {}

pub(crate) fn rejected(_code: &'static str) {}

pub(crate) fn unhandled() {}

pub(crate) fn unknown_event() {}

pub(crate) fn duplicate() {}

pub(crate) fn replaced_secret() {}

pub(crate) fn handler_ran(_handler: &'static str, _outcome: &'static str, _duration: Duration) {}

#[allow(dead_code, reason = "only a queue is counted")]
pub(crate) fn queue_counted(_jobs: [u64; 4], _oldest_due: Option<Duration>) {}

#[allow(dead_code, reason = "only a queue is counted")]
pub(crate) fn queue_not_counted() {}
