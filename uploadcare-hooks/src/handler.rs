//! Handlers: what the attribute makes of an `async fn`, which parameters it may have, and what it
//! may return. Knows nothing of routing or of HTTP statuses.

mod descriptor;
mod fallible;
mod list;
mod outcome;
mod parameter;
mod parameters;
mod payload;
pub(crate) mod shim;
mod states;
#[cfg(feature = "discover")]
mod submitted;
pub(crate) mod taken_by;

pub(crate) use self::descriptor::HandlerFuture;
pub use self::descriptor::{HandlerDescriptor, Webhook};
pub use self::list::IntoHandlers;
pub use self::outcome::{HandlerError, IntoOutcome, Outcome};
pub use self::parameter::{FromDelivery, HandlerContext};
pub use self::payload::Payload;
pub(crate) use self::states::States;
pub use self::states::{RequiredStates, State};
#[cfg(feature = "discover")]
pub use self::submitted::Submitted;
