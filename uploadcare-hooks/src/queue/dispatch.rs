//! Dispatch through a queue: stores one job for each handler, answers 202, and runs nothing.

use std::{any::Any, pin::pin, time::Duration};

use futures_util::future::BoxFuture;
use tokio::sync::watch;

use super::{
    Job, Retries, Storage,
    group_commit::GroupCommit,
    health::{Workers, watch_for_workers},
    storage::Engine,
};
use crate::{
    clock::Clock,
    delivery::{Delivery, DeliveryId, Received},
    event::Event,
    handler::HandlerDescriptor,
    message::spelled_out,
    payload::{self, Peek},
    router::{
        BuildProblem, Dispatch, Dispatched, Limits, Mode, Promise, RejectionReason, TimeLimit, Verified, WebhookRouter,
        WebhookRouterBuilder,
    },
    service::REDELIVERED_FOR,
};

/// How long a delivery may take to be stored. Handlers of a queue may have much longer.
const LONGEST_STORING: Duration = Duration::from_secs(30);

/// The shortest lease. A worker renews it four times, and its storage may be slow.
const SHORTEST_LEASE: Duration = Duration::from_secs(1);

impl WebhookRouterBuilder {
    /// Stores deliveries as jobs, one for each handler, instead of running their handlers while
    /// Uploadcare waits; see [`queue`](crate::queue).
    ///
    /// The router answers 202 as soon as the storage has all jobs of a delivery, and 503 if it
    /// cannot store them within the [time limit of a handler](Self::handler_timeout), and at most
    /// 30 seconds. Deliveries that arrive together are stored together.
    /// [`max_concurrent_handlers`](Self::max_concurrent_handlers) does not apply.
    ///
    /// Does not go with `deduplicate` or [`deduplicate_with`](Self::deduplicate_with): a queue
    /// recognises redeliveries itself.
    pub fn queue(mut self, storage: Storage) -> Self {
        self.queue_mode(|mode| mode.storage = Some(storage));
        self
    }

    /// Sets how often a job of the [`queue`](Self::queue) is tried before it is dead, and when.
    /// Defaults to 25 attempts within about 72 hours, see [`Retries`].
    pub fn queue_retries(mut self, retries: Retries) -> Self {
        self.queue_mode(|mode| mode.options.retries = retries);
        self
    }

    /// Sets how often a job of the [`queue`](Self::queue) is tried before it is dead, 1 to 1000.
    /// Defaults to 25. Keeps the delays of [`queue_retries`](Self::queue_retries).
    pub fn queue_attempts(mut self, attempts: u32) -> Self {
        self.queue_mode(|mode| mode.options.retries = mode.options.retries.with_attempts(attempts));
        self
    }

    /// Sets how many jobs each [`run_worker`](WebhookRouter::run_worker) runs at once. Defaults to
    /// 64.
    pub fn queue_concurrency(mut self, jobs: usize) -> Self {
        self.queue_mode(|mode| mode.options.concurrency = jobs);
        self
    }

    /// Sets for how long a job is its worker's own before another may take it. Defaults to 45
    /// seconds, and is at least 1.
    ///
    /// A worker renews it all the time while it runs the job, so this is not a limit for handlers.
    /// It is how long a job waits whose process died, and how long a storage may fail before jobs
    /// that are running are run by another worker as well.
    pub fn queue_lease(mut self, lease: Duration) -> Self {
        self.queue_mode(|mode| mode.options.lease = lease);
        self
    }

    /// Sets how long a stopped worker waits for its running jobs. Defaults to 25 seconds. Jobs that
    /// take longer are ended and tried again; that attempt does not count.
    ///
    /// A supervisor kills a process some time after it told it to stop: Kubernetes after 30
    /// seconds, Docker after 10. Within that time the server must have ended as well.
    pub fn queue_stop_timeout(mut self, limit: Duration) -> Self {
        self.queue_mode(|mode| mode.options.stop_timeout = limit);
        self
    }

    /// Sets for how long jobs that are done are remembered. Defaults to 96 hours: Uploadcare
    /// redelivers for 72, and a redelivery of a forgotten job runs it again.
    ///
    /// Less than 72 hours is logged as a warning at boot.
    ///
    /// The worker removes older ones. Dead jobs stay until they are
    /// [run again](WebhookRouter::run_again) or [discarded](WebhookRouter::discard_dead_job).
    pub fn queue_retention(mut self, retention: Duration) -> Self {
        self.queue_mode(|mode| mode.options.retention = retention);
        self
    }

    fn queue_mode(&mut self, change: impl FnOnce(&mut QueueMode)) {
        if let Some(mode) = self.mode::<QueueMode>() {
            change(mode);
        }
    }
}

