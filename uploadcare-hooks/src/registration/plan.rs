//! Compares the needed subscriptions with those at Uploadcare. Sends nothing.

use std::fmt;

use super::{SyncOptions, wanted::Wanted};
use crate::{
    client::{CreateWebhook, Subscription, UpdateWebhook, web_url},
    payload::{EventKind, PayloadVersion},
    signature::SigningSecret,
};

/// What `sync` does so that Uploadcare's subscriptions match the handlers. `Display` shows it like
/// a diff, without secrets.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Plan {
    /// One for each subscription that is needed, or that exists under the base URL.
    pub steps: Vec<Step>,
    /// How many subscriptions of other URLs exist. They are left alone.
    pub foreign: usize,
}

/// What `sync` does with one subscription.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Step {
    /// Its event.
    pub event: EventKind,
    /// Its target URL, as Uploadcare has it or will have it.
    pub target_url: String,
    /// What a person should know of it.
    pub findings: Vec<Finding>,
    pub(super) change: Change,
}

/// What is done with a subscription, with all that it takes.
#[derive(Debug, Clone)]
pub(super) enum Change {
    Create(CreateWebhook),
    Update {
        id: u64,
        update: UpdateWebhook,
        if_gone: IfGone,
    },
    Replace {
        id: u64,
        create: CreateWebhook,
    },
    Delete {
        id: u64,
    },
    /// `None` if it does not exist and cannot be created.
    Keep {
        id: Option<u64>,
    },
}

/// What to do about a subscription that is gone when it should be updated.
#[derive(Debug, Clone)]
pub(super) enum IfGone {
    Create(CreateWebhook),
    /// Nothing: it was a duplicate, or cannot be created.
    Done,
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
    /// It is deleted, because no handler needs it.
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
    /// It is paused.
    Paused,
    /// Its payloads are of this older version.
    Outdated(PayloadVersion),
    /// No handler needs it.
    Stale,
    /// Another subscription of this event leads to the same path, so every delivery comes twice.
    Duplicate,
    /// Only handlers of old payload versions need it, and Uploadcare creates no subscriptions of
    /// those.
    CannotBeCreated,
    /// This handler takes one payload version only, and neither the subscription nor a duplicate
    /// that stays sends it: the handler never runs.
    NeverRuns {
        /// The handler's name.
        handler: &'static str,
        /// The version that it takes.
        version: PayloadVersion,
    },
    /// Only handlers of every event (`any`) need it, and the event also goes to these URLs: one
    /// event is delivered more than once.
    AlsoDeliveredTo(Vec<String>),
    /// Its target URL is an address of the machine itself, which Uploadcare cannot reach. A
    /// simulator can: the finding is left out if the REST API itself is at such an address.
    TargetIsLocal,
    /// Its target URL is plain http: everyone on the way can read its deliveries.
    TargetIsNotEncrypted,
}

impl Plan {
    /// How many subscriptions `sync` writes.
    pub fn writes(&self) -> usize {
        self.steps.iter().filter(|step| step.action() != Action::Keep).count()
    }

    /// Leaves this finding out of all steps.
    pub(super) fn drop_findings(&mut self, unwanted: &Finding) {
        for step in &mut self.steps {
            step.findings.retain(|finding| finding != unwanted);
        }
    }
}

impl Step {
    /// What is done with the subscription.
    pub fn action(&self) -> Action {
        match self.change {
            Change::Create(_) => Action::Create,
            Change::Update { .. } => Action::Update,
            Change::Replace { .. } => Action::Replace,
            Change::Delete { .. } => Action::Delete,
            Change::Keep { .. } => Action::Keep,
        }
    }

    /// The subscription's id, if it exists.
    pub fn id(&self) -> Option<u64> {
        match self.change {
            Change::Create(_) => None,
            Change::Update { id, .. } | Change::Replace { id, .. } | Change::Delete { id } => Some(id),
            Change::Keep { id } => id,
        }
    }

    /// The payload version that the subscription `found` has after this step; `None` if it is
    /// deleted.
    fn version_after(&self, found: &Subscription) -> Option<PayloadVersion> {
        match self.change {
            Change::Delete { .. } => None,
            Change::Create(_) | Change::Replace { .. } => Some(PayloadVersion::V0_7),
            Change::Update { .. } | Change::Keep { .. } => Some(found.version.clone()),
        }
    }
}

/// A target URL for comparison. Other spellings, and a slash at the end, lead to the same handlers.
pub(super) fn comparable(target_url: &str) -> String {
    let normalised = web_url::parse(target_url).map_or_else(|_| target_url.to_owned(), |url| url.to_string());
    normalised.trim_end_matches('/').to_owned()
}

