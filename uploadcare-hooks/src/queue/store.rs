//! Pushes jobs to any backend of apalis, each once. Knows nothing of requests.

use std::{error::Error, fmt, marker::PhantomData};

use apalis_core::backend::TaskSink;
use futures_util::{future::BoxFuture, stream};

use super::Job;
use crate::message::{debug_like_display, with_causes};

/// Why a storage failed.
#[derive(thiserror::Error)]
#[error("the queue's storage failed: {0}")]
pub struct QueueError(pub(super) String);

impl QueueError {
    pub(super) fn new(error: impl Error + 'static) -> Self {
        Self(with_causes(&error))
    }
}

debug_like_display!(QueueError);

/// A storage that takes jobs.
pub(super) trait Store: Send + Sync {
    /// Stores jobs, except those that it already has.
    fn store(&self, jobs: Vec<Job>, attempts: usize) -> BoxFuture<'_, Result<(), QueueError>>;
}

/// A backend of apalis. `Kind` says whether it serialises, as apalis' `TaskSink` does.
pub(super) struct Backend<B, Kind>(B, PhantomData<fn() -> Kind>);

impl<B, Kind> Backend<B, Kind> {
    pub(super) fn new(storage: B) -> Self {
        Self(storage, PhantomData)
    }
}

impl<B, Kind> Store for Backend<B, Kind>
where
    B: TaskSink<Job, Kind> + Clone + Send + Sync,
    Kind: 'static,
{
    fn store(&self, jobs: Vec<Job>, attempts: usize) -> BoxFuture<'_, Result<(), QueueError>> {
        // Pushing needs `&mut`. Clones of a backend share its storage.
        let mut storage = self.0.clone();
        Box::pin(async move {
            let task = |job: &Job| job.clone().into_task(attempts).build();
            // One push of all is one transaction, if the storage has transactions.
            let tasks: Vec<_> = jobs.iter().map(task).collect();
            match storage.push_all(stream::iter(tasks)).await {
                Err(error) if !exists_already(&error) => return Err(QueueError::new(error)),
                Err(_) if jobs.len() > 1 => {}
                _ => return Ok(()),
            }
            // A job already existed and failed the batch, so push them one by one.
            for job in &jobs {
                match storage.push_task(task(job)).await {
                    Err(error) if !exists_already(&error) => return Err(QueueError::new(error)),
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
