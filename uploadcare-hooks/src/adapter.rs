//! Adapters: one file for each kind of request that a router takes. Everything of a framework stays in here.

#[cfg(feature = "actix-web")]
mod actix;
mod http;
