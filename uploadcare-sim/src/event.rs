//! An event that the simulator triggers, and its payload.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use uploadcare_hooks::testing::Sample;
use uuid::Uuid;

use crate::project::{Project, Subscription};

/// An event for one file, to be triggered with [`Simulator::trigger`](crate::Simulator::trigger).
#[derive(Debug, Clone, Deserialize)]
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
    /// Waiting deliveries are not bounded otherwise: web pages cannot reach `/_sim`, and each takes
    /// about 1 KB.
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

/// Makes the payload, in the form of version 0.7, for one subscription: the sample of the testing
/// kit, of this file and of now.
pub(crate) fn payload(project: &Project, subscription: &Subscription, event: &SimulatedEvent, uuid: Uuid) -> Value {
    let now = Timestamp::now();
    let now_if = |name: &str| (event.event == name).then_some(now);
    let mut sample = Sample::of(event.event.as_str())
        .uuid(uuid)
        .set("initiator.detail.request_id", Uuid::new_v4())
        .set("hook", hook(project, subscription))
        .set("data.datetime_uploaded", now)
        .set("data.datetime_stored", now_if("file.stored"))
        .set("data.datetime_removed", now_if("file.deleted"));
    sample = if event.event == "file.infected" {
        let scan = "data.appdata.uc_clamav_virus_scan";
        sample.set(&format!("{scan}.datetime_created"), now).set(&format!("{scan}.datetime_updated"), now)
    } else {
        sample.set("data.appdata", Map::new())
    };
    if let (Some(previous_values), "file.info_updated") = (&event.previous_values, event.event.as_str()) {
        sample = sample.set("previous_values", previous_values);
    }
    let mut payload = sample.json().clone();
    if let Some(Value::Object(file)) = payload.get_mut("data") {
        file.extend(event.data.clone());
    }
    payload
}

fn hook(project: &Project, subscription: &Subscription) -> Value {
    json!({
        "id": subscription.id, "project_id": subscription.project, "project_pub_key": project.keys.public,
        "target": subscription.target_url, "event": subscription.event, "is_active": subscription.is_active,
        "version": subscription.version, "created_at": subscription.created, "updated_at": subscription.updated,
    })
}
