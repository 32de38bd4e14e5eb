//! `appdata`: the results of the applications that analysed a file. Stays raw JSON until the
//! application asks for a result, since the labels of an image can be 30 times as large as the rest
//! of a delivery. For the same reason it shares the delivery's body if it can.

mod results;

use std::{borrow::Cow, collections::BTreeMap, fmt};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, DeserializeOwned},
    ser,
};
use serde_json::value::{RawValue, to_raw_value};

pub use self::results::{
    Application, BoundingBox, Label, LabelInstance, LabelParent, Labels, ModerationLabel, ModerationLabels, RemoveBg,
    VirusScan,
};
use super::{DecodeError, Text, decode, repair::repair, text::Body};
use crate::service::application::{LABELS, MODERATION_LABELS, REMOVE_BG, VIRUS_SCAN};

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
    Text,
);

impl AppData {
    /// Whether there are no results.
    pub fn is_empty(&self) -> bool {
        // An object that was read before: what comes after `{` ends it, or begins its first entry.
        self.as_json().bytes().skip(1).find(|byte| !byte.is_ascii_whitespace()) == Some(b'}')
    }

    /// The JSON object as it was sent; `{}` if none was sent. If a text of the payload is not
    /// Unicode, U+FFFD stands in place of what is not, here as well.
    pub fn as_json(&self) -> &str {
        if self.0.is_empty() { "{}" } else { &self.0 }
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
        let read = |entry: &RawValue| decode::from_str::<Option<Application<T>>>(entry.get());
        let read = |entries: Entries<'_>| entries.get(name).map_or(Ok(None), |entry| read(entry));
        let result = Body::of(&self.0).share(|_| self.read_entries(read))?;
        result.map_err(|error| error.within(name).within("appdata"))
    }

    /// The result of the virus scan: `uc_clamav_virus_scan`.
    ///
    /// # Errors
    /// [`DecodeError`] if the result has another form.
    pub fn virus_scan(&self) -> Result<Option<Application<VirusScan>>, DecodeError> {
        self.get(VIRUS_SCAN)
    }

    /// The labels of an image: `aws_rekognition_detect_labels`.
    ///
    /// # Errors
    /// [`DecodeError`] if the result has another form.
    pub fn labels(&self) -> Result<Option<Application<Labels>>, DecodeError> {
        self.get(LABELS)
    }

    /// The labels of unsafe content in an image: `aws_rekognition_detect_moderation_labels`.
    ///
    /// # Errors
    /// [`DecodeError`] if the result has another form.
    pub fn moderation_labels(&self) -> Result<Option<Application<ModerationLabels>>, DecodeError> {
        self.get(MODERATION_LABELS)
    }

    /// The result of the background removal: `remove_bg`.
    ///
    /// # Errors
    /// [`DecodeError`] if the result has another form.
    pub fn remove_bg(&self) -> Result<Option<Application<RemoveBg>>, DecodeError> {
        self.get(REMOVE_BG)
    }

    /// Puts in the result of the application called `name`, in place of an earlier one. For tests
    /// of handlers.
    ///
    /// ```
    /// use uploadcare_hooks::payload::appdata::{AppData, Application};
    ///
    /// let mut appdata = AppData::default();
    /// appdata.insert("my_application", &Application::new(vec![1, 2]))?;
    /// let result = appdata.get::<Vec<u32>>("my_application")?.expect("it was put in");
    /// assert_eq!(result.data, [1, 2]);
    /// # Ok::<(), uploadcare_hooks::DecodeError>(())
    /// ```
    ///
    /// # Errors
    /// [`DecodeError`] if `serde` cannot write the result as JSON, or cannot read the others.
    pub fn insert<T: Serialize>(&mut self, name: &str, result: &Application<T>) -> Result<(), DecodeError> {
        let failed = |error: serde_json::Error| DecodeError::new(name, &error.to_string()).within("appdata");
        let result = to_raw_value(result).map_err(failed)?;
        let json = self.read_entries(|entries| {
            let mut entries: Entries<'_> = entries;
            entries.insert(Cow::Borrowed(name), &result);
            serde_json::to_string(&entries)
        })?;
        self.0 = json.map_err(failed)?.into();
        Ok(())
    }

