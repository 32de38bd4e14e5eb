//! What is in the form of a trigger, and the event that it makes.

use jiff::Timestamp;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{
    fields::{self, Field},
    form::Form,
    json,
};
use crate::{
    event::SimulatedEvent,
    payload::payload,
    project::{Project, Subscription},
    trigger::Trigger,
};

/// The form, as it was prefilled or typed.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) event: String,
    /// The version of the payload; empty for that of the subscription.
    pub(super) version: String,
    /// `sample`, `clean` or `infected`.
    pub(super) scan: String,
    pub(super) labels: String,
    pub(super) previous_values: String,
    pub(super) copies: String,
    pub(super) burst: String,
    pub(super) delay_ms: String,
    /// Whether the event goes to chosen subscriptions, and not to those that want it.
    pub(super) to_chosen: bool,
    pub(super) chosen: Vec<String>,
    pub(super) fields: Vec<Field>,
    /// The whole payload, in the mode without fields.
    pub(super) raw: Option<String>,
}

impl Draft {
    /// The prefilled form for an event. Returns what is wrong with the event or the version.
    pub(super) fn fresh(project: &Project, event: &str, version: &str) -> Result<Self, String> {
        let trigger = Trigger { version: given(version), ..Trigger::from(SimulatedEvent::new(event)) };
        trigger.check()?;
        let sample = payload(project, &receiver(project, event), &trigger, Uuid::new_v4());
        let previous = sample.get("previous_values").map(|values| json::sorted(values).trim_end().to_owned());
        Ok(Self {
            event: event.to_owned(),
            version: version.to_owned(),
            scan: "sample".to_owned(),
            labels: String::new(),
            previous_values: previous.unwrap_or_default(),
            copies: "1".to_owned(),
            burst: "1".to_owned(),
            delay_ms: "0".to_owned(),
            to_chosen: false,
            chosen: Vec::new(),
            fields: fields::of(sample.get("data").unwrap_or(&Value::Null)),
            raw: None,
        })
    }

    /// The form as it was sent.
    pub(super) fn read(form: &Form) -> Self {
        let text = |name| form.text(name).trim().to_owned();
        Self {
            event: text("event"),
            version: text("version"),
            scan: text("scan"),
            labels: text("labels"),
            previous_values: text("previous_values"),
            copies: text("copies"),
            burst: text("burst"),
            delay_ms: text("delay_ms"),
            to_chosen: form.text("to") == "chosen",
            chosen: form.all("subscription").map(str::to_owned).collect(),
            fields: fields::read(form),
            raw: form.has("raw").then(|| form.text("raw").to_owned()),
        }
    }

    /// The event to be triggered, or what is wrong.
    pub(super) fn trigger(&self) -> Result<Trigger, String> {
        let number = |name: &str, text: &str| {
            let text = if text.is_empty() { "1" } else { text };
            match text.parse::<usize>() {
                Ok(0) => Err(format!("`{name}` is 0; it takes at least 1")),
                Ok(number) => Ok(number),
                Err(_) => Err(format!("`{name}` is {text:?}; it takes a whole number")),
            }
        };
        let (copies, burst) = (number("copies", &self.copies)?, number("burst", &self.burst)?);
        let delay = if self.delay_ms.is_empty() { "0" } else { self.delay_ms.as_str() };
        let delay_ms = delay.parse().map_err(|_| format!("`delay_ms` is {delay:?}; it takes a whole number"))?;
        let mut data = if self.raw.is_some() { Map::new() } else { fields::overrides(&self.fields)? };
        if burst > 1 && !fields::has_own_uuid(&self.fields) {
            data.remove("uuid");
        }
        let previous_values = match self.previous_values.as_str() {
            "" => None,
            text => Some(
                serde_json::from_str(text).map_err(|error| format!("`previous_values` is no valid JSON: {error}"))?,
            ),
        };
        let event = SimulatedEvent { event: self.event.clone(), data, previous_values, copies, delay_ms };
        let trigger = Trigger {
            event,
            version: given(&self.version),
            infected: match self.scan.as_str() {
                "infected" => Some(true),
                "clean" => Some(false),
                _ => None,
            },
            labels: self
                .labels
                .split(',')
                .map(str::trim)
                .filter(|label| !label.is_empty())
                .map(str::to_owned)
                .collect(),
            payload: self.raw.clone(),
            subscriptions: self.subscriptions()?,
            burst,
        };
        trigger.check()?;
        Ok(trigger)
    }

    /// The ids of the chosen subscriptions; `None` for those that are subscribed.
    fn subscriptions(&self) -> Result<Option<Vec<u64>>, String> {
        if !self.to_chosen {
            return Ok(None);
        }
        if self.chosen.is_empty() {
            return Err("no subscription is chosen; tick at least one".to_owned());
        }
        let id = |text: &String| text.parse().map_err(|_| format!("{text:?} is no id of a subscription"));
        self.chosen.iter().map(id).collect::<Result<_, _>>().map(Some)
    }

    /// The payload that this form would send, indented.
    pub(super) fn payload(&self, project: &Project) -> Result<String, String> {
        let trigger = self.trigger()?;
        let chosen = trigger.subscriptions.iter().flatten().find_map(|id| project.subscription(*id).ok());
        let receiver = chosen.unwrap_or_else(|| receiver(project, &self.event));
        let payload = payload(project, &receiver, &trigger, trigger.event.uuid());
        Ok(json::editable(&payload.to_string()))
    }
}

fn given(version: &str) -> Option<String> {
    Some(version.to_owned()).filter(|version| !version.is_empty())
}

/// The subscription that payloads are made for in the form: the first that gets the event, or one
/// that does not exist.
fn receiver(project: &Project, event: &str) -> Subscription {
    let subscriptions = project.subscriptions();
    let gets = |known: &&Subscription| known.is_active && known.event == event;
    subscriptions.iter().find(gets).cloned().unwrap_or_else(|| Subscription {
        id: 1,
        project: 13,
        created: Timestamp::now(),
        updated: Timestamp::now(),
        event: event.to_owned(),
        target_url: "https://app.example.com/hooks".to_owned(),
        is_active: true,
        version: Some("0.7".to_owned()),
        signing_secret: None,
    })
}
