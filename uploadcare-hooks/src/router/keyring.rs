//! The signing secrets of a router, which may change while it runs. Knows no requests.

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use tokio::time::Instant;

use super::observe;
use crate::clock::Clock;
pub(crate) use crate::delivery::MatchedSecret;
use crate::signature::{MacBytes, SigningSecret};

/// Which secrets a handler takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SecretSource {
    /// Those of the router, as they are at the time.
    Router,
    /// The one at this position, from its `secret_env`.
    Own(usize),
}

impl SecretSource {
    pub(super) fn takes(self, secret: MatchedSecret) -> bool {
        match self {
            Self::Router => secret.of_router,
            Self::Own(position) => secret.position == position,
        }
    }
}

/// The secrets at one time. A position means the same secret for as long as the router lives.
#[derive(Debug, Clone, Default)]
pub(super) struct Secrets {
    /// By position; `None` for one that is not accepted any more.
    all: Vec<Option<SigningSecret>>,
    /// Those of the router; subscriptions are made with the first.
    router: Vec<RouterSecret>,
    /// The positions of those that belong to handlers.
    own: Vec<usize>,
    /// When the next of the router's secrets expires.
    next_expiry: Option<Instant>,
}

#[derive(Debug, Clone, Copy)]
struct RouterSecret {
    position: usize,
    /// When it expires, if another secret replaced it.
    until: Option<Instant>,
}

impl Secrets {
    /// Adds one of the router's at the end, without a deadline.
    pub(super) fn accept(&mut self, secret: &SigningSecret) {
        let position = self.position_of(secret);
        match self.router.iter_mut().find(|known| known.position == position) {
            Some(known) => known.until = None,
            None => self.router.push(RouterSecret { position, until: None }),
        }
        self.schedule();
    }

    /// Adds one of a handler; returns its position.
    pub(super) fn add_own(&mut self, secret: &SigningSecret) -> usize {
        let position = self.position_of(secret);
        self.own.push(position);
        position
    }

    /// Puts one of the router's first, without a deadline. Each other one keeps its own deadline,
    /// or gets this one if it is earlier. Returns the positions of those that expire.
    fn replace(&mut self, secret: &SigningSecret, deadline: Option<Instant>) -> Vec<usize> {
        let position = self.position_of(secret);
        self.router.retain(|known| known.position != position);
        for replaced in &mut self.router {
            replaced.until = [replaced.until, deadline].into_iter().flatten().min();
        }
        self.router.insert(0, RouterSecret { position, until: None });
        self.schedule();
        self.router.iter().filter(|known| known.until.is_some()).map(|known| known.position).collect()
    }

    /// Stops accepting one of the router's secrets; returns whether it was accepted.
    fn drop_one(&mut self, secret: &SigningSecret) -> bool {
        let Some(position) = self.all.iter().position(|known| known.as_ref() == Some(secret)) else { return false };
        let before = self.router.len();
        self.router.retain(|known| known.position != position);
        // Subscriptions are made with the first from now on, so it must not expire.
        if let Some(first) = self.router.first_mut() {
            first.until = None;
        }
        self.forget(position);
        self.schedule();
        self.router.len() < before
    }

    /// Drops the router's secrets whose deadline has passed; returns their positions.
    fn drop_expired(&mut self, now: Instant) -> Vec<usize> {
        let (expired, router): (Vec<_>, Vec<_>) =
            self.router.iter().partition(|secret| secret.until.is_some_and(|until| until <= now));
        self.router = router;
        let expired: Vec<_> = expired.into_iter().map(|secret| secret.position).collect();
        expired.iter().for_each(|position| self.forget(*position));
        self.schedule();
        expired
    }

    /// Wipes the secret's text, except if it also belongs to a handler or still to the router.
    fn forget(&mut self, position: usize) {
        let in_use = self.own.contains(&position) || self.router.iter().any(|known| known.position == position);
        if let (false, Some(secret)) = (in_use, self.all.get_mut(position)) {
            *secret = None;
        }
    }

    fn schedule(&mut self) {
        self.next_expiry = self.router.iter().filter_map(|secret| secret.until).min();
    }

    /// The position of a secret. The same text has one position, even if it was given twice.
    fn position_of(&mut self, secret: &SigningSecret) -> usize {
        self.all.iter().position(|known| known.as_ref() == Some(secret)).unwrap_or_else(|| {
            self.all.push(Some(secret.clone()));
            self.all.len() - 1
        })
    }

    fn at(&self, position: usize) -> Option<&SigningSecret> {
        self.all.get(position)?.as_ref()
    }

    /// The router's secrets, the first one first, and whether each expires.
    pub(super) fn of_router(&self) -> impl Iterator<Item = (&SigningSecret, bool)> {
        self.router.iter().filter_map(|secret| Some((self.at(secret.position)?, secret.until.is_some())))
    }

