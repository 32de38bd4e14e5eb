//! The payload of version 0.6, as it is sent. It is for handlers with `version = "0.6"`. Other
//! handlers get such a delivery lifted into [`v0_7`](super::v0_7).
//!
//! See [Uploadcare: REST API 0.6](https://uploadcare.com/api-refs/rest-api/v0.6.0/).

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{EventKind, PayloadVersion, Text, lenient};
pub use super::{
    content::{ContentInfo, GeoLocation, ImageInfo, MimeInfo, VideoStream},
    envelope::{Hook, Initiator, InitiatorDetail},
};

/// `file.uploaded`, the one event that version 0.6 sends.
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
    /// use uploadcare_hooks::payload::v0_6::FileUploaded;
    ///
    /// let mut event = FileUploaded::new("f08d7c8a-2971-42e0-ab01-780d9039b40b".parse()?);
    /// event.data.source = Some("local".into());
    /// assert_eq!(event.hook.version.as_str(), "0.6");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new(uuid: Uuid) -> Self {
        let hook = Hook { version: PayloadVersion::V0_6, ..Hook::new(EventKind::FileUploaded) };
        Self { initiator: None, hook, data: File { uuid, ..File::default() }, file: None }
    }
}

/// The file that an event is about.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct File {
    /// The file's UUID.
    pub uuid: Uuid,
    /// The size in bytes.
    #[serde(default, deserialize_with = "lenient::whole")]
    pub size: Option<u64>,
    /// The MIME type, such as `image/jpeg`.
    pub mime_type: Option<Text>,
    /// The name that the file had when it was uploaded. It comes from an end user, in any script
    /// and of any length.
    pub original_filename: Option<Text>,
    /// The file's URL at the CDN.
    #[serde(default, deserialize_with = "lenient::link")]
    pub original_file_url: Option<Text>,
    /// The file's URL in the REST API.
    #[serde(default, deserialize_with = "lenient::link")]
    pub url: Option<Text>,
    /// Whether the file is an image.
    #[serde(default, deserialize_with = "lenient::null_default")]
    pub is_image: bool,
    /// Whether the file can be used.
    #[serde(default, deserialize_with = "lenient::null_default")]
    pub is_ready: bool,
    /// When the file was uploaded.
    #[serde(default, deserialize_with = "lenient::timestamp")]
    pub datetime_uploaded: Option<Timestamp>,
    /// When the file was last stored.
    #[serde(default, deserialize_with = "lenient::timestamp")]
    pub datetime_stored: Option<Timestamp>,
    /// When the file was deleted.
    #[serde(default, deserialize_with = "lenient::timestamp")]
    pub datetime_removed: Option<Timestamp>,
    /// The files that were made from this one, by conversion path.
    #[serde(default, deserialize_with = "lenient::variations")]
    pub variations: BTreeMap<Text, Uuid>,
    /// For images.
    pub image_info: Option<ImageInfo>,
    /// For videos.
    pub video_info: Option<VideoInfo>,
    /// Information about the content. Later deliveries of the old versions have it beside
    /// `image_info` and `video_info`.
    pub content_info: Option<ContentInfo>,
    /// The labels of the image, each with the confidence of the model.
    #[serde(default, deserialize_with = "lenient::confidences")]
    pub rekognition_info: BTreeMap<Text, f64>,
    /// The source from which the file was uploaded.
    #[serde(default, deserialize_with = "lenient::text")]
    pub source: Option<Text>,
}

/// Information about a video.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct VideoInfo {
    /// The duration in milliseconds.
    pub duration: Option<f64>,
    /// The format, such as `mp4`.
    pub format: Option<Text>,
    /// The bit rate as Uploadcare sends it; its unit is not documented.
    pub bitrate: Option<f64>,
    /// Its audio stream.
    #[serde(deserialize_with = "lenient::first")]
    pub audio: Option<AudioStream>,
    /// Its video stream.
    #[serde(deserialize_with = "lenient::first")]
    pub video: Option<VideoStream>,
}

/// Information about an audio stream.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct AudioStream {
    /// The bit rate as Uploadcare sends it; its unit is not documented.
    pub bitrate: Option<f64>,
    /// The codec, such as `aac`.
    pub codec: Option<Text>,
    /// The sample rate in hertz.
    pub sample_rate: Option<f64>,
    /// The number of channels, as a text: it is documented as a text and sometimes sent as a
    /// number.
    #[serde(deserialize_with = "lenient::text")]
    pub channels: Option<Text>,
}
