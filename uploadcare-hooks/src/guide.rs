//! Guides: what to write first for each task, why, and what can go wrong.
//!
//! | guide | what it is about |
//! |---|---|
//! | `actix` | getting started on actix-web |
//! | `axum` | getting started on axum |
//! | `lambda` | getting started on AWS Lambda |
//! | `deliveries` | what a delivery is, and what each status promises |
//! | `payloads` | typed payloads and versions, and what may be missing |
//! | `unknown_events` | events that this version does not know |
//! | `errors` | errors of handlers, redelivery, timeouts, panics, order |
//! | `modes` | inline, deduplicated or queued: how to choose |
//! | `registration` | subscriptions that register themselves, and rotation of secrets |
//! | `queue_production` | a queue on one machine or several, from the first start to an upgrade |
//! | `deployment` | proxies, limits, shutdown, health checks, containers |
//! | `security` | signatures, replays, hostile texts, what is logged |
//! | `workbench` | the simulator: trigger, replay, faults, tests |
//! | `cost` | dependencies, time and memory, licences, who is behind it |
//! | `upgrading` | what a version promises, and rolling deploys |

#[cfg(all(feature = "actix-web", feature = "macros"))]
#[doc = include_str!("../docs/actix.md")]
pub mod actix {}

#[cfg(all(feature = "tower", feature = "macros"))]
#[doc = include_str!("../docs/axum.md")]
pub mod axum {}

#[cfg(all(feature = "tower", feature = "macros"))]
#[doc = include_str!("../docs/lambda.md")]
pub mod lambda {}

#[cfg(feature = "macros")]
#[doc = include_str!("../docs/deliveries.md")]
pub mod deliveries {}

#[cfg(feature = "macros")]
#[doc = include_str!("../docs/payloads.md")]
pub mod payloads {}

#[cfg(feature = "macros")]
#[doc = include_str!("../docs/unknown_events.md")]
pub mod unknown_events {}

#[cfg(feature = "macros")]
#[doc = include_str!("../docs/errors.md")]
pub mod errors {}

#[cfg(all(feature = "deduplicate", feature = "macros", feature = "queue-sqlite", feature = "redis"))]
#[doc = include_str!("../docs/modes.md")]
pub mod modes {}

#[cfg(all(feature = "actix-web", feature = "client", feature = "macros"))]
#[doc = include_str!("../docs/registration.md")]
pub mod registration {}

#[cfg(all(feature = "actix-web", feature = "macros", feature = "queue-postgres", feature = "queue-sqlite"))]
#[doc = include_str!("../docs/queue_production.md")]
pub mod queue_production {}

#[cfg(all(feature = "macros", feature = "queue-sqlite", feature = "tower"))]
#[doc = include_str!("../docs/deployment.md")]
pub mod deployment {}

#[cfg(all(feature = "client", feature = "deduplicate", feature = "macros"))]
#[doc = include_str!("../docs/security.md")]
pub mod security {}

#[doc = include_str!("../docs/workbench.md")]
pub mod workbench {}

#[doc = include_str!("../docs/cost.md")]
pub mod cost {}

#[cfg(all(feature = "macros", feature = "queue"))]
#[doc = include_str!("../docs/upgrading.md")]
pub mod upgrading {}
