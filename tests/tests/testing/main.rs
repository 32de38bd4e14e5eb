//! The testing kit: sample deliveries, and what becomes of them.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod delivered;
mod samples;
mod seeds;
