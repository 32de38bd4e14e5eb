//! Deliveries made by hand, of kinds that the simulator does not send.

use std::{collections::BTreeMap, error::Error};

use reqwest::StatusCode;
use uploadcare_hooks::{SigningSecret, testing::Sample};

/// A request, and the status that the application should answer.
pub(crate) struct HandMadeDelivery {
    pub(crate) title: &'static str,
    body: String,
    signature: String,
    expected: StatusCode,
}

/// An old payload version, an event that the crate does not know, and a forgery.
pub(crate) fn all(secret: &SigningSecret) -> Vec<HandMadeDelivery> {
    let signed = |title, sample: Sample| {
        let body = sample.json().to_string();
        HandMadeDelivery { title, signature: secret.sign(body.as_bytes()), body, expected: StatusCode::NO_CONTENT }
    };
    let forged = signed("A forgery arrives: its body was changed after it was signed", short());
    vec![
        signed(
            "A delivery of the old payload version 0.6 arrives (file.uploaded)",
            Sample::of("file.uploaded").version("0.6"),
        ),
        signed("An event arrives that this version of the crate does not know (moderation.state_changed)", unknown()),
        HandMadeDelivery {
            body: forged.body.replace("ananas.jpg", "malware.exe"),
            expected: StatusCode::UNAUTHORIZED,
            ..forged
        },
    ]
}

impl HandMadeDelivery {
    /// Sends the delivery and prints the status of the answer. Fails if it is not the expected one.
    pub(crate) async fn send(self, target_url: &str) -> Result<(), Box<dyn Error>> {
        let request = reqwest::Client::new().post(target_url).header("X-Uc-Signature", self.signature).body(self.body);
        let status = request.send().await?.status();
        println!("   answered {}", status.as_u16());
        if status == self.expected { Ok(()) } else { Err(format!("the expected status is {}", self.expected).into()) }
    }
}

/// An event whose payload is not documented yet.
fn unknown() -> Sample {
    let sample = Sample::of("moderation.state_changed").without("initiator").without("hook.created_at");
    sample.without("hook.updated_at").set("data", BTreeMap::from([("state", "approved")]))
}

/// A payload that is short enough for a command line.
pub(crate) fn short() -> Sample {
    Sample::of("file.uploaded").without("initiator").without("data.content_info").without("data.appdata")
}
