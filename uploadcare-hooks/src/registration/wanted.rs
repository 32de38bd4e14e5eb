//! Which subscriptions the handlers of a router need. Sends nothing.

use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};

use super::{RegistrationError, Subscriptions, plan::comparable};
use crate::{
    client::{Subscription, target_url_problem},
    handler::HandlerDescriptor,
    payload::{EventKind, PayloadVersion},
    signature::SigningSecret,
};

/// One subscription that handlers need.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pub(super) event: EventKind,
    pub(super) target_url: String,
    pub(super) secret: Option<SigningSecret>,
    /// Whether it can be created. A subscription for handlers of old versions alone cannot.
    pub(super) creatable: bool,
    /// The handlers that take one version only, which a subscription of another version does not
    /// reach.
    pub(super) of_one_version: Vec<(&'static str, PayloadVersion)>,
    /// The other URLs that the event is delivered to, if only handlers of every event need it here.
    pub(super) also_delivered_to: Vec<String>,
    /// A handler that needs it, for errors.
    handler: &'static str,
    /// Whether only handlers of every event need it.
    by_any_only: bool,
}

impl Wanted {
    fn key(&self) -> (String, String) {
        (self.target_url.clone(), self.event.to_string())
    }
}

impl Subscriptions {
    /// What the handlers need now. `instead` takes the place of the router's own secret.
    pub(super) fn wanted(&self, instead: Option<&SigningSecret>) -> Result<Vec<Wanted>, RegistrationError> {
        let mut all: BTreeMap<(String, String), Wanted> = BTreeMap::new();
        // Handlers of every event come last: they share what others need.
        let (any, named): (Vec<_>, Vec<_>) = self.router.handlers().partition(|handler| handler.events().is_none());
        for handler in named.into_iter().chain(any) {
            for new in self.wanted_by(handler, instead)? {
                match all.entry(new.key()) {
                    Entry::Vacant(free) => {
                        free.insert(new);
                    }
                    Entry::Occupied(known) if known.get().secret != new.secret => {
                        return Err(RegistrationError::ConflictingSecrets {
                            event: new.event,
                            path: handler.path(),
                            handlers: [known.get().handler.to_owned(), handler.name().to_owned()],
                        });
                    }
                    Entry::Occupied(mut known) => {
                        let known = known.get_mut();
                        known.creatable |= new.creatable;
                        known.by_any_only &= new.by_any_only;
                        known.of_one_version.extend(new.of_one_version);
                    }
                }
            }
        }
        let mut all: Vec<_> = all.into_values().collect();
        find_second_deliveries(&mut all);
        Ok(all)
    }

    /// The listed subscriptions of events that this version does not know, at the paths of handlers
    /// of every event, without those that are wanted already. They are kept and rotated, and never
    /// created.
    pub(super) fn wanted_unknown(
        &self,
        wanted: &[Wanted],
        list: &[Subscription],
    ) -> Result<Vec<Wanted>, RegistrationError> {
        let mut unknown: Vec<Wanted> = Vec::new();
        for handler in self.router.handlers().filter(|handler| handler.events().is_none()) {
            let Some(pattern) = self.wanted_by(handler, None)?.into_iter().next() else { continue };
            let is_here = |found: &&Subscription| {
                matches!(found.event, EventKind::Other(_))
                    && comparable(&found.target_url) == comparable(&pattern.target_url)
            };
            for found in list.iter().filter(is_here) {
                let new = Wanted { event: found.event.clone(), creatable: false, ..pattern.clone() };
                if wanted.iter().chain(&unknown).all(|known| known.key() != new.key()) {
                    unknown.push(new);
                }
            }
        }
        Ok(unknown)
    }

    /// The events that a handler of every event gets at this path: those that this version knows,
    /// and those that other handlers name there.
    fn events_at(&self, path: &str) -> Vec<EventKind> {
        let mut events: Vec<_> = EventKind::KNOWN.iter().map(|event| EventKind::from(*event)).collect();
        let here = self.router.handlers().filter(|handler| handler.path() == path);
        for event in here.filter_map(HandlerDescriptor::events).flatten() {
            if !events.contains(&event) {
                events.push(event);
            }
        }
        events
    }

    /// What one handler needs.
    fn wanted_by(
        &self,
        handler: &HandlerDescriptor,
        instead: Option<&SigningSecret>,
    ) -> Result<Vec<Wanted>, RegistrationError> {
        let target_url = format!("{}{}", self.base_url, handler.path().trim_end_matches('/'));
        if let Some(problem) = target_url_problem(&target_url) {
            return Err(RegistrationError::TargetUrl { target_url, handler: handler.name().to_owned(), problem });
        }
        let secret = match instead {
            Some(instead) if handler.secret_env().is_none() => Some(instead.clone()),
            _ => self.router.signing_secret_for(handler),
        };
        if secret.is_none() && !self.router.core.accept_unsigned {
            return Err(RegistrationError::NoSecret { handler: handler.name().to_owned() });
        }
        let version = handler.version();
        let events: Vec<_> = match handler.events() {
            Some(events) => events.collect(),
            None => self.events_at(handler.path()),
        };
        let wanted = |event| Wanted {
            event,
            target_url: target_url.clone(),
            secret: secret.clone(),
            creatable: version.as_ref().is_none_or(|version| *version == PayloadVersion::V0_7),
            of_one_version: version.iter().map(|version| (handler.name(), version.clone())).collect(),
            also_delivered_to: Vec::new(),
            handler: handler.name(),
            by_any_only: handler.events().is_none(),
        };
        Ok(events.into_iter().map(wanted).collect())
    }
}

/// Notes where an event comes twice because a handler of every event stands at a path of its own.
fn find_second_deliveries(all: &mut [Wanted]) {
    let mut targets: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for wanted in all.iter() {
        targets.entry(wanted.event.to_string()).or_default().insert(wanted.target_url.clone());
    }
    for wanted in all.iter_mut().filter(|wanted| wanted.by_any_only) {
        let others = targets.get(wanted.event.as_str()).into_iter().flatten();
        wanted.also_delivered_to = others.filter(|target| **target != wanted.target_url).cloned().collect();
    }
}
