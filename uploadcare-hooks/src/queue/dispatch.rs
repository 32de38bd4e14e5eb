//! Dispatch through a queue: stores one job for each handler, answers 202, and runs nothing.

use std::{any::Any, time::Duration};

use apalis_core::backend::TaskSink;
use futures_util::future::BoxFuture;
use moka::{policy::EvictionPolicy, sync::Cache};
use tokio::sync::{Semaphore, watch};

use super::{Backend, Job, Store};
use crate::{
    delivery::{Delivery, DeliveryId, Received},
    event::Event,
    handler::HandlerDescriptor,
    payload::{self, EventKind, Peek},
    router::{
        Acknowledged, BuildProblem, Dispatch, Dispatched, Limits, Mode, RejectionReason, Verified, WebhookRouter,
        WebhookRouterBuilder,
    },
};

/// How often a job is tried, at most and by default. Some storages of apalis count no further.
pub(super) const MAX_ATTEMPTS: u32 = 25;

/// How many deliveries are stored at once. Without a bound, writes under load all time out and
/// starve the workers of connections.
const STORED_AT_ONCE: usize = 16;

impl WebhookRouterBuilder {
    /// Stores deliveries as jobs, one for each handler, instead of running their handlers while
    /// Uploadcare waits; see [`queue`](crate::queue).
    ///
    /// `storage` is any backend of apalis 1 that takes tasks. It must be durable: the router
    /// answers 202 as soon as the storage has taken all jobs of a delivery. 16 deliveries are
    /// stored at once; waiting for a turn and storing may each take as long as a
    /// [handler](Self::handler_timeout). [`max_concurrent_handlers`](Self::max_concurrent_handlers)
    /// does not apply.
    ///
    /// Does not go with `deduplicate` or [`deduplicate_with`](Self::deduplicate_with): a queue
    /// recognises redeliveries itself.
    pub fn queue<B, Kind>(mut self, storage: B) -> Self
    where
        B: TaskSink<Job, Kind> + Clone + Send + Sync + Unpin + 'static,
        Kind: 'static,
    {
        if let Some(mode) = self.mode::<QueueMode>() {
            mode.store = Some(Box::new(Backend::new(storage)));
        }
        self
    }

    /// Sets how often a job of the [`queue`](Self::queue) is tried before it is dead, 1 to 25.
    /// Defaults to 25, which is apalis' own default.
    ///
    /// The worker's retry layer decides how long to wait in between, see apalis'
    /// `BackoffRetryPolicy`. Without one, some storages do not wait at all.
    pub fn queue_attempts(mut self, attempts: u32) -> Self {
        if let Some(mode) = self.mode::<QueueMode>() {
            mode.attempts = attempts;
        }
        self
    }
}

/// The options of a queue.
struct QueueMode {
    store: Option<Box<dyn Store>>,
    attempts: u32,
}

impl Default for QueueMode {
    fn default() -> Self {
        Self { store: None, attempts: MAX_ATTEMPTS }
    }
}

impl Mode for QueueMode {
    fn chosen_by(&self) -> Option<&'static str> {
        self.store.as_ref().map(|_| "queue")
    }

    fn problems(&self, _: &Limits) -> Vec<BuildProblem> {
        let (attempts, most) = (self.attempts, MAX_ATTEMPTS);
        if (1..=most).contains(&attempts) { Vec::new() } else { vec![BuildProblem::QueueAttempts { attempts, most }] }
    }

    fn build(self: Box<Self>) -> Option<Box<dyn Dispatch>> {
        Some(Box::new(Queue::new(self.store?, self.attempts)))
    }
}

/// The queue of a router: where its jobs go, and what this process remembers of them.
pub(super) struct Queue {
    store: Box<dyn Store>,
    turns: Semaphore,
    attempts: usize,
    /// The jobs that this process has run, by idempotency key. A storage that failed to record the
    /// end of a job hands it out again.
    pub(super) done: Cache<String, ()>,
    /// The jobs that this process has stored, by idempotency key: a redelivery need not ask the
    /// storage.
    stored: Cache<String, ()>,
    /// Changes whenever this process has stored a delivery, and wakes its workers.
    pub(super) wake: watch::Sender<()>,
}

