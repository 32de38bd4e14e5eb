//! `appdata`: the results of the applications that analysed a file. Stays raw JSON until the
//! application asks for a result, since the labels of an image can be 30 times as large as the rest
//! of a delivery. For the same reason it shares the delivery's body if it can.

use std::{borrow::Cow, collections::BTreeMap, fmt};

use bytes::Bytes;
use jiff::Timestamp;
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, DeserializeOwned},
    ser,
};
use serde_json::value::RawValue;

use super::{DecodeError, decode, lenient, repair::repair};

type Entries<'a> = BTreeMap<Cow<'a, str>, &'a RawValue>;

/// The results of the applications that analysed a file, by the application's name.
///
/// See [Uploadcare: add-ons](https://uploadcare.com/api-refs/rest-api/v0.7.0/#tag/Add-Ons) and
/// [file info](https://uploadcare.com/api-refs/rest-api/v0.7.0/#tag/File), `appdata`.
///
/// ```
/// use uploadcare_hooks::payload::appdata::AppData;
///
/// let appdata: AppData = serde_json::from_str(
///     r#"{"uc_clamav_virus_scan": {
///         "data": {"infected": true, "infected_with": "Win.Test.EICAR_HDB-1"},
///         "version": "0.105.1"
///     }}"#,
/// )?;
/// let scan = appdata.virus_scan()?.expect("a scan result");
/// assert!(scan.data.infected);
/// assert!(appdata.remove_bg()?.is_none());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default)]
pub struct AppData(
    /// A JSON object; empty if none was sent.
    Bytes,
);

impl AppData {
    /// Whether there are no results.
    pub fn is_empty(&self) -> bool {
        self.read_entries(|entries| entries.is_empty()).is_ok_and(|empty| empty)
    }

    /// The JSON object as it was sent; `{}` if none was sent.
    pub fn as_json(&self) -> &str {
        match str::from_utf8(&self.0) {
            Ok(json) if !json.is_empty() => json,
            _ => "{}",
        }
    }

    /// The names of the applications, sorted. In `previous_values` they include applications that
    /// had no result before.
    ///
    /// # Errors
    /// [`DecodeError`] if the names cannot be read.
    pub fn names(&self) -> Result<Vec<String>, DecodeError> {
        self.read_entries(|entries| entries.into_keys().map(Cow::into_owned).collect())
    }

    /// The result of the application called `name`, with its `data` read as `T`; `None` if there is
    /// no such result.
    ///
    /// For applications without a method of their own here. Each call reads the JSON again.
    ///
    /// # Errors
    /// [`DecodeError`] if the result does not fit `T`.
    pub fn get<T: DeserializeOwned>(&self, name: &str) -> Result<Option<Application<T>>, DecodeError> {
        // In `previous_values` a result may be `null`.
        let read = |entry: &RawValue| decode::from_slice::<Option<Application<T>>>(entry.get().as_bytes());
        let result = self.read_entries(|entries| entries.get(name).map_or(Ok(None), |entry| read(entry)))?;
        result.map_err(|error| error.within(name).within("appdata"))
    }

    /// The result of the virus scan: `uc_clamav_virus_scan`.
    ///
    /// # Errors
    /// [`DecodeError`] if the result has another form.
    pub fn virus_scan(&self) -> Result<Option<Application<VirusScan>>, DecodeError> {
        self.get("uc_clamav_virus_scan")
    }

    /// The labels of an image: `aws_rekognition_detect_labels`.
    ///
    /// # Errors
    /// [`DecodeError`] if the result has another form.
    pub fn labels(&self) -> Result<Option<Application<Labels>>, DecodeError> {
        self.get("aws_rekognition_detect_labels")
    }

    /// The labels of unsafe content in an image: `aws_rekognition_detect_moderation_labels`.
    ///
    /// # Errors
    /// [`DecodeError`] if the result has another form.
    pub fn moderation_labels(&self) -> Result<Option<Application<ModerationLabels>>, DecodeError> {
        self.get("aws_rekognition_detect_moderation_labels")
    }

    /// The result of the background removal: `remove_bg`.
    ///
    /// # Errors
    /// [`DecodeError`] if the result has another form.
    pub fn remove_bg(&self) -> Result<Option<Application<RemoveBg>>, DecodeError> {
        self.get("remove_bg")
    }

    /// Whether `appdata` was absent or `null`.
    pub(super) fn is_absent(&self) -> bool {
        self.0.is_empty()
    }

