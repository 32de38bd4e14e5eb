//! A thread of its own for a storage, or for the leases of a worker. Knows no database.
//!
//! A connection is driven by the runtime that opened it. Handlers and web servers run in others,
//! and may block or end them: neither must keep deliveries from being stored, or the leases of
//! running jobs from being renewed.

use std::{future::Future, io, sync::Arc, thread, time::Duration};

use futures_util::future::BoxFuture;
use tokio::{
    runtime::{Builder, Handle},
    sync::oneshot,
    task::JoinHandle,
};

use super::{
    Job, QueueError, QueueStats,
    dead::Search,
    storage::{Engine, Found, Taken, Turn, Verdict},
};

/// A thread with a runtime, until this is dropped.
#[derive(Debug)]
pub(super) struct Home {
    pub(super) runtime: Handle,
    _stop: oneshot::Sender<()>,
}

impl Home {
    pub(super) fn new() -> Result<Self, QueueError> {
        let failed = |error: io::Error| QueueError::new(format!("no thread could be started: {error}"));
        let runtime = Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let (handle, (stop, stopped)) = (runtime.handle().clone(), oneshot::channel::<()>());
        let run = move || drop(runtime.block_on(stopped));
        thread::Builder::new().name("uploadcare-hooks".to_owned()).spawn(run).map_err(failed)?;
        Ok(Self { runtime: handle, _stop: stop })
    }

    /// Runs a future there. It ends when the returned one is dropped.
    fn run<T: Send + 'static, F: Into<QueueError>>(
        &self,
        future: impl Future<Output = Result<T, F>> + Send + 'static,
    ) -> BoxFuture<'static, Result<T, QueueError>> {
        let mut task = Task(self.runtime.spawn(async move { future.await.map_err(F::into) }));
        Box::pin(async move {
            let ended = (&mut task.0).await;
            ended.unwrap_or_else(|error| Err(QueueError::new(format!("the storage's thread failed: {error}"))))
        })
    }
}

/// A task that ends when this is dropped.
struct Task<T>(JoinHandle<T>);

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A storage whose connections are all in a thread of their own. Its calls are those of [`Engine`].
pub(super) trait Resident: Send + Sync + 'static {
    /// Why a call failed.
    type Failure: Into<QueueError> + Send;

    /// Where it is, for [`Engine::describe`].
    fn place(&self) -> &str;

    fn store(&self, jobs: &[Job]) -> impl Future<Output = Result<(), Self::Failure>> + Send;

    fn turn(&self, turn: Turn<'_>) -> impl Future<Output = Result<Vec<Taken>, Self::Failure>> + Send;

    fn renew(
        &self,
        worker: &str,
        running: &[String],
        lease: Duration,
    ) -> impl Future<Output = Result<(), Self::Failure>> + Send;

    fn hand_back(&self, worker: &str, running: &[String]) -> impl Future<Output = Result<(), Self::Failure>> + Send;

    fn find(&self, search: &Search) -> impl Future<Output = Result<Vec<Found>, Self::Failure>> + Send;

    fn decide(
        &self,
        dead: &[(String, i64)],
        verdict: Verdict,
    ) -> impl Future<Output = Result<u64, Self::Failure>> + Send;

    fn stats(&self) -> impl Future<Output = Result<QueueStats, Self::Failure>> + Send;

    fn clean(&self, keep: Duration, most: u32) -> impl Future<Output = Result<u64, Self::Failure>> + Send;
}

/// A [`Resident`] and its thread.
pub(super) struct AtHome<R> {
    resident: Arc<R>,
    home: Home,
}

impl<R: Resident> AtHome<R> {
    /// Opens a storage there.
    pub(super) async fn open(
        open: impl Future<Output = Result<R, R::Failure>> + Send + 'static,
    ) -> Result<Self, QueueError> {
        let home = Home::new()?;
        Ok(Self { resident: Arc::new(home.run(open).await?), home })
    }
}

impl<R: Resident> Engine for AtHome<R> {
    fn describe(&self) -> String {
        self.resident.place().to_owned()
    }

    fn runtime(&self) -> Option<Handle> {
        Some(self.home.runtime.clone())
    }

    fn store<'a>(&'a self, jobs: &'a [Job]) -> BoxFuture<'a, Result<(), QueueError>> {
        let (resident, jobs) = (Arc::clone(&self.resident), jobs.to_vec());
        self.home.run(async move { resident.store(&jobs).await })
    }

    fn turn<'a>(&'a self, turn: Turn<'a>) -> BoxFuture<'a, Result<Vec<Taken>, QueueError>> {
        let (resident, worker, ended) = (Arc::clone(&self.resident), turn.worker.to_owned(), turn.ended.to_vec());
        let Turn { most, lease, .. } = turn;
        self.home.run(async move { resident.turn(Turn { worker: &worker, ended: &ended, most, lease }).await })
    }

    fn renew<'a>(
        &'a self,
        worker: &'a str,
        running: &'a [String],
        lease: Duration,
    ) -> BoxFuture<'a, Result<(), QueueError>> {
        let (resident, worker, running) = (Arc::clone(&self.resident), worker.to_owned(), running.to_vec());
        self.home.run(async move { resident.renew(&worker, &running, lease).await })
    }

    fn hand_back<'a>(&'a self, worker: &'a str, running: &'a [String]) -> BoxFuture<'a, Result<(), QueueError>> {
        let (resident, worker, running) = (Arc::clone(&self.resident), worker.to_owned(), running.to_vec());
        self.home.run(async move { resident.hand_back(&worker, &running).await })
    }

    fn find<'a>(&'a self, search: &'a Search) -> BoxFuture<'a, Result<Vec<Found>, QueueError>> {
        let (resident, search) = (Arc::clone(&self.resident), search.clone());
        self.home.run(async move { resident.find(&search).await })
    }

    fn decide<'a>(&'a self, dead: &'a [(String, i64)], verdict: Verdict) -> BoxFuture<'a, Result<u64, QueueError>> {
        let (resident, dead) = (Arc::clone(&self.resident), dead.to_vec());
        self.home.run(async move { resident.decide(&dead, verdict).await })
    }

    fn stats(&self) -> BoxFuture<'_, Result<QueueStats, QueueError>> {
        let resident = Arc::clone(&self.resident);
        self.home.run(async move { resident.stats().await })
    }

    fn clean(&self, keep: Duration, most: u32) -> BoxFuture<'_, Result<u64, QueueError>> {
        let resident = Arc::clone(&self.resident);
        self.home.run(async move { resident.clean(keep, most).await })
    }
}
