#![doc = include_str!("../../docs/queue_apalis.md")]

mod backend;
mod dead;
mod polling;
mod worker;

pub use self::backend::storage;
pub use self::dead::{DeadTask, dead_tasks, run_task_again};
pub use self::polling::Polling;
pub use self::worker::Worker;
