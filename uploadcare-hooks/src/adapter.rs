//! Adapters: one file for each kind of request that a router takes. A web framework's types stay in
//! its adapter.

#[cfg(feature = "actix-web")]
mod actix;
#[cfg(feature = "actix-web")]
mod body;
mod http;