    /// How many secrets are accepted.
    pub(super) fn len(&self) -> usize {
        self.all.iter().flatten().count()
    }

    /// The positions of those that any of `sources` takes, each once.
    pub(super) fn positions(&self, sources: &[SecretSource]) -> Vec<usize> {
        let mut positions = Vec::new();
        let mut add = |position| {
            if !positions.contains(&position) {
                positions.push(position);
            }
        };
        for source in sources {
            match source {
                SecretSource::Router => self.router.iter().for_each(|secret| add(secret.position)),
                SecretSource::Own(position) => add(*position),
            }
        }
        positions
    }

    /// The one of `sources` that signed the body.
    pub(super) fn find(&self, sources: &[SecretSource], body: &[u8], claimed: &MacBytes) -> Option<MatchedSecret> {
        let matches = |position: &usize| self.at(*position).is_some_and(|secret| secret.matches(body, claimed));
        let position = match sources {
            // The usual case, without a list of positions.
            [SecretSource::Router] => self.router.iter().map(|secret| secret.position).find(matches),
            sources => self.positions(sources).into_iter().find(matches),
        }?;
        Some(MatchedSecret { position, of_router: self.router.iter().any(|secret| secret.position == position) })
    }

    /// Whether the router's secret at this position was replaced by another one.
    pub(super) fn is_replaced(&self, secret: MatchedSecret) -> bool {
        secret.of_router && self.router.first().is_some_and(|first| first.position != secret.position)
    }

    /// The secret that deliveries for a handler should be signed with.
    pub(super) fn to_sign_with(&self, source: SecretSource) -> Option<&SigningSecret> {
        match source {
            SecretSource::Router => self.at(self.router.first()?.position),
            SecretSource::Own(position) => self.at(position),
        }
    }
}

/// The secrets of a running router. Expired ones are dropped when the secrets are read.
pub(super) struct Keyring {
    secrets: RwLock<Arc<Secrets>>,
    clock: Clock,
}

impl Keyring {
    pub(super) fn new(secrets: Secrets, clock: Clock) -> Self {
        Self { secrets: RwLock::new(Arc::new(secrets)), clock }
    }

    /// The secrets that are accepted now.
    pub(super) fn now(&self) -> Arc<Secrets> {
        let secrets = self.read();
        let Some(expiry) = secrets.next_expiry else { return secrets };
        let now = self.clock.instant();
        if now < expiry {
            return secrets;
        }
        drop(secrets);
        self.change(|_| ());
        self.read()
    }

    pub(super) fn accept(&self, secret: &SigningSecret) {
        self.change(|secrets| secrets.accept(secret));
    }

    pub(super) fn replace(&self, secret: &SigningSecret, grace_period: Duration) {
        // Without a sum in range there is no deadline.
        let deadline = self.clock.instant().checked_add(grace_period);
        let expiring = self.change(|secrets| {
            let expiring = secrets.replace(secret, deadline);
            secrets.drop_expired(self.clock.instant());
            expiring
        });
        observe::secrets_replaced(&expiring, grace_period);
    }

    pub(super) fn drop_one(&self, secret: &SigningSecret) -> bool {
        self.change(|secrets| secrets.drop_one(secret))
    }

    /// Changes the secrets that are still accepted: one that has expired must not come back because
    /// a change takes its end away.
    fn change<T>(&self, change: impl FnOnce(&mut Secrets) -> T) -> T {
        let (expired, changed) = {
            let mut secrets = self.secrets.write().unwrap_or_else(PoisonError::into_inner);
            let secrets = Arc::make_mut(&mut secrets);
            (secrets.drop_expired(self.clock.instant()), change(secrets))
        };
        observe::secrets_expired(&expired);
        changed
    }

    fn read(&self) -> Arc<Secrets> {
        Arc::clone(&self.secrets.read().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dropped_secret_is_wiped_except_if_it_belongs_to_a_handler() {
        let [first, second, third] = ["first", "second", "third"].map(|text| SigningSecret::new(text).unwrap());
        let mut secrets = Secrets::default();
        secrets.accept(&first);
        secrets.accept(&second);
        secrets.add_own(&second);
        secrets.add_own(&third);
        assert_eq!(secrets.len(), 3);
        assert!(secrets.drop_one(&first));
        assert_eq!(secrets.len(), 2, "nothing needs it");
        assert!(!secrets.drop_one(&first), "it was dropped before");
        assert!(secrets.drop_one(&second));
        assert!(!secrets.drop_one(&second), "only a handler has it");
        assert!(!secrets.drop_one(&third), "the router never had it");
        assert_eq!(secrets.len(), 2, "handlers have them");
        assert_eq!(secrets.at(0), None);
        assert_eq!(secrets.at(1), Some(&second));
    }
}
