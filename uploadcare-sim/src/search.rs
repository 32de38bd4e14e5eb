//! Finds deliveries: the filter of the page and of the API, read from a query. A part of it that
//! cannot be applied is an error.

use std::{collections::BTreeMap, fmt, str::FromStr};

use uuid::Uuid;

use crate::project::{Delivery, DeliveryState};

/// Which deliveries are wanted. An empty search wants all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Search {
    /// The event's name.
    pub(crate) event: Option<String>,
    /// The UUID of the file.
    pub(crate) uuid: Option<Uuid>,
    /// The status of the newest attempt, or how far the delivery is.
    pub(crate) status: Option<StatusFilter>,
    /// The id of the subscription.
    pub(crate) subscription: Option<u64>,
    /// A text in the payload, whatever the case of its letters.
    pub(crate) text: Option<String>,
}

/// What the status of a delivery must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StatusFilter {
    /// The newest answer has this status.
    Exactly(u16),
    /// The newest answer has a status of this hundred, such as 5 for `5xx`.
    Hundred(u16),
    /// The newest attempt got no answer.
    NoAnswer,
    /// The delivery is that far.
    State(DeliveryState),
}

impl StatusFilter {
    /// The words that [`parse`](Self::parse) takes beside numbers.
    pub(crate) const WORDS: [(&'static str, Self); 8] = [
        ("waiting", Self::State(DeliveryState::Waiting)),
        ("acknowledged", Self::State(DeliveryState::Acknowledged)),
        ("failed", Self::State(DeliveryState::Failed)),
        ("no_answer", Self::NoAnswer),
        ("2xx", Self::Hundred(2)),
        ("3xx", Self::Hundred(3)),
        ("4xx", Self::Hundred(4)),
        ("5xx", Self::Hundred(5)),
    ];

    fn parse(text: &str) -> Result<Self, String> {
        if let Some((_, filter)) = Self::WORDS.iter().find(|(word, _)| *word == text) {
            return Ok(*filter);
        }
        let status = text.parse().ok().filter(|status| (100..1000).contains(status));
        status.map(Self::Exactly).ok_or_else(|| {
            let words = Self::WORDS.map(|(word, _)| word).join(", ");
            format!("`status` is {text:?}; it takes a number such as 401, or one of {words}")
        })
    }

    fn matches(self, delivery: &Delivery) -> bool {
        match self {
            Self::Exactly(status) => delivery.last_status() == Some(status),
            Self::Hundred(hundred) => delivery.last_status().is_some_and(|status| status / 100 == hundred),
            Self::NoAnswer => !delivery.attempts.is_empty() && delivery.last_status().is_none(),
            Self::State(state) => delivery.state == state,
        }
    }
}

impl fmt::Display for StatusFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exactly(status) => write!(f, "{status}"),
            other => f.write_str(Self::WORDS.iter().find(|(_, filter)| filter == other).map_or("", |(word, _)| word)),
        }
    }
}

impl Search {
    /// Reads a query such as `event=file.uploaded&status=5xx`. A parameter without a value wants
    /// everything, as the empty fields of a form do.
    ///
    /// # Errors
    /// Returns what is wrong: a parameter that is not known or there twice, or a value that cannot
    /// be applied.
    pub(crate) fn parse(query: &str) -> Result<Self, String> {
        Self::parse_with(query, &[]).map(|(search, _)| search)
    }

    /// The same, with more parameters, whose values are returned as they are.
    pub(crate) fn parse_with(query: &str, more: &[&str]) -> Result<(Self, BTreeMap<String, String>), String> {
        let pairs: Vec<(String, String)> =
            serde_urlencoded::from_str(query).map_err(|error| format!("the query cannot be read: {error}"))?;
        let (mut search, mut others) = (Self::default(), BTreeMap::new());
        for (name, value) in pairs.into_iter().filter(|(_, value)| !value.is_empty()) {
            if more.contains(&name.as_str()) {
                set(&mut others.remove(&name), &name, String::new())?;
                others.insert(name, value);
            } else {
                search.apply(&name, &value, more)?;
            }
        }
        Ok((search, others))
    }