pub(super) fn compare(base_url: &str, options: SyncOptions, needed: &[Wanted], list: &[Subscription]) -> Plan {
    let is_wanted = |wanted: &Wanted, found: &Subscription| {
        found.event == wanted.event && comparable(&found.target_url) == comparable(&wanted.target_url)
    };
    let mut steps = Vec::new();
    for wanted in needed {
        let mut found: Vec<_> = list.iter().filter(|found| is_wanted(wanted, found)).collect();
        // The one that serves best stays, and the others are its duplicates: pruning must not
        // delete an active one and leave a paused one.
        found.sort_by_key(|found| (!found.is_active, is_outdated(found), found.target_url != wanted.target_url));
        match found.split_first() {
            None => steps.push(missing(wanted)),
            Some((first, duplicates)) => {
                let mut step = existing(options, wanted, first);
                let duplicates: Vec<_> =
                    duplicates.iter().map(|found| (*found, duplicate(options, wanted, found))).collect();
                let mut sent: Vec<_> =
                    duplicates.iter().filter_map(|(found, step)| step.version_after(found)).collect();
                sent.extend(step.version_after(first));
                step.findings.extend(never_runs(wanted, &sent));
                steps.push(step);
                steps.extend(duplicates.into_iter().map(|(_, step)| step));
            }
        }
    }
    let under_base = |found: &&Subscription| {
        let target_url = comparable(&found.target_url);
        // No target URL of ours has a query or a fragment.
        let path = target_url.strip_prefix(base_url).filter(|rest| !rest.contains(['?', '#']));
        path.is_some_and(|path| path.is_empty() || path.starts_with('/'))
    };
    let (ours, foreign): (Vec<_>, Vec<_>) = list.iter().partition(under_base);
    let stale = ours.into_iter().filter(|found| !needed.iter().any(|wanted| is_wanted(wanted, found)));
    steps.extend(stale.map(|found| step_of(found, vec![Finding::Stale], unneeded(options, found))));
    Plan { steps, foreign: foreign.len() }
}

fn step_of(found: &Subscription, findings: Vec<Finding>, change: Change) -> Step {
    Step { event: found.event.clone(), target_url: found.target_url.clone(), findings, change }
}

fn unneeded(options: SyncOptions, found: &Subscription) -> Change {
    if options.prune { Change::Delete { id: found.id } } else { Change::Keep { id: Some(found.id) } }
}

fn missing(wanted: &Wanted) -> Step {
    let mut findings = Vec::from_iter(target_finding(&wanted.target_url));
    if wanted.creatable {
        findings.extend(never_runs(wanted, &[PayloadVersion::V0_7]));
    } else {
        findings.push(Finding::CannotBeCreated);
    }
    findings.extend(also_delivered(wanted));
    let change =
        if wanted.creatable { Change::Create(wanted.create_at(&wanted.target_url)) } else { Change::Keep { id: None } };
    Step { event: wanted.event.clone(), target_url: wanted.target_url.clone(), findings, change }
}

fn existing(options: SyncOptions, wanted: &Wanted, found: &Subscription) -> Step {
    let mut findings = Vec::from_iter(target_finding(&found.target_url));
    let new_secret = wanted.secret.as_ref().filter(|secret| Some(*secret) != found.signing_secret.as_ref());
    if new_secret.is_some() {
        findings.push(Finding::SecretDiffers);
    }
    if !found.is_active {
        findings.push(Finding::Paused);
    }
    let outdated = is_outdated(found);
    if outdated {
        findings.push(Finding::Outdated(found.version.clone()));
    }
    let activate = !found.is_active && options.activate;
    // A paused one that stays paused is not replaced: its successor would be active.
    let replace = outdated && options.replace_outdated && wanted.creatable && (found.is_active || activate);
    let id = found.id;
    // At the same spelling of the URL: a duplicate may have the other one, with which the new
    // subscription would collide.
    let create = || wanted.create_at(&found.target_url);
    let change = if replace {
        Change::Replace { id, create: create() }
    } else if new_secret.is_some() || activate {
        let if_gone = if wanted.creatable {
            IfGone::Create(create().is_active(found.is_active || activate))
        } else {
            IfGone::Done
        };
        Change::update(id, if_gone, new_secret, activate)
    } else {
        Change::Keep { id: Some(id) }
    };
    findings.extend(also_delivered(wanted));
    step_of(found, findings, change)
}

/// Whether a subscription of version 0.7 would be better. Newer versions are not outdated. For an
/// event that this version of the crate does not know, nothing is known of its versions, and
/// Uploadcare may refuse to create the subscription again.
fn is_outdated(found: &Subscription) -> bool {
    let is_old = matches!(found.version, PayloadVersion::Unversioned | PayloadVersion::V0_5 | PayloadVersion::V0_6);
    is_old && !matches!(found.event, EventKind::Other(_))
}

