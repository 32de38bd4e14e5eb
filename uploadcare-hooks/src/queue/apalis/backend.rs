//! Pushes jobs to any backend of apalis, each once. Knows nothing of requests.

use std::{any::Any, error::Error, fmt, marker::PhantomData, time::Duration};

use apalis_core::{backend::TaskSink, task::builder::TaskBuilder};
use futures_util::{
    future::{BoxFuture, ready},
    stream,
};
use moka::{policy::EvictionPolicy, sync::Cache};

use crate::queue::{
    Job, QueueError, QueueStats, Storage,
    dead::Search,
    dispatch::Queue,
    storage::{Engine, Found, Taken, Turn, Verdict},
};
use crate::{message::with_causes, router::WebhookRouter};

/// A backend of apalis 1 that takes tasks, as the storage of a queue; see [the module](super).
///
/// `Kind` is apalis' own and inferred: it says whether the backend serialises.
pub fn storage<B, Kind>(backend: B) -> Storage
where
    B: TaskSink<Job, Kind> + Clone + Send + Sync + Unpin + 'static,
    Kind: 'static,
{
    Storage::new(Apalis { backend: Box::new(Backend(backend, PhantomData)), done: recent_names() })
}

/// A storage that only takes jobs: apalis' own worker takes them out.
pub(super) struct Apalis {
    backend: Box<dyn Push>,
    /// The names of the tasks that this process has run. A backend that failed to record the end
    /// of a task hands it out again.
    pub(super) done: Cache<String, ()>,
}

impl Apalis {
    /// The backend of this router, if its queue has one.
    pub(super) fn of(router: &WebhookRouter) -> Option<&Self> {
        let engine: &dyn Any = Queue::of(router)?.engine();
        engine.downcast_ref()
    }
}

/// Remembers the latest names for an hour.
fn recent_names() -> Cache<String, ()> {
    const REMEMBERED: u64 = 100_000;
    const FOR: Duration = Duration::from_secs(60 * 60);
    // moka's own policy refuses new names once the cache is full.
    Cache::builder().max_capacity(REMEMBERED).time_to_live(FOR).eviction_policy(EvictionPolicy::lru()).build()
}

/// Any backend that takes tasks.
trait Push: Send + Sync {
    /// Pushes a task for each job, except those that the backend has.
    fn push<'a>(&'a self, jobs: &'a [Job]) -> BoxFuture<'a, Result<(), QueueError>>;
}

struct Backend<B, Kind>(B, PhantomData<fn() -> Kind>);

impl<B, Kind> Push for Backend<B, Kind>
where
    B: TaskSink<Job, Kind> + Clone + Send + Sync,
    Kind: 'static,
{
    fn push<'a>(&'a self, jobs: &'a [Job]) -> BoxFuture<'a, Result<(), QueueError>> {
        // Pushing needs `&mut`. Clones of a backend share its storage.
        let mut backend = self.0.clone();
        Box::pin(async move {
            // One push of all is one transaction, if the backend has transactions.
            let tasks: Vec<_> = jobs.iter().map(|job| task(job).build()).collect();
            match backend.push_all(stream::iter(tasks)).await {
                Err(error) if !exists_already(&error) => return Err(failed(&error)),
                Err(_) if jobs.len() > 1 => {}
                _ => return Ok(()),
            }
            // A job already existed and failed the batch, so push them one by one.
            for job in jobs {
                match backend.push_task(task(job).build()).await {
                    Err(error) if !exists_already(&error) => return Err(failed(&error)),
                    _ => {}
                }
            }
            Ok(())
        })
    }
}

/// Whether a push failed because the storage has the job. SQLite and Redis pass over such a job,
/// and apalis-postgres 1.0.0 refuses it. The type of the error is private to the backend, so this
/// looks at its `Debug` form. That form escapes quotes in the server's text, so no job can imitate
/// it.
fn exists_already(error: &impl fmt::Debug) -> bool {
    /// PostgreSQL's code of a unique violation, and the index over the names of jobs.
    const SIGNS: [&str; 2] = [r#"code: "23505""#, r#"constraint: Some("idx_jobs_idempotency_key")"#];
    let error = format!("{error:?}");
    SIGNS.iter().all(|sign| error.contains(sign))
}

/// What a backend said.
pub(super) fn failed(error: &(dyn Error + 'static)) -> QueueError {
    QueueError::new(with_causes(error))
}

/// How often a task is tried: storages of apalis count no further by themselves. The worker ends
/// it earlier if the router says so.
pub(super) const MAX_ATTEMPTS: u32 = 25;

/// How the job is named among apalis' tasks.
pub(super) fn task_name(job: &Job) -> String {
    match job.run {
        0 => job.name.clone(),
        run => format!("{}#{run}", job.name),
    }
}

/// The backend chooses the id. It must not follow from the delivery, because backends want ids that
/// are unique across all their queues.
pub(super) fn task(job: &Job) -> TaskBuilder<Job> {
    TaskBuilder::new(job.clone()).idempotency_key(task_name(job)).max_attempts(MAX_ATTEMPTS as usize)
}

const BY_HAND: &str = "the queue is a backend of apalis, assembled by hand: run it with apalis' own worker, and list \
                       its dead tasks with `queue::apalis::dead_tasks`";

/// What a backend of apalis does by itself, or through traits that not every backend has.
fn by_hand<T: Send + 'static>() -> BoxFuture<'static, Result<T, QueueError>> {
    Box::pin(ready(Err(QueueError::misused(BY_HAND))))
}

impl Engine for Apalis {
    fn describe(&self) -> String {
        "a backend of apalis".to_owned()
    }

    fn runs_nothing(&self) -> Option<QueueError> {
        Some(QueueError::misused(BY_HAND))
    }

    fn store<'a>(&'a self, jobs: &'a [Job]) -> BoxFuture<'a, Result<(), QueueError>> {
        self.backend.push(jobs)
    }

    fn turn<'a>(&'a self, _: Turn<'a>) -> BoxFuture<'a, Result<Vec<Taken>, QueueError>> {
        by_hand()
    }

    fn renew<'a>(&'a self, _: &'a str, _: &'a [String], _: Duration) -> BoxFuture<'a, Result<(), QueueError>> {
        by_hand()
    }

    fn hand_back<'a>(&'a self, _: &'a str, _: &'a [String]) -> BoxFuture<'a, Result<(), QueueError>> {
        by_hand()
    }

    fn find<'a>(&'a self, _: &'a Search) -> BoxFuture<'a, Result<Vec<Found>, QueueError>> {
        by_hand()
    }

    fn decide<'a>(&'a self, _: &'a [(String, i64)], _: Verdict) -> BoxFuture<'a, Result<u64, QueueError>> {
        by_hand()
    }

    fn stats(&self) -> BoxFuture<'_, Result<QueueStats, QueueError>> {
        by_hand()
    }

    fn clean(&self, _: Duration, _: u32) -> BoxFuture<'_, Result<u64, QueueError>> {
        by_hand()
    }
}
