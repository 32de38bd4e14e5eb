//! What the code that `#[webhook_handler]` and `webhook_handlers!` write names. Not part of the
//! public interface: it changes with every release. Re-exports only.

pub use std::vec::Vec;

#[cfg(feature = "discover")]
pub use inventory;

pub use crate::handler::shim::{
    Declaration, EVENTS, HandlerFuture, OLD_VERSIONS, Parameter, call, descriptor, inert, parameter,
};

#[cfg(feature = "discover")]
pub use crate::handler::Submitted;
