//! Sample deliveries: payloads like those that Uploadcare sends, with fields of one's own, and
//! signed requests that carry them.

use bytes::Bytes;
use http::Request;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use uuid::Uuid;

use super::{
    check_path, forms,
    path::{self, Fields},
    request, signed_request,
};
use crate::{
    event::Event,
    payload::{self, DecodeError, EventKind, PayloadVersion, for_each_event},
    signature::SigningSecret,
};

/// A delivery like those that Uploadcare sends: a payload of an event, all of whose fields have a
/// value, as JSON, as a type, and as a signed request.
///
/// ```
/// use uploadcare_hooks::{FileUploaded, testing::Sample};
///
/// let sample = Sample::of("file.uploaded")
///     .set("data.original_filename", "cat.png")
///     .set("data.metadata.tenant", "acme")
///     .without("data.content_info");
/// let event: FileUploaded = sample.payload();
/// assert_eq!(event.data.original_filename.as_deref(), Some("cat.png"));
/// assert_eq!(event.data.metadata["tenant"], "acme");
/// assert_eq!(event.data.content_info, None);
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct Sample {
    event: EventKind,
    version: PayloadVersion,
    uuid: Uuid,
    /// The changes, so that they can be made again in the form of another version.
    changes: Vec<(String, Change)>,
    path: String,
    json: Value,
}

#[derive(Debug, Clone)]
enum Change {
    Set(Value, Fields),
    Remove,
}

impl Sample {
    /// The file's UUID in every sample that was not given another: in digits
    /// `575ed4e8-f4e8-4c14-a58b-1527b6d9ee46`.
    pub const UUID: Uuid = Uuid::from_u128(0x575e_d4e8_f4e8_4c14_a58b_1527_b6d9_ee46);

    /// A delivery of this event in version 0.7, about a JPEG of 642,118 bytes called `ananas.jpg`.
    /// The body has about 1.5 KB.
    ///
    /// The event may be one that this version of the crate does not know; its payload then has the
    /// form of the others.
    pub fn of(event: impl Into<EventKind>) -> Self {
        let (event, version) = (event.into(), PayloadVersion::V0_7);
        let json = forms::payload(&event, &version, Self::UUID);
        Self { event, version, uuid: Self::UUID, changes: Vec::new(), path: "/".to_owned(), json }
    }

    /// Gives the payload the form of another version: `0.6`, `0.5`, or the empty one. The file is
    /// then a video of 10,603 bytes called `clip.mp4`. The form of versions after `0.7` is not
    /// known; `.set("hook.version", "0.8")` gives the form of `0.7` that name.
    ///
    /// ```
    /// use uploadcare_hooks::{payload::v0_6, testing::Sample};
    ///
    /// let event: v0_6::FileUploaded = Sample::of("file.uploaded").version("0.6").payload();
    /// assert_eq!(event.data.source.as_deref(), Some("local"));
    /// ```
    ///
    /// # Panics
    /// If the version is none of those, if it is an old one and the event another than
    /// `file.uploaded`, since Uploadcare sends no such delivery, or if a field that was set before
    /// does not exist in the version.
    #[track_caller]
    pub fn version(mut self, version: impl Into<PayloadVersion>) -> Self {
        self.version = version.into();
        assert!(
            !matches!(self.version, PayloadVersion::Other(_)),
            "no sample in version {0:?}: the known versions are \"0.7\", \"0.6\", \"0.5\" and \"\"; \
             `.set(\"hook.version\", {0:?})` gives the form of 0.7 this name",
            self.version.as_str()
        );
        assert!(
            !forms::is_old(&self.version) || self.event == EventKind::FileUploaded,
            "no sample of {:?} in version {:?}: `file.uploaded` is the only event of the versions before 0.7",
            self.event.as_str(),
            self.version.as_str()
        );
        self.rebuilt()
    }

    /// Makes the delivery about another file: changes the UUID, and the URLs that have it.
    #[track_caller]
    pub fn uuid(mut self, uuid: Uuid) -> Self {
        self.uuid = uuid;
        self.rebuilt()
    }

    /// Sets a field of the payload to anything that `serde` can write.
    ///
    /// `path` names the field and the objects around it, with dots between them:
    /// `hook.project_id`, `data.content_info.image.width`, or with the number of an item
    /// `data.content_info.image.dpi.0`. The field must exist, so that a misspelt one is found;
    /// [`add`](Self::add) adds others. In `data.metadata`, `data.appdata`, `data.variations`,
    /// `data.rekognition_info` and `previous_values`, and in events that this version of the crate
    /// does not know, any key can be set. For a key with a dot in it, set the whole object:
    /// `.set("data.metadata", BTreeMap::from([("a.b", "c")]))`.
    ///
    /// # Panics
    /// If the field does not exist, with a message that names the path and the fields there, or if
    /// the value cannot be written as JSON.
    #[track_caller]
    pub fn set(self, path: &str, value: impl Serialize) -> Self {
        let fields = if matches!(self.event, EventKind::Other(_)) { Fields::Any } else { Fields::Known };
        self.with(path, Change::Set(json(path, value), fields))
    }

    /// Adds a field that the payload does not have, and the objects around it. For fields that
    /// Uploadcare may send one day, and for rare ones, such as
    /// `initiator.detail.source_file_uuid`.
    ///
    /// # Panics
    /// If the path leads into a text, a number or past the end of a list, or if the value cannot be
    /// written as JSON.
    #[track_caller]
    pub fn add(self, path: &str, value: impl Serialize) -> Self {
        self.with(path, Change::Set(json(path, value), Fields::Any))
    }