    /// Calls `read` with the entries, unread, by the application's name.
    fn read_entries<R>(&self, read: impl FnOnce(Entries<'_>) -> R) -> Result<R, DecodeError> {
        let json = self.as_json().as_bytes();
        if let Ok(entries) = serde_json::from_slice(json) {
            return Ok(read(entries));
        }
        let repaired = repair(json);
        let entries = decode::from_borrowed(repaired.as_deref().unwrap_or(json));
        entries.map(read).map_err(|error| error.within("appdata"))
    }

    /// The labels of an old payload, in the form of version 0.7.
    pub(super) fn from_rekognition_info(labels: BTreeMap<String, f64>) -> Self {
        #[derive(Serialize)]
        struct Lifted {
            aws_rekognition_detect_labels: Application<Labels>,
        }
        let labels =
            labels.into_iter().map(|(name, confidence)| Label { name, confidence, ..Label::default() }).collect();
        let data = Labels { label_model_version: None, labels };
        let lifted = Lifted { aws_rekognition_detect_labels: Application { data, ..Application::default() } };
        Self(serde_json::to_vec(&lifted).unwrap_or_default().into())
    }
}

/// Equal if the JSON text is the same, byte for byte.
impl PartialEq for AppData {
    fn eq(&self, other: &Self) -> bool {
        self.as_json() == other.as_json()
    }
}

impl fmt::Debug for AppData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AppData").field(&self.as_json()).finish()
    }
}

impl Serialize for AppData {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serde_json::from_str::<&RawValue>(self.as_json()).map_err(ser::Error::custom)?.serialize(serializer)
    }
}

/// Copies the JSON.
impl<'de> Deserialize<'de> for AppData {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        Ok(match object(&raw)? {
            Some(json) => Self(Bytes::copy_from_slice(json.as_bytes())),
            None => Self::default(),
        })
    }
}

/// `appdata` that borrows from the body that is being read.
#[derive(Default)]
pub(super) struct SentAppData<'a>(Option<&'a str>);

impl<'de: 'a, 'a> Deserialize<'de> for SentAppData<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        object(<&RawValue>::deserialize(deserializer)?).map(Self)
    }
}

fn object<E: de::Error>(raw: &RawValue) -> Result<Option<&str>, E> {
    match raw.get().as_bytes().first() {
        Some(b'{') => Ok(Some(raw.get())),
        Some(b'n') => Ok(None),
        _ => Err(E::custom("invalid type: expected an object of applications")),
    }
}

/// The body that a payload is read from.
#[derive(Clone, Copy)]
pub(crate) enum Body<'a> {
    /// `appdata` shares this body, and so keeps it in memory.
    Shared(&'a Bytes),
    /// `appdata` is copied out of the body.
    Borrowed,
}

impl Body<'_> {
    pub(super) fn own_appdata(self, sent: SentAppData<'_>) -> AppData {
        AppData(match (sent.0, self) {
            (None, _) => Bytes::new(),
            (Some(json), Self::Shared(body)) => body.slice_ref(json.as_bytes()),
            (Some(json), Self::Borrowed) => Bytes::copy_from_slice(json.as_bytes()),
        })
    }
}

/// The result of one application.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Application<T> {
    /// The result.
    pub data: T,
    /// The application's version.
    #[serde(default, deserialize_with = "lenient::text")]
    pub version: Option<String>,
    /// When the application first ran.
    #[serde(default, deserialize_with = "lenient::timestamp")]
    pub datetime_created: Option<Timestamp>,
    /// When the application last ran.
    #[serde(default, deserialize_with = "lenient::timestamp")]
    pub datetime_updated: Option<Timestamp>,
}

/// The result of `uc_clamav_virus_scan`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct VirusScan {
    /// Whether a virus was found. Required: without this field the result does not fit.
    pub infected: bool,
    /// The name of the virus, such as `Win.Test.EICAR_HDB-1`.
    #[serde(default)]
    pub infected_with: Option<String>,
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
    pub label_model_version: Option<String>,
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
    pub name: String,
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
    pub name: String,
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
    pub moderation_model_version: Option<String>,
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
    pub name: String,
    /// The more general label that contains this one; empty for the most general labels.
    #[serde(deserialize_with = "lenient::null_default")]
    pub parent_name: String,
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
    pub foreground_type: Option<String>,
}
