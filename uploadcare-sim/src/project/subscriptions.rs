//! The subscriptions of the project, with the checks that Uploadcare makes.

use jiff::Timestamp;
use reqwest::Url;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uploadcare_hooks::{
    EventKind,
    service::{MAX_SECRET_CHARS, MAX_TARGET_URL_CHARS},
};

const PROJECT: u64 = 13;

/// A subscription, as the REST API represents it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Subscription {
    /// The id of the subscription.
    pub id: u64,
    /// The id of its project.
    pub project: u64,
    /// When it was created.
    pub created: Timestamp,
    /// When it was last changed.
    pub updated: Timestamp,
    /// The name of the event.
    pub event: String,
    /// The URL that deliveries are sent to.
    pub target_url: String,
    /// Whether deliveries are sent.
    pub is_active: bool,
    /// The version of the payloads.
    pub version: Option<String>,
    /// The secret that signs deliveries; without one they are not signed.
    pub signing_secret: Option<String>,
}

/// The fields that a request has.
#[derive(Debug, Default)]
pub(crate) struct Fields {
    pub(crate) target_url: Option<String>,
    pub(crate) event: Option<String>,
    pub(crate) is_active: Option<bool>,
    pub(crate) signing_secret: Option<String>,
    pub(crate) version: Option<String>,
    /// Takes an event of any name, as the page and `/_sim` do. The REST API takes only the events
    /// that it knows.
    pub(crate) any_event: bool,
}

/// Why a request is refused.
#[derive(Debug)]
pub(crate) enum Refusal {
    NotFound,
    /// A field is invalid. Holds the JSON that the answer says.
    Invalid(Value),
}

impl Refusal {
    /// The reason as one text, such as "`target_url`: Enter a valid URL."
    pub(crate) fn text(&self) -> String {
        let Self::Invalid(Value::Object(problems)) = self else { return "Not found.".to_owned() };
        let one = |(name, problem): (&String, &Value)| {
            let problem = problem.get(0).unwrap_or(problem);
            let problem = problem.as_str().map_or_else(|| problem.to_string(), str::to_owned);
            if matches!(name.as_str(), "detail" | "non_field_errors") {
                problem
            } else {
                format!("`{name}`: {problem}")
            }
        };
        problems.iter().map(one).collect::<Vec<_>>().join("; ")
    }
}

#[derive(Debug, Default)]
pub(crate) struct Subscriptions {
    all: Vec<Subscription>,
    last_id: u64,
    /// The events that can be subscribed to beside those that Uploadcare documents.
    more_events: Vec<String>,
}

impl Subscriptions {
    /// Takes up those that a file kept, and the events that can be subscribed to beside those that
    /// Uploadcare documents.
    pub(super) fn restored(all: Vec<Subscription>, last_id: u64, more_events: Vec<String>) -> Self {
        let highest = all.iter().map(|known| known.id).max().unwrap_or_default();
        Self { all, last_id: last_id.max(highest), more_events }
    }

    pub(super) fn last_id(&self) -> u64 {
        self.last_id
    }

    pub(crate) fn all(&self) -> &[Subscription] {
        &self.all
    }

    pub(crate) fn clear(&mut self) {
        self.all.clear();
    }

    pub(crate) fn get(&self, id: u64) -> Result<&Subscription, Refusal> {
        self.all.iter().find(|known| known.id == id).ok_or(Refusal::NotFound)
    }

    pub(crate) fn create(&mut self, fields: Fields) -> Result<Subscription, Refusal> {
        self.check(&fields)?;
        let Some(target_url) = fields.target_url else {
            return Err(Refusal::Invalid(json!({"detail": "`target_url` is missing."})));
        };
        let Some(event) = fields.event else { return Err(field("event", "This field is required.")) };
        if fields.version.as_deref().is_some_and(|version| version != "0.7") {
            return Err(field("version", "Only 0.7 can be chosen."));
        }
        self.check_unique(&target_url, &event, None)?;
        let now = Timestamp::now();
        Ok(self.insert(Subscription {
            id: 0,
            project: PROJECT,
            created: now,
            updated: now,
            event,
            target_url,
            is_active: fields.is_active.unwrap_or(true),
            version: Some("0.7".to_owned()),
            signing_secret: fields.signing_secret.filter(|secret| !secret.is_empty()),
        }))
    }

