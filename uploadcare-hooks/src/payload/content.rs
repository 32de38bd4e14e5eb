//! `content_info`: what Uploadcare recognised in a file's content.

use serde::{Deserialize, Serialize};

use super::{ColorMode, Text, lenient};

/// Information about a file's content. The file's `content_info` is `None` while the file is not
/// ready.
///
/// See [Uploadcare: file info](https://uploadcare.com/api-refs/rest-api/v0.7.0/#tag/File),
/// `content_info`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ContentInfo {
    /// The recognised MIME type.
    pub mime: Option<MimeInfo>,
    /// For images.
    pub image: Option<ImageInfo>,
    /// For videos.
    pub video: Option<VideoInfo>,
}

/// A MIME type, as a whole and in its parts.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct MimeInfo {
    /// The whole type, such as `image/jpeg`.
    pub mime: Option<Text>,
    /// The part before the slash.
    #[serde(rename = "type")]
    pub kind: Option<Text>,
    /// The part after the slash.
    pub subtype: Option<Text>,
}

/// Information about an image.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ImageInfo {
    /// How the image stores its colours.
    pub color_mode: Option<ColorMode>,
    /// The orientation from EXIF, 0 to 8.
    #[serde(deserialize_with = "lenient::whole")]
    pub orientation: Option<u8>,
    /// The format, such as `JPEG`.
    pub format: Option<Text>,
    /// Whether the file has several images, as an animated GIF does.
    #[serde(deserialize_with = "lenient::null_default")]
    pub sequence: bool,
    /// The height in pixels.
    #[serde(deserialize_with = "lenient::whole")]
    pub height: Option<u64>,
    /// The width in pixels.
    #[serde(deserialize_with = "lenient::whole")]
    pub width: Option<u64>,
    /// Where the image was taken, from EXIF.
    pub geo_location: Option<GeoLocation>,
    /// When the image was taken, from EXIF. The text as it was sent, since cameras write it in many
    /// forms.
    pub datetime_original: Option<Text>,
    /// The resolution in dots per inch, horizontal and vertical.
    #[serde(deserialize_with = "lenient::pair")]
    pub dpi: Option<[f64; 2]>,
}

/// A place on Earth, in degrees.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct GeoLocation {
    /// The latitude; north is positive.
    pub latitude: Option<f64>,
    /// The longitude; east is positive.
    pub longitude: Option<f64>,
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
    /// Its audio streams.
    #[serde(deserialize_with = "lenient::one_or_many")]
    pub audio: Vec<AudioStream>,
    /// Its video streams.
    #[serde(deserialize_with = "lenient::one_or_many")]
    pub video: Vec<VideoStream>,
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
    /// The number of channels.
    #[serde(deserialize_with = "lenient::channels")]
    pub channels: Option<u32>,
}

/// Information about a video stream.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct VideoStream {
    /// The height in pixels.
    #[serde(deserialize_with = "lenient::whole")]
    pub height: Option<u64>,
    /// The width in pixels.
    #[serde(deserialize_with = "lenient::whole")]
    pub width: Option<u64>,
    /// The frame rate in frames per second.
    pub frame_rate: Option<f64>,
    /// The bit rate as Uploadcare sends it; its unit is not documented.
    pub bitrate: Option<f64>,
    /// The codec, such as `h264`.
    pub codec: Option<Text>,
}
