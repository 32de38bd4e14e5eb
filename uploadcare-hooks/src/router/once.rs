//! Dispatch of deliveries that come more than once: which of them run, and what they are told apart by.

use std::{
    panic::{self, AssertUnwindSafe},
    sync::Arc,
};

use futures_util::FutureExt;

use super::{
    RejectionReason, WebhookRouter, WebhookRouterBuilder,
    dispatch::{Route, within},
};
#[cfg(feature = "deduplicate")]
use crate::claims::MemoryClaims;
use crate::{
    claims::{Claim, ClaimFuture, DeliveryClaims},
    delivery::{Delivery, DeliveryId},
    payload::EventKind,
};

/// What tells deliveries apart, by the application's own lights.
pub(super) type DeliveryKey = Box<dyn Fn(&Delivery) -> String + Send + Sync>;

impl WebhookRouterBuilder {
    /// Remembers in memory which deliveries were done, so that a redelivery does not run handlers again: up to `capacity` of them, each for `ttl`.
    ///
    /// One that was done is acknowledged again and nothing runs; one that still runs is answered 503; one that failed runs again, with all its
    /// handlers. Memory is that of this process: others need [`deduplicate_with`](Self::deduplicate_with), and a restart forgets. With a
    /// `queue` it is of no use and without effect.
    #[cfg(feature = "deduplicate")]
    pub fn deduplicate(self, capacity: u64, ttl: std::time::Duration) -> Self {
        self.deduplicate_with(MemoryClaims::new(capacity, ttl))
    }

    /// Asks `claims` which deliveries were done, so that a redelivery does not run handlers again: a memory of your own choice, such as
    /// `claims::RedisClaims` (feature `redis`), which several processes share. An answer may take as long as a [handler](Self::handler_timeout).
    pub fn deduplicate_with(mut self, claims: impl DeliveryClaims) -> Self {
        self.claims = Some(Arc::new(claims));
        self
    }

    /// What deliveries are told apart by, if not by their [id](Delivery::id): nobody documents that a redelivery has the same bytes.
    ///
    /// Serves `deduplicate`, [`deduplicate_with`](Self::deduplicate_with) and the `queue`, where it is not asked about payloads that cannot be read. Two deliveries
    /// of one key at one path count as one, so that the key should name the event, the file, and whatever makes one event differ from the next of its kind.
    pub fn delivery_key(mut self, key: impl Fn(&Delivery) -> String + Send + Sync + 'static) -> Self {
        self.delivery_key = Some(Box::new(key));
        self
    }
}

impl WebhookRouter {
    /// What a delivery is told apart by: of fixed length, whatever the application says.
    pub(super) fn key(&self, delivery: &Delivery) -> DeliveryId {
        let Some(key) = &self.inner.delivery_key else { return delivery.id() };
        match panic::catch_unwind(AssertUnwindSafe(|| key(delivery))) {
            Ok(key) => DeliveryId::from_bytes(key.as_bytes()),
            Err(_) => {
                tracing::error!("the function given to `delivery_key` panicked; the delivery's id is taken instead");
                delivery.id()
            }
        }
    }

    /// Runs the handlers of a delivery, unless they ran already.
    pub(super) async fn dispatch_once(
        &self,
        claims: &Arc<dyn DeliveryClaims>,
        route: &Route,
        kind: &EventKind,
        delivery: Delivery,
    ) -> Result<(), RejectionReason> {
        let key = format!("{}{}", self.key(&delivery), route.path);
        match self.ask(claims.claim(&key)).await {
            Ok(Claim::Granted) => {}
            Ok(Claim::Running) => return Err(RejectionReason::StillRunning),
            Ok(Claim::Completed) => {
                self.inner.counters.duplicates();
                tracing::debug!("delivery {} was done before: acknowledged", delivery.id());
                return Ok(());
            }
            Err(error) => return Err(RejectionReason::ClaimFailed(error)),
        }
        let mut claimed = Claimed { claims, key: Some(key) };
        let done = self.dispatch(route, kind, delivery).await;
        if let Some(key) = claimed.key.take() {
            let noted = if done.is_ok() { claims.complete(&key) } else { claims.release(&key) };
            if let Err(error) = self.ask(noted).await {
                tracing::error!("what came of the delivery with key {key:?} could not be noted: {error}");
            }
        }
        done
    }

    /// Waits for an answer, as long as for a handler.
    async fn ask<T>(&self, claims: ClaimFuture<'_, T>) -> Result<T, String> {
        match within(self.inner.handler_timeout, claims).await {
            Ok(answer) => answer.map_err(|error| error.to_string()),
            Err(out_of_time) => Err(format!("it {out_of_time}")),
        }
    }
}

/// A claim of a request that may be dropped at any time: it is given back then.
struct Claimed<'a> {
    claims: &'a Arc<dyn DeliveryClaims>,
    key: Option<String>,
}

impl Drop for Claimed<'_> {
    fn drop(&mut self) {
        if let Some(key) = &self.key {
            // What is not released at once is for the implementation to see to.
            let _ = self.claims.release(key).now_or_never();
        }
    }
}
