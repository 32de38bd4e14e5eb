//! A local stand-in for Uploadcare, to develop and test against without an account or a tunnel: the webhook part of its REST API,
//! signed deliveries, and redelivery.
//!
//! ```no_run
//! use uploadcare_sim::Simulator;
//!
//! let simulator = Simulator::builder("demopublickey", "demosecretkey").start("127.0.0.1:0".parse()?)?;
//! println!("{}", simulator.base_url());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Over HTTP, beside the [REST API](https://uploadcare.com/api-refs/rest-api/v0.7.0/#tag/Webhook):
//!
//! - `POST /_sim/events` with `{"event": "file.uploaded", "data": {..}}` makes an event happen for a file. `data` overrides what the file is by
//!   default, `previous_values` what `file.info_updated` says. `copies` (1 unless set) delivers it so many times, `delay_ms` holds it back, so that
//!   later events overtake it. Answers `{"uuid": "..", "subscriptions": n}`.
//! - `GET /_sim/deliveries` answers an array with every attempt to deliver, oldest first.
//! - `POST /_sim/faults` with `{"fault": "throttle" | "error" | "slow" | "cut", "times": 1, "after": 0, "carried_out": false}` spoils that
//!   many REST calls after `after` that go well; with `carried_out`, what they ask for is done all the same.
//!
//! Unlike Uploadcare it takes simple authentication over plain HTTP, since it is meant for loopback addresses.

mod auth;
mod delivery;
mod fault;
mod origin;
mod rest;
mod server;
mod store;

pub use self::delivery::{Attempt, Happening};
pub use self::fault::{Fault, FaultKind};
pub use self::server::{Simulator, SimulatorBuilder};
pub use self::store::Subscription;
