//! The worker: takes jobs out of the storage, runs them, and records how they ended. Knows no
//! database.

use std::{
    collections::HashMap,
    future::Future,
    pin::{Pin, pin},
    sync::Arc,
    time::Duration,
};

use tokio::{
    sync::watch,
    task::{Id, JoinError, JoinSet, yield_now},
    time::{Instant, Interval, MissedTickBehavior, interval, sleep_until, timeout},
};
use uuid::Uuid;

use super::{
    QueueError,
    dispatch::Queue,
    run::{self, Fault},
    storage::{End, Ended, Engine, Taken, Turn},
};
use crate::{
    handler::HandlerError,
    router::{WebhookRouter, contain},
};

/// How long one call of the storage may take.
const LIMIT: Duration = Duration::from_secs(10);

/// How often a worker without work looks for jobs that other processes stored, and for those whose
/// next attempt is due. Jobs of its own process wake it.
const LOOK: Duration = Duration::from_secs(1);

/// How long a worker waits after its storage failed, at first and at most.
const PAUSE: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// How long a stopped worker waits for the end of jobs that it has aborted.
const ABORT: Duration = Duration::from_millis(500);

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
    /// let worker = tokio::spawn(hooks.run_worker(async { drop(stopped.await) }));
    /// // .. when the application ends:
    /// let _ = stop.send(());
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
    pub fn run_worker<S>(&self, stop: S) -> impl Future<Output = ()> + Send + 'static + use<S>
    where
        S: Future<Output = ()> + Send + 'static,
    {
        let router = self.clone();
        async move {
            match Queue::required(&router) {
                Ok(queue) => {
                    let _running = queue.workers.start();
                    Worker::new(&router, queue).run(pin!(stop)).await;
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
    /// Whether a call failed that may have taken jobs out.
    unsure: bool,
}

impl<'a> Worker<'a> {
    fn new(router: &'a WebhookRouter, queue: &'a Queue) -> Self {
        Self {
            router,
            queue,
            name: format!("{}-{}", std::process::id(), Uuid::new_v4()),
            running: JoinSet::new(),
            jobs: HashMap::new(),
            ended: Vec::new(),
            stored: queue.stored.subscribe(),
            look_at: Instant::now(),
            pause: PAUSE.0,
            unsure: false,
        }
    }

    async fn run(mut self, mut stop: Pin<&mut impl Future<Output = ()>>) {
        let mut renewal = ticks(self.queue.options.lease / 4);
        let mut cleaning = ticks(CLEANING);
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
                _ = renewal.tick() => self.renew().await,
                _ = cleaning.tick() => self.clean(&mut cleaning).await,
                () = sleep_until(self.look_at), if has_free => {}
                Ok(()) = self.stored.changed(), if has_free => self.look_at = Instant::now(),
            }
        }
        self.finish(renewal).await;
    }

    /// Records what ended, and takes out and starts jobs that are due.
    async fn turn(&mut self, most: usize) -> Result<(), QueueError> {
        let turn = Turn { worker: &self.name, ended: &self.ended, most, lease: self.queue.options.lease };
        let taken = match in_time(self.engine().turn(turn)).await {
            Ok(taken) => taken,
            Err(error) => {
                self.unsure |= most > 0;
                return Err(error);
            }
        };
        self.ended.clear();
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
        if self.unsure {
            self.renew().await;
        }
        Ok(())
    }

    fn start(&mut self, taken: Taken) {
        if self.jobs.values().any(|running| running.job.name == taken.job.name) {
            // Its lease ended while the storage failed. It is renewed now.
            tracing::warn!("the job {} is still running, so it is not started again", taken.job.name);
            return;
        }
        let taken = Arc::new(taken);
        let job = run::run(self.router.clone(), Arc::clone(&taken), self.queue.options.retries);
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
        Ended { name: taken.job.name.clone(), end: run::failed(taken, fault, &self.queue.options.retries) }
    }

    /// Renews the lease of the running jobs, so that no other worker takes them.
    async fn renew(&mut self) {
        let ended = self.ended.iter().map(|ended| &ended.name);
        let names: Vec<_> = self.jobs.values().map(|taken| &taken.job.name).chain(ended).cloned().collect();
        if names.is_empty() && !self.unsure {
            return;
        }
        match in_time(self.engine().renew(&self.name, &names, self.queue.options.lease)).await {
            Ok(()) => self.unsure = false,
            Err(error) => tracing::warn!("the leases of {} running jobs were not renewed: {error}", names.len()),
        }
    }

    /// Removes jobs that were done long ago. If there are many, the next of them follow soon, and
    /// jobs run in between.
    async fn clean(&self, cleaning: &mut Interval) {
        match in_time(self.engine().clean(self.queue.options.retention, CLEANED_AT_ONCE)).await {
            Ok(removed) if removed >= u64::from(CLEANED_AT_ONCE) => cleaning.reset_after(PAUSE.0),
            Ok(_) => {}
            Err(error) => tracing::warn!("jobs that were done were not removed: {error}"),
        }
    }

    /// Waits for the running jobs, and hands back those that take too long.
    async fn finish(mut self, mut renewal: Interval) {
        let end = Instant::now() + self.queue.options.stop_timeout;
        while !self.running.is_empty() {
            tokio::select! {
                Some(ended) = self.running.join_next_with_id() => self.note(ended).await,
                _ = renewal.tick() => self.renew().await,
                () = sleep_until(end) => break,
            }
            if !self.ended.is_empty() {
                // Recorded below if it fails here.
                let _ = self.turn(0).await;
            }
        }
        self.hand_back().await;
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
    async fn hand_back(&mut self) {
        self.running.abort_all();
        // One that has just ended is not run again.
        let ended = async {
            while let Some(ended) = self.running.join_next_with_id().await {
                match ended {
                    Err(error) if error.is_cancelled() => {}
                    ended => self.note_one(ended),
                }
            }
        };
        // A handler that blocks its thread cannot be ended.
        let _ = timeout(ABORT, ended).await;
        for taken in std::mem::take(&mut self.jobs).into_values() {
            let ended = self.failed(&taken, "it was still running when its worker was stopped".to_owned());
            self.ended.push(ended);
        }
    }

    /// Reports a failure of the storage. Returns how long to wait.
    fn pause_after(&mut self, error: &QueueError) -> Duration {
        let pause = self.pause;
        self.pause = (pause * 2).min(PAUSE.1);
        tracing::warn!("the worker tries again in {pause:?}: {error}");
        pause
    }

    fn engine(&self) -> &'a dyn Engine {
        self.queue.engine()
    }
}

fn ticks(period: Duration) -> Interval {
    let mut ticks = interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

async fn in_time<T>(call: impl Future<Output = Result<T, QueueError>>) -> Result<T, QueueError> {
    QueueError::in_time("a worker's call", timeout(LIMIT, call).await)
}
