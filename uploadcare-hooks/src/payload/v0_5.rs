//! The payload of version 0.5, and of the oldest version, whose name is empty, as it is sent. It is
//! for handlers with `version = "0.5"` or `version = ""`. Other handlers get such a delivery lifted
//! into [`v0_7`](super::v0_7).
//!
//! See [Uploadcare: REST API 0.5](https://uploadcare.com/api-refs/rest-api/v0.5.0/).

use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use super::v0_6::{
    AudioStream, ContentInfo, File, GeoLocation, Hook, ImageInfo, Initiator, InitiatorDetail, MimeInfo, VideoInfo,
    VideoStream,
};
use super::{EventKind, PayloadVersion, Text, lenient};

/// `file.uploaded`, the one event that version 0.5 and the empty one send.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FileUploaded {
    /// What caused the event; `None` for deliveries from before July 2023.
    pub initiator: Option<Initiator>,
    /// The subscription that the delivery belongs to.
    pub hook: Hook,
    /// The file.
    pub data: File,
    /// The file's URL at the CDN.
    #[serde(default, deserialize_with = "lenient::link")]
    pub file: Option<Text>,
}

impl FileUploaded {
    /// A payload with only the file's UUID. A unit test of a handler fills in the fields that it
    /// needs.
    ///
    /// ```
    /// use uploadcare_hooks::payload::v0_5::FileUploaded;
    ///
    /// let mut event = FileUploaded::new("f08d7c8a-2971-42e0-ab01-780d9039b40b".parse()?);
    /// event.data.source = Some("local".into());
    /// assert_eq!(event.hook.version.as_str(), "0.5");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// A test of the empty version sets `hook.version` to
    /// [`PayloadVersion::Unversioned`].
    pub fn new(uuid: Uuid) -> Self {
        let hook = Hook { version: PayloadVersion::V0_5, ..Hook::new(EventKind::FileUploaded) };
        Self { initiator: None, hook, data: File { uuid, ..File::default() }, file: None }
    }
}
