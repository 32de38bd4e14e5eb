//! Deliveries made by hand, of kinds that the simulator does not send.

use std::error::Error;

use reqwest::StatusCode;
use serde_json::{Value, json};
use uploadcare_hooks::SigningSecret;

/// A request, and the status that the application should answer.
pub(crate) struct HandMadeDelivery {
    title: &'static str,
    body: String,
    signature: String,
    expected: StatusCode,
}

/// An old payload version, an event that the crate does not know, and a forgery.
pub(crate) fn all(secret: &SigningSecret) -> Vec<HandMadeDelivery> {
    let signed = |title, body: Value| {
        let body = body.to_string();
        HandMadeDelivery { title, signature: secret.sign(body.as_bytes()), body, expected: StatusCode::NO_CONTENT }
    };
    let forged = signed("a delivery with a body that was changed after signing", smallest());
    vec![
        signed("file.uploaded in the old version 0.6: image_info is lifted into content_info", legacy()),
        signed(
            "an event that this version of the crate does not know",
            json!({"hook": {"event": "group.created"}, "data": {"id": "g~3", "files": 3}}),
        ),
        HandMadeDelivery {
            body: forged.body.replace("cat.jpg", "malware.exe"),
            expected: StatusCode::UNAUTHORIZED,
            ..forged
        },
    ]
}

impl HandMadeDelivery {
    /// Sends the delivery and prints the status of the answer. Fails if it is not the expected one.
    pub(crate) async fn send(self, target_url: &str) -> Result<(), Box<dyn Error>> {
        println!("   {}", self.title);
        let request = reqwest::Client::new().post(target_url).header("X-Uc-Signature", self.signature).body(self.body);
        let status = request.send().await?.status();
        println!("   answered {}", status.as_u16());
        if status == self.expected { Ok(()) } else { Err(format!("the expected status is {}", self.expected).into()) }
    }
}

/// The smallest valid payload.
pub(crate) fn smallest() -> Value {
    json!({
        "hook": {"event": "file.uploaded"},
        "data": {"uuid": "f08d7c8a-2971-42e0-ab01-780d9039b40b", "original_filename": "cat.jpg"},
    })
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
