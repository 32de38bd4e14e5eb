//! What can be ordered by hand: events with all their options, and replays of deliveries.

use serde::Deserialize;
use serde_json::{Map, Value};
use uploadcare_hooks::service::PAYLOAD_VERSIONS;
use uuid::Uuid;

use crate::{event::SimulatedEvent, project::Subscription};

/// The only event of the versions before 0.7.
const UPLOADED: &str = "file.uploaded";

/// The longest payload that is sent, in bytes, however it was ordered. Uploadcare's own are a few
/// kilobytes.
pub(crate) const MAX_PAYLOAD: usize = 1024 * 1024;

/// An event to be triggered with [`Simulator::trigger_with`](crate::Simulator::trigger_with), with
/// all options. `Trigger::from(SimulatedEvent)` has their defaults.
#[derive(Debug, Clone, Deserialize)]
#[serde(from = "Order")]
#[non_exhaustive]
pub struct Trigger {
    /// The event, its file, and how often and when it is delivered.
    pub event: SimulatedEvent,
    /// The version of the payload: `0.7`, `0.6`, `0.5`, or the empty one. Versions before 0.7 have
    /// `file.uploaded` only. Defaults to the subscription's, or 0.7.
    pub version: Option<String>,
    /// Adds the result of a virus scan. By default only `file.infected` has one.
    pub infected: Option<bool>,
    /// Adds labels of what is to be seen in the image.
    pub labels: Vec<String>,
    /// The payload as it is to be sent, in place of one that is made. Must be JSON.
    pub payload: Option<String>,
    /// The ids of the subscriptions that get the event, whatever they are subscribed to and whether
    /// they are paused or not. Defaults to the active subscriptions of the event.
    pub subscriptions: Option<Vec<u64>>,
    /// How many events are triggered, each for another file if `data` has no `uuid`. Defaults to 1.
    pub burst: usize,
}

/// A [`Trigger`] as JSON has it: the fields of its event stand beside the others. With serde's
/// `flatten` instead, misspelt fields would pass.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {
    event: String,
    #[serde(default)]
    data: Map<String, Value>,
    previous_values: Option<Value>,
    #[serde(default = "one")]
    copies: usize,
    #[serde(default = "one")]
    burst: usize,
    #[serde(default)]
    delay_ms: u64,
    version: Option<String>,
    infected: Option<bool>,
    #[serde(default)]
    labels: Vec<String>,
    payload: Option<String>,
    subscriptions: Option<Vec<u64>>,
}

fn one() -> usize {
    1
}

impl From<Order> for Trigger {
    fn from(order: Order) -> Self {
        let Order { event, data, previous_values, copies, burst, delay_ms, .. } = order;
        let event = SimulatedEvent { event, data, previous_values, copies, delay_ms };
        let Order { version, infected, labels, payload, subscriptions, .. } = order;
        Self { event, version, infected, labels, payload, subscriptions, burst }
    }
}

impl From<SimulatedEvent> for Trigger {
    fn from(event: SimulatedEvent) -> Self {
        Self { event, version: None, infected: None, labels: Vec::new(), payload: None, subscriptions: None, burst: 1 }
    }
}

impl Trigger {
    /// The longest delay of the first attempt: a day.
    const MAX_DELAY_MS: u64 = 86_400_000;

    /// Returns what is wrong with the options.
    pub(crate) fn check(&self) -> Result<(), String> {
        let limit = SimulatedEvent::MAX_COPIES;
        let Self { event: SimulatedEvent { event, copies, delay_ms, data, previous_values }, burst, .. } = self;
        if event.is_empty() {
            return Err("`event` is empty".to_owned());
        }
        if *copies > limit {
            return Err(format!("`copies` is {copies}, and the limit is {limit}; send several events for more"));
        }
        if burst.saturating_mul(*copies) > limit {
            return Err(format!(
                "`burst` is {burst} and `copies` is {copies}: that makes {} deliveries for each subscription, and the \
                 limit is {limit}",
                burst.saturating_mul(*copies)
            ));
        }
        if *delay_ms > Self::MAX_DELAY_MS {
            return Err(format!("`delay_ms` is {delay_ms}, and the limit is {} (a day)", Self::MAX_DELAY_MS));
        }
        if let Some(uuid) = data.get("uuid")
            && uuid.as_str().is_none_or(|uuid| uuid.parse::<Uuid>().is_err())
        {
            return Err(format!("`data.uuid` is {uuid}, which is no UUID"));
        }
        if let Some(version) = self.version.as_deref() {
            self.check_version(version)?;
        }
        let length = |value: serde_json::Result<String>| value.unwrap_or_default().len();
        check_length("data", length(serde_json::to_string(data)))?;
        check_length("previous_values", length(serde_json::to_string(previous_values)))?;
        match &self.payload {
            Some(payload) => check_payload("payload", payload),
            None => Ok(()),
        }
    }

    fn check_version(&self, version: &str) -> Result<(), String> {
        if !PAYLOAD_VERSIONS.contains(&version) {
            return Err(format!("`version` is {version:?}; the known versions are \"0.7\", \"0.6\", \"0.5\" and \"\""));
        }
        if version != "0.7" && self.event.event != UPLOADED {
            return Err(format!(
                "`version` is {version:?}, and `{UPLOADED}` is the only event of the versions before 0.7"
            ));
        }
        self.check_scan(version)
    }

