//! Dispatch through a queue: a delivery's jobs are stored, and run later.

use std::{pin::pin, time::Duration};

use apalis_core::backend::TaskSink;
use bytes::Bytes;
use http::HeaderMap;
use moka::sync::Cache;
use tokio::sync::{Semaphore, watch};

use super::{
    Answer, FailureKind, HandlerFailure, RejectionReason, Seen, WebhookRouter, WebhookRouterBuilder,
    dispatch::{Handler, Route, within},
};
use crate::{
    delivery::{Delivery, Received},
    event::Event,
    handler::HandlerError,
    payload::{self, EventKind, Peek},
    queue::{Backend, Job, Store},
};

/// How many deliveries are stored at once. With a crowd at the storage, each would be served last when its time is nearly over, and given up in the middle: all of
/// the work would be for nothing, and workers would not get a connection.
const AT_ONCE: usize = 16;

/// Where the jobs go.
pub(super) struct Queue {
    store: Box<dyn Store>,
    /// The turns to store a delivery.
    turns: Semaphore,
    attempts: usize,
    /// The jobs that this process did, by idempotency key. A storage that fails when it is to record one hands it out again.
    done: Cache<String, ()>,
    /// The jobs that this process stored, by idempotency key: a redelivery need not ask the storage.
    stored: Cache<String, ()>,
    /// Tells workers of this process that there is something to do.
    wake: watch::Sender<()>,
}

impl Queue {
    pub(super) fn new(store: Box<dyn Store>, attempts: u32) -> Self {
        const REMEMBERED: u64 = 100_000;
        const FOR: Duration = Duration::from_secs(60 * 60);
        let memory = || Cache::builder().max_capacity(REMEMBERED).time_to_live(FOR).build();
        let attempts = usize::try_from(attempts).unwrap_or(usize::MAX);
        let turns = Semaphore::new(AT_ONCE);
        Self { store, turns, attempts, done: memory(), stored: memory(), wake: watch::Sender::default() }
    }
}

impl WebhookRouterBuilder {
    /// Stores deliveries as jobs, one for each handler, instead of running their handlers while Uploadcare waits; see [`queue`](crate::queue).
    ///
    /// `storage` is any backend of apalis 1 that tasks can be pushed to. It must not forget what it took: a delivery is answered 202 once it
    /// did. Storing may take as long as a [handler](Self::handler_timeout), and so may waiting for it, since 16 are stored at once.
    /// [`max_concurrent_handlers`](Self::max_concurrent_handlers) does not count here.
    pub fn queue<B, Kind>(mut self, storage: B) -> Self
    where
        B: TaskSink<Job, Kind> + Clone + Send + Sync + Unpin + 'static,
        Kind: 'static,
    {
        self.queue = Some(Box::new(Backend::new(storage)));
        self
    }

    /// How often a job of the [`queue`](Self::queue) is tried before it is dead: 1 to 25; 25 unless set, which is apalis' own default.
    ///
    /// How long to wait in between is the retry layer's affair, see apalis' `BackoffRetryPolicy`: without one, some storages wait not at all.
    pub fn queue_attempts(mut self, attempts: u32) -> Self {
        self.queue_attempts = attempts;
        self
    }
}

impl WebhookRouter {
    /// Verifies a request, and stores one job for each handler that wants it.
    pub(super) async fn enqueue(
        &self,
        queue: &Queue,
        route: &Route,
        headers: HeaderMap,
        body: Bytes,
        seen: &mut Seen<'_>,
    ) -> Result<Answer, RejectionReason> {
        let (id, secret) = self.verify(route, &headers, &body, seen)?;
        // As little as says whose it is: what else is wrong with the body is for the worker to find, when it is safe.
        let Peek { hook } = payload::from_slice(&body).map_err(RejectionReason::NotAPayload)?;
        seen.delivery = Some((id, hook.event.clone()));
        let version = (!matches!(hook.event, EventKind::Other(_))).then_some(hook.version);
        let selection = self.select(route, &hook.event, version, secret)?;
        let key = match &self.inner.delivery_key {
            Some(_) => match Event::from_bytes(&body) {
                Ok(event) => {
                    let received = Received { id, path: route.path, headers, body: body.clone(), secret };
                    self.key(&Delivery::new(event, received))
                }
                Err(_) => id,
            },
            None => id,
        };
        let job = |handler: &Handler| Job::new(handler.descriptor.name(), id, key, hook.event.clone(), &body);
        let mut jobs: Vec<_> = selection.iter().map(job).collect();
        if jobs.is_empty() {
            return Ok(Answer::Done);
        }
        jobs.retain(|job| !queue.stored.contains_key(&job.idempotency_key()));
        if jobs.is_empty() {
            self.inner.counters.duplicates();
            return Ok(Answer::Stored);
        }
        let keys: Vec<_> = jobs.iter().map(Job::idempotency_key).collect();
        let limit = self.inner.handler_timeout;
        let late = |out_of_time| RejectionReason::QueueFailed(format!("the queue's storage {out_of_time}"));
        let _turn = within(limit, pin!(queue.turns.acquire())).await.map_err(late)?;
        match within(limit, queue.store.store(jobs, queue.attempts)).await.map_err(late)? {
            Ok(()) => {
                keys.into_iter().for_each(|key| queue.stored.insert(key, ()));
                queue.wake.send_replace(());
                Ok(Answer::Stored)
            }
            Err(error) => Err(RejectionReason::QueueFailed(error.to_string())),
        }
    }

    /// Runs one job of the queue.
    ///
    /// # Errors
    /// Why it did not succeed; one that is discarded never will.
    pub(crate) async fn run_job(&self, job: &Job) -> Result<(), HandlerError> {
        let done = self.inner.queue.as_ref().map(|queue| &queue.done);
        let key = job.idempotency_key();
        if done.is_some_and(|done| done.contains_key(&key)) {
            tracing::debug!("job {key} was done before, and its storage failed to record it");
            return Ok(());
        }
        let Some(handler) = self.handler(job.handler()) else {
            return Err(HandlerError::discard(format!("there is no handler `{}` any more", job.handler())));
        };
        let path = handler.descriptor.path();
        let body = job.body();
        let event = Event::from_bytes(&body).map_err(|error| {
            HandlerError::discard(format!("its body is not a payload that this version can read: {error}"))
        })?;
        let received = Received { id: job.delivery_id(), path, headers: HeaderMap::new(), body, secret: None };
        match self.guard(handler, Delivery::new(event, received)).await {
            Ok(()) => {
                if let Some(done) = done {
                    done.insert(key, ());
                }
                Ok(())
            }
            Err(FailureKind::Error(error)) => Err(error),
            Err(kind) => Err(HandlerError::new(HandlerFailure { handler: handler.descriptor.name(), kind })),
        }
    }

    /// Changes whenever this process stored a delivery.
    pub(crate) fn stored(&self) -> watch::Receiver<()> {
        match &self.inner.queue {
            Some(queue) => queue.wake.subscribe(),
            None => watch::Sender::default().subscribe(),
        }
    }

    fn handler(&self, name: &str) -> Option<&Handler> {
        self.inner.routes.iter().flat_map(Route::all).find(|handler| handler.descriptor.name() == name)
    }
}
