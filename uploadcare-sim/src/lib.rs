//! Simulates Uploadcare on your machine: the webhook part of its REST API, signed deliveries, and
//! redelivery. Develop and test against it without an account or a tunnel.
//!
//! ```no_run
//! use uploadcare_sim::Simulator;
//!
//! let builder = Simulator::builder("demopublickey", "demosecretkey");
//! let simulator = builder.start("127.0.0.1:0".parse()?)?;
//! println!("{}", simulator.base_url());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! It serves the [REST API](https://uploadcare.com/api-refs/rest-api/v0.7.0/#tag/Webhook), and
//! endpoints that control the simulator itself:
//!
//! - `POST /_sim/events` with `{"event": "file.uploaded", "data": {..}}` triggers an event for a
//!   file. `data` overrides the default fields of the file, and `previous_values` overrides that
//!   field of `file.info_updated`. Each subscription gets the event `copies` times, which defaults
//!   to 1 and may be at most 1,000. `delay_ms` delays the deliveries, so that later events overtake
//!   them. The answer is `{"uuid": "..", "subscriptions": n}`.
//! - `GET /_sim/deliveries` answers an array with the attempts to deliver, oldest first. The
//!   simulator keeps the newest 10,000 attempts.
//! - `POST /_sim/faults` with `{"fault": "throttle" | "error" | "slow" | "cut", "times": 1,
//!   "after": 0, "carried_out": false}` lets `after` REST calls succeed, and makes the next `times`
//!   calls fail. With `carried_out`, a failing call still takes effect.
//!
//! At `/` it serves a page, the workbench, which shows the deliveries as they happen and does by
//! hand what the endpoints do. It works without JavaScript, and its script adds live updates:
//!
//! - `/` lists the deliveries, newest first, with a filter; `/deliveries/{id}` shows one with its
//!   attempts, and replays it as it was or edited; `/compare` shows how two payloads differ.
//! - `/trigger` has a form with each field of the file, and one with the whole payload.
//! - `/subscriptions` creates, edits, pauses and deletes subscriptions. Their secrets are hidden
//!   until they are asked for.
//! - `/faults` switches faults of deliveries and of the REST API.
//!
//! `/_sim` and the page need no key. They answer 403 to requests that a web page of another site
//! may have sent: `Host`, and `Origin` if there is one, must name the address that the simulator
//! listens on, `localhost`, or a loopback IP address, with the simulator's port.
//!
//! Unlike Uploadcare, the simulator accepts simple authentication over plain HTTP, since it runs on
//! loopback addresses.

// Each module uses only modules above it in this list.
mod project;

mod answer;
mod auth;
mod event;
mod fault;
mod origin;

mod search;
mod trigger;

mod attempt;
mod payload;

mod delivery;

mod control;
mod rest;

mod page;

mod server;

pub use self::event::SimulatedEvent;
pub use self::project::{
    Answer, Attempt, Delivery, DeliveryFault, DeliveryFaultKind, DeliveryFaults, DeliveryState, Exchange, Fault,
    FaultKind, SignatureCheck, Subscription,
};
pub use self::server::{Simulator, SimulatorBuilder};
