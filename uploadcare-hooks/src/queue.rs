#![doc = include_str!("../docs/queue.md")]

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
