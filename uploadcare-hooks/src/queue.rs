//! Durable dispatch on [apalis](https://docs.rs/apalis): store first, answer 202, work afterwards. Needs the feature `queue`.
//!
//! With [`WebhookRouterBuilder::queue`](crate::WebhookRouterBuilder::queue) a delivery is not run while Uploadcare waits. Each (delivery, handler)
//! becomes one [`Job`] in a storage, and the delivery is answered 202 once all of them are stored. If one cannot be stored it is answered 503, and
//! Uploadcare's redelivery fills in what is missing: jobs are named after the delivery and the handler, so that none is stored twice.
//!
//! A worker of apalis takes them out again, and [`WebhookRouter::worker`](crate::WebhookRouter::worker) is the service that it runs. All that apalis can do
//! around a service applies: retries with backoff, limits, tracing.
//!
//! ```no_run
//! # use uploadcare_hooks::{WebhookRouter, queue::Job};
//! use std::time::Duration;
//!
//! use apalis_core::{backend::ext::BackendExt, worker::builder::WorkerBuilder};
//!
//! # type Storage = apalis_core::backend::dequeue::VecDequeBackend<Job>;
//! # async fn example(storage: Storage) -> Result<(), Box<dyn std::error::Error>> {
//! // let storage = queue::open_sqlite("webhooks.db").await?;
//! let hooks = WebhookRouter::builder()
//!     // .signing_secret(..).handlers(..)
//!     .queue(storage.clone())
//!     .build()?;
//! let worker = WorkerBuilder::new("webhooks-1")
//!     .backend(storage.poll_with_strategy(hooks.polling(Duration::from_secs(1))))
//!     .build(hooks.worker());
//! worker.run().await?;
//! # Ok(())
//! # }
//! ```
//!
//! # What becomes of a job
//!
//! - Its handler returns `Ok`: it is done.
//! - Its handler fails, panics or runs out of time: it is tried again, as the worker's retry layer says, up to
//!   [`queue_attempts`](crate::WebhookRouterBuilder::queue_attempts) times. After that it is dead.
//! - It is dead at once if its handler [discards](crate::HandlerError::discard) it, if no handler has its name any more, or if its body is not what this version of the
//!   crate can read. Nothing is thrown away: [`dead_jobs`] lists what is dead, and [`run_again`] gives it another chance.
//! - The process dies while it runs: apalis gives it to another worker when this one's heartbeat has failed to come for a while. **A handler that had ended, but was
//!   not recorded yet, then runs once more.** That moment is short, and cannot be closed from outside the handler.
//!
//! # Choosing a storage
//!
//! Any backend of apalis 1 that tasks can be pushed to. What they need to keep the promise above (found in their sources and by killing them, apalis 1.0.0):
//!
//! - **apalis-sqlite**: `open_sqlite` (feature `queue-sqlite`) opens a file as it must be. `SqliteStorage::setup` would switch `synchronous` off, so that a crash of the machine
//!   loses what was acknowledged; with more than one connection, those that write at the same time fail with "database is locked"; and with apalis' index `LIdx`, SQLite reads
//!   every job that a worker ever did to record the end of one (190 ms after 100,000 of them, 2 ms without it).
//! - **apalis-redis**: set `Config::idempotency_ttl(Some(..))` to more than the 72 hours of redelivery; unless set, the keys that tell jobs apart are gone at once, and every
//!   redelivery runs its handlers again. Switch on the server's append-only file with `appendfsync always`.
//! - **apalis-postgres**: nothing; the server's own defaults are durable.
//! - All three look for jobs only when something wakes them: `.poll_with_strategy(hooks.polling(..))` does, see [`polling`](crate::WebhookRouter::polling). With apalis' own
//!   `poll_with_interval`, a worker that once took longer than the interval to look is not woken again until its next heartbeat, which is half a minute by default.
//! - A worker does any number of jobs at once, unless `.concurrency(n)` limits it.
//! - All three end a worker when its storage fails, and the jobs it was at come back later: run it in a loop, or in apalis' `Monitor` with `should_restart`.
//! - Name the queue in the storage's `Config`: unless set it is called like a type of this crate, and types move.
//! - Give every process a worker name of its own, so that the jobs of one that died go to the others.
//!
//! # Housekeeping
//!
//! Jobs that are done stay in the storage, since they are what redeliveries are recognised by. Remove those of more than four days ago now and then: in SQLite with
//! `DELETE FROM Jobs WHERE status = 'Done' AND done_at < strftime('%s', 'now') - 345600`, in PostgreSQL with
//! `DELETE FROM apalis.jobs WHERE status = 'Done' AND done_at < now() - interval '4 days'`. apalis' `Vacuum` removes dead jobs as well, and its
//! `vacuum_before` those that were done just now, too, in apalis-sqlite 1.0.0; in Redis there is nothing else, with as many days as dead jobs are to be kept.

mod dead;
mod dispatch;
mod job;
mod polling;
#[cfg(feature = "queue-sqlite")]
mod sqlite;
mod store;
mod worker;

pub use self::dead::{DeadJob, dead_jobs, run_again};
pub use self::job::Job;
pub use self::polling::Polling;
#[cfg(feature = "queue-sqlite")]
pub use self::sqlite::open_sqlite;
pub use self::store::QueueError;
use self::store::{Backend, Store};
pub use self::worker::Worker;
