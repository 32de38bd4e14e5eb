//! Claims of one process, in memory, and the builder's option for them.

use std::{
    collections::HashSet,
    fmt,
    future::ready,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use moka::{policy::EvictionPolicy, sync::Cache};
use tokio::time::Instant;

use super::{Claim, ClaimFuture, ClaimMark, DeliveryClaims, dispatch::Chosen};
use crate::{clock::Clock, message::spelled_out, router::WebhookRouterBuilder};

/// Claims of one process, in memory: the deliveries that run, and the last ones that were done.
pub struct MemoryClaims {
    running: Mutex<HashSet<String>>,
    /// When each was done.
    completed: Cache<String, Instant>,
    ttl: Duration,
    clock: Clock,
}

impl MemoryClaims {
    /// Remembers up to `capacity` deliveries that were done, each for `ttl`. Beyond the capacity it
    /// forgets those that were used least recently. A delivery takes about 150 bytes.
    pub fn new(capacity: u64, ttl: Duration) -> Self {
        // moka refuses more than a thousand years.
        const LONGEST: Duration = Duration::from_secs(1000 * 365 * 24 * 60 * 60);
        let completed = Cache::builder()
            .max_capacity(capacity)
            .time_to_live(ttl.min(LONGEST))
            // moka's own policy refuses new keys once the cache is full, and redeliveries are of
            // new keys.
            .eviction_policy(EvictionPolicy::lru())
            .build();
        Self { running: Mutex::default(), completed, ttl, clock: Clock::default() }
    }

    /// Forgets by this clock as well. The cache itself knows only the system's.
    fn by(self, clock: &Clock) -> Self {
        Self { clock: clock.clone(), ..self }
    }

    fn is_completed(&self, key: &str) -> bool {
        let age = |done: Instant| self.clock.instant().saturating_duration_since(done);
        self.completed.get(key).is_some_and(|done| age(done) < self.ttl)
    }

    fn running(&self) -> MutexGuard<'_, HashSet<String>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl WebhookRouterBuilder {
    /// Remembers in memory which deliveries were done, so that a redelivery does not run handlers
    /// again.
    ///
    /// Keeps up to `capacity` deliveries, each for `ttl`; beyond that it forgets the ones that were
    /// used least recently. A delivery that was done is acknowledged and nothing runs. One that
    /// still runs is answered 503. One that failed runs again, with all its handlers.
    ///
    /// Uploadcare repeats a delivery for up to 72 hours, so a `ttl` of less is logged as a warning
    /// at boot. A `capacity` or a `ttl` of zero is a problem at boot.
    ///
    /// The memory belongs to this process: several processes need
    /// [`deduplicate_with`](Self::deduplicate_with), and a restart forgets. Does not go with
    /// `queue`, which recognises redeliveries itself.
    pub fn deduplicate(self, capacity: u64, ttl: Duration) -> Self {
        let claims =
            move |clock: &Clock| Arc::new(MemoryClaims::new(capacity, ttl).by(clock)) as Arc<dyn DeliveryClaims>;
        let ttl = if capacity == 0 { Duration::ZERO } else { ttl };
        self.with_claims(Chosen { option: "deduplicate", lease: None, ttl: Some(ttl), claims: Box::new(claims) })
    }
}

impl DeliveryClaims for MemoryClaims {
    fn claim<'a>(&'a self, key: &'a str) -> ClaimFuture<'a, Claim> {
        let mut running = self.running();
        let claim = if running.contains(key) {
            Claim::Running
        } else if self.is_completed(key) {
            Claim::Completed
        } else {
            running.insert(key.to_owned());
            // Claims in memory end only with their request, so they need no mark.
            Claim::Granted(ClaimMark::default())
        };
        Box::pin(ready(Ok(claim)))
    }

    fn complete<'a>(&'a self, key: &'a str, _: &'a ClaimMark) -> ClaimFuture<'a, ()> {
        // Under the lock, so that no other request finds it neither running nor done.
        let mut running = self.running();
        self.completed.insert(key.to_owned(), self.clock.instant());
        running.remove(key);
        Box::pin(ready(Ok(())))
    }

    fn release<'a>(&'a self, key: &'a str, _: &'a ClaimMark) -> ClaimFuture<'a, ()> {
        self.running().remove(key);
        Box::pin(ready(Ok(())))
    }

    fn describe(&self) -> String {
        let capacity = self.completed.policy().max_capacity().unwrap_or(u64::MAX);
        format!("memory, at most {capacity} deliveries, each for {}", spelled_out(self.ttl))
    }
}

impl fmt::Debug for MemoryClaims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryClaims")
            .field("running", &self.running().len())
            .field("completed", &self.completed.entry_count())
            .finish()
    }
}
