//! Adapters: one file for each kind of request that a router takes. A web framework's types stay in
//! its adapter.

#[cfg(feature = "actix-web")]
mod actix;
#[cfg(any(feature = "actix-web", feature = "tower"))]
mod body;
mod http;
#[cfg(feature = "tower")]
mod tower;

#[cfg(feature = "tower")]
pub use self::tower::{ResponseBody, WebhookService};
