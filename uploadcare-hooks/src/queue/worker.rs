//! The worker: takes jobs out of the storage, runs them, and records how they ended. Knows no
//! database.

use std::{
    collections::HashMap,
    future::Future,
    pin::{Pin, pin},
    sync::Arc,
    time::Duration,
};

use futures_util::FutureExt;
use tokio::{
    sync::watch,
    task::{Id, JoinError, JoinSet, yield_now},
    time::{Instant, Interval, MissedTickBehavior, interval, sleep_until, timeout},
};
use uuid::Uuid;

use super::{
    QueueError,
    dispatch::Queue,
    lease::Leases,
    run::{self, Fault},
    storage::{End, Ended, Engine, Taken, Turn},
};
use crate::{
    handler::HandlerError,
    observe::QUEUE_SAMPLING,
    router::{WebhookRouter, contain},
};

/// How long one call of the storage may take.
const LIMIT: Duration = Duration::from_secs(10);

/// How often a worker without work looks for jobs that other processes stored, and for those whose
/// next attempt is due. Jobs of its own process wake it.
const LOOK: Duration = Duration::from_secs(1);

/// How long a worker waits after its storage failed, at first and at most.
const PAUSE: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// How long a stopped worker waits for the end of jobs that it has aborted, and for the last call
/// of its storage.
const ABORT: Duration = Duration::from_millis(500);
const LAST_CALL: Duration = Duration::from_secs(3);

/// Longer than any process waits, and no overflow.
const LONGEST_STOP: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// How often jobs that were done long ago are removed.
const CLEANING: Duration = Duration::from_secs(60);

/// How many of them one transaction removes.
const CLEANED_AT_ONCE: u32 = 500;

impl WebhookRouter {
    /// Runs the jobs of the [queue](crate::queue) until `stop` is ready, and finishes those that
    /// are running then. Inside a Tokio runtime, usually in a task of its own:
    ///
    /// ```no_run
    /// # async fn example(hooks: uploadcare_hooks::WebhookRouter) {
    /// let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    /// let worker = tokio::spawn(hooks.run_worker(stopped));
    /// // .. when the application ends:
    /// drop(stop);
    /// let _ = worker.await;
    /// # }
    /// ```
    ///
    /// - Takes a job as soon as this process has stored it, and within about a second if another
    ///   process did, or its next attempt is due.
    /// - Runs at most [`queue_concurrency`](crate::WebhookRouterBuilder::queue_concurrency) jobs at
    ///   once and takes out no more than it can start, so that other workers can take the rest.
    /// - A handler that panics has failed, and is tried again like others.
    /// - When the storage fails, it goes on as soon as the storage works again.
    /// - After `stop` it waits for
    ///   [`queue_stop_timeout`](crate::WebhookRouterBuilder::queue_stop_timeout).
    ///
    /// Any number of workers, in any number of processes, can share a storage. Without a queue it
    /// logs an error and returns.
    ///
    /// Handlers run as tasks of this runtime. One that blocks its thread blocks what else runs
    /// there, under `#[actix_web::main]` all other jobs: give blocking work to `spawn_blocking`.
    ///
    /// # Panics
    /// Outside of a Tokio runtime with time enabled.
    #[must_use = "a worker runs when its future does: tokio::spawn(hooks.run_worker(..))"]
    pub fn run_worker<S>(&self, stop: S) -> impl Future<Output = ()> + Send + 'static + use<S>
    where
        S: Future + Send + 'static,
    {
        let router = self.clone();
        async move {
            let worker = Queue::required(&router).and_then(|queue| match queue.engine().runs_nothing() {
                Some(error) => Err(error),
                None => Worker::new(&router, queue),
            });
            match worker {
                Ok(worker) => {
                    let queue = worker.queue;
                    let _running = queue.workers.start();
                    worker.run(pin!(stop.map(drop))).await;
                    // What this worker ran is not running any more.
                    if QUEUE_SAMPLING.is_some() {
                        queue.sample(ABORT).await;
                    }
                }
                Err(error) => tracing::error!("no worker runs: {error}"),
            }
        }
    }
}

/// A worker, from its start to its end.
struct Worker<'a> {
    router: &'a WebhookRouter,
    queue: &'a Queue,
    /// Unique for each start, so that no worker is taken for its dead predecessor.
    name: String,
    /// The jobs that run, or have ended and are not recorded yet.
    leases: Leases,
    running: JoinSet<Ended>,
    /// The jobs that are running, by their task.
    jobs: HashMap<Id, Arc<Taken>>,
    /// What ended and was not recorded yet.
    ended: Vec<Ended>,
    stored: watch::Receiver<()>,
    /// When to look for jobs next.
    look_at: Instant,
    /// How long to wait if the storage fails again.
    pause: Duration,
    /// How long a call of the storage may take.
    limit: Duration,
}