    /// Removes a field, see [`set`](Self::set).
    ///
    /// # Panics
    /// If the field does not exist.
    #[track_caller]
    pub fn without(self, path: &str) -> Self {
        self.with(path, Change::Remove)
    }

    /// Makes the body at least this long, with labels of the image in `data.appdata`. Deliveries
    /// with labels can have 60 KB.
    ///
    /// # Panics
    /// If `data.appdata` does not exist, as in old versions.
    #[track_caller]
    pub fn grow_to(self, bytes: usize) -> Self {
        const LABELS: &str = "data.appdata.aws_rekognition_detect_labels";
        if self.body().len() >= bytes {
            return self;
        }
        let without = self.set(LABELS, forms::labels(0));
        let missing = bytes.saturating_sub(without.body().len());
        without.set(LABELS, forms::labels(missing))
    }

    /// Sends the delivery to this path of the router, such as `/scans`. Defaults to `/`.
    ///
    /// # Panics
    /// If the path does not begin with a slash.
    #[track_caller]
    pub fn at(mut self, path: impl Into<String>) -> Self {
        self.path = path.into();
        check_path(&self.path);
        self
    }

    /// The payload as JSON.
    pub fn json(&self) -> &Value {
        &self.json
    }

    /// The payload as the bytes of a body.
    pub fn body(&self) -> Bytes {
        self.json.to_string().into()
    }

    /// The event that the router reads from the payload.
    ///
    /// # Panics
    /// If the payload cannot be read any more, after a field was set to something that does not
    /// fit.
    #[track_caller]
    pub fn event(&self) -> Event {
        self.readable(Event::from_bytes(&self.body()))
    }

    /// The payload as the type that a handler takes, such as
    /// [`FileUploaded`](crate::FileUploaded), or as a type of one's own.
    ///
    /// # Panics
    /// If the payload does not fit the type, or if the type is this crate's payload of another
    /// event than that of the sample.
    #[track_caller]
    pub fn payload<T: DeserializeOwned>(&self) -> T {
        if let Some(expected) = event_of::<T>() {
            let kind = self.event().kind();
            assert!(
                kind == expected,
                "this sample is of {:?}, and `{}` is the payload of {:?}",
                kind.as_str(),
                std::any::type_name::<T>().rsplit("::").next().unwrap_or_default(),
                expected.as_str()
            );
        }
        self.readable(payload::from_slice(&self.body()))
    }

    /// The delivery as a request, signed with this secret.
    ///
    /// # Panics
    /// If the [path](Self::at) is not the path of a URI.
    #[track_caller]
    pub fn sign(&self, secret: &SigningSecret) -> Request<Bytes> {
        signed_request(&self.path, secret, self.body())
    }

    /// The delivery as a request without a signature.
    ///
    /// # Panics
    /// If the [path](Self::at) is not the path of a URI.
    #[track_caller]
    pub fn unsigned(&self) -> Request<Bytes> {
        request(&self.path, self.body())
    }

    #[track_caller]
    fn with(mut self, path: &str, change: Change) -> Self {
        self.make(path, &change);
        self.changes.push((path.to_owned(), change));
        self
    }

    /// The same changes to the payload of another version or file.
    #[track_caller]
    fn rebuilt(mut self) -> Self {
        self.json = forms::payload(&self.event, &self.version, self.uuid);
        for (path, change) in std::mem::take(&mut self.changes) {
            self = self.with(&path, change);
        }
        self
    }

    #[track_caller]
    fn make(&mut self, path: &str, change: &Change) {
        let made = match change {
            Change::Set(value, fields) => path::set(&mut self.json, path, value.clone(), *fields),
            Change::Remove => path::remove(&mut self.json, path),
        };
        if let Err(problem) = made {
            let (event, version) = (self.event.as_str(), self.version.as_str());
            panic!("no place {path:?} in a sample of {event:?} in version {version:?}: {problem}");
        }
    }

    #[track_caller]
    fn readable<T>(&self, read: Result<T, DecodeError>) -> T {
        match read {
            Ok(read) => read,
            Err(error) => panic!("this sample of {:?} cannot be read: {error}", self.event.as_str()),
        }
    }
}

#[track_caller]
fn json(path: &str, value: impl Serialize) -> Value {
    match serde_json::to_value(value) {
        Ok(value) => value,
        Err(error) => panic!("the value for {path:?} cannot be written as JSON: {error}"),
    }
}

/// The event whose payload this type is, if it is a payload of this crate. Types are compared by
/// their names, because `T` may be a type that has no `TypeId`.
fn event_of<T>() -> Option<EventKind> {
    let is = |name: &str| std::any::type_name::<T>() == name;
    macro_rules! find {
        ($($(#[$doc:meta])* $name:ident = $word:literal, marker $marker:ident;)+) => {$(
            if is(std::any::type_name::<payload::v0_7::$name>()) {
                return Some(EventKind::$name);
            }
        )+};
    }
    for_each_event!(find);
    let old =
        [std::any::type_name::<payload::v0_6::FileUploaded>(), std::any::type_name::<payload::v0_5::FileUploaded>()];
    old.into_iter().any(is).then_some(EventKind::FileUploaded)
}
