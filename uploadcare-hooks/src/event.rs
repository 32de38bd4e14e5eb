//! The event of a delivery: [`Event`] for any of them, and a marker type for each, which names it
//! in the type system.

mod marker;
mod unknown;

use bytes::Bytes;
use serde::{Deserialize as _, de::IgnoredAny};

pub use self::{marker::*, unknown::UnknownEvent};
pub use crate::payload::EventKind;
use crate::payload::{
    Body, DecodeError, PayloadVersion, Peek, PeekedHook, for_each_event, from_str, locate, repair,
    v0_7::{self, File, Hook, SentPayload},
};

macro_rules! event {
    ($($(#[$doc:meta])* $name:ident = $word:literal, marker $marker:ident;)+) => {
        /// An event of any kind, with its payload of version 0.7: older versions are lifted.
        ///
        /// See [Uploadcare: event types](https://uploadcare.com/docs/webhooks/).
        #[derive(Debug, Clone, PartialEq)]
        #[non_exhaustive]
        // The payloads have about the same size; a box would cost each of them an allocation.
        #[allow(clippy::large_enum_variant)]
        pub enum Event {
            $(#[doc = concat!("`", $word, "`")] $name(v0_7::$name),)+
            /// An event that this version of the crate does not know.
            Unknown(UnknownEvent),
        }

        impl Event {
            /// The kind of the event.
            pub fn kind(&self) -> EventKind {
                match self {
                    $(Self::$name(_) => EventKind::$name,)+
                    Self::Unknown(unknown) => EventKind::Other(unknown.name().to_owned()),
                }
            }

            #[inline]
            fn from_sent(sent: SentPayload, json: &str) -> Self {
                match sent.hook.event {
                    $(EventKind::$name => Self::$name(sent.into()),)+
                    EventKind::Other(name) => Self::Unknown(UnknownEvent::of(name, sent.hook.version, json)),
                }
            }

            fn parts(&self) -> Option<(&Hook, &File)> {
                match self {
                    $(Self::$name(payload) => Some((&payload.hook, &payload.data)),)+
                    Self::Unknown(_) => None,
                }
            }
        }
    };
}

for_each_event!(event);

impl Event {
    /// Reads a payload of any version, in one pass over the bytes. Verify the signature over the
    /// same bytes first.
    ///
    /// ```
    /// use uploadcare_hooks::{Event, EventKind};
    ///
    /// let event = Event::from_slice(
    ///     br#"{
    ///         "hook": {"event": "file.stored"},
    ///         "data": {"uuid": "f08d7c8a-2971-42e0-ab01-780d9039b40b"}
    ///     }"#,
    /// )?;
    /// assert_eq!(event.kind(), EventKind::FileStored);
    /// # Ok::<(), uploadcare_hooks::DecodeError>(())
    /// ```
    ///
    /// # Errors
    /// [`DecodeError`] if the bytes are not JSON, if `hook.event` is missing, or if the event is
    /// known and its payload does not fit: `data.uuid` is missing, or a value has an unexpected
    /// type.
    pub fn from_slice(body: &[u8]) -> Result<Self, DecodeError> {
        Self::from_bytes(&Bytes::copy_from_slice(body))
    }

    /// Like [`from_slice`](Self::from_slice), without copying the body: all texts and `appdata`
    /// share it and keep it in memory.
    ///
    /// # Errors
    /// As [`from_slice`](Self::from_slice).
    pub fn from_bytes(body: &Bytes) -> Result<Self, DecodeError> {
        Self::read(&Body::read(body))
    }

    #[inline]
    fn read(body: &Body) -> Result<Self, DecodeError> {
        body.share(|json| match serde_json::from_str::<SentPayload>(json) {
            Ok(sent) => Ok(Self::from_sent(sent, json)),
            Err(error) => Self::read_odd(json, &error),
        })
    }

    /// Reads a body that does not have the form of a known event. It may still be an event that is
    /// not known, or have texts that are not Unicode.
    #[cold]
    fn read_odd(json: &str, error: &serde_json::Error) -> Result<Self, DecodeError> {
        // Not `from_str`, which would also fail on what is behind the object.
        let peeked = Peek::deserialize(&mut serde_json::Deserializer::from_str(json));
        if let Ok(Peek { hook: PeekedHook { event: EventKind::Other(name), version } }) = peeked {
            from_str::<IgnoredAny>(json)?;
            return Ok(Self::Unknown(UnknownEvent::of(name, version, json)));
        }
        match repair(json.as_bytes()) {
            // There is nothing left to repair then, so this happens once.
            Some(repaired) => Self::from_bytes(&repaired.into()),
            None => Err(locate::<SentPayload>(json.as_bytes(), error)),
        }
    }

    /// Takes the event out and leaves an empty one behind.
    #[inline]
    pub(crate) fn take(&mut self) -> Self {
        std::mem::replace(self, Self::Unknown(UnknownEvent::default()))
    }

    /// The version of the payload, as it was sent.
    pub fn version(&self) -> &PayloadVersion {
        match self {
            Self::Unknown(unknown) => unknown.version(),
            known => known.hook().map_or(&PayloadVersion::V0_7, |hook| &hook.version),
        }
    }

    /// The subscription that the delivery belongs to; `None` for an unknown event, since its form
    /// is not known.
    pub fn hook(&self) -> Option<&Hook> {
        self.parts().map(|(hook, _)| hook)
    }

    /// The file that the event is about; `None` for an unknown event, since its form is not known.
    pub fn file(&self) -> Option<&File> {
        self.parts().map(|(_, file)| file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    macro_rules! payload_names {
        ($($(#[$doc:meta])* $name:ident = $word:literal, marker $marker:ident;)+) => {
            // A payload that `lib.rs` does not re-export fails to compile here.
            [$(($word, crate::$name::new(uuid::Uuid::nil()).hook.event)),+]
        };
    }

    #[test]
    fn the_payload_of_every_event_is_a_name_of_the_crate() {
        for (word, kind) in for_each_event!(payload_names) {
            assert_eq!(kind.as_str(), word);
        }
    }
}
