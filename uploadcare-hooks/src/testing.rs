//! Helpers for the tests of an application. Needs the feature `testing`.
#![doc = ""]
#![cfg_attr(all(feature = "macros", feature = "queue"), doc = include_str!("../docs/testing_time.md"))]

mod clock;
#[cfg(feature = "queue")]
mod queue;

pub use self::clock::Clock;
#[cfg(feature = "queue")]
pub use self::queue::{JobEnd, MemoryQueue, Ran, WaitingJob};
