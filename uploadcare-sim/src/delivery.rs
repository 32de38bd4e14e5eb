//! Events that happen, and their deliveries: signed, and delivered again until they are acknowledged.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use uploadcare_hooks::{SIGNATURE_HEADER, SigningSecret};
use uuid::Uuid;

use crate::{server::State, store::Subscription};

/// How long a receiver may take to answer.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Something that happens to a file.
#[derive(Debug, Clone, Deserialize)]
pub struct Happening {
    /// What happens, such as `file.uploaded`; also events that Uploadcare does not have.
    pub event: String,
    /// What the file is, where that differs from the default.
    #[serde(default)]
    pub data: Map<String, Value>,
    /// The values before a `file.info_updated`.
    #[serde(default)]
    pub previous_values: Option<Value>,
    /// How many times it is delivered to each subscription. `POST /_sim/events` refuses more than
    /// [`MAX_COPIES`](Self::MAX_COPIES).
    #[serde(default = "one")]
    pub copies: usize,
    /// How long its deliveries are held back, in milliseconds, so that later ones overtake them.
    #[serde(default)]
    pub delay_ms: u64,
}

fn one() -> usize {
    1
}

impl Happening {
    /// The most [`copies`](Self::copies) that a request to `/_sim/events` may ask for.
    pub const MAX_COPIES: usize = 1000;

    /// An event for a file with default values.
    pub fn new(event: impl Into<String>) -> Self {
        Self { event: event.into(), data: Map::new(), previous_values: None, copies: 1, delay_ms: 0 }
    }
}

/// One attempt to deliver.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Attempt {
    /// The same for all attempts of one delivery.
    pub delivery: Uuid,
    /// From 1 on.
    pub attempt: usize,
    /// The event.
    pub event: String,
    /// The file that it is about.
    pub uuid: Uuid,
    /// The subscription that it belongs to.
    pub subscription: u64,
    /// Where it was sent.
    pub target_url: String,
    /// When the answer came, or failed to come.
    pub at: Timestamp,
    /// The status of the answer; `null` if there was none.
    pub status: Option<u16>,
    /// Why there was no answer.
    pub error: Option<String>,
}

/// Delivers an event to every active subscription of it; returns the file's UUID and the number of subscriptions.
pub(crate) fn happen(state: &Arc<State>, happening: &Happening) -> (Uuid, usize) {
    let uuid = happening.data.get("uuid").and_then(Value::as_str).and_then(|uuid| uuid.parse().ok());
    let uuid = uuid.unwrap_or_else(Uuid::new_v4);
    let wanted = |known: &&Subscription| known.is_active && known.event == happening.event;
    let subscriptions: Vec<_> = state.store().all().iter().filter(wanted).cloned().collect();
    let number = subscriptions.len();
    for subscription in subscriptions {
        let body = payload(state, &subscription, happening, uuid).to_string();
        for _ in 0..happening.copies {
            let delivery =
                Delivery { id: Uuid::new_v4(), uuid, subscription: subscription.clone(), body: body.clone() };
            let delay = Duration::from_millis(happening.delay_ms);
            let state = Arc::clone(state);
            state.clone().runtime.spawn(async move { delivery.run(&state, delay).await });
        }
    }
    (uuid, number)
}

/// One event on its way to one subscription.
struct Delivery {
    id: Uuid,
    uuid: Uuid,
    subscription: Subscription,
    body: String,
}

impl Delivery {
    /// Tries until it is acknowledged, or the delays are used up.
    async fn run(&self, state: &State, first_delay: Duration) {
        let delays = std::iter::once(first_delay).chain(state.redelivery_delays.iter().copied());
        for (attempt, delay) in delays.enumerate() {
            tokio::time::sleep(delay).await;
            let answer = self.send(state).await;
            let acknowledged = answer.as_ref().is_ok_and(|status| (200..300).contains(status));
            state.note(Attempt {
                delivery: self.id,
                attempt: attempt + 1,
                event: self.subscription.event.clone(),
                uuid: self.uuid,
                subscription: self.subscription.id,
                target_url: self.subscription.target_url.clone(),
                at: Timestamp::now(),
                status: answer.as_ref().ok().copied(),
                error: answer.err(),
            });
            if acknowledged {
                return;
            }
        }
    }

    async fn send(&self, state: &State) -> Result<u16, String> {
        let mut request = state.http.post(&self.subscription.target_url).timeout(TIMEOUT);
        request = request.header("Content-Type", "application/json");
        if let Some(secret) = &self.subscription.signing_secret {
            let secret = SigningSecret::new(secret.as_str()).map_err(|error| error.to_string())?;
            request = request.header(SIGNATURE_HEADER, secret.sign(self.body.as_bytes()));
        }
        match request.body(self.body.clone()).send().await {
            Ok(answer) => Ok(answer.status().as_u16()),
            Err(error) => Err(error.to_string()),
        }
    }
}

/// A payload of version 0.7 for one subscription.
fn payload(state: &State, subscription: &Subscription, happening: &Happening, uuid: Uuid) -> Value {
    let now = Timestamp::now();
    let cdn = format!("https://ucarecdn.com/{uuid}/pineapple.jpg");
    let deleted = happening.event == "file.deleted";
    let infected = happening.event == "file.infected";
    let scan = json!({"uc_clamav_virus_scan": {
        "data": {"infected": true, "infected_with": "Win.Test.EICAR_HDB-1"}, "version": "0.105.1",
        "datetime_created": now, "datetime_updated": now,
    }});
    let mut file = json!({
        "uuid": uuid, "size": 642, "mime_type": "image/jpeg", "original_filename": "pineapple.jpg",
        "original_file_url": if deleted { Value::Null } else { cdn.as_str().into() },
        "url": format!("https://api.uploadcare.com/files/{uuid}/"), "is_image": true, "is_ready": true,
        "datetime_uploaded": now,
        "datetime_stored": if happening.event == "file.stored" { json!(now) } else { Value::Null },
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
        file.extend(happening.data.clone());
    }
    let mut payload = json!({
        "initiator": {"type": "api", "detail": {"request_id": Uuid::new_v4(), "addon_name": null}},
        "hook": {
            "id": subscription.id, "project_id": subscription.project, "project_pub_key": state.keys.public,
            "target": subscription.target_url, "event": subscription.event, "is_active": subscription.is_active,
            "version": subscription.version, "created_at": subscription.created, "updated_at": subscription.updated,
        },
        "data": file,
        "file": cdn,
    });
    if let (Value::Object(payload), true) = (&mut payload, happening.event == "file.info_updated") {
        let default = || json!({"metadata": {"pet": "dog"}});
        payload.insert("previous_values".to_owned(), happening.previous_values.clone().unwrap_or_else(default));
    }
    payload
}
