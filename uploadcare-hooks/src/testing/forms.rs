//! The payloads of [`Sample`](super::Sample): one form for each version, with what each event has
//! of its own.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::payload::{EventKind, PayloadVersion};

/// Whether this version has the old form, and `file.uploaded` as its only event.
pub(super) fn is_old(version: &PayloadVersion) -> bool {
    matches!(version, PayloadVersion::V0_6 | PayloadVersion::V0_5 | PayloadVersion::Unversioned)
}

/// The payload of an event in a version, about one file.
pub(super) fn payload(event: &EventKind, version: &PayloadVersion, uuid: Uuid) -> Value {
    if is_old(version) { old_payload(version, uuid) } else { new_payload(event, version, uuid) }
}

/// A JPEG in the form of version 0.7, about 1.5 KB long.
fn new_payload(event: &EventKind, version: &PayloadVersion, uuid: Uuid) -> Value {
    let is_deleted = *event == EventKind::FileDeleted;
    let cdn_url = format!("https://ucarecdn.com/{uuid}/ananas.jpg");
    let mut payload = json!({
        "initiator": {
            "type": "api",
            "detail": {"request_id": "972654bd-a2ad-485a-bd27-c86126c1ed8c", "addon_name": null},
        },
        "hook": {
            "id": 889_783,
            "project_id": 123_681,
            "project_pub_key": "2d199fbf3896699a2639",
            "target": "https://app.example.com/hooks/uploadcare",
            "event": event,
            "is_active": true,
            "version": version,
            "created_at": "2023-08-01T06:17:42.730459Z",
            "updated_at": "2023-08-01T06:17:42.730459Z",
        },
        "data": {
            "uuid": uuid,
            "size": 642_118,
            "mime_type": "image/jpeg",
            "original_filename": "ananas.jpg",
            "original_file_url": (!is_deleted).then_some(&cdn_url),
            "url": format!("https://api.uploadcare.com/files/{uuid}/"),
            "is_image": true,
            "is_ready": true,
            "datetime_uploaded": "2023-08-11T12:49:09.945335Z",
            "datetime_stored": "2023-08-11T12:49:10.477888Z",
            "datetime_removed": is_deleted.then_some("2023-08-12T08:01:36.128514Z"),
            "variations": null,
            "content_info": {
                "mime": {"mime": "image/jpeg", "type": "image", "subtype": "jpeg"},
                "image": {
                    "color_mode": "RGB",
                    "orientation": 6,
                    "format": "JPEG",
                    "sequence": false,
                    "height": 1500,
                    "width": 2000,
                    "geo_location": {"latitude": 55.620_136, "longitude": 37.662_991},
                    "datetime_original": "2023-08-10T08:59:50",
                    "dpi": [72, 72],
                },
                "video": null,
            },
            "metadata": {"subsystem": "uploader", "pet": "cat"},
            "appdata": {
                "uc_clamav_virus_scan": {
                    "data": scan(*event == EventKind::FileInfected),
                    "version": "0.105.1",
                    "datetime_created": "2023-08-11T12:49:11.159663Z",
                    "datetime_updated": "2023-08-11T12:49:11.159663Z",
                },
            },
        },
        "file": cdn_url,
    });
    if let (Value::Object(payload), EventKind::FileInfoUpdated) = (&mut payload, event) {
        payload.insert("previous_values".to_owned(), json!({"metadata": {"pet": "dog"}}));
    }
    payload
}

fn scan(infected: bool) -> Value {
    if infected {
        json!({"infected": true, "infected_with": "Win.Test.EICAR_HDB-1"})
    } else {
        json!({"infected": false})
    }
}

/// A `file.uploaded` in the form of versions 0.6 and 0.5. The file is a video, and has the
/// `image_info` of a picture from it, so that all fields of the old versions have a value.
fn old_payload(version: &PayloadVersion, uuid: Uuid) -> Value {
    json!({
        "hook": {
            "id": 889_783,
            "project_id": 123_681,
            "target": "https://app.example.com/hooks/uploadcare",
            "event": EventKind::FileUploaded,
            "is_active": true,
            "version": version,
            "created_at": "2021-11-18T06:17:42.730459Z",
            "updated_at": "2021-11-18T06:17:42.730459Z",
        },
        "data": {
            "uuid": uuid,
            "size": 10_603,
            "mime_type": "video/mp4",
            "original_filename": "clip.mp4",
            "original_file_url": format!("https://ucarecdn.com/{uuid}/clip.mp4"),
            "url": "",
            "is_image": false,
            "is_ready": true,
            "datetime_uploaded": null,
            "datetime_stored": null,
            "datetime_removed": null,
            "variations": null,
            "image_info": {
                "color_mode": "RGB",
                "orientation": null,
                "format": "JPEG",
                "sequence": false,
                "height": 168,
                "width": 300,
                "geo_location": null,
                "datetime_original": null,
                "dpi": null,
            },
            "video_info": {
                "duration": 261_827.5,
                "format": "mp4",
                "bitrate": 393.2,
                "audio": {"bitrate": 78.5, "codec": "aac", "sample_rate": 44_100, "channels": "2"},
                "video": {"height": 360, "width": 640, "frame_rate": 29.97, "bitrate": 315, "codec": "h264"},
            },
            "rekognition_info": {"Home Decor": 93.4, "Linen": 70.7},
            "source": "local",
        },
        "file": format!("https://ucarecdn.com/{uuid}/clip.mp4"),
    })
}

/// A result of label recognition, with labels that are at least this long together.
pub(super) fn labels(bytes: usize) -> Value {
    let mut labels = Vec::new();
    let mut left = bytes;
    while left > 0 {
        let number = labels.len();
        let label = json!({
            "Confidence": confidence(number),
            "Instances": [{
                "BoundingBox": {"Height": 0.281_5, "Left": 0.113_9, "Top": 0.552_1, "Width": 0.306_2},
                "Confidence": 91.002_3,
            }],
            "Name": format!("Label {number}"),
            "Parents": [{"Name": "Home Decor"}],
        });
        left = left.saturating_sub(label.to_string().len());
        labels.push(label);
    }
    json!({
        "data": {"LabelModelVersion": "2.0", "Labels": labels},
        "version": "2016-06-27",
        "datetime_created": "2023-08-11T12:49:12.259763Z",
        "datetime_updated": "2023-08-11T12:49:12.259763Z",
    })
}

/// Between 4 and 93 %.
fn confidence(number: usize) -> f64 {
    93.416_458 - f64::from(u32::try_from(number % 90).unwrap_or(0))
}
