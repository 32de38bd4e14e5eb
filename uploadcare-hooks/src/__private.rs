//! What the code that `#[webhook_handler]` and `webhook_handlers!` write names. Not part of the
//! public interface: it changes with every release. Re-exports only.

pub use std::vec::Vec;

#[cfg(feature = "discover")]
pub use inventory;
#[cfg(feature = "macros")]
pub use uploadcare_hooks_macros::handler_type;

pub use crate::handler::{
    shim::{Declaration, EVENTS, Handler, OLD_VERSIONS, descriptor, inert},
    taken_by::*,
};

#[cfg(feature = "discover")]
pub use crate::handler::Submitted;