/// A duplicate that is not pruned still delivers, so its secret must be right. One of an old
/// version that a handler takes stays: Uploadcare would not create it again.
fn duplicate(options: SyncOptions, wanted: &Wanted, found: &Subscription) -> Step {
    let mut step = existing(SyncOptions { replace_outdated: false, activate: false, ..options }, wanted, found);
    let is_taken = |(_, version): &(&str, PayloadVersion)| *version == found.version;
    let irreplaceable = found.version != PayloadVersion::V0_7 && wanted.of_one_version.iter().any(is_taken);
    if options.prune && !irreplaceable {
        step.change = Change::Delete { id: found.id };
    } else if let Change::Update { if_gone, .. } = &mut step.change {
        *if_gone = IfGone::Done;
    }
    step.findings.insert(0, Finding::Duplicate);
    step
}

impl Change {
    /// An update of the secret, the state, or both.
    fn update(id: u64, if_gone: IfGone, secret: Option<&SigningSecret>, activate: bool) -> Self {
        let mut update = UpdateWebhook::new();
        if let Some(secret) = secret {
            update = update.signing_secret(secret.clone());
        }
        if activate {
            update = update.is_active(true);
        }
        Self::Update { id, update, if_gone }
    }
}

impl Wanted {
    fn create_at(&self, target_url: &str) -> CreateWebhook {
        let webhook = CreateWebhook::new(target_url, self.event.clone());
        match &self.secret {
            Some(secret) => webhook.signing_secret(secret.clone()),
            None => webhook,
        }
    }
}

/// The handlers that take none of the versions that are sent to this target URL.
fn never_runs(wanted: &Wanted, sent: &[PayloadVersion]) -> impl Iterator<Item = Finding> {
    let others = wanted.of_one_version.iter().filter(move |(_, taken)| !sent.contains(taken));
    others.map(|(handler, taken)| Finding::NeverRuns { handler, version: taken.clone() })
}

fn also_delivered(wanted: &Wanted) -> Option<Finding> {
    let others = &wanted.also_delivered_to;
    (!others.is_empty()).then(|| Finding::AlsoDeliveredTo(others.clone()))
}

pub(super) fn target_finding(target_url: &str) -> Option<Finding> {
    let url = web_url::parse(target_url).ok()?;
    match (web_url::is_of_this_machine(&url), url.scheme()) {
        (true, _) => Some(Finding::TargetIsLocal),
        (false, "http") => Some(Finding::TargetIsNotEncrypted),
        _ => None,
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let longest = self.steps.iter().map(|step| step.event.as_str().chars().count()).max();
        let width = longest.unwrap_or(0).max(EVENT_WIDTH);
        for step in &self.steps {
            writeln!(f, "{step:width$}")?;
        }
        write!(f, "{} to write", self.writes())?;
        match self.foreign {
            0 => Ok(()),
            foreign => write!(f, ", {foreign} of other URLs left alone"),
        }
    }
}

/// The width of the column of events, which is as wide as that of the longest documented event.
const EVENT_WIDTH: usize = 18;

/// A width, as in `{step:30}`, is that of the column of events.
impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = match self.action() {
            Action::Create => "+ create ",
            Action::Update => "~ update ",
            Action::Replace => "± replace",
            Action::Delete => "- delete ",
            Action::Keep => "= keep   ",
        };
        let width = f.width().unwrap_or(EVENT_WIDTH);
        write!(f, "{mark} {:<width$} {}", self.event.as_str(), self.target_url)?;
        if let Some(id) = self.id() {
            write!(f, " (id {id})")?;
        }
        self.findings.iter().try_for_each(|finding| write!(f, "; {finding}"))
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SecretDiffers => f.write_str("its signing secret differs"),
            Self::Paused => f.write_str("it is paused, see `.activate(true)`"),
            Self::Outdated(version) => {
                write!(f, "its payload version is {:?}, see `.replace_outdated(true)`", version.as_str())
            }
            Self::Stale => f.write_str("no handler needs it, see `.prune(true)`"),
            Self::Duplicate => f.write_str("a duplicate: every delivery comes twice, see `.prune(true)`"),
            Self::CannotBeCreated => {
                f.write_str("only handlers of old payload versions need it, and Uploadcare creates none of those")
            }
            Self::NeverRuns { handler, version } => {
                write!(
                    f,
                    "handler `{handler}` takes version {:?} only, which this subscription does not send: it never runs",
                    version.as_str()
                )
            }
            Self::AlsoDeliveredTo(others) => {
                write!(f, "each of its events is also delivered to {}", others.join(" and "))
            }
            Self::TargetIsLocal => f.write_str("Uploadcare cannot reach this address from outside"),
            Self::TargetIsNotEncrypted => f.write_str("plain http: everyone on the way can read its deliveries"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_that_uploadcare_cannot_reach_or_strangers_can_read_is_told() {
        for (target_url, finding) in [
            ("http://127.0.0.1:8080/hooks", Some(Finding::TargetIsLocal)),
            ("https://localhost/hooks", Some(Finding::TargetIsLocal)),
            ("http://app.example.com/hooks", Some(Finding::TargetIsNotEncrypted)),
            ("https://app.example.com/hooks", None),
            ("no URL", None),
        ] {
            assert_eq!(target_finding(target_url), finding, "{target_url}");
        }
    }
}
