//! Events that this version of the crate does not know.

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::payload::{DecodeError, PayloadVersion, Peek, Text, from_slice, from_str};

/// An event that this version of the crate does not know. Uploadcare adds events from time to time.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct UnknownEvent {
    name: String,
    version: PayloadVersion,
    body: Text,
}

impl UnknownEvent {
    /// An event with this name and payload, for tests of handlers. `hook.event` in the payload
    /// should be the same name.
    ///
    /// ```
    /// use uploadcare_hooks::UnknownEvent;
    ///
    /// let json = r#"{"hook": {"event": "moderation.state_changed"}}"#;
    /// let event = UnknownEvent::new("moderation.state_changed", json)?;
    /// assert_eq!(event.as_json(), json);
    /// # Ok::<(), uploadcare_hooks::DecodeError>(())
    /// ```
    ///
    /// # Errors
    /// [`DecodeError`] if the payload is not JSON.
    pub fn new(name: impl Into<String>, json: impl AsRef<[u8]>) -> Result<Self, DecodeError> {
        let json = json.as_ref();
        let version = serde_json::from_slice(json).map(|Peek { hook }| hook.version).unwrap_or_default();
        let body = from_slice::<Box<RawValue>>(json)?;
        Ok(Self { name: name.into(), version, body: body.get().into() })
    }

    /// An event whose payload is the body that is being read, which was found to be JSON.
    pub(super) fn of(name: String, version: PayloadVersion, json: &str) -> Self {
        Self { name, version, body: Text::of(json.trim_ascii()) }
    }

    /// The event's name in `hook.event`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The version of the payload in `hook.version`; the empty version if there is none.
    pub fn version(&self) -> &PayloadVersion {
        &self.version
    }

    /// The whole payload as it was sent, with U+FFFD in place of bytes that are not UTF-8.
    pub fn as_json(&self) -> &str {
        &self.body
    }

    /// Reads the whole payload as a type of your own. Texts may have half of a surrogate pair: it
    /// is read as U+FFFD.
    ///
    /// # Errors
    /// [`DecodeError`] if the payload does not fit the type.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, DecodeError> {
        from_str(self.as_json())
    }
}