impl<'a> Worker<'a> {
    fn new(router: &'a WebhookRouter, queue: &'a Queue) -> Result<Self, QueueError> {
        let name = format!("{}-{}", std::process::id(), Uuid::new_v4());
        Ok(Self {
            router,
            queue,
            leases: Leases::renew(Arc::clone(&queue.storage.0), name.clone(), queue.options.lease)?,
            name,
            running: JoinSet::new(),
            jobs: HashMap::new(),
            ended: Vec::new(),
            stored: queue.stored.subscribe(),
            look_at: Instant::now(),
            pause: PAUSE.0,
            limit: LIMIT,
        })
    }

    async fn run(mut self, mut stop: Pin<&mut impl Future<Output = ()>>) {
        let mut tidying = ticks(self.queue.options.lease / 4);
        let mut cleaning = ticks(CLEANING);
        let mut sampling = QUEUE_SAMPLING.map(ticks);
        let (concurrency, place) = (self.queue.options.concurrency, self.engine().describe());
        tracing::info!("a worker runs up to {concurrency} jobs at once of the queue in {place}");
        loop {
            let free = self.queue.options.concurrency.saturating_sub(self.running.len());
            let most = if self.look_at <= Instant::now() { free } else { 0 };
            if (most > 0 || !self.ended.is_empty())
                && let Err(error) = self.turn(most).await
            {
                let pause = self.pause_after(&error);
                tokio::select! {
                    () = &mut stop => break,
                    () = tokio::time::sleep(pause) => {}
                }
                continue;
            }
            let has_free = self.running.len() < self.queue.options.concurrency;
            tokio::select! {
                () = &mut stop => break,
                Some(ended) = self.running.join_next_with_id() => self.note(ended).await,
                _ = tidying.tick() => self.hand_back_unknown().await,
                _ = cleaning.tick() => self.clean(&mut cleaning).await,
                () = next(&mut sampling) => self.queue.sample(self.limit).await,
                () = sleep_until(self.look_at), if has_free => {}
                Ok(()) = self.stored.changed(), if has_free => self.look_at = Instant::now(),
            }
        }
        self.finish().await;
    }

    /// Records what ended, and takes out and starts jobs that are due.
    async fn turn(&mut self, most: usize) -> Result<(), QueueError> {
        let turn = Turn { worker: &self.name, ended: &self.ended, most, lease: self.queue.options.lease };
        let taken = self.in_time(self.engine().turn(turn)).await?;
        self.ended.drain(..).for_each(|ended| self.leases.remove(&ended.name));
        if self.pause > PAUSE.0 {
            self.pause = PAUSE.0;
            tracing::info!("the queue's storage works again");
        }
        // A full turn leaves more behind.
        if most > 0 && taken.len() < most {
            self.look_at = Instant::now() + LOOK;
        }
        for taken in taken {
            self.start(taken);
        }
        Ok(())
    }

    fn start(&mut self, taken: Taken) {
        if self.leases.contains(&taken.job.name) {
            // Its lease ended while the storage failed. It is renewed now.
            let (id, handler, attempt) = (taken.job.delivery_id(), taken.job.handler(), taken.attempt);
            tracing::warn!(
                delivery.id = %id,
                handler,
                attempt,
                "the job {} is still running, so it is not started again",
                taken.job.name
            );
            return;
        }
        self.leases.insert(taken.job.name.clone());
        let taken = Arc::new(taken);
        let (retries, engine) = (self.queue.options.retries, Arc::clone(&self.queue.storage.0));
        let job = run::run(self.router.clone(), Arc::clone(&taken), retries, engine);
        self.jobs.insert(self.running.spawn(job).id(), taken);
    }

    /// Notes how a job ended, and all others that end now: one transaction for all is faster than
    /// one for each.
    async fn note(&mut self, ended: Result<(Id, Ended), JoinError>) {
        self.note_one(ended);
        let mut noted = 0;
        while self.ended.len() > noted {
            noted = self.ended.len();
            // Lets others end.
            yield_now().await;
            while let Some(ended) = self.running.try_join_next_with_id() {
                self.note_one(ended);
            }
        }
    }

    fn note_one(&mut self, ended: Result<(Id, Ended), JoinError>) {
        let id = ended.as_ref().map_or_else(JoinError::id, |(id, _)| *id);
        let Some(taken) = self.jobs.remove(&id) else { return };
        let ended = match ended {
            Ok((_, ended)) => ended,
            // What the handler itself does is contained, so this is its error that panicked.
            Err(error) => {
                let ended = self.failed(&taken, format!("its error panicked: {error}"));
                // What it panicked with may panic as well when it is dropped.
                let _ = contain(|| drop(error));
                ended
            }
        };
        // A job that this process could not start is better looked for by others.
        if let End::Again(attempts, delay) = &ended.end
            && attempts.started == taken.attempt
        {
            self.look_at = self.look_at.min(Instant::now() + *delay);
        }
        self.ended.push(ended);
    }