    fn apply(&mut self, name: &str, value: &str, more: &[&str]) -> Result<(), String> {
        match name {
            "event" => set(&mut self.event, name, value.to_owned()),
            "uuid" => {
                let uuid = value.trim().parse().map_err(|_| format!("`uuid` is {value:?}, which is no UUID"))?;
                set(&mut self.uuid, name, uuid)
            }
            "status" => set(&mut self.status, name, StatusFilter::parse(value)?),
            "subscription" => {
                let id = value.parse().map_err(|_| {
                    format!("`subscription` is {value:?}; it takes the id of a subscription, which is a number")
                })?;
                set(&mut self.subscription, name, id)
            }
            "text" => set(&mut self.text, name, value.to_lowercase()),
            _ => {
                let name = name.escape_debug();
                let also = if more.is_empty() { String::new() } else { format!(", beside {}", more.join(", ")) };
                Err(format!("`{name}` is no filter; the filters are event, uuid, status, subscription and text{also}"))
            }
        }
    }

    /// Whether all deliveries are wanted.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether this delivery is wanted.
    pub(crate) fn matches(&self, delivery: &Delivery) -> bool {
        self.event.as_ref().is_none_or(|event| *event == delivery.event)
            && self.uuid.is_none_or(|uuid| delivery.uuid == Some(uuid))
            && self.status.is_none_or(|status| status.matches(delivery))
            && self.subscription.is_none_or(|id| delivery.subscription == id)
            && self.text.as_ref().is_none_or(|text| delivery.body.to_lowercase().contains(text))
    }

    /// The query that [`parse`](Self::parse) reads as this search.
    pub(crate) fn to_query(&self) -> String {
        let pairs = [
            ("event", self.event.clone()),
            ("uuid", self.uuid.map(|uuid| uuid.to_string())),
            ("status", self.status.map(|status| status.to_string())),
            ("subscription", self.subscription.map(|id| id.to_string())),
            ("text", self.text.clone()),
        ];
        let given: Vec<_> = pairs.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
        serde_urlencoded::to_string(given).unwrap_or_default()
    }
}

/// Reads a number between two others.
///
/// # Errors
/// Returns what is wrong.
pub(crate) fn number<N: FromStr + PartialOrd + fmt::Display>(
    name: &str,
    value: &str,
    least: N,
    most: N,
) -> Result<N, String> {
    let number = value.parse().ok().filter(|number| (&least..=&most).contains(&number));
    number.ok_or_else(|| format!("`{name}` is {value:?}; it takes a number from {least} to {most}"))
}

fn set<T>(field: &mut Option<T>, name: &str, value: T) -> Result<(), String> {
    match field.replace(value) {
        None => Ok(()),
        Some(_) => Err(format!("`{name}` is there twice")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_is_written_as_it_is_read() {
        let uuid = "575ed4e8-f4e8-4c14-a58b-1527b6d9ee46";
        for query in [
            String::new(),
            format!("event=file.uploaded&uuid={uuid}&status=5xx&subscription=3&text=cat+%26+dog"),
            "status=401".to_owned(),
            "status=no_answer".to_owned(),
        ] {
            assert_eq!(Search::parse(&query).unwrap().to_query(), query);
        }
        assert_eq!(Search::parse("event=&uuid=&status=&subscription=&text="), Ok(Search::default()));
    }

    #[test]
    fn what_cannot_be_applied_is_an_error() {
        for (query, says) in [
            ("colour=red", "`colour` is no filter"),
            ("uuid=cat", "`uuid` is \"cat\", which is no UUID"),
            ("status=6xx", "`status` is \"6xx\"; it takes a number such as 401"),
            ("status=99", "`status` is \"99\""),
            ("subscription=-1", "`subscription` is \"-1\""),
            ("event=a&event=b", "`event` is there twice"),
        ] {
            let problem = Search::parse(query).unwrap_err();
            assert!(problem.starts_with(says), "{query}: {problem}");
        }
    }
}
