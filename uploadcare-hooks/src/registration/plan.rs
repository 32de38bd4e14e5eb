//! What is needed, compared with what is there. Sends nothing.

use std::fmt;

use reqwest::Url;

use super::{Options, Wanted};
use crate::{
    client::{Subscription, is_loopback},
    payload::{EventKind, PayloadVersion},
    signature::SigningSecret,
};

/// What is to be done so that Uploadcare's subscriptions match the handlers. `Display` shows it like a diff, without secrets.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Plan {
    /// One for each subscription that is needed, or that is under the base URL.
    pub steps: Vec<Step>,
    /// How many subscriptions of other URLs there are. They are left alone.
    pub foreign: usize,
}

/// What is to be done with one subscription.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Step {
    /// What is done.
    pub action: Action,
    /// Its event.
    pub event: EventKind,
    /// Its target URL, as Uploadcare has it or will have it.
    pub target_url: String,
    /// Its id, if it exists.
    pub id: Option<u64>,
    /// What a person should know of it.
    pub findings: Vec<Finding>,
    pub(super) secret: Option<SigningSecret>,
    pub(super) activate: bool,
}

/// What is done with a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// It is created.
    Create,
    /// Its secret or its state is changed.
    Update,
    /// It is deleted, and created in version 0.7.
    Replace,
    /// It is deleted, since no handler needs it.
    Delete,
    /// It stays as it is, or stays missing.
    Keep,
}

/// What a person should know of a subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finding {
    /// It is signed with another secret, or not at all.
    SecretDiffers,
    /// Somebody paused it.
    Paused,
    /// Its payloads are of this older version.
    Outdated(PayloadVersion),
    /// No handler needs it.
    Stale,
    /// Handlers of old payload versions alone need it, and old versions cannot be created.
    CannotBeCreated,
    /// Uploadcare cannot reach its target URL: that is an address of the machine itself.
    TargetIsLocal,
    /// Deliveries travel readable for everybody on the way.
    TargetIsNotEncrypted,
}

impl Plan {
    /// How many subscriptions are to be written; none when all is as it should be.
    pub fn writes(&self) -> usize {
        self.steps.iter().filter(|step| step.action != Action::Keep).count()
    }
}

/// URLs that differ by a slash at the end only lead to the same handlers.
fn same_url(one: &str, other: &str) -> bool {
    one.trim_end_matches('/') == other.trim_end_matches('/')
}

pub(super) fn compare(base_url: &str, options: Options, needed: &[Wanted], list: &[Subscription]) -> Plan {
    let is_wanted = |wanted: &Wanted, there: &Subscription| {
        there.event == wanted.event && same_url(&there.target_url, &wanted.target_url)
    };
    let mut steps = Vec::new();
    for wanted in needed {
        match list.iter().find(|there| is_wanted(wanted, there)) {
            Some(there) => steps.push(for_existing(options, wanted, there)),
            None => steps.push(for_missing(wanted)),
        }
    }
    let under_base = |there: &&Subscription| {
        let rest = there.target_url.strip_prefix(base_url);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let (ours, foreign): (Vec<_>, Vec<_>) = list.iter().partition(under_base);
    let stale = ours.into_iter().filter(|there| !needed.iter().any(|wanted| is_wanted(wanted, there)));
    steps.extend(stale.map(|there| Step {
        action: if options.prune { Action::Delete } else { Action::Keep },
        event: there.event.clone(),
        target_url: there.target_url.clone(),
        id: Some(there.id),
        findings: vec![Finding::Stale],
        secret: None,
        activate: false,
    }));
    Plan { steps, foreign: foreign.len() }
}

fn for_missing(wanted: &Wanted) -> Step {
    let mut findings = target_findings(&wanted.target_url);
    if !wanted.creatable {
        findings.push(Finding::CannotBeCreated);
    }
    Step {
        action: if wanted.creatable { Action::Create } else { Action::Keep },
        event: wanted.event.clone(),
        target_url: wanted.target_url.clone(),
        id: None,
        findings,
        secret: wanted.secret.clone(),
        activate: false,
    }
}

fn for_existing(options: Options, wanted: &Wanted, there: &Subscription) -> Step {
    let mut findings = target_findings(&there.target_url);
    let secret_differs = wanted.secret.is_some() && wanted.secret != there.signing_secret;
    if secret_differs {
        findings.push(Finding::SecretDiffers);
    }
    if !there.is_active {
        findings.push(Finding::Paused);
    }
    let outdated = there.version != PayloadVersion::V0_7;
    if outdated {
        findings.push(Finding::Outdated(there.version.clone()));
    }
    let activate = !there.is_active && options.activate;
    // One that is paused and stays so is not replaced: the new one would be active.
    let replace = outdated && options.replace_outdated && wanted.creatable && (there.is_active || activate);
    let action = match (replace, secret_differs || activate) {
        (true, _) => Action::Replace,
        (false, true) => Action::Update,
        (false, false) => Action::Keep,
    };
    Step {
        action,
        event: there.event.clone(),
        target_url: there.target_url.clone(),
        id: Some(there.id),
        findings,
        secret: wanted.secret.clone(),
        activate,
    }
}

fn target_findings(target_url: &str) -> Vec<Finding> {
    let Ok(url) = Url::parse(target_url) else { return Vec::new() };
    let host = url.host_str().unwrap_or_default();
    let local = is_loopback(&url) || host.ends_with(".localhost") || matches!(host, "0.0.0.0" | "[::]");
    match (local, url.scheme()) {
        (true, _) => vec![Finding::TargetIsLocal],
        (false, "http") => vec![Finding::TargetIsNotEncrypted],
        _ => Vec::new(),
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in &self.steps {
            writeln!(f, "{step}")?;
        }
        write!(f, "{} to write", self.writes())?;
        match self.foreign {
            0 => Ok(()),
            foreign => write!(f, ", {foreign} of other URLs left alone"),
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = match self.action {
            Action::Create => "+ create ",
            Action::Update => "~ update ",
            Action::Replace => "± replace",
            Action::Delete => "- delete ",
            Action::Keep => "= keep   ",
        };
        write!(f, "{mark} {:<18} {}", self.event, self.target_url)?;
        if let Some(id) = self.id {
            write!(f, " (id {id})")?;
        }
        self.findings.iter().try_for_each(|finding| write!(f, "; {finding}"))
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SecretDiffers => f.write_str("its signing secret differs"),
            Self::Paused => f.write_str("somebody paused it, see `.activate(true)`"),
            Self::Outdated(version) => {
                write!(f, "its payload version is {:?}, see `.replace_outdated(true)`", version.as_str())
            }
            Self::Stale => f.write_str("no handler needs it, see `.prune(true)`"),
            Self::CannotBeCreated => {
                f.write_str("handlers of old payload versions need it, and those cannot be created")
            }
            Self::TargetIsLocal => f.write_str("Uploadcare cannot reach this address from outside"),
            Self::TargetIsNotEncrypted => f.write_str("plain http: anybody on the way can read its deliveries"),
        }
    }
}
