//! An event that the simulator triggers, for one file.

use serde::Deserialize;
use serde_json::{Map, Value};
use uuid::Uuid;

/// An event for one file, to be triggered with [`Simulator::trigger`](crate::Simulator::trigger).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SimulatedEvent {
    /// The event's name, such as `file.uploaded`. Names that Uploadcare does not know are allowed.
    pub event: String,
    /// Fields of the file that differ from the defaults.
    #[serde(default)]
    pub data: Map<String, Value>,
    /// The values before a `file.info_updated`.
    #[serde(default)]
    pub previous_values: Option<Value>,
    /// How many times each subscription gets the event. Defaults to 1. `POST /_sim/events` refuses
    /// more than [`MAX_COPIES`](Self::MAX_COPIES).
    #[serde(default = "one")]
    pub copies: usize,
    /// Delays the first attempt to deliver by so many milliseconds, so that later events overtake
    /// it. Defaults to 0.
    #[serde(default)]
    pub delay_ms: u64,
}

fn one() -> usize {
    1
}

impl SimulatedEvent {
    /// The most [`copies`](Self::copies) that a request to `/_sim/events` may ask for.
    ///
    /// It also refuses an event if the deliveries that wait would then take more than 128 MiB:
    /// their payloads, and 2 KiB for each. The copies of an event share their payload, which counts
    /// once. [`Simulator::trigger`](crate::Simulator::trigger) has neither limit.
    pub const MAX_COPIES: usize = 1000;

    /// An event for a file with default values.
    pub fn new(event: impl Into<String>) -> Self {
        Self { event: event.into(), data: Map::new(), previous_values: None, copies: 1, delay_ms: 0 }
    }

    /// The UUID in `data`, or a new one.
    pub(crate) fn uuid(&self) -> Uuid {
        let given = self.data.get("uuid").and_then(Value::as_str).and_then(|uuid| uuid.parse().ok());
        given.unwrap_or_else(Uuid::new_v4)
    }
}
