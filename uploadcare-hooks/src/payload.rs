//! What a delivery says: the payloads of every version, read tolerantly.
//!
//! By default an application uses the types of [`v0_7`]; a delivery of an older version is lifted
//! into them. [`v0_6`] and [`v0_5`] hold the older forms as they are sent, for handlers that ask
//! for them.
//!
//! **What is tolerated.** A payload needs `hook.event` and `data.uuid`. Everything else may be
//! absent or `null`. Unknown fields are ignored, and unknown enum values are kept as text. Whole
//! numbers may be written as fractions, and a number that makes no sense in its place (negative,
//! too large) counts as absent. Timestamps may lack the offset (then they are UTC) or the fraction.
//! A text may hold what is not Unicode, such as half of a surrogate pair: it is read as U+FFFD.
//! Anything else that does not fit is a [`DecodeError`] that names the place, and so are more than
//! 1,000 streams, and more than 10,000 entries of `metadata`, `variations` or `rekognition_info`.

pub mod appdata;
mod content;
mod decode;
mod envelope;
mod events;
mod file;
mod lenient;
mod names;
mod open_enum;
mod repair;
mod text;
mod time;
pub mod v0_5;
pub mod v0_6;
pub mod v0_7;

pub use self::decode::DecodeError;
pub(crate) use self::decode::{from_bytes, from_slice, from_str, locate};
pub(crate) use self::envelope::{Peek, PeekedHook};
pub use self::events::EventKind;
pub(crate) use self::events::{for_each_event, for_each_old_payload};
#[cfg(feature = "client")]
pub(crate) use self::lenient::{null_default, string, timestamp};
pub use self::names::{AddonName, ColorMode, InitiatorKind, PayloadVersion};
pub(crate) use self::repair::repair;
pub(crate) use self::text::Body;
pub use self::text::Text;
