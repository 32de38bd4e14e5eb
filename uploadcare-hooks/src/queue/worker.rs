//! Runs the jobs of a queue: what apalis calls a service. Knows nothing of storages.

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
use tower_service::Service;

use crate::{
    queue::{Job, Polling},
    router::WebhookRouter,
};

/// The attempts of a job that does not say how many it has: apalis' own default.
const ATTEMPTS: usize = 25;

/// Runs the jobs of a queue, one handler each; made by [`WebhookRouter::worker`].
///
/// A service for apalis' `WorkerBuilder::build`. The handler's time limit is [the router's](crate::WebhookRouterBuilder::handler_timeout), and a panic is
/// a failure like others. How many run at once is the worker's affair, see apalis' `concurrency`.
#[derive(Clone)]
pub struct Worker {
    router: WebhookRouter,
}

impl WebhookRouter {
    /// What a worker of apalis is built with, to run the jobs that this router stored, see [`queue`](crate::queue).
    pub fn worker(&self) -> Worker {
        Worker { router: self.clone() }
    }

    /// When a worker looks for jobs: as soon as this router stored some, and at least once in `interval` for those that others stored and those whose time to be tried
    /// again has come. For the worker's backend, `.poll_with_strategy(hooks.polling(..))`.
    pub fn polling(&self, interval: Duration) -> Polling {
        Polling::new(self.stored(), interval)
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
        let router = self.router.clone();
        Box::pin(async move {
            let (attempt, attempts) = (task.attempt(), task.max_attempts().unwrap_or(ATTEMPTS));
            let last = attempt >= attempts;
            let mut unfinished = Unfinished { status: Some(task.raw_status().clone()), last };
            let job = task.args;
            let what = format!("job of handler `{}` for delivery {}", job.handler(), job.delivery_id());
            // One that takes its process with it never gets to its end.
            let ended = if attempt > attempts { Err(used_up()) } else { router.run_job(&job).await };
            unfinished.status = None;
            let error = match ended {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            let text = error.to_string();
            if error.is_discard() || last {
                tracing::error!("{what} is dead after attempt {attempt} of {attempts}: {text:?}");
                return Err(AbortError::new(text).into());
            }
            tracing::warn!("{what}, attempt {attempt} of {attempts}: {text:?}");
            Err(text.into())
        })
    }
}

fn used_up() -> crate::HandlerError {
    crate::HandlerError::discard("its attempts were used up by processes that died while it ran")
}

/// Says that a job failed if a layer around the worker drops it, such as apalis' time limit. It would be recorded as running, and not be touched again for as long as
/// the worker lives.
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
