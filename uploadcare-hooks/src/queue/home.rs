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
    pub(super) fn run<T: Send + 'static>(
        &self,
        future: impl Future<Output = Result<T, QueueError>> + Send + 'static,
    ) -> BoxFuture<'static, Result<T, QueueError>> {
        let mut task = Task(self.runtime.spawn(future));
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

/// A storage whose connections are all in a thread of their own.
pub(super) struct AtHome<E> {
    engine: Arc<E>,
    home: Home,
}

impl<E> AtHome<E> {
    /// Opens a storage there.
    pub(super) async fn open(
        open: impl Future<Output = Result<E, QueueError>> + Send + 'static,
    ) -> Result<Self, QueueError>
    where
        E: Send + 'static,
    {
        let home = Home::new()?;
        Ok(Self { engine: Arc::new(home.run(open).await?), home })
    }
}

impl<E: Engine> Engine for AtHome<E> {
    fn describe(&self) -> String {
        self.engine.describe()
    }

    fn runtime(&self) -> Option<Handle> {
        Some(self.home.runtime.clone())
    }

    fn store<'a>(&'a self, jobs: &'a [Job]) -> BoxFuture<'a, Result<(), QueueError>> {
        let (engine, jobs) = (Arc::clone(&self.engine), jobs.to_vec());
        self.home.run(async move { engine.store(&jobs).await })
    }

    fn turn<'a>(&'a self, turn: Turn<'a>) -> BoxFuture<'a, Result<Vec<Taken>, QueueError>> {
        let (engine, worker, ended) = (Arc::clone(&self.engine), turn.worker.to_owned(), turn.ended.to_vec());
        let Turn { most, lease, .. } = turn;
        self.home.run(async move { engine.turn(Turn { worker: &worker, ended: &ended, most, lease }).await })
    }

    fn renew<'a>(
        &'a self,
        worker: &'a str,
        running: &'a [String],
        lease: Duration,
    ) -> BoxFuture<'a, Result<(), QueueError>> {
        let (engine, worker, running) = (Arc::clone(&self.engine), worker.to_owned(), running.to_vec());
        self.home.run(async move { engine.renew(&worker, &running, lease).await })
    }

    fn hand_back<'a>(&'a self, worker: &'a str, running: &'a [String]) -> BoxFuture<'a, Result<(), QueueError>> {
        let (engine, worker, running) = (Arc::clone(&self.engine), worker.to_owned(), running.to_vec());
        self.home.run(async move { engine.hand_back(&worker, &running).await })
    }

    fn find<'a>(&'a self, search: &'a Search) -> BoxFuture<'a, Result<Vec<Found>, QueueError>> {
        let (engine, search) = (Arc::clone(&self.engine), search.clone());
        self.home.run(async move { engine.find(&search).await })
    }

    fn decide<'a>(&'a self, dead: &'a [(String, i64)], verdict: Verdict) -> BoxFuture<'a, Result<u64, QueueError>> {
        let (engine, dead) = (Arc::clone(&self.engine), dead.to_vec());
        self.home.run(async move { engine.decide(&dead, verdict).await })
    }

    fn stats(&self) -> BoxFuture<'_, Result<QueueStats, QueueError>> {
        let engine = Arc::clone(&self.engine);
        self.home.run(async move { engine.stats().await })
    }

    fn clean(&self, keep: Duration, most: u32) -> BoxFuture<'_, Result<u64, QueueError>> {
        let engine = Arc::clone(&self.engine);
        self.home.run(async move { engine.clean(keep, most).await })
    }
}
