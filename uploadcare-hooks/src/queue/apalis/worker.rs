//! Runs the jobs of a queue: the service that a worker of apalis calls. Knows no storage.

use std::{
    fmt,
    task::{Context, Poll},
    time::Duration,
};

use apalis_core::{
    error::{AbortError, BoxDynError},
    task::{
        Task,
        status::{AtomicStatus, Status},
    },
};
use futures_util::future::BoxFuture;
use tokio::sync::watch;
use tower_service::Service;
use tracing::Span;

use super::{
    Polling,
    backend::{Apalis, MAX_ATTEMPTS, task_name},
};
use crate::{
    handler::HandlerError,
    queue::{
        Job,
        dispatch::Queue,
        run::{self, Fault, run_handler},
    },
    router::{WebhookRouter, ran},
};

/// Runs the tasks of a backend of apalis, one handler for each. [`WebhookRouter::worker`] makes it.
///
/// A service for apalis' `WorkerBuilder::build`. The handler's time limit is [the
/// router's](crate::WebhookRouterBuilder::handler_timeout), and a panic is a failure like others.
/// apalis' `concurrency` limits how many jobs run at once.
#[derive(Clone)]
pub struct Worker {
    router: WebhookRouter,
}

impl WebhookRouter {
    /// The service that a worker of apalis runs the stored jobs with, see
    /// [`queue::apalis`](crate::queue::apalis).
    pub fn worker(&self) -> Worker {
        Worker { router: self.clone() }
    }

    /// Tells a worker when to look for jobs: as soon as this router has stored some, and at least
    /// once in `interval` for those that other processes stored and those whose next attempt is
    /// due. For the worker's backend: `.poll_with_strategy(hooks.polling(..))`.
    pub fn polling(&self, interval: Duration) -> Polling {
        let stored = match Queue::of(self) {
            Some(queue) => queue.stored.subscribe(),
            None => watch::Sender::default().subscribe(),
        };
        Polling::new(stored, interval)
    }
}

impl Worker {
    /// Runs one job.
    ///
    /// # Errors
    /// Why it did not succeed. A discarded one never will.
    async fn run(&self, job: &Job, span: &Span) -> Result<(), HandlerError> {
        let (done, name) = (Apalis::of(&self.router).map(|apalis| &apalis.done), task_name(job));
        if done.is_some_and(|done| done.contains_key(&name)) {
            tracing::debug!("task {name} was done before, and its backend failed to record that");
            return Ok(());
        }
        match run_handler(&self.router, job, span).await {
            Ok(()) => {
                if let Some(done) = done {
                    done.insert(name, ());
                }
                Ok(())
            }
            Err(Fault::Failed(error)) => Err(error),
            Err(Fault::NotStarted(text)) => Err(HandlerError::new(text)),
            Err(Fault::Interrupted | Fault::UsedUp) => Err(used_up()),
        }
    }

    /// How often a task is tried.
    fn attempts(&self, task: &Task<Job>) -> usize {
        let attempts = Queue::of(&self.router).map_or(MAX_ATTEMPTS, |queue| queue.options.retries.attempts());
        task.max_attempts().unwrap_or(usize::MAX).min(attempts as usize)
    }
}

impl Service<Task<Job>> for Worker {
    type Response = ();
    type Error = BoxDynError;
    type Future = BoxFuture<'static, Result<(), BoxDynError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxDynError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, task: Task<Job>) -> Self::Future {
        let worker = self.clone();
        Box::pin(async move {
            let attempts = worker.attempts(&task);
            let attempt = task.attempt();
            let last = attempt >= attempts;
            let mut unfinished = Unfinished { status: Some(task.raw_status().clone()), last };
            let job = task.args;
            let (handler, id) = (job.handler(), job.delivery_id());
            let what = format!("job of handler `{handler}` for delivery {id}");
            // A job that crashes the process never reports a result, so check its attempts before
            // running it.
            let span = run::span(&job, attempt as u64);
            let ended = if attempt > attempts {
                ran(&span, "used_up", None);
                Err(used_up())
            } else {
                worker.run(&job, &span).await
            };
            let _entered = span.enter();
            unfinished.status = None;
            let error = match ended {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            let text = error.to_string();
            if error.is_final() || last {
                tracing::error!(
                    delivery.id = %id,
                    handler,
                    attempt,
                    "{what} is dead after attempt {attempt} of {attempts}: {text:?}"
                );
                return Err(AbortError::new(text).into());
            }
            tracing::warn!(delivery.id = %id, handler, attempt, "{what}, attempt {attempt} of {attempts}: {text:?}");
            Err(text.into())
        })
    }
}

fn used_up() -> HandlerError {
    HandlerError::discard("its attempts were used up by processes that died while it ran")
}

/// Marks a job as failed if a layer around the worker drops it, such as apalis' time limit.
/// Otherwise the storage would keep it as running for as long as the worker lives.
struct Unfinished {
    status: Option<AtomicStatus>,
    last: bool,
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if let Some(status) = &self.status {
            status.store(if self.last { Status::Killed } else { Status::Failed });
        }
    }
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker").field("router", &self.router).finish()
    }
}
