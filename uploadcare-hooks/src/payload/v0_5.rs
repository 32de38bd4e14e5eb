//! The payload of version 0.5, and of the oldest version, whose name is empty, as it is sent. It is
//! for handlers with `version = "0.5"` or `version = ""`. Other handlers get such a delivery lifted
//! into [`v0_7`](super::v0_7).
//!
//! See [Uploadcare: REST API 0.5](https://uploadcare.com/api-refs/rest-api/v0.5.0/).

use serde::{Deserialize, Serialize};

use super::lenient;
pub use super::v0_6::{
    AudioStream, ContentInfo, File, GeoLocation, Hook, ImageInfo, Initiator, InitiatorDetail, MimeInfo, VideoInfo,
    VideoStream,
};

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
    pub file: Option<String>,
}
