//! A queue in memory that runs its jobs when a test says so. Knows the time and no handler.

use std::{fmt, sync::Arc};

use jiff::Timestamp;

use super::Clock;
pub use crate::queue::step::{JobEnd, Ran, WaitingJob};
use crate::{
    queue::{Storage, memory::Memory},
    router::WebhookRouter,
};

/// A queue in memory that runs its jobs when told. Clones share its jobs.
#[derive(Clone)]
pub struct MemoryQueue {
    memory: Arc<Memory>,
    clock: Clock,
}

impl MemoryQueue {
    /// An empty queue with a [clock](Self::clock) of its own, which stands still until it is
    /// advanced.
    pub fn new() -> Self {
        Self::with_clock(&Clock::new())
    }

    /// An empty queue whose time is that of this clock.
    pub fn with_clock(clock: &Clock) -> Self {
        let (clock, read) = (clock.clone(), clock.clone());
        Self { memory: Arc::new(Memory::new(move || read.now())), clock }
    }

    /// Its jobs as a storage, for the builder's
    /// [`queue`](crate::WebhookRouterBuilder::queue). Several routers can share it, one after the
    /// other as when an application restarts, or at once.
    pub fn storage(&self) -> Storage {
        self.memory.storage()
    }

    /// The clock that decides which jobs are due.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The jobs that wait, the next due first. Those that are running, dead or done are not among
    /// them.
    pub fn jobs(&self) -> Vec<WaitingJob> {
        self.memory.jobs()
    }

    /// Runs each job that is due now, once and one at a time, the longest due first. Returns how
    /// each of them ended.
    ///
    /// Jobs that are stored meanwhile wait for the next call. As a worker would, it also removes
    /// the jobs that were done longer ago than the
    /// [retention](crate::WebhookRouterBuilder::queue_retention). A call that is dropped while a
    /// handler runs leaves its job as a process that died does.
    ///
    /// # Panics
    /// When called, if the router was not built with [`storage`](Self::storage) of this queue.
    #[track_caller]
    pub fn run_due(&self, hooks: &WebhookRouter) -> impl Future<Output = Vec<Ran>> {
        self.memory.run_due(hooks)
    }

    /// Runs the jobs that are due, moves the clock to the time at which the next one is due, and so
    /// on until no job waits. Returns how each attempt ended.
    ///
    /// A job whose run was dropped, as when its process died, is run at the end of its lease. Jobs
    /// that run at the same time elsewhere, in a worker or another call, are left to it. Does not
    /// return while a handler makes further jobs each time it runs.
    ///
    /// # Panics
    /// When called, if the router was not built with [`storage`](Self::storage) of this queue.
    #[track_caller]
    pub fn run_all(&self, hooks: &WebhookRouter) -> impl Future<Output = Vec<Ran>> {
        let mut due_now = Some(self.run_due(hooks));
        async move {
            let mut ran = Vec::new();
            loop {
                let run = due_now.take().unwrap_or_else(|| self.run_due(hooks));
                ran.extend(run.await);
                let Some(due) = self.memory.next_due() else { return ran };
                self.clock.advance_to(Timestamp::from_millisecond(due).unwrap_or(Timestamp::MAX));
                // No clock goes beyond its last day.
                if self.clock.now().as_millisecond() < due {
                    return ran;
                }
            }
        }
    }
}

impl Default for MemoryQueue {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryQueue").field("clock", &self.clock).field("waiting", &self.jobs().len()).finish()
    }
}
