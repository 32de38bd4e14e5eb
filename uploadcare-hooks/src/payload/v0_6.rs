//! The payload of version 0.6, as it is sent: for handlers with `version = "0.6"`. Other handlers get it lifted into
//! [`v0_7`](super::v0_7).
//!
//! See [Uploadcare: REST API 0.6](https://uploadcare.com/api-refs/rest-api/v0.6.0/).

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::lenient;
pub use super::{
    content::{ContentInfo, GeoLocation, ImageInfo, MimeInfo, VideoStream},
    envelope::{Hook, Initiator, InitiatorDetail},
};

/// `file.uploaded`, the one event that version 0.6 sends.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FileUploaded {
    /// Who caused it; deliveries from before July 2023 do not say.
    pub initiator: Option<Initiator>,
    /// The subscription that the delivery belongs to.
    pub hook: Hook,
    /// The file.
    pub data: File,
    /// The file's URL at the CDN.
    #[serde(default, deserialize_with = "lenient::link")]
    pub file: Option<String>,
}

/// The file that an event is about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct File {
    /// The file's UUID.
    pub uuid: Uuid,
    /// In bytes.
    #[serde(default, deserialize_with = "lenient::whole")]
    pub size: Option<u64>,
    /// Such as `image/jpeg`.
    pub mime_type: Option<String>,
    /// The name that the file had when it was uploaded. Comes from an end user: any script, any length.
    pub original_filename: Option<String>,
    /// The file's URL at the CDN.
    #[serde(default, deserialize_with = "lenient::link")]
    pub original_file_url: Option<String>,
    /// The file's URL in the REST API.
    #[serde(default, deserialize_with = "lenient::link")]
    pub url: Option<String>,
    /// Whether the file is an image.
    #[serde(default, deserialize_with = "lenient::null_default")]
    pub is_image: bool,
    /// Whether the file can be used.
    #[serde(default, deserialize_with = "lenient::null_default")]
    pub is_ready: bool,
    /// When it was uploaded.
    #[serde(default, deserialize_with = "lenient::timestamp")]
    pub datetime_uploaded: Option<Timestamp>,
    /// When it was last stored.
    #[serde(default, deserialize_with = "lenient::timestamp")]
    pub datetime_stored: Option<Timestamp>,
    /// When it was deleted.
    #[serde(default, deserialize_with = "lenient::timestamp")]
    pub datetime_removed: Option<Timestamp>,
    /// The files that were made from this one, by conversion path.
    #[serde(default, deserialize_with = "lenient::variations")]
    pub variations: BTreeMap<String, Uuid>,
    /// For images.
    pub image_info: Option<ImageInfo>,
    /// For videos.
    pub video_info: Option<VideoInfo>,
    /// What later deliveries of these versions have beside `image_info` and `video_info`.
    pub content_info: Option<ContentInfo>,
    /// What the image shows, with how sure the model is.
    #[serde(default, deserialize_with = "lenient::confidences")]
    pub rekognition_info: BTreeMap<String, f64>,
    /// Where the file was uploaded from.
    #[serde(default, deserialize_with = "lenient::text")]
    pub source: Option<String>,
}

/// What is known of a video.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct VideoInfo {
    /// In milliseconds.
    pub duration: Option<f64>,
    /// Such as `mp4`.
    pub format: Option<String>,
    /// As Uploadcare sends it, which names no unit.
    pub bitrate: Option<f64>,
    /// Its audio stream.
    #[serde(deserialize_with = "lenient::first")]
    pub audio: Option<AudioStream>,
    /// Its video stream.
    #[serde(deserialize_with = "lenient::first")]
    pub video: Option<VideoStream>,
}

/// What is known of an audio stream.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct AudioStream {
    /// As Uploadcare sends it, which names no unit.
    pub bitrate: Option<f64>,
    /// Such as `aac`.
    pub codec: Option<String>,
    /// In hertz.
    pub sample_rate: Option<f64>,
    /// How many channels it has, in words: it is documented as a text, and sent as a number too.
    #[serde(deserialize_with = "lenient::text")]
    pub channels: Option<String>,
}
