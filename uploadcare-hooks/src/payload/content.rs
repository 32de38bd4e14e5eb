//! `content_info`: what Uploadcare found out about a file's content.

use serde::{Deserialize, Serialize};

use super::{ColorMode, lenient};

/// What is known of a file's content; `None` in the file while it is not ready.
///
/// See [Uploadcare: file info](https://uploadcare.com/api-refs/rest-api/v0.7.0/#tag/File), `content_info`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ContentInfo {
    /// The MIME type that was recognised.
    pub mime: Option<MimeInfo>,
    /// For images.
    pub image: Option<ImageInfo>,
    /// For videos.
    pub video: Option<VideoInfo>,
}

/// A MIME type, whole and in its parts.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct MimeInfo {
    /// The whole, such as `image/jpeg`.
    pub mime: Option<String>,
    /// The part before the slash.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// The part behind the slash.
    pub subtype: Option<String>,
}

/// What is known of an image.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ImageInfo {
    /// How it stores its colours.
    pub color_mode: Option<ColorMode>,
    /// The orientation from EXIF, 0 to 8.
    #[serde(deserialize_with = "lenient::whole")]
    pub orientation: Option<u8>,
    /// Such as `JPEG`.
    pub format: Option<String>,
    /// Whether the file holds several images, as an animated GIF does.
    #[serde(deserialize_with = "lenient::null_default")]
    pub sequence: bool,
    /// In pixels.
    #[serde(deserialize_with = "lenient::whole")]
    pub height: Option<u64>,
    /// In pixels.
    #[serde(deserialize_with = "lenient::whole")]
    pub width: Option<u64>,
    /// Where it was taken, from EXIF.
    pub geo_location: Option<GeoLocation>,
    /// When it was taken, from EXIF: as it is sent, since cameras write it in many forms.
    pub datetime_original: Option<String>,
    /// Dots per inch, horizontal and vertical.
    #[serde(deserialize_with = "lenient::pair")]
    pub dpi: Option<[f64; 2]>,
}

/// A place on Earth, in degrees.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct GeoLocation {
    /// North is positive.
    pub latitude: Option<f64>,
    /// East is positive.
    pub longitude: Option<f64>,
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
    /// Its audio streams.
    #[serde(deserialize_with = "lenient::one_or_many")]
    pub audio: Vec<AudioStream>,
    /// Its video streams.
    #[serde(deserialize_with = "lenient::one_or_many")]
    pub video: Vec<VideoStream>,
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
    /// How many channels it has.
    #[serde(deserialize_with = "lenient::channels")]
    pub channels: Option<u32>,
}

/// What is known of a video stream.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct VideoStream {
    /// In pixels.
    #[serde(deserialize_with = "lenient::whole")]
    pub height: Option<u64>,
    /// In pixels.
    #[serde(deserialize_with = "lenient::whole")]
    pub width: Option<u64>,
    /// Frames a second.
    pub frame_rate: Option<f64>,
    /// As Uploadcare sends it, which names no unit.
    pub bitrate: Option<f64>,
    /// Such as `h264`.
    pub codec: Option<String>,
}