    fn check_scan(&self, version: &str) -> Result<(), String> {
        match self.infected {
            Some(_) if version != "0.7" => {
                Err("`infected`: payloads of the versions before 0.7 have no result of a virus scan".to_owned())
            }
            _ => Ok(()),
        }
    }

    /// Returns what this subscription cannot get.
    pub(crate) fn check_for(&self, subscription: &Subscription) -> Result<(), String> {
        let problem = |problem| format!("subscription {}: {problem}", subscription.id);
        self.check_scan(self.payload_version(subscription)).map_err(problem)
    }

    /// The version of the payload for this subscription.
    pub(crate) fn payload_version<'a>(&'a self, subscription: &'a Subscription) -> &'a str {
        match (self.version.as_deref(), subscription.version.as_deref()) {
            (Some(version), _) => version,
            // Subscriptions of a version before 0.7 get the other events as well here, so that it
            // can be seen what an application does with them.
            (None, Some(version)) if PAYLOAD_VERSIONS.contains(&version) && self.event.event == UPLOADED => version,
            _ => "0.7",
        }
    }
}

/// A delivery to be sent once more.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Replay {
    /// The edited payload. Defaults to the payload of the original.
    #[serde(default)]
    pub(crate) body: Option<String>,
    /// Who gets it. Defaults to the target URL of the original, signed with the same secret.
    #[serde(default)]
    pub(crate) subscriptions: Option<Receivers>,
}

impl Replay {
    /// Returns what is wrong.
    pub(crate) fn check(&self) -> Result<(), String> {
        self.body.as_deref().map_or(Ok(()), |body| check_payload("body", body))
    }
}

/// The subscriptions that get a replay.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged, expecting = "expected \"all\" or an array of ids of subscriptions")]
pub(crate) enum Receivers {
    /// All active subscriptions, whatever they are subscribed to.
    All(All),
    /// Those with these ids, paused or not.
    Some(Vec<u64>),
}

#[derive(Debug, Clone, Copy, Deserialize)]
pub(crate) enum All {
    #[serde(rename = "all")]
    All,
}

impl Receivers {
    /// Returns the subscriptions, or which one is missing.
    pub(crate) fn among(&self, subscriptions: &[Subscription]) -> Result<Vec<Subscription>, String> {
        match self {
            Self::All(_) => Ok(subscriptions.iter().filter(|known| known.is_active).cloned().collect()),
            Self::Some(ids) => ids.iter().map(|id| by_id(subscriptions, *id)).collect(),
        }
    }
}

pub(crate) fn by_id(subscriptions: &[Subscription], id: u64) -> Result<Subscription, String> {
    let found = subscriptions.iter().find(|known| known.id == id).cloned();
    found.ok_or_else(|| format!("there is no subscription {id}"))
}

/// Checks a payload that was written by hand.
fn check_payload(name: &str, text: &str) -> Result<(), String> {
    check_length(name, text.len())?;
    let read: Result<Value, _> = serde_json::from_str(text);
    read.map(|_| ()).map_err(|error| format!("`{name}` is no valid JSON: {error}"))
}

fn check_length(name: &str, length: usize) -> Result<(), String> {
    let mebibytes = MAX_PAYLOAD / 1024 / 1024;
    if length > MAX_PAYLOAD {
        return Err(format!("`{name}` has {length} bytes, and the limit is {MAX_PAYLOAD} ({mebibytes} MiB)"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_wrong_option_is_refused_with_its_value() {
        for (options, says) in [
            (json!({"event": ""}), "`event` is empty"),
            (json!({"event": "a", "copies": 1001}), "`copies` is 1001, and the limit is 1000"),
            (json!({"event": "a", "copies": 2, "burst": 501}), "that makes 1002 deliveries"),
            (json!({"event": "a", "delay_ms": 86_400_001}), "the limit is 86400000 (a day)"),
            (json!({"event": "a", "data": {"uuid": "cat"}}), "`data.uuid` is \"cat\""),
            (json!({"event": "a", "data": {"uuid": 1}}), "`data.uuid` is 1"),
            (json!({"event": "file.uploaded", "version": "0.8"}), "`version` is \"0.8\"; the known versions are"),
            (json!({"event": "file.stored", "version": "0.6"}), "`file.uploaded` is the only event"),
            (json!({"event": "file.uploaded", "version": "", "infected": false}), "have no result of a virus scan"),
            (json!({"event": "a", "payload": "{\"a\": }"}), "`payload` is no valid JSON: expected value at line 1"),
        ] {
            let trigger: Trigger = serde_json::from_value(options.clone()).unwrap();
            let problem = trigger.check().unwrap_err();
            assert!(problem.contains(says), "{options}: {problem}");
        }
        let trigger: Trigger =
            serde_json::from_value(json!({"event": "a", "burst": 1000, "version": "0.7", "payload": "{}"})).unwrap();
        assert_eq!(trigger.check(), Ok(()));
    }
}
