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
//! endpoints that control the simulator itself, for tests and for its page:
//!
//! | endpoint below `/_sim` | does |
//! |---|---|
//! | `POST /events` | triggers an event for a file: `{"event": "file.uploaded", "data": {..}}` |
//! | `GET /deliveries` | lists attempts, not deliveries, oldest first: the newest 10,000 |
//! | `GET /deliveries/{id}` | shows a delivery with all that was sent and answered |
//! | `POST /deliveries/{id}/replay` | sends a delivery once more, as it was or edited |
//! | `GET /search` | finds deliveries, newest first |
//! | `GET /wait` | waits until so many deliveries are `acknowledged`, `failed` or `finished` |
//! | `GET /changes` | streams what changes, as server-sent events |
//! | `GET`, `POST /subscriptions` | lists subscriptions, and creates one |
//! | `GET`, `PATCH`, `DELETE /subscriptions/{id}` | shows, changes or pauses, and deletes one |
//! | `GET`, `PATCH /delivery_faults` | shows and sets the faults of deliveries, with a probability each |
//! | `GET`, `POST`, `DELETE /faults` | lists the faults of REST calls to come, adds one, and forgets all |
//! | `POST /reset` | forgets deliveries, faults and, without `{"keep_subscriptions": true}`, subscriptions |
//! | `GET /openapi.json` | describes all of these, and not the REST API |
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
//! In an event, `data` overrides the default fields of the file, and `previous_values` overrides
//! that field of `file.info_updated`. Each subscription gets the event `copies` times, which
//! defaults to 1 and may be at most 1,000. `delay_ms` delays the deliveries, so that later events
//! overtake them. The answer is `{"uuid": "..", "subscriptions": n, "deliveries": [..]}`.
//!
//! A body with a field that is not known is refused, and the error names the known fields. After a
//! reset, ids of subscriptions and numbers of deliveries go on.
//!
//! A fault of REST calls, `{"fault": "throttle" | "error" | "slow" | "cut", "times": 1, "after": 0,
//! "carried_out": false}`, lets `after` calls succeed, and makes the next `times` calls fail. With
//! `carried_out`, a failing call still takes effect.
//!
//! The filters `event`, `uuid`, `status`, `subscription` and `text` choose deliveries for
//! `/search`, `/wait` and `/changes`. A filter that cannot be applied is refused.
//!
//! | in Rust | does |
//! |---|---|
//! | [`Simulator::trigger`] | triggers an event |
//! | [`Simulator::subscriptions`], [`Simulator::subscribe`] | lists subscriptions, and adds one without checks |
//! | [`Simulator::attempts`], [`Simulator::attempts_after`] | lists the attempts to deliver |
//! | [`Simulator::deliveries`] | lists the deliveries with all that was sent and answered |
//! | [`Simulator::fault`], [`Simulator::delivery_fault`] | makes REST calls, or deliveries, fail |
//! | [`Simulator::stop`], [`Simulator::wait`], [`Simulator::ended`] | stops it, and wait for its end |
//! | [`SimulatorBuilder::token`] | wants a token, so that the simulator may listen on any address |
//! | [`SimulatorBuilder::data_dir`] | keeps subscriptions and deliveries in a file |
//! | [`SimulatorBuilder::kept_deliveries`], [`SimulatorBuilder::kept_attempts`] | set how much is kept |
//!
//! # Who may use it
//!
//! The simulator sends requests to any URL that a subscription names, so it must not serve
//! strangers.
//!
//! On a loopback address, `/_sim` and the page need no key, and everybody knows the default keys of
//! the REST API. All of them answer 403 to requests that a web page of another site may have sent:
//! `Host`, and `Origin` if there is one, must name the address that the simulator listens on,
//! `localhost`, or a loopback IP address, with the simulator's port.
//!
//! On an address that other machines can reach, the simulator starts only with a token and with
//! another secret key than the documented `demosecretkey`. Then REST calls with the right keys may
//! have any `Host`, also on a loopback address. With a token, each request to `/_sim` and to the
//! page needs it: a program sends `Authorization: Bearer TOKEN`, and a browser signs in at `/login`
//! or opens `/?token=TOKEN`. A request with the cookie that the browser gets, which changes
//! something, must have an `Origin` that equals its `Host`.
//!
//! Unlike Uploadcare, the simulator accepts simple authentication over plain HTTP, since it runs on
//! loopback addresses.

// Each module uses only modules above it in this list.
mod project;

mod answer;
mod auth;
mod event;
mod fault;
mod http;
mod origin;

mod access;
mod search;
mod trigger;

mod attempt;
mod payload;

mod delivery;

mod control;
mod rest;

mod page;

mod server;

pub use self::delivery::Triggered;
pub use self::event::SimulatedEvent;
pub use self::project::{
    Answer, Attempt, Delivery, DeliveryFault, DeliveryFaultKind, DeliveryFaults, DeliveryState, Exchange, Fault,
    FaultKind, SignatureCheck, Subscription,
};
pub use self::server::{Simulator, SimulatorBuilder};
pub use self::trigger::Trigger;
