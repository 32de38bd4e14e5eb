//! Dispatch with claims: the handlers of a delivery run once, before the router answers.

use std::{future::poll_fn, sync::Arc, task::Poll, time::Duration};

use futures_util::{FutureExt, future::BoxFuture};

use super::{Claim, ClaimFuture, ClaimMark, DeliveryClaims};
use crate::{
    clock::Clock,
    message::spelled_out,
    router::{
        BuildProblem, Dispatch, Dispatched, Limits, Mode, Promise, RejectionReason, TimeLimit, Verified, WebhookRouter,
        WebhookRouterBuilder, contain,
    },
    service::REDELIVERED_FOR,
};

impl WebhookRouterBuilder {
    /// Asks `claims` which deliveries were done, so that a redelivery does not run handlers again:
    /// a memory of your own choice, such as `claims::RedisClaims` (feature `redis`), which several
    /// processes share.
    ///
    /// An answer may take as long as a [handler](Self::handler_timeout). Does not go with `queue`.
    pub fn deduplicate_with(self, claims: impl DeliveryClaims) -> Self {
        let lease = claims.lease_time();
        let claims = Box::new(|_: &Clock| Arc::new(claims) as Arc<dyn DeliveryClaims>);
        self.with_claims(Chosen { option: "deduplicate_with", lease, ttl: None, claims })
    }

    pub(super) fn with_claims(mut self, chosen: Chosen) -> Self {
        if let Some(mode) = self.mode::<ClaimsMode>() {
            mode.0 = Some(chosen);
        }
        self
    }
}

/// The option that was called last.
#[derive(Default)]
struct ClaimsMode(Option<Chosen>);

/// An option that chooses claims.
pub(super) struct Chosen {
    /// Its name.
    pub(super) option: &'static str,
    /// After how long a claim ends by itself, if it does.
    pub(super) lease: Option<Duration>,
    /// For how long a delivery is remembered, if that is known. Zero if none is.
    pub(super) ttl: Option<Duration>,
    /// Makes the claims when the router is built, which knows its clock then.
    pub(super) claims: MakeClaims,
}

type MakeClaims = Box<dyn FnOnce(&Clock) -> Arc<dyn DeliveryClaims> + Send + Sync>;

impl Mode for ClaimsMode {
    fn chosen_by(&self) -> Option<&'static str> {
        self.0.as_ref().map(|chosen| chosen.option)
    }

    fn problems(&self, limits: &Limits) -> Vec<BuildProblem> {
        match self.0.as_ref().and_then(|chosen| chosen.ttl) {
            Some(Duration::ZERO) => return vec![BuildProblem::RemembersNothing],
            Some(ttl) if ttl < REDELIVERED_FOR => tracing::warn!(
                "deliveries are remembered for {}, and Uploadcare repeats them for {}: a later redelivery runs its \
                 handlers again. Give `deduplicate` a longer time",
                spelled_out(ttl),
                spelled_out(REDELIVERED_FOR)
            ),
            _ => {}
        }
        match (self.0.as_ref().and_then(|chosen| chosen.lease), limits.handler.0) {
            // The answer to a claim may take as long as the handler, and the lease covers both.
            (Some(lease), Some(handler_timeout)) if lease < handler_timeout.saturating_mul(2) => {
                vec![BuildProblem::LeaseTooShort { lease, handler_timeout }]
            }
            (Some(lease), None) => {
                tracing::warn!(
                    "handlers have no time limit, and a claim ends after {lease:?}: a redelivery can run a handler \
                     that is still running"
                );
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    fn build(self: Box<Self>, clock: &Clock) -> Option<Box<dyn Dispatch>> {
        let claims = (self.0?.claims)(clock);
        Some(Box::new(OncePerDelivery { claims }))
    }
}

/// Runs the handlers of a delivery, if no other request is running them or has done so.
struct OncePerDelivery {
    claims: Arc<dyn DeliveryClaims>,
}

impl Dispatch for OncePerDelivery {
    fn name(&self) -> &'static str {
        "deduplicate"
    }

    fn storage(&self) -> String {
        self.claims.describe()
    }

    fn dispatch<'a>(&'a self, router: &'a WebhookRouter, verified: Verified<'a>) -> BoxFuture<'a, Dispatched> {
        Box::pin(self.run(router, verified))
    }
}

impl OncePerDelivery {
    async fn run(&self, router: &WebhookRouter, verified: Verified<'_>) -> Dispatched {
        let (identified, delivery) = verified.decode()?;
        let key = format!("{}{}", router.deduplication_key(&delivery), identified.path());
        let limit = router.core.limits.handler;
        let mark = match answer(limit, || self.claims.claim(&key)).await {
            Ok(Claim::Granted(mark)) => mark,
            Ok(Claim::Running) => return Err(identified.reject(RejectionReason::StillRunning)),
            Ok(Claim::Completed) => {
                router.core.observer.duplicate(identified.id);
                if let Some(watcher) = identified.watcher() {
                    watcher.done_before();
                }
                return Ok(identified.acknowledge(Promise::Duplicate));
            }
            Err(error) => return Err(identified.reject(RejectionReason::ClaimFailed(error))),
        };
        let claimed = Claimed { claims: &self.claims, key: Some((key, mark)) };
        let done = router.run_handlers(&identified, delivery).await;
        claimed.end(done.is_ok(), limit).await;
        done
    }
}

/// Asks the claims, which are the application's and may panic, and waits for their answer.
async fn answer<'a, T>(limit: TimeLimit, ask: impl FnOnce() -> ClaimFuture<'a, T>) -> Result<T, String> {
    let panicked = |message| format!("their storage panicked: {message:?}");
    let mut asked = contain(ask).map_err(panicked)?;
    let mut answered = poll_fn(|context| match contain(|| asked.poll_unpin(context)) {
        Ok(polled) => polled.map(Ok),
        Err(message) => Poll::Ready(Err(message)),
    });
    match limit.apply(&mut answered).await {
        Ok(Ok(answer)) => answer.map_err(|error| error.to_string()),
        Ok(Err(message)) => Err(panicked(message)),
        Err(out_of_time) => Err(format!("their storage {out_of_time}")),
    }
}

/// A claim of a request that may be dropped at any time; the claim is released then.
struct Claimed<'a> {
    claims: &'a Arc<dyn DeliveryClaims>,
    key: Option<(String, ClaimMark)>,
}

impl Claimed<'_> {
    async fn end(mut self, done: bool, limit: TimeLimit) {
        let Some((key, mark)) = self.key.take() else { return };
        let record = || if done { self.claims.complete(&key, &mark) } else { self.claims.release(&key, &mark) };
        if let Err(error) = answer(limit, record).await {
            let state = if done { "done" } else { "failed" };
            tracing::error!("cannot record that the delivery with key {key:?} is {state}: {error}");
        }
    }
}

impl Drop for Claimed<'_> {
    fn drop(&mut self) {
        if let Some((key, mark)) = &self.key {
            // `drop` cannot await: `release` is polled once. It is the application's, and a panic
            // here could end the process.
            if let Err(message) = contain(|| self.claims.release(key, mark).now_or_never()) {
                tracing::error!("the release of the claim with key {key:?} panicked: {message:?}");
            }
        }
    }
}
