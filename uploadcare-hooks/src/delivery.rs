//! A verified request: what was received, and the event that was read from it.

use std::{
    borrow::Cow,
    fmt,
    sync::{Arc, OnceLock},
};

use bytes::Bytes;
use http::HeaderMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use sha2::{Digest, Sha256};

use crate::{
    event::{Event, EventKind},
    signature::MacBytes,
};

/// A delivery whose signature was checked: the request as it was received, and its event.
///
/// A handler takes it as a parameter when the payload is not enough. Clones share the request and
/// the event.
#[derive(Clone)]
pub struct Delivery(Arc<Parts>);

/// One allocation for all of it, since nearly every delivery has one handler.
struct Parts {
    event: Event,
    request: Received,
    /// A copy of the event for those who keep it, once one is needed.
    kept: OnceLock<Arc<Event>>,
}

pub(crate) struct Received {
    pub(crate) id: DeliveryId,
    pub(crate) path: &'static str,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) secret: Option<MatchedSecret>,
}

/// Without the headers, whose signature could be replayed, and without the body.
impl fmt::Debug for Received {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Received")
            .field("id", &self.id)
            .field("path", &self.path)
            .field("body_bytes", &self.body.len())
            .field("secret", &self.secret)
            .finish_non_exhaustive()
    }
}

/// The secret that a delivery was signed with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MatchedSecret {
    pub(crate) position: usize,
    /// Whether it is one of the router's secrets, which are used for handlers without `secret_env`.
    pub(crate) of_router: bool,
}

impl Delivery {
    #[inline]
    pub(crate) fn new(event: Event, request: Received) -> Self {
        Self(Arc::new(Parts { event, request, kept: OnceLock::new() }))
    }

    /// The id of the delivery. A redelivery of the same bytes, signed with the same secret, has the
    /// same id.
    pub fn id(&self) -> DeliveryId {
        self.0.request.id
    }

    /// The kind of the event.
    pub fn kind(&self) -> EventKind {
        self.0.event.kind()
    }

    /// The event, with its payload.
    pub fn event(&self) -> &Event {
        &self.0.event
    }

    /// The event, for keeping it longer than the delivery. The first call copies it, and all clones
    /// of the delivery share that copy.
    pub fn shared_event(&self) -> Arc<Event> {
        Arc::clone(self.0.kept.get_or_init(|| Arc::new(self.0.event.clone())))
    }

    /// The body, as it was received and signed.
    pub fn body(&self) -> &Bytes {
        &self.0.request.body
    }

    /// The request's headers. The signature does not cover them. Empty in a worker of a queue,
    /// since a queue does not store them.
    pub fn headers(&self) -> &HeaderMap {
        &self.0.request.headers
    }

    /// The path inside the router to which the delivery was sent, such as `/`.
    pub fn path(&self) -> &str {
        self.0.request.path
    }

    /// The position of the secret that the delivery was signed with; `None` if unsigned deliveries
    /// are accepted and it had no signature.
    ///
    /// Positions count from 0: first the secrets given to the builder in their order, then each
    /// `secret_env` of the handlers, then each new secret of a rotation. `None` in a worker of a
    /// queue, since the delivery was verified before it was stored.
    pub fn secret_position(&self) -> Option<usize> {
        self.0.request.secret.map(|secret| secret.position)
    }

    /// Moves the event out if this is the only clone of the delivery, or else copies it. After a
    /// move the delivery has an empty event, so only the last user of a delivery may call this.
    #[inline]
    pub(crate) fn take_event(&mut self) -> Event {
        match Arc::get_mut(&mut self.0) {
            Some(parts) => parts.event.take(),
            None => self.0.event.clone(),
        }
    }

    /// Like [`take_event`](Self::take_event), to be shared.
    pub(crate) fn take_shared_event(&mut self) -> Arc<Event> {
        match Arc::get_mut(&mut self.0) {
            Some(parts) if parts.kept.get().is_none() => Arc::new(parts.event.take()),
            _ => self.shared_event(),
        }
    }
}

impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Parts { event, request, kept: _ } = &*self.0;
        f.debug_struct("Delivery").field("event", event).field("request", request).finish()
    }
}

/// The id of a delivery: the first half of its signature, or of the SHA-256 of the body if it has
/// no signature.
///
/// Uploadcare sends no delivery id. A redelivery is expected to carry the same bytes and so the
/// same signature. The id has only half of the signature, so ids in a log cannot be used to send a
/// delivery again.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DeliveryId([u8; 16]);

impl DeliveryId {
    pub(crate) fn from_mac(mac: &MacBytes) -> Self {
        let (half, _) = mac.split_at(16);
        let mut id = [0; 16];
        id.copy_from_slice(half);
        Self(id)
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Self {
        Self::from_mac(&Sha256::digest(bytes).into())
    }

    /// The id that [`Display`](fmt::Display) shows as these digits.
    pub(crate) fn from_digits(digits: &str) -> Option<Self> {
        let mut id = [0; 16];
        hex::decode_to_slice(digits, &mut id).ok()?;
        Some(Self(id))
    }

    /// The id's bytes.
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl Serialize for DeliveryId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for DeliveryId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let digits = Cow::<str>::deserialize(deserializer)?;
        Self::from_digits(&digits).ok_or_else(|| D::Error::custom("not 32 hexadecimal digits"))
    }
}

/// 32 lower-case hexadecimal digits.
impl fmt::Display for DeliveryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for DeliveryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DeliveryId({self})")
    }
}
