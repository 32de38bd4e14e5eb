//! Makes the payloads of triggered events: the samples of the testing kit, of this file and of now.

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use uploadcare_hooks::{
    EventKind,
    service::application::{LABELS, VIRUS_SCAN},
    testing::Sample,
};
use uuid::Uuid;

use crate::{
    event::SimulatedEvent,
    project::{Project, Subscription},
    trigger::Trigger,
};

/// The payload of an event for one subscription.
pub(crate) fn payload(project: &Project, subscription: &Subscription, trigger: &Trigger, uuid: Uuid) -> Value {
    let SimulatedEvent { event, data, previous_values, .. } = &trigger.event;
    let mut payload = match trigger.payload_version(subscription) {
        "0.7" => sample(event, trigger, previous_values.as_ref(), uuid),
        version => old_sample(event, version, trigger, uuid),
    }
    .set("hook", hook(project, subscription, trigger))
    .json()
    .clone();
    if let Some(Value::Object(file)) = payload.get_mut("data") {
        file.extend(data.clone());
    }
    payload
}

/// A payload of version 0.7.
fn sample(event: &str, trigger: &Trigger, previous_values: Option<&Value>, uuid: Uuid) -> Sample {
    let now = Timestamp::now();
    let now_if = |name: &str| (event == name).then_some(now);
    let sample = Sample::of(event)
        .uuid(uuid)
        .set("initiator.detail.request_id", Uuid::new_v4())
        .set("data.datetime_uploaded", now)
        .set("data.datetime_stored", now_if("file.stored"))
        .set("data.datetime_removed", now_if("file.deleted"))
        .set("data.appdata", appdata(event, trigger, now));
    match previous_values {
        Some(values) if event == "file.info_updated" => sample.set("previous_values", values),
        // The form of an event that is not known is not known either, so it takes any field.
        Some(values) if !EventKind::KNOWN.contains(&event) => sample.set("previous_values", values),
        _ => sample,
    }
}

/// A payload of a version before 0.7, in which only `file.uploaded` exists.
fn old_sample(event: &str, version: &str, trigger: &Trigger, uuid: Uuid) -> Sample {
    let sample = Sample::of(event).version(version).uuid(uuid);
    if trigger.labels.is_empty() {
        return sample;
    }
    let labels = trigger.labels.iter().map(|label| (label.clone(), 0.9.into()));
    sample.set("data.rekognition_info", labels.collect::<Map<_, _>>())
}

/// What applications found in the file.
fn appdata(event: &str, trigger: &Trigger, now: Timestamp) -> Map<String, Value> {
    let result = |data: Value, version: &str| {
        let dates = ("datetime_created", "datetime_updated");
        json!({"data": data, "version": version, dates.0: now, dates.1: now})
    };
    let mut appdata = Map::new();
    let infected = trigger.infected.or((event == "file.infected").then_some(true));
    if let Some(infected) = infected {
        let data = if infected {
            json!({"infected": true, "infected_with": "Win.Test.EICAR_HDB-1"})
        } else {
            json!({"infected": false})
        };
        appdata.insert(VIRUS_SCAN.to_owned(), result(data, "0.105.1"));
    }
    if !trigger.labels.is_empty() {
        let label = |name| json!({"Name": name, "Confidence": 97.5, "Parents": [], "Instances": []});
        let labels: Vec<_> = trigger.labels.iter().map(label).collect();
        appdata.insert(LABELS.to_owned(), result(json!({"LabelModelVersion": "3.0", "Labels": labels}), "2016-06-27"));
    }
    appdata
}

fn hook(project: &Project, subscription: &Subscription, trigger: &Trigger) -> Value {
    let version = trigger.version.as_ref().or(subscription.version.as_ref());
    json!({
        "id": subscription.id, "project_id": subscription.project, "project_pub_key": project.keys.public,
        "target": subscription.target_url, "event": trigger.event.event, "is_active": subscription.is_active,
        "version": version, "created_at": subscription.created, "updated_at": subscription.updated,
    })
}