    /// Puts in a result of the virus scan, for tests of handlers.
    ///
    /// ```
    /// use uploadcare_hooks::payload::appdata::{AppData, VirusScan};
    ///
    /// let mut scan = VirusScan::default();
    /// scan.infected = true;
    /// let mut appdata = AppData::default();
    /// appdata.set_virus_scan(scan)?;
    /// assert!(appdata.virus_scan()?.expect("it was put in").data.infected);
    /// # Ok::<(), uploadcare_hooks::DecodeError>(())
    /// ```
    ///
    /// # Errors
    /// As [`insert`](Self::insert).
    pub fn set_virus_scan(&mut self, result: impl Into<Application<VirusScan>>) -> Result<(), DecodeError> {
        self.insert(VIRUS_SCAN, &result.into())
    }

    /// Puts in labels of an image, for tests of handlers.
    ///
    /// # Errors
    /// As [`insert`](Self::insert).
    pub fn set_labels(&mut self, result: impl Into<Application<Labels>>) -> Result<(), DecodeError> {
        self.insert(LABELS, &result.into())
    }

    /// Puts in labels of unsafe content in an image, for tests of handlers.
    ///
    /// # Errors
    /// As [`insert`](Self::insert).
    pub fn set_moderation_labels(
        &mut self,
        result: impl Into<Application<ModerationLabels>>,
    ) -> Result<(), DecodeError> {
        self.insert(MODERATION_LABELS, &result.into())
    }

    /// Puts in a result of the background removal, for tests of handlers.
    ///
    /// # Errors
    /// As [`insert`](Self::insert).
    pub fn set_remove_bg(&mut self, result: impl Into<Application<RemoveBg>>) -> Result<(), DecodeError> {
        self.insert(REMOVE_BG, &result.into())
    }

    fn of(json: Option<&str>) -> Self {
        Self(json.map(Text::of).unwrap_or_default())
    }

    /// Whether `appdata` was absent or `null`.
    pub(super) fn is_absent(&self) -> bool {
        self.0.is_empty()
    }

    /// Calls `read` with the entries, unread, by the application's name.
    fn read_entries<R>(&self, read: impl FnOnce(Entries<'_>) -> R) -> Result<R, DecodeError> {
        let json = self.as_json();
        if let Ok(entries) = serde_json::from_str(json) {
            return Ok(read(entries));
        }
        let repaired = repair(json.as_bytes());
        let entries = decode::from_borrowed(repaired.as_deref().unwrap_or(json.as_bytes()));
        entries.map(read).map_err(|error| error.within("appdata"))
    }

    /// The labels of an old payload, in the form of version 0.7.
    pub(super) fn from_rekognition_info(labels: BTreeMap<Text, f64>) -> Self {
        #[derive(Serialize)]
        struct Lifted {
            aws_rekognition_detect_labels: Application<Labels>,
        }
        let labels =
            labels.into_iter().map(|(name, confidence)| Label { name, confidence, ..Label::default() }).collect();
        let data = Labels { label_model_version: None, labels };
        let lifted = Lifted { aws_rekognition_detect_labels: Application { data, ..Application::default() } };
        Self(serde_json::to_string(&lifted).unwrap_or_default().into())
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
        Ok(Self::of(object(&Box::<RawValue>::deserialize(deserializer)?)?))
    }
}

/// `appdata` as a part of the body that is being read.
#[derive(Default)]
pub(super) struct SentAppData(AppData);

impl<'de> Deserialize<'de> for SentAppData {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(AppData::of(object(<&RawValue>::deserialize(deserializer)?)?)))
    }
}

impl From<SentAppData> for AppData {
    fn from(SentAppData(appdata): SentAppData) -> Self {
        appdata
    }
}

fn object<E: de::Error>(raw: &RawValue) -> Result<Option<&str>, E> {
    match raw.get().as_bytes().first() {
        Some(b'{') => Ok(Some(raw.get())),
        Some(b'n') => Ok(None),
        _ => Err(E::custom("invalid type: expected an object of applications")),
    }
}
