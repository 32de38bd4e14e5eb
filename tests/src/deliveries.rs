//! Payloads and signed deliveries like those that Uploadcare sends.

use bytes::Bytes;
use http::Request;
use serde_json::{Value, json};
use uploadcare_hooks::SigningSecret;

/// The UUID of the file in every payload of this module.
pub const UUID: &str = "575ed4e8-f4e8-4c14-a58b-1527b6d9ee46";

/// The signing secret of the tests.
///
/// # Panics
/// Never: the text is a valid secret.
#[allow(clippy::expect_used)]
pub fn secret() -> SigningSecret {
    SigningSecret::new("7kMVZivndx0ErgvhRKAr").expect("the text is a valid secret")
}

/// A delivery to this path of a router, with a body that is signed with this secret.
///
/// # Panics
/// When the path is not a valid URI.
#[allow(clippy::expect_used)]
pub fn signed_request(path: &str, secret: &SigningSecret, body: impl Into<Bytes>) -> Request<Bytes> {
    let body = body.into();
    let request = Request::post(path).header("X-Uc-Signature", secret.sign(&body));
    request.body(body).expect("the path is a valid URI")
}

/// A payload of version 0.7, about 1.5 KB long.
pub fn payload(event: &str) -> Value {
    json!({
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
            "version": "0.7",
            "created_at": "2023-08-01T06:17:42.730459Z",
            "updated_at": "2023-08-01T06:17:42.730459Z",
        },
        "data": {
            "uuid": UUID,
            "size": 642_118,
            "mime_type": "image/jpeg",
            "original_filename": "ananas.jpg",
            "original_file_url": format!("https://ucarecdn.com/{UUID}/ananas.jpg"),
            "url": format!("https://api.uploadcare.com/files/{UUID}/"),
            "is_image": true,
            "is_ready": true,
            "datetime_uploaded": "2023-08-11T12:49:09.945335Z",
            "datetime_stored": "2023-08-11T12:49:10.477888Z",
            "datetime_removed": null,
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
                    "data": {"infected": false},
                    "version": "0.105.1",
                    "datetime_created": "2023-08-11T12:49:11.159663Z",
                    "datetime_updated": "2023-08-11T12:49:11.159663Z",
                },
            },
        },
        "file": format!("https://ucarecdn.com/{UUID}/ananas.jpg"),
    })
}

/// A payload of version 0.7, with as many Rekognition labels in `appdata` as it takes to make it at
/// least `bytes` bytes long.
pub fn payload_with_labels(event: &str, bytes: usize) -> Vec<u8> {
    let mut payload = payload(event);
    let mut labels = Vec::new();
    let mut left = bytes.saturating_sub(payload.to_string().len());
    while left > 0 {
        let number = labels.len();
        let label = json!({
            "Confidence": 93.416_458 - f64::from(u32::try_from(number % 90).unwrap_or(0)),
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
    if let Some(appdata) = payload.pointer_mut("/data/appdata").and_then(Value::as_object_mut) {
        let result = json!({
            "data": {"LabelModelVersion": "2.0", "Labels": labels},
            "version": "2016-06-27",
            "datetime_created": "2023-08-11T12:49:12.259763Z",
            "datetime_updated": "2023-08-11T12:49:12.259763Z",
        });
        appdata.insert("aws_rekognition_detect_labels".to_owned(), result);
    }
    payload.to_string().into_bytes()
}

/// A `file.uploaded` payload with the fields of version 0.6, which says that its version is
/// `version`.
pub fn legacy_payload(version: &str) -> Value {
    json!({
        "hook": {
            "id": 889_783,
            "project_id": 123_681,
            "target": "https://app.example.com/hooks/uploadcare",
            "event": "file.uploaded",
            "is_active": true,
            "version": version,
            "created_at": "2021-11-18T06:17:42.730459Z",
            "updated_at": "2021-11-18T06:17:42.730459Z",
        },
        "data": {
            "uuid": UUID,
            "size": 10_603,
            "mime_type": "video/mp4",
            "original_filename": "clip.mp4",
            "original_file_url": format!("https://ucarecdn.com/{UUID}/clip.mp4"),
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
        "file": format!("https://ucarecdn.com/{UUID}/clip.mp4"),
    })
}
