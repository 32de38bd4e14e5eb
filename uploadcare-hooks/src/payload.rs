//! What a delivery says: the payloads of every version, read tolerantly. Knows JSON, nothing of HTTP.
//!
//! The types that an application meets by default are those of [`v0_7`]; a delivery of an older version is lifted into them.
//! [`v0_6`] and [`v0_5`] hold the older forms as they are sent, for handlers that ask for them.
//!
//! **What is tolerated.** A payload needs `hook.event` and `data.uuid`. Everything else may be absent or `null`; fields and
//! enum values that this crate has not heard of are ignored or kept as text; whole numbers may be written as fractions, and
//! one that makes no sense in its place (negative, too large) counts as absent; timestamps may lack the offset (then they
//! are UTC) or the fraction. What still does not fit is a [`DecodeError`] that names the place.

pub mod appdata;
mod content;
mod decode;
mod envelope;
mod file;
mod lenient;
mod names;
pub mod v0_5;
pub mod v0_6;
pub mod v0_7;

pub use self::decode::DecodeError;
pub(crate) use self::decode::from_slice;
pub(crate) use self::envelope::{Peek, PeekedHook};
#[cfg(feature = "client")]
pub(crate) use self::lenient::{null_default, text, timestamp};
pub use self::names::{AddonName, ColorMode, EventKind, InitiatorKind, PayloadVersion};
