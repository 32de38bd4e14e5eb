//! The testing kit: sample deliveries, and what becomes of them.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod delivered;
mod framework;
mod guide;
mod samples;
mod seeds;

/// The message of the panic of a function that must panic.
fn panic_of<T>(function: impl FnOnce() -> T) -> String {
    let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(function)).err().unwrap();
    *panic.downcast::<String>().unwrap()
}
