//! The simulator as a program: killed and started again, and called by its other commands.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod commands;
mod guide;
mod killed;
mod lagging;
mod output;
mod receiver;
mod served;
