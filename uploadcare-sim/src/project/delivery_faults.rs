//! The faults that deliveries run into, each with a probability. How an attempt then fails is in
//! `attempt.rs`.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

/// A fault of deliveries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DeliveryFaultKind {
    /// The attempt is signed with another secret than the subscription's.
    WrongSecret,
    /// The attempt has no signature.
    MissingSignature,
    /// The attempt is made late.
    Delay,
    /// The delivery is sent once more after it was acknowledged.
    Duplicate,
    /// The attempt waits until a later delivery of the same subscription was sent.
    Reorder,
    /// The connection is closed in the middle of the body.
    Cut,
    /// The body is sent in pieces, with pauses.
    SlowBody,
}

impl DeliveryFaultKind {
    /// All faults, in the order in which they are shown.
    pub const ALL: [Self; 7] = [
        Self::WrongSecret,
        Self::MissingSignature,
        Self::Delay,
        Self::Duplicate,
        Self::Reorder,
        Self::Cut,
        Self::SlowBody,
    ];

    /// The fault's name in JSON, such as `wrong_secret`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::WrongSecret => "wrong_secret",
            Self::MissingSignature => "missing_signature",
            Self::Delay => "delay",
            Self::Duplicate => "duplicate",
            Self::Reorder => "reorder",
            Self::Cut => "cut",
            Self::SlowBody => "slow_body",
        }
    }

    /// How long the fault takes if no time is given: 2 seconds for a delay, at most 2 seconds for a
    /// reordering, and 5 seconds for a slow body. `None` for faults that take no time.
    pub fn default_time(self) -> Option<Duration> {
        match self {
            Self::Delay | Self::Reorder => Some(Duration::from_secs(2)),
            Self::SlowBody => Some(Duration::from_secs(5)),
            Self::WrongSecret | Self::MissingSignature | Self::Duplicate | Self::Cut => None,
        }
    }
}

/// How often deliveries run into a fault.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeliveryFault {
    /// From 0 (never) to 1 (each attempt).
    pub probability: f64,
    /// How many milliseconds a delay, a reordering or a slow body takes, at most 600,000. Defaults
    /// to [`DeliveryFaultKind::default_time`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ms: Option<u64>,
}

impl DeliveryFault {
    const MAX_MS: u64 = 600_000;

    /// Returns what is wrong.
    fn check(self, kind: DeliveryFaultKind) -> Result<(), String> {
        let (name, Self { probability, ms }) = (kind.as_str(), self);
        if !(0.0..=1.0).contains(&probability) {
            return Err(format!("`{name}`: the probability is {probability}; it must be between 0 and 1"));
        }
        match ms {
            Some(_) if kind.default_time().is_none() => Err(format!("`{name}` takes no time; leave `ms` out")),
            Some(ms) if ms > Self::MAX_MS => {
                Err(format!("`{name}`: `ms` is {ms}, and the limit is {} (10 minutes)", Self::MAX_MS))
            }
            _ => Ok(()),
        }
    }
}

/// The faults of deliveries that are switched on.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct DeliveryFaults(BTreeMap<DeliveryFaultKind, DeliveryFault>);

impl DeliveryFaults {
    /// Sets the given faults and leaves the others as they are. A probability of 0 switches a fault
    /// off.
    ///
    /// # Errors
    /// Returns what is wrong if a probability is not between 0 and 1, or a time is too long. Then
    /// nothing is changed.
    pub fn set(&mut self, faults: impl IntoIterator<Item = (DeliveryFaultKind, DeliveryFault)>) -> Result<(), String> {
        let faults: Vec<_> = faults.into_iter().collect();
        faults.iter().try_for_each(|(kind, fault)| fault.check(*kind))?;
        for (kind, fault) in faults {
            if fault.probability > 0.0 {
                self.0.insert(kind, fault);
            } else {
                self.0.remove(&kind);
            }
        }
        Ok(())
    }

    /// The fault of this kind, if it is switched on.
    pub fn get(&self, kind: DeliveryFaultKind) -> Option<DeliveryFault> {
        self.0.get(&kind).copied()
    }

    /// Throws the dice: the faults that one attempt runs into.
    pub(crate) fn draw(&self) -> DrawnFaults {
        let drawn = self.0.iter().filter(|(_, fault)| fastrand::f64() < fault.probability);
        DrawnFaults(drawn.map(|(kind, fault)| (*kind, fault.ms)).collect())
    }
}

/// The faults that one attempt runs into.
#[derive(Debug, Default)]
pub(crate) struct DrawnFaults(BTreeMap<DeliveryFaultKind, Option<u64>>);

impl DrawnFaults {
    pub(crate) fn has(&self, kind: DeliveryFaultKind) -> bool {
        self.0.contains_key(&kind)
    }

    /// Spares the attempt this fault.
    pub(crate) fn remove(&mut self, kind: DeliveryFaultKind) {
        self.0.remove(&kind);
    }

    /// How long the fault takes, if the attempt runs into it.
    pub(crate) fn time(&self, kind: DeliveryFaultKind) -> Option<Duration> {
        self.0.get(&kind).and_then(|ms| ms.map(Duration::from_millis).or(kind.default_time()))
    }

    pub(crate) fn kinds(&self) -> Vec<DeliveryFaultKind> {
        self.0.keys().copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_json() {
        for kind in DeliveryFaultKind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
    }

    #[test]
    fn faults_are_drawn_by_their_probability_and_refused_out_of_bounds() {
        let (always, never) =
            (DeliveryFault { probability: 1.0, ms: None }, DeliveryFault { probability: 0.0, ms: None });
        let mut faults = DeliveryFaults::default();
        faults.set([(DeliveryFaultKind::Cut, always), (DeliveryFaultKind::Delay, always)]).unwrap();
        faults.set([(DeliveryFaultKind::Cut, never)]).unwrap();
        assert_eq!(faults.draw().kinds(), [DeliveryFaultKind::Delay]);
        assert_eq!(faults.draw().time(DeliveryFaultKind::Delay), Some(Duration::from_secs(2)));
        let before = faults.clone();
        for (kind, probability, ms, says) in [
            (DeliveryFaultKind::Cut, 1.1, None, "`cut`: the probability is 1.1"),
            (DeliveryFaultKind::Cut, -0.1, None, "between 0 and 1"),
            (DeliveryFaultKind::Cut, f64::NAN, None, "between 0 and 1"),
            (DeliveryFaultKind::Cut, 1.0, Some(1), "takes no time"),
            (DeliveryFaultKind::Delay, 1.0, Some(600_001), "the limit is 600000"),
        ] {
            let wrong = (kind, DeliveryFault { probability, ms });
            let problem = faults.set([(DeliveryFaultKind::Duplicate, always), wrong]).unwrap_err();
            assert!(problem.contains(says), "{problem}");
            assert_eq!(faults, before);
        }
        faults.set([(DeliveryFaultKind::Delay, DeliveryFault { probability: 0.5, ms: Some(7) })]).unwrap();
        let hits = (0..1000).filter(|_| faults.draw().has(DeliveryFaultKind::Delay)).count();
        assert!((350..650).contains(&hits), "{hits}");
    }
}
