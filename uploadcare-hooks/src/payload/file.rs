//! `data`: the file, and how its old forms are lifted into the newest one.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    Text,
    appdata::AppData,
    content::{ContentInfo, ImageInfo, MimeInfo, VideoInfo},
    lenient,
};

/// The file that an event is about.
///
/// See [Uploadcare: file info](https://uploadcare.com/api-refs/rest-api/v0.7.0/#tag/File).
///
/// A file of an old version is lifted when it is read. `image_info`, `video_info` and the MIME type
/// go to [`content_info`](Self::content_info), where parts that were sent in `content_info` have
/// priority. `rekognition_info` goes to [`appdata`](Self::appdata), as labels. `source` is left
/// out; [`v0_6::File`](super::v0_6::File) has it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "SentFile<AppData>")]
#[non_exhaustive]
pub struct File {
    /// The file's UUID.
    pub uuid: Uuid,
    /// The size in bytes.
    pub size: Option<u64>,
    /// The MIME type, such as `image/jpeg`.
    pub mime_type: Option<Text>,
    /// The name that the file had when it was uploaded. It comes from an end user, in any script
    /// and of any length.
    pub original_filename: Option<Text>,
    /// The file's URL at the CDN; `None` for a deleted file.
    pub original_file_url: Option<Text>,
    /// The file's URL in the REST API.
    pub url: Option<Text>,
    /// Whether the file is an image.
    pub is_image: bool,
    /// Whether the file can be used. Some information about it is sent only when it is ready.
    pub is_ready: bool,
    /// When the file was uploaded.
    pub datetime_uploaded: Option<Timestamp>,
    /// When the file was last stored.
    pub datetime_stored: Option<Timestamp>,
    /// When the file was deleted.
    pub datetime_removed: Option<Timestamp>,
    /// The files that were made from this one, by conversion path.
    pub variations: BTreeMap<Text, Uuid>,
    /// Information about the content.
    pub content_info: Option<Box<ContentInfo>>,
    /// Up to 50 pairs that the uploader of the file set. Treat them as hostile text, unless only
    /// your own code writes them.
    pub metadata: BTreeMap<Text, Text>,
    /// The results of applications.
    pub appdata: AppData,
}

/// A file as it is sent, with the fields of all versions, so that one pass reads any version. `A`
/// is its `appdata`, copied or a part of the body.
#[derive(Deserialize)]
#[serde(bound = "A: Default + Deserialize<'de>", expecting = "a file, which is a JSON object")]
pub(super) struct SentFile<A> {
    uuid: Uuid,
    #[serde(default, deserialize_with = "lenient::whole")]
    size: Option<u64>,
    mime_type: Option<Text>,
    original_filename: Option<Text>,
    #[serde(default, deserialize_with = "lenient::link")]
    original_file_url: Option<Text>,
    #[serde(default, deserialize_with = "lenient::link")]
    url: Option<Text>,
    is_image: Option<bool>,
    is_ready: Option<bool>,
    #[serde(default, deserialize_with = "lenient::timestamp")]
    datetime_uploaded: Option<Timestamp>,
    #[serde(default, deserialize_with = "lenient::timestamp")]
    datetime_stored: Option<Timestamp>,
    #[serde(default, deserialize_with = "lenient::timestamp")]
    datetime_removed: Option<Timestamp>,
    #[serde(default, deserialize_with = "lenient::variations")]
    variations: BTreeMap<Text, Uuid>,
    content_info: Option<Box<ContentInfo>>,
    #[serde(default, deserialize_with = "lenient::texts")]
    metadata: BTreeMap<Text, Text>,
    #[serde(default)]
    appdata: A,
    // Boxed, since new versions do not send these fields, and the struct is moved several times.
    image_info: Option<Box<ImageInfo>>,
    video_info: Option<Box<VideoInfo>>,
    #[serde(default, deserialize_with = "lenient::confidences")]
    rekognition_info: BTreeMap<Text, f64>,
}

impl<A: Into<AppData>> From<SentFile<A>> for File {
    fn from(sent: SentFile<A>) -> Self {
        let mut content_info = sent.content_info;
        if sent.image_info.is_some() || sent.video_info.is_some() {
            let content = content_info.get_or_insert_default();
            content.image = content.image.take().or(sent.image_info.map(|image| *image));
            content.video = content.video.take().or(sent.video_info.map(|video| *video));
            content.mime = content.mime.take().or_else(|| sent.mime_type.as_deref().map(mime_info));
        }
        let mut appdata = sent.appdata.into();
        if appdata.is_absent() && !sent.rekognition_info.is_empty() {
            appdata = AppData::from_rekognition_info(sent.rekognition_info);
        }
        Self {
            uuid: sent.uuid,
            size: sent.size,
            mime_type: sent.mime_type,
            original_filename: sent.original_filename,
            original_file_url: sent.original_file_url,
            url: sent.url,
            is_image: sent.is_image.unwrap_or_default(),
            is_ready: sent.is_ready.unwrap_or_default(),
            datetime_uploaded: sent.datetime_uploaded,
            datetime_stored: sent.datetime_stored,
            datetime_removed: sent.datetime_removed,
            variations: sent.variations,
            content_info,
            metadata: sent.metadata,
            appdata,
        }
    }
}

fn mime_info(mime: &str) -> MimeInfo {
    let (kind, subtype) = mime.split_once('/').unzip();
    MimeInfo { mime: Some(mime.into()), kind: kind.map(Text::from), subtype: subtype.map(Text::from) }
}