/// The options of a queue, while the router is being built.
#[derive(Default)]
struct QueueMode {
    storage: Option<Storage>,
    options: Options,
}

/// The options of a queue.
#[derive(Debug, Clone, Copy)]
pub(super) struct Options {
    pub(super) retries: Retries,
    pub(super) concurrency: usize,
    pub(super) lease: Duration,
    pub(super) stop_timeout: Duration,
    pub(super) retention: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            retries: Retries::default(),
            concurrency: 64,
            lease: Duration::from_secs(45),
            stop_timeout: Duration::from_secs(25),
            retention: Duration::from_secs(96 * 60 * 60),
        }
    }
}

impl Mode for QueueMode {
    fn chosen_by(&self) -> Option<&'static str> {
        self.storage.as_ref().map(|_| "queue")
    }

    fn problems(&self, _: &Limits) -> Vec<BuildProblem> {
        let mut problems = self.options.retries.problems();
        if self.options.concurrency == 0 {
            problems.push(BuildProblem::Zero { option: "queue_concurrency" });
        }
        if self.storage.is_some() && self.options.retention < REDELIVERED_FOR {
            tracing::warn!(
                "jobs that are done are remembered for {}, and Uploadcare repeats deliveries for {}: a later \
                 redelivery runs its handlers again. Give `queue_retention` a longer time",
                spelled_out(self.options.retention),
                spelled_out(REDELIVERED_FOR)
            );
        }
        if self.options.lease < SHORTEST_LEASE {
            problems.push(BuildProblem::QueueLease { lease: self.options.lease, least: SHORTEST_LEASE });
        }
        problems
    }

    /// The time of a queue is that of its storage.
    fn build(self: Box<Self>, _: &Clock) -> Option<Box<dyn Dispatch>> {
        let storage = self.storage?;
        Some(Box::new(Queue {
            group_commit: GroupCommit::default(),
            storage,
            options: self.options,
            stored: watch::Sender::default(),
            workers: Workers::default(),
        }))
    }
}

/// The queue of a router: where its jobs go, and its options.
pub(super) struct Queue {
    pub(super) storage: Storage,
    pub(super) options: Options,
    group_commit: GroupCommit,
    /// Changes whenever this process has stored a delivery, and wakes its workers.
    pub(super) stored: watch::Sender<()>,
    pub(super) workers: Workers,
}

impl Queue {
    /// The queue of this router, if it has one.
    pub(super) fn of(router: &WebhookRouter) -> Option<&Self> {
        let mode: &dyn Any = router.core.mode.as_deref()?;
        mode.downcast_ref()
    }

    pub(super) fn engine(&self) -> &dyn Engine {
        self.storage.0.as_ref()
    }
}

impl Dispatch for Queue {
    fn name(&self) -> &'static str {
        "queue"
    }

    fn storage(&self) -> String {
        self.engine().describe()
    }

    fn dispatch<'a>(&'a self, router: &'a WebhookRouter, verified: Verified<'a>) -> BoxFuture<'a, Dispatched> {
        Box::pin(self.enqueue(router, verified))
    }
}

impl Queue {
    async fn enqueue(&self, router: &WebhookRouter, verified: Verified<'_>) -> Dispatched {
        // Decode only `hook`: a payload that cannot be read becomes a job that fails instead of a
        // rejection.
        let Peek { hook } = payload::from_slice(&verified.request.body)
            .map_err(|error| verified.reject(RejectionReason::NotAPayload(error)))?;
        let identified = verified.identify(hook.event, hook.version);
        let selection = router.select(&identified)?;
        let body = verified.request.body.clone();
        let key = key(router, verified.request);
        let received_at = self.engine().now();
        let job = |handler: &HandlerDescriptor| {
            let (handler, event) = (handler.name(), identified.kind.clone());
            Job::new(handler, identified.id, key, event, received_at, &body)
        };
        let jobs: Vec<_> = selection.iter().map(job).collect();
        if jobs.is_empty() {
            return Ok(identified.acknowledge(Promise::Unhandled));
        }
        let mut storing = pin!(self.group_commit.store(&self.storage.0, jobs));
        TimeLimit(router.core.limits.handler.0.map(|limit| limit.min(LONGEST_STORING)))
            .apply(&mut storing)
            .await
            .map_err(|out_of_time| format!("the queue's storage {out_of_time}"))
            .and_then(|stored| stored.map_err(|error| error.to_string()))
            .map_err(|error| identified.reject(RejectionReason::QueueFailed(error)))?;
        if let Some(watcher) = identified.watcher() {
            selection.iter().for_each(|handler| watcher.stored(handler.name()));
        }
        self.stored.send_replace(());
        watch_for_workers(router);
        Ok(identified.acknowledge(Promise::Stored))
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