impl Queue {
    fn new(store: Box<dyn Store>, attempts: u32) -> Self {
        Self {
            store,
            turns: Semaphore::new(STORED_AT_ONCE),
            attempts: usize::try_from(attempts).unwrap_or(usize::MAX),
            done: recent_keys(),
            stored: recent_keys(),
            wake: watch::Sender::default(),
        }
    }

    /// The queue of this router, if it has one.
    pub(super) fn of(router: &WebhookRouter) -> Option<&Self> {
        let mode: &dyn Any = router.core.mode.as_deref()?;
        mode.downcast_ref()
    }
}

/// Remembers the latest keys for an hour.
fn recent_keys() -> Cache<String, ()> {
    const REMEMBERED: u64 = 100_000;
    const FOR: Duration = Duration::from_secs(60 * 60);
    // moka's own policy refuses new keys once the cache is full.
    Cache::builder().max_capacity(REMEMBERED).time_to_live(FOR).eviction_policy(EvictionPolicy::lru()).build()
}

impl Dispatch for Queue {
    fn name(&self) -> &'static str {
        "queue"
    }

    fn dispatch<'a>(&'a self, router: &'a WebhookRouter, verified: Verified<'a>) -> BoxFuture<'a, Dispatched> {
        Box::pin(self.enqueue(router, verified))
    }
}

impl Queue {
    async fn enqueue(&self, router: &WebhookRouter, verified: Verified<'_>) -> Dispatched {
        // Decode only `hook`: a payload that cannot be read becomes a dead job instead of a
        // rejection.
        let Peek { hook } = payload::from_slice(&verified.request.body)
            .map_err(|error| verified.reject(RejectionReason::NotAPayload(error)))?;
        let version = (!matches!(hook.event, EventKind::Other(_))).then_some(hook.version);
        let identified = verified.identify(hook.event, version);
        let selection = router.select(&identified)?;
        let body = verified.request.body.clone();
        let key = key(router, verified.request);
        let job =
            |handler: &HandlerDescriptor| Job::new(handler.name(), identified.id, key, identified.kind.clone(), &body);
        let mut jobs: Vec<_> = selection.iter().map(job).collect();
        if jobs.is_empty() {
            return Ok(Acknowledged::Done);
        }
        jobs.retain(|job| !self.stored.contains_key(&job.idempotency_key()));
        if jobs.is_empty() {
            router.core.observer.duplicate(identified.id);
            return Ok(Acknowledged::Stored);
        }
        self.store(router, jobs).await.map_err(|error| identified.reject(RejectionReason::QueueFailed(error)))?;
        Ok(Acknowledged::Stored)
    }

    /// Stores jobs when it is their turn.
    async fn store(&self, router: &WebhookRouter, jobs: Vec<Job>) -> Result<(), String> {
        let keys: Vec<_> = jobs.iter().map(Job::idempotency_key).collect();
        let limit = router.core.limits.handler;
        let mut turn = Box::pin(self.turns.acquire());
        let _turn = limit
            .apply(&mut turn)
            .await
            .map_err(|out_of_time| format!("the queue's storage is busy: a turn to store {out_of_time}"))?;
        limit
            .apply(&mut self.store.store(jobs, self.attempts))
            .await
            .map_err(|out_of_time| format!("the queue's storage {out_of_time}"))?
            .map_err(|error| error.to_string())?;
        keys.into_iter().for_each(|key| self.stored.insert(key, ()));
        self.wake.send_replace(());
        Ok(())
    }
}

/// The delivery's deduplication key. A payload that cannot be read is known by the delivery's id.
fn key(router: &WebhookRouter, request: Received) -> DeliveryId {
    if router.core.delivery_key.is_none() {
        return request.id;
    }
    let id = request.id;
    match Event::from_bytes(&request.body) {
        Ok(event) => router.deduplication_key(&Delivery::new(event, request)),
        Err(_) => id,
    }
}
