//! Uploadcare's part: deliveries, signed as it signs them.

use reqwest::StatusCode;
use serde_json::{Value, json};
use uploadcare_hooks::SigningSecret;

const UUID: &str = "575ed4e8-f4e8-4c14-a58b-1527b6d9ee46";

/// A request that is sent to the server, and how it should be answered.
pub(crate) struct Delivery {
    pub(crate) title: &'static str,
    pub(crate) body: String,
    pub(crate) signature: String,
    pub(crate) expected: StatusCode,
}

/// The five events, and what else comes in.
pub(crate) fn all(secret: &SigningSecret) -> Vec<Delivery> {
    let signed = |title, body: Value| {
        let body = body.to_string();
        Delivery { title, signature: secret.sign(body.as_bytes()), body, expected: StatusCode::NO_CONTENT }
    };
    let uploaded = payload("file.uploaded", json!({}));
    let infected = json!({"appdata": {"uc_clamav_virus_scan": {
        "data": {"infected": true, "infected_with": "Win.Test.EICAR_HDB-1"}, "version": "0.105.1",
        "datetime_created": "2023-08-11T12:49:11.159663Z", "datetime_updated": "2023-08-11T12:49:11.159663Z",
    }}});
    let mut changed = payload("file.info_updated", json!({"metadata": {"pet": "cat"}}));
    merge(&mut changed, json!({"previous_values": {"metadata": {"pet": "dog"}}}));
    let forged = signed("a delivery whose body was changed on the way", uploaded.clone());
    vec![
        signed("file.uploaded", uploaded.clone()),
        signed("file.stored", payload("file.stored", json!({"datetime_stored": "2023-08-11T12:49:10.477888Z"}))),
        signed("file.infected", payload("file.infected", infected)),
        signed("file.info_updated", changed),
        signed("the first one again: delivery is at least once", uploaded),
        Delivery {
            body: forged.body.replace("ananas.jpg", "malware.exe"),
            expected: StatusCode::UNAUTHORIZED,
            ..forged
        },
        signed("file.uploaded in the old version 0.6: image_info is lifted into content_info", legacy()),
        signed("file.deleted", payload("file.deleted", json!({"datetime_removed": "2023-08-12T00:00:00Z"}))),
        signed("an event of next year", json!({"hook": {"event": "group.created"}, "data": {"id": "g~3", "files": 3}})),
    ]
}

/// The least that a delivery can be.
pub(crate) fn smallest() -> Value {
    json!({"hook": {"event": "file.uploaded"}, "data": {"uuid": UUID, "original_filename": "cat.jpg"}})
}

/// A payload of version 0.7 whose file is as `file` says.
fn payload(event: &str, file: Value) -> Value {
    let mut payload = json!({
        "initiator": {"type": "api", "detail": {"request_id": "972654bd-a2ad-485a-bd27-c86126c1ed8c", "addon_name": null}},
        "hook": {
            "id": 1, "project_id": 13, "project_pub_key": "2d199fbf3896699a2639", "event": event, "is_active": true,
            "target": "https://app.example.com/hooks", "version": "0.7",
            "created_at": "2023-08-01T06:17:42.730459Z", "updated_at": "2023-08-01T06:17:42.730459Z",
        },
        "data": {
            "uuid": UUID, "size": 642_118, "mime_type": "image/jpeg", "original_filename": "ananas.jpg",
            "original_file_url": format!("https://ucarecdn.com/{UUID}/ananas.jpg"),
            "url": format!("https://api.uploadcare.com/files/{UUID}/"), "is_image": true, "is_ready": true,
            "datetime_uploaded": "2023-08-11T12:49:09.945335Z", "datetime_stored": null, "datetime_removed": null,
            "variations": null, "metadata": {}, "appdata": {},
            "content_info": {
                "mime": {"mime": "image/jpeg", "type": "image", "subtype": "jpeg"},
                "image": {"color_mode": "RGB", "format": "JPEG", "height": 1500, "width": 2000, "orientation": null, "dpi": [72, 72]},
            },
        },
        "file": format!("https://ucarecdn.com/{UUID}/ananas.jpg"),
    });
    merge(&mut payload, json!({"data": file}));
    payload
}

/// A payload of version 0.6.
fn legacy() -> Value {
    json!({
        "hook": {"id": 2, "project_id": 13, "event": "file.uploaded", "is_active": true, "version": "0.6"},
        "data": {
            "uuid": "f08d7c8a-2971-42e0-ab01-780d9039b40b", "size": 10_603, "mime_type": "image/jpeg",
            "original_filename": "download.jpeg", "is_image": true, "is_ready": true,
            "image_info": {"color_mode": "RGB", "format": "JPEG", "height": 168, "width": 300},
        },
    })
}

/// Puts what `changes` says into `object`.
fn merge(object: &mut Value, changes: Value) {
    match (object, changes) {
        (Value::Object(object), Value::Object(changes)) => {
            for (key, value) in changes {
                merge(object.entry(key).or_insert(Value::Null), value);
            }
        }
        (value, changes) => *value = changes,
    }
}