    fn failed(&self, taken: &Taken, text: String) -> Ended {
        let fault = Fault::Failed(HandlerError::new(text));
        let end = run::failed(taken, fault, &self.queue.options.retries, self.engine().now());
        Ended { name: taken.job.name.clone(), end }
    }

    /// Hands back jobs that this worker has taken out without learning it, when an answer was lost.
    async fn hand_back_unknown(&self) {
        let known = self.leases.names();
        if let Err(error) = self.in_time(self.engine().hand_back(&self.name, &known)).await {
            tracing::debug!("jobs whose answer was lost wait for the end of their lease: {error}");
        }
    }

    /// Removes jobs that were done long ago. If there are many, the next of them follow soon, and
    /// jobs run in between.
    async fn clean(&self, cleaning: &mut Interval) {
        match self.in_time(self.engine().clean(self.queue.options.retention, CLEANED_AT_ONCE)).await {
            Ok(removed) if removed >= u64::from(CLEANED_AT_ONCE) => cleaning.reset_after(PAUSE.0),
            Ok(_) => {}
            Err(error) => tracing::warn!("jobs that were done were not removed: {error}"),
        }
    }

    /// Waits for the running jobs, and hands back those that take too long.
    async fn finish(mut self) {
        let (limit, running) = (self.queue.options.stop_timeout.min(LONGEST_STOP), self.running.len());
        tracing::info!("the worker stops, and waits up to {limit:?} for {running} running jobs");
        let end = Instant::now() + limit;
        while !self.running.is_empty() {
            tokio::select! {
                biased;
                Some(ended) = self.running.join_next_with_id() => self.note(ended).await,
                () = sleep_until(end) => break,
            }
            self.limit = LIMIT.min(end.saturating_duration_since(Instant::now()) + ABORT);
            // Recorded below if it fails here.
            let _ = self.turn(0).await;
        }
        self.end_jobs().await;
        self.limit = LIMIT.min(end.saturating_duration_since(Instant::now()) + LAST_CALL);
        while !self.ended.is_empty()
            && let Err(error) = self.turn(0).await
        {
            let pause = self.pause_after(&error);
            if Instant::now() + pause > end {
                tracing::error!("{} jobs have ended and run again, since this was not recorded", self.ended.len());
                return;
            }
            tokio::time::sleep(pause).await;
        }
    }

    /// Ends the jobs that still run, to be tried again.
    async fn end_jobs(&mut self) {
        self.running.abort_all();
        // One that has just ended by itself is not run again. A handler that blocks its thread
        // cannot be ended, and is left to its lease.
        while let Ok(Some(ended)) = timeout(ABORT, self.running.join_next_with_id()).await {
            match ended {
                Err(error) if error.is_cancelled() => {
                    let Some(taken) = self.jobs.remove(&error.id()) else { continue };
                    let end = run::failed(&taken, Fault::Interrupted, &self.queue.options.retries, self.engine().now());
                    self.ended.push(Ended { name: taken.job.name.clone(), end });
                }
                ended => self.note_one(ended),
            }
        }
        for blocked in self.jobs.values() {
            let (id, handler, attempt) = (blocked.job.delivery_id(), blocked.job.handler(), blocked.attempt);
            tracing::warn!(
                delivery.id = %id,
                handler,
                attempt,
                "the job {} blocks its thread, and runs again at the end of its lease",
                blocked.job.name
            );
        }
    }

    /// Reports a failure of the storage. Returns how long to wait.
    fn pause_after(&mut self, error: &QueueError) -> Duration {
        let pause = self.pause;
        self.pause = (pause * 2).min(PAUSE.1);
        tracing::warn!("the worker tries again in {pause:?}: {error}");
        pause
    }

    async fn in_time<T>(&self, call: impl Future<Output = Result<T, QueueError>>) -> Result<T, QueueError> {
        let ended = QueueError::in_time("a worker's call", timeout(self.limit, call).await);
        ended.map_err(|error| error.about(self.engine().describe()))
    }

    fn engine(&self) -> &'a dyn Engine {
        self.queue.engine()
    }
}

/// Waits for the next tick, for ever if there are none.
async fn next(ticks: &mut Option<Interval>) {
    match ticks {
        Some(ticks) => {
            ticks.tick().await;
        }
        None => std::future::pending().await,
    }
}

fn ticks(period: Duration) -> Interval {
    let mut ticks = interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}