    /// Adds a subscription without checks, and gives it a new id.
    pub(crate) fn insert(&mut self, subscription: Subscription) -> Subscription {
        self.last_id += 1;
        let subscription = Subscription { id: self.last_id, ..subscription };
        self.all.push(subscription.clone());
        subscription
    }

    pub(crate) fn update(&mut self, id: u64, fields: Fields) -> Result<Subscription, Refusal> {
        let mut changed = self.get(id)?.clone();
        self.check(&fields)?;
        changed.target_url = fields.target_url.unwrap_or(changed.target_url);
        changed.event = fields.event.unwrap_or(changed.event);
        changed.is_active = fields.is_active.unwrap_or(changed.is_active);
        if let Some(secret) = fields.signing_secret {
            changed.signing_secret = Some(secret).filter(|secret| !secret.is_empty());
        }
        changed.updated = Timestamp::now();
        self.check_unique(&changed.target_url, &changed.event, Some(id))?;
        for known in self.all.iter_mut().filter(|known| known.id == id) {
            known.clone_from(&changed);
        }
        Ok(changed)
    }

    pub(crate) fn delete(&mut self, id: u64) -> Result<(), Refusal> {
        let before = self.all.len();
        self.all.retain(|known| known.id != id);
        if self.all.len() < before { Ok(()) } else { Err(Refusal::NotFound) }
    }

    pub(crate) fn unsubscribe(&mut self, fields: Fields) -> Result<(), Refusal> {
        let missing = || Refusal::Invalid(json!({"detail": "`target_url` is missing."}));
        let target_url = fields.target_url.ok_or_else(missing)?;
        self.all.retain(|known| known.target_url != target_url);
        Ok(())
    }

    fn check_unique(&self, target_url: &str, event: &str, except: Option<u64>) -> Result<(), Refusal> {
        let taken =
            |known: &Subscription| known.target_url == target_url && known.event == event && Some(known.id) != except;
        if self.all.iter().any(taken) {
            return Err(field("non_field_errors", "This project is already subscribed on this event"));
        }
        Ok(())
    }

    /// Checks each field by itself.
    fn check(&self, fields: &Fields) -> Result<(), Refusal> {
        let longer = |text: &Option<String>, most: usize| text.as_ref().is_some_and(|text| text.chars().count() > most);
        let too_long = |name: &str, most: usize| {
            Err(field(name, &format!("Ensure this field has no more than {most} characters.")))
        };
        if longer(&fields.target_url, MAX_TARGET_URL_CHARS) {
            return too_long("target_url", MAX_TARGET_URL_CHARS);
        }
        if fields.target_url.as_ref().is_some_and(|url| !is_web_url(url)) {
            return Err(field("target_url", "Enter a valid URL."));
        }
        let is_event =
            |event: &str| EventKind::KNOWN.contains(&event) || self.more_events.iter().any(|more| more == event);
        if fields.any_event && fields.event.as_deref().is_some_and(|event| event.trim().is_empty()) {
            return Err(field("event", "This field may not be blank."));
        }
        if let Some(event) = fields.event.as_deref().filter(|event| !fields.any_event && !is_event(event)) {
            return Err(field("event", &format!("\"{event}\" is not a valid choice.")));
        }
        if longer(&fields.signing_secret, MAX_SECRET_CHARS) {
            return too_long("signing_secret", MAX_SECRET_CHARS);
        }
        Ok(())
    }
}

fn is_web_url(url: &str) -> bool {
    Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
}

fn field(name: &str, problem: &str) -> Refusal {
    Refusal::Invalid(json!({name: [problem]}))
}
