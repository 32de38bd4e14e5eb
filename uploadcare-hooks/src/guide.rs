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
