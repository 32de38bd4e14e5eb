//! The life of one file: what happens to it, and what the application should answer.

use serde_json::{Value, json};
use uploadcare_sim::DeliveryFaultKind;

/// The file that the events are about.
pub(crate) const UUID: &str = "575ed4e8-f4e8-4c14-a58b-1527b6d9ee46";
pub(crate) const NAME: &str = "ananas.jpg";

/// Something that happens to the file.
pub(crate) struct Step {
    pub(crate) title: &'static str,
    pub(crate) event: &'static str,
    /// Fields of the file that differ from the simulator's own.
    pub(crate) data: Value,
    /// The fields before a change, if they differ from the simulator's own.
    pub(crate) before: Option<Value>,
    /// The version of the payload, if it is an old one.
    pub(crate) version: Option<&'static str>,
    /// The whole payload, in place of the simulator's own.
    pub(crate) payload: Option<Value>,
    /// The fault that the first attempt to deliver runs into.
    pub(crate) fault: Option<DeliveryFaultKind>,
    /// The statuses that the application should answer.
    pub(crate) expected: &'static [u16],
}

impl Default for Step {
    fn default() -> Self {
        Self {
            title: "",
            event: "",
            data: json!({}),
            before: None,
            version: None,
            payload: None,
            fault: None,
            expected: &[204],
        }
    }
}

pub(crate) fn life() -> Vec<Step> {
    vec![
        Step { title: "ananas.jpg is uploaded", event: "file.uploaded", ..Step::default() },
        Step {
            title: "ananas.jpg is stored, and the first backup fails",
            event: "file.stored",
            expected: &[500, 204],
            ..Step::default()
        },
        Step { title: "A virus is found in ananas.jpg", event: "file.infected", ..Step::default() },
        Step {
            title: "The metadata of ananas.jpg changes, and the delivery is signed with a wrong secret at first",
            event: "file.info_updated",
            data: json!({"metadata": {"pet": "cat"}}),
            fault: Some(DeliveryFaultKind::WrongSecret),
            expected: &[401, 204],
            ..Step::default()
        },
        Step {
            title: "The metadata changes again, and Uploadcare sends this one delivery twice",
            event: "file.info_updated",
            data: json!({"metadata": {"pet": "parrot"}}),
            before: Some(json!({"metadata": {"pet": "cat"}})),
            fault: Some(DeliveryFaultKind::Duplicate),
            expected: &[204, 204],
            ..Step::default()
        },
        Step { title: "ananas.jpg is deleted", event: "file.deleted", ..Step::default() },
        Step {
            title: "A delivery of the old payload version 0.6 arrives",
            event: "file.uploaded",
            data: json!({"original_filename": "clip.mp4"}),
            version: Some("0.6"),
            ..Step::default()
        },
        Step {
            title: "An event arrives that this version of the crate does not know",
            event: "moderation.state_changed",
            // Its payload is not documented yet.
            payload: Some(json!({
                "hook": {"event": "moderation.state_changed", "version": "0.7"},
                "data": {"uuid": UUID, "state": "approved"},
            })),
            ..Step::default()
        },
    ]
}
