//! The signing secrets of a router, which may change while it runs. Knows no requests.

use std::sync::{Arc, PoisonError, RwLock};
#[cfg(feature = "client")]
use std::time::Duration;

#[cfg(feature = "client")]
use tokio::time::Instant;

use crate::{
    delivery::MatchedSecret,
    signature::{MacBytes, SigningSecret},
};

/// Which secrets a handler takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SecretSource {
    /// Those of the router, whichever they are at the time.
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
    /// By position; `None` for one that was dropped.
    all: Vec<Option<SigningSecret>>,
    /// Those of the router; the first is the one to sign with.
    router: Vec<RouterSecret>,
    /// The positions of those that belong to handlers.
    own: Vec<usize>,
}

#[derive(Debug, Clone, Copy)]
struct RouterSecret {
    position: usize,
    /// When it is dropped, once another one replaced it.
    #[cfg(feature = "client")]
    until: Option<Instant>,
}

impl Secrets {
    /// Adds one of the router's at the end.
    pub(super) fn add(&mut self, secret: SigningSecret) {
        let new = self.of_router(&secret);
        if self.router.iter().all(|known| known.position != new.position) {
            self.router.push(new);
        }
    }

    /// Adds one of a handler; returns its position.
    pub(super) fn add_own(&mut self, secret: SigningSecret) -> usize {
        let position = self.position_of(&secret);
        self.own.push(position);
        position
    }

    fn of_router(&mut self, secret: &SigningSecret) -> RouterSecret {
        RouterSecret {
            position: self.position_of(secret),
            #[cfg(feature = "client")]
            until: None,
        }
    }

    /// A secret has one position, whichever way it came in.
    fn position_of(&mut self, secret: &SigningSecret) -> usize {
        self.all.iter().position(|known| known.as_ref() == Some(secret)).unwrap_or_else(|| {
            self.all.push(Some(secret.clone()));
            self.all.len() - 1
        })
    }

    fn at(&self, position: usize) -> Option<&SigningSecret> {
        self.all.get(position)?.as_ref()
    }

    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    /// The positions of those that any of `sources` takes, each once.
    pub(super) fn positions(&self, sources: &[SecretSource]) -> Vec<usize> {
        let mut positions = Vec::new();
        for source in sources {
            match source {
                SecretSource::Router => positions.extend(self.router.iter().map(|secret| secret.position)),
                SecretSource::Own(position) if positions.contains(position) => {}
                SecretSource::Own(position) => positions.push(*position),
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
}

#[cfg(feature = "client")]
impl Secrets {
    /// The secret that deliveries for a handler are to be signed with.
    pub(super) fn to_sign_with(&self, source: SecretSource) -> Option<&SigningSecret> {
        match source {
            SecretSource::Router => self.at(self.router.first()?.position),
            SecretSource::Own(position) => self.at(position),
        }
    }

    /// Makes it the one to sign with. Those that were there stay valid.
    fn put_first(&mut self, secret: &SigningSecret) {
        let new = self.of_router(secret);
        self.router.retain(|known| known.position != new.position);
        self.router.insert(0, new);
    }

    /// Gives all but the first of the router's secrets this much time; returns their positions.
    fn expire_replaced(&mut self, grace_period: Duration) -> Vec<usize> {
        let until = Instant::now().checked_add(grace_period);
        for replaced in self.router.iter_mut().skip(1) {
            replaced.until = until;
        }
        self.router.iter().skip(1).map(|replaced| replaced.position).collect()
    }

    /// Drops the router's secrets whose time is over; returns their positions.
    fn drop_expired(&mut self) -> Vec<usize> {
        let now = Instant::now();
        let (expired, router): (Vec<_>, Vec<_>) =
            self.router.iter().partition(|secret| secret.until.is_some_and(|until| until <= now));
        self.router = router;
        let expired: Vec<_> = expired.into_iter().map(|secret| secret.position).collect();
        for (position, secret) in self.all.iter_mut().enumerate() {
            if expired.contains(&position) && !self.own.contains(&position) {
                *secret = None;
            }
        }
        expired
    }
}

/// The secrets of a running router.
pub(super) struct Keyring(RwLock<Arc<Secrets>>);

impl Keyring {
    pub(super) fn new(secrets: Secrets) -> Self {
        Self(RwLock::new(Arc::new(secrets)))
    }

    /// The secrets as they are now.
    pub(super) fn now(&self) -> Arc<Secrets> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(feature = "client")]
impl Keyring {
    pub(super) fn put_first(&self, secret: &SigningSecret) {
        self.change(|secrets| secrets.put_first(secret));
    }

    pub(super) fn expire_replaced(&self, grace_period: Duration) -> Vec<usize> {
        self.change(|secrets| secrets.expire_replaced(grace_period))
    }

    pub(super) fn drop_expired(&self) -> Vec<usize> {
        self.change(Secrets::drop_expired)
    }

    fn change<T>(&self, change: impl FnOnce(&mut Secrets) -> T) -> T {
        change(Arc::make_mut(&mut self.0.write().unwrap_or_else(PoisonError::into_inner)))
    }
}
