//! The results of applications that have a type of their own. Outside of this crate each of them is
//! built from its `Default`.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::payload::{Text, lenient};

/// The result of one application.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Application<T> {
    /// The result.
    pub data: T,
    /// The application's version.
    #[serde(default, deserialize_with = "lenient::text")]
    pub version: Option<Text>,
    /// When the application first ran.
    #[serde(default, deserialize_with = "lenient::timestamp")]
    pub datetime_created: Option<Timestamp>,
    /// When the application last ran.
    #[serde(default, deserialize_with = "lenient::timestamp")]
    pub datetime_updated: Option<Timestamp>,
}

impl<T> Application<T> {
    /// A result of which only `data` is known.
    pub fn new(data: T) -> Self {
        Self { data, version: None, datetime_created: None, datetime_updated: None }
    }
}

impl<T> From<T> for Application<T> {
    fn from(data: T) -> Self {
        Self::new(data)
    }
}

/// The result of `uc_clamav_virus_scan`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct VirusScan {
    /// Whether a virus was found. Required: without this field the result does not fit.
    pub infected: bool,
    /// The name of the virus, such as `Win.Test.EICAR_HDB-1`.
    #[serde(default)]
    pub infected_with: Option<Text>,
}

/// The result of `aws_rekognition_detect_labels`.
///
/// See
/// [Amazon Rekognition: DetectLabels](https://docs.aws.amazon.com/rekognition/latest/APIReference/API_DetectLabels.html).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
#[non_exhaustive]
pub struct Labels {
    /// The version of the model.
    #[serde(deserialize_with = "lenient::text")]
    pub label_model_version: Option<Text>,
    /// The recognised labels.
    #[serde(deserialize_with = "lenient::null_default")]
    pub labels: Vec<Label>,
}

/// A thing that an image shows.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
#[non_exhaustive]
pub struct Label {
    /// The name of the label.
    #[serde(deserialize_with = "lenient::null_default")]
    pub name: Text,
    /// The confidence of the model, 0 to 100.
    #[serde(deserialize_with = "lenient::null_default")]
    pub confidence: f64,
    /// The places in the image that show it.
    #[serde(deserialize_with = "lenient::null_default")]
    pub instances: Vec<LabelInstance>,
    /// The more general labels that contain this one.
    #[serde(deserialize_with = "lenient::null_default")]
    pub parents: Vec<LabelParent>,
}

/// A place in the image that shows a label's thing.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
#[non_exhaustive]
pub struct LabelInstance {
    /// The part of the image.
    pub bounding_box: Option<BoundingBox>,
    /// The confidence of the model, 0 to 100.
    pub confidence: Option<f64>,
}

/// A part of an image.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
#[non_exhaustive]
pub struct BoundingBox {
    /// The height, as a ratio of the image's height.
    pub height: Option<f64>,
    /// The left edge, as a ratio of the image's width.
    pub left: Option<f64>,
    /// The upper edge, as a ratio of the image's height.
    pub top: Option<f64>,
    /// The width, as a ratio of the image's width.
    pub width: Option<f64>,
}

/// A more general label.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
#[non_exhaustive]
pub struct LabelParent {
    /// The name of the label.
    #[serde(deserialize_with = "lenient::null_default")]
    pub name: Text,
}

/// The result of `aws_rekognition_detect_moderation_labels`.
///
/// See
/// [Amazon Rekognition: DetectModerationLabels](https://docs.aws.amazon.com/rekognition/latest/APIReference/API_DetectModerationLabels.html).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
#[non_exhaustive]
pub struct ModerationLabels {
    /// The version of the model.
    #[serde(deserialize_with = "lenient::text")]
    pub moderation_model_version: Option<Text>,
    /// The recognised labels.
    #[serde(deserialize_with = "lenient::null_default")]
    pub moderation_labels: Vec<ModerationLabel>,
}

/// Unsafe content that an image shows.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
#[non_exhaustive]
pub struct ModerationLabel {
    /// The name of the label.
    #[serde(deserialize_with = "lenient::null_default")]
    pub name: Text,
    /// The more general label that contains this one; empty for the most general labels.
    #[serde(deserialize_with = "lenient::null_default")]
    pub parent_name: Text,
    /// The confidence of the model, 0 to 100.
    #[serde(deserialize_with = "lenient::null_default")]
    pub confidence: f64,
}

/// The result of `remove_bg`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct RemoveBg {
    /// What is in the foreground, such as `person`. Sent only if classification was requested.
    pub foreground_type: Option<Text>,
}
