//! Any backend of apalis, as the router pushes jobs to it.

use std::{error::Error, fmt, marker::PhantomData};

use apalis_core::backend::TaskSink;
use futures_util::{future::BoxFuture, stream};

use super::Job;
use crate::message::{debug_like_display, with_causes};

/// Why a storage did not do what it was asked for.
#[derive(thiserror::Error)]
#[error("the queue's storage failed: {0}")]
pub struct QueueError(String);

impl QueueError {
    pub(super) fn new(error: impl Error + 'static) -> Self {
        Self(with_causes(&error))
    }

    /// Names the storage.
    #[cfg(feature = "queue-sqlite")]
    pub(super) fn of(self, storage: impl fmt::Display) -> Self {
        Self(format!("{storage}: {}", self.0))
    }
}

debug_like_display!(QueueError);

/// A storage that jobs are pushed to.
pub(super) trait Store: Send + Sync {
    /// Stores jobs, but for those that are there already.
    fn store(&self, jobs: Vec<Job>, attempts: usize) -> BoxFuture<'_, Result<(), QueueError>>;
}

/// A backend of apalis as a store. `Kind` is apalis' word for whether it serialises.
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
        // One clone each: a backend is driven through `&mut`, and its clones share the storage.
        let mut storage = self.0.clone();
        Box::pin(async move {
            let task = |job: &Job| job.clone().into_task(attempts).build();
            // All at once is one transaction, where there are transactions.
            let tasks: Vec<_> = jobs.iter().map(task).collect();
            match storage.push_all(stream::iter(tasks)).await {
                Err(error) if !is_there_already(&error) => return Err(QueueError::new(error)),
                Err(_) if jobs.len() > 1 => {}
                _ => return Ok(()),
            }
            // One that is there spoiled it for the others.
            for job in &jobs {
                match storage.push_task(task(job)).await {
                    Err(error) if !is_there_already(&error) => return Err(QueueError::new(error)),
                    _ => {}
                }
            }
            Ok(())
        })
    }
}

/// SQLite and Redis leave out a job that is there already; apalis-postgres 1.0.0 refuses it. The error's type is the backend's own affair, so all that can be looked at
/// is its `Debug` form. That quotes what the server says, with quotes inside escaped: nothing in a job can look like this.
fn is_there_already(error: &impl fmt::Debug) -> bool {
    /// What PostgreSQL calls a unique violation, and the index that jobs are told apart by.
    const SIGNS: [&str; 2] = [r#"code: "23505""#, r#"constraint: Some("idx_jobs_idempotency_key")"#];
    let error = format!("{error:?}");
    SIGNS.iter().all(|sign| error.contains(sign))
}
