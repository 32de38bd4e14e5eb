//! An event that the simulator triggers, and its payload.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};
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

/// Makes the payload, of version 0.7, for one subscription.
pub(crate) fn payload(project: &Project, subscription: &Subscription, event: &SimulatedEvent, uuid: Uuid) -> Value {
    let now = Timestamp::now();
    let cdn = format!("https://ucarecdn.com/{uuid}/pineapple.jpg");
    let deleted = event.event == "file.deleted";
    let infected = event.event == "file.infected";
    let scan = json!({"uc_clamav_virus_scan": {
        "data": {"infected": true, "infected_with": "Win.Test.EICAR_HDB-1"}, "version": "0.105.1",
        "datetime_created": now, "datetime_updated": now,
    }});
    let mut file = json!({
        "uuid": uuid, "size": 642, "mime_type": "image/jpeg", "original_filename": "pineapple.jpg",
        "original_file_url": if deleted { Value::Null } else { cdn.as_str().into() },
        "url": format!("https://api.uploadcare.com/files/{uuid}/"), "is_image": true, "is_ready": true,
        "datetime_uploaded": now,
        "datetime_stored": if event.event == "file.stored" { json!(now) } else { Value::Null },
        "datetime_removed": if deleted { json!(now) } else { Value::Null },
        "variations": null,
        "content_info": {
            "mime": {"mime": "image/jpeg", "type": "image", "subtype": "jpeg"},
            "image": {
                "format": "JPEG", "width": 500, "height": 500, "sequence": false, "color_mode": "RGB", "orientation": 6,
                "geo_location": null, "datetime_original": "2018-08-20T08:59:50", "dpi": [72, 72],
            },
        },
        "metadata": {"subsystem": "uploader", "pet": "cat"},
        "appdata": if infected { scan } else { json!({}) },
    });
    if let Value::Object(file) = &mut file {
        file.extend(event.data.clone());
    }
    let mut payload = json!({
        "initiator": {"type": "api", "detail": {"request_id": Uuid::new_v4(), "addon_name": null}},
        "hook": {
            "id": subscription.id, "project_id": subscription.project, "project_pub_key": project.keys.public,
            "target": subscription.target_url, "event": subscription.event, "is_active": subscription.is_active,
            "version": subscription.version, "created_at": subscription.created, "updated_at": subscription.updated,
        },
        "data": file,
        "file": cdn,
    });
    if let (Value::Object(payload), true) = (&mut payload, event.event == "file.info_updated") {
        let default = || json!({"metadata": {"pet": "dog"}});
        payload.insert("previous_values".to_owned(), event.previous_values.clone().unwrap_or_else(default));
    }
    payload
}
