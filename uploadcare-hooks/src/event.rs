//! One verified delivery's event, and the marker types that name events in the type system.

use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

pub use crate::payload::EventKind;
use crate::payload::{
    DecodeError, Peek, PeekedHook,
    appdata::Source,
    from_slice,
    v0_7::{File, FileDeleted, FileInfected, FileInfoUpdated, FileStored, FileUploaded, Hook, SentPayload},
};

/// An event of any kind, with its payload of version 0.7: older versions are lifted.
///
/// See [Uploadcare: event types](https://uploadcare.com/docs/webhooks/).
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
// The variants that occur are of about one size; a box would cost each of them an allocation.
#[allow(clippy::large_enum_variant)]
pub enum Event {
    /// `file.uploaded`
    FileUploaded(FileUploaded),
    /// `file.stored`
    FileStored(FileStored),
    /// `file.deleted`
    FileDeleted(FileDeleted),
    /// `file.infected`
    FileInfected(FileInfected),
    /// `file.info_updated`
    FileInfoUpdated(FileInfoUpdated),
    /// An event that this version of the crate does not know.
    Unknown(UnknownEvent),
}

impl Event {
    /// Reads a payload of any version, in one pass over the bytes. Verify the signature over the same bytes first.
    ///
    /// ```
    /// use uploadcare_hooks::{Event, EventKind};
    ///
    /// let event = Event::from_slice(
    ///     br#"{"hook": {"event": "file.stored"}, "data": {"uuid": "f08d7c8a-2971-42e0-ab01-780d9039b40b"}}"#,
    /// )?;
    /// assert_eq!(event.kind(), EventKind::FileStored);
    /// # Ok::<(), uploadcare_hooks::DecodeError>(())
    /// ```
    ///
    /// # Errors
    /// [`DecodeError`] if the bytes are not JSON, if `hook.event` is missing, or if the event is known and its payload
    /// does not fit: `data.uuid` missing, or something of another type than it should be.
    pub fn from_slice(body: &[u8]) -> Result<Self, DecodeError> {
        Self::read(body, Source::Borrowed)
    }

    /// The same, without copying `appdata`: it shares the body, and keeps it alive.
    ///
    /// # Errors
    /// As [`from_slice`](Self::from_slice).
    pub fn from_bytes(body: &Bytes) -> Result<Self, DecodeError> {
        Self::read(body, Source::Shared(body))
    }

    fn read(body: &[u8], source: Source<'_>) -> Result<Self, DecodeError> {
        let sent = match serde_json::from_slice::<SentPayload<'_>>(body) {
            Ok(sent) => sent,
            Err(_) => return Self::from_odd_slice(body),
        };
        Ok(match sent.hook.event {
            EventKind::FileUploaded => Self::FileUploaded(FileUploaded::keep(sent, source)),
            EventKind::FileStored => Self::FileStored(FileStored::keep(sent, source)),
            EventKind::FileDeleted => Self::FileDeleted(FileDeleted::keep(sent, source)),
            EventKind::FileInfected => Self::FileInfected(FileInfected::keep(sent, source)),
            EventKind::FileInfoUpdated => Self::FileInfoUpdated(FileInfoUpdated::keep(sent, source)),
            EventKind::Other(name) => Self::Unknown(UnknownEvent::read(name, body)?),
        })
    }

    /// What does not have a known event's form may still be an event that is not known.
    #[cold]
    fn from_odd_slice(body: &[u8]) -> Result<Self, DecodeError> {
        if let Ok(Peek { hook: PeekedHook { event: EventKind::Other(name), .. } }) = serde_json::from_slice(body) {
            return UnknownEvent::read(name, body).map(Self::Unknown);
        }
        match from_slice::<SentPayload<'_>>(body) {
            Err(error) => Err(error),
            Ok(_) => Err(DecodeError::new(".", "the payload could not be read")),
        }
    }

    /// Takes the event out and leaves an empty one behind.
    pub(crate) fn take(&mut self) -> Self {
        std::mem::replace(self, Self::Unknown(UnknownEvent::default()))
    }

    /// What happened.
    pub fn kind(&self) -> EventKind {
        match self {
            Self::FileUploaded(_) => EventKind::FileUploaded,
            Self::FileStored(_) => EventKind::FileStored,
            Self::FileDeleted(_) => EventKind::FileDeleted,
            Self::FileInfected(_) => EventKind::FileInfected,
            Self::FileInfoUpdated(_) => EventKind::FileInfoUpdated,
            Self::Unknown(unknown) => EventKind::Other(unknown.name.clone()),
        }
    }

    /// The subscription that the delivery belongs to; `None` for an unknown event, whose form is not known either.
    pub fn hook(&self) -> Option<&Hook> {
        self.parts().map(|(hook, _)| hook)
    }

    /// The file that the event is about; `None` for an unknown event, whose form is not known either.
    pub fn file(&self) -> Option<&File> {
        self.parts().map(|(_, file)| file)
    }

    fn parts(&self) -> Option<(&Hook, &File)> {
        match self {
            Self::FileUploaded(payload) => Some((&payload.hook, &payload.data)),
            Self::FileStored(payload) => Some((&payload.hook, &payload.data)),
            Self::FileDeleted(payload) => Some((&payload.hook, &payload.data)),
            Self::FileInfected(payload) => Some((&payload.hook, &payload.data)),
            Self::FileInfoUpdated(payload) => Some((&payload.hook, &payload.data)),
            Self::Unknown(_) => None,
        }
    }
}

/// An event that this version of the crate does not know; Uploadcare adds some from time to time.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct UnknownEvent {
    name: String,
    body: Box<str>,
}

impl UnknownEvent {
    fn read(name: String, body: &[u8]) -> Result<Self, DecodeError> {
        Ok(Self { name, body: from_slice::<Box<RawValue>>(body)?.into() })
    }

    /// The event, as `hook.event` names it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The whole payload, as it was sent.
    pub fn as_json(&self) -> &str {
        &self.body
    }

    /// Reads the whole payload as a type of your own.
    ///
    /// # Errors
    /// [`DecodeError`] if it does not fit.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, DecodeError> {
        from_slice(self.as_json().as_bytes())
    }
}

macro_rules! markers {
    ($($(#[$meta:meta])* $name:ident,)+) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, Copy)]
        pub enum $name {}
    )+};
}

markers! {
    /// The marker of `file.uploaded`, for [`FromDelivery`](crate::FromDelivery).
    Uploaded,
    /// The marker of `file.stored`, for [`FromDelivery`](crate::FromDelivery).
    Stored,
    /// The marker of `file.deleted`, for [`FromDelivery`](crate::FromDelivery).
    Deleted,
    /// The marker of `file.infected`, for [`FromDelivery`](crate::FromDelivery).
    Infected,
    /// The marker of `file.info_updated`, for [`FromDelivery`](crate::FromDelivery).
    InfoUpdated,
    /// The marker of several events, for [`FromDelivery`](crate::FromDelivery): of handlers with `events = [..]` or `any`.
    Any,
    /// The marker of `file.uploaded` in version 0.6, for [`FromDelivery`](crate::FromDelivery).
    UploadedV06,
    /// The marker of `file.uploaded` in version 0.5 and the empty one, for [`FromDelivery`](crate::FromDelivery).
    UploadedV05,
}
