#![doc = include_str!("../docs/queue.md")]
// Some functions are called by storages only, so without a storage nothing calls them.
#![cfg_attr(not(any(feature = "queue-sqlite", feature = "queue-postgres", feature = "queue-redis")), allow(dead_code))]

#[cfg(feature = "queue-apalis")]
pub mod apalis;
mod dead;
mod dispatch;
mod error;
mod group_commit;
mod health;
mod home;
mod job;
mod lease;
#[cfg(feature = "testing")]
pub(crate) mod memory;
mod open;
#[cfg(feature = "queue-postgres")]
mod postgres;
#[cfg(feature = "queue-redis")]
mod redis;
mod retries;
mod run;
#[cfg(any(feature = "queue-sqlite", feature = "queue-postgres"))]
mod sql;
#[cfg(feature = "queue-sqlite")]
mod sqlite;
#[cfg(feature = "testing")]
pub(crate) mod step;
mod storage;
mod worker;

pub use self::dead::{DeadJob, DeadJobs, FailingJob};
pub use self::error::QueueError;
pub use self::health::QueueStats;
pub use self::job::Job;
pub use self::open::OpenOptions;
#[cfg(feature = "queue-postgres")]
pub use self::postgres::open_postgres;
#[cfg(feature = "queue-redis")]
pub use self::redis::open_redis;
pub use self::retries::Retries;
#[cfg(feature = "queue-sqlite")]
pub use self::sqlite::open_sqlite;
pub use self::storage::{Failure, Storage};
