//! The payloads of version 0.7, the newest. A delivery of an older version is lifted into these
//! types.
//!
//! See [Uploadcare: webhook payload](https://uploadcare.com/docs/webhooks/).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use super::content::{AudioStream, ContentInfo, GeoLocation, ImageInfo, MimeInfo, VideoInfo, VideoStream};
pub use super::envelope::{Hook, Initiator, InitiatorDetail};
pub use super::file::File;
use super::{
    EventKind, Text,
    appdata::{AppData, SentAppData},
    file::SentFile,
    lenient,
};

/// The payload of any event.
#[derive(Deserialize)]
#[serde(expecting = "a webhook payload, which is a JSON object")]
pub(crate) struct SentPayload {
    initiator: Option<Initiator>,
    pub(crate) hook: Hook,
    data: SentFile<SentAppData>,
    #[serde(default, deserialize_with = "lenient::link")]
    file: Option<Text>,
    #[serde(default, deserialize_with = "lenient::null_default")]
    previous_values: SentPreviousValues<SentAppData>,
}

macro_rules! payloads {
    ($($(#[$meta:meta])* $name:ident { $($(#[$field_meta:meta])* $field:ident: $type:ty,)* })+) => {$(
        $(#[$meta])*
        ///
        /// Reading one with `serde` checks its form, not that `hook.event` is the event of its
        /// name: a [`WebhookRouter`](crate::WebhookRouter) and
        /// [`Event::from_slice`](crate::Event::from_slice) do that. `serde_json` also fails if a text
        /// is not Unicode, which they read as U+FFFD.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[non_exhaustive]
        pub struct $name {
            /// What caused the event; `None` for deliveries from before July 2023.
            pub initiator: Option<Initiator>,
            /// The subscription that the delivery belongs to.
            pub hook: Hook,
            /// The file.
            pub data: File,
            /// The file's URL at the CDN.
            #[serde(default, deserialize_with = "lenient::link")]
            pub file: Option<Text>,
            $($(#[$field_meta])* pub $field: $type,)*
        }

        impl $name {
            /// A payload with only the file's UUID. A unit test of a handler fills in the fields
            /// that it needs.
            pub fn new(uuid: Uuid) -> Self {
                Self {
                    initiator: None,
                    hook: Hook::new(EventKind::$name),
                    data: File { uuid, ..File::default() },
                    file: None,
                    $($field: <$type>::default(),)*
                }
            }
        }

        impl From<SentPayload> for $name {
            fn from(sent: SentPayload) -> Self {
                let SentPayload { initiator, hook, data, file, .. } = sent;
                Self { initiator, hook, data: data.into(), file, $($field: sent.$field.into(),)* }
            }
        }
    )+};
}

payloads! {
    /// `file.uploaded`: a file was uploaded, copied within the project, or made by a conversion or
    /// an add-on.
    ///
    /// ```
    /// use uploadcare_hooks::FileUploaded;
    ///
    /// let mut event = FileUploaded::new("f08d7c8a-2971-42e0-ab01-780d9039b40b".parse()?);
    /// event.data.original_filename = Some("download.jpeg".into());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    FileUploaded {}

    /// `file.stored`: a file was stored, so Uploadcare will not delete it after a day.
    FileStored {}

    /// `file.deleted`: a file was deleted.
    FileDeleted {}

    /// `file.infected`: a virus scan found the file infected.
    ///
    /// Uploadcare plans to replace this event in a later API version by `file.info_updated`, whose
    /// `data.appdata` has the result of the scan.
    FileInfected {}

    /// `file.info_updated`: a file's `metadata` or `appdata` changed.
    FileInfoUpdated {
        /// The values before the event, of the keys that changed.
        #[serde(default, deserialize_with = "lenient::null_default")]
        previous_values: PreviousValues,
    }
}

/// The keys that changed, with their values before the event. A field is `None` if none of its keys
/// changed.
///
/// See [Uploadcare: file.info_updated](https://uploadcare.com/docs/webhooks/).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "SentPreviousValues<AppData>")]
#[non_exhaustive]
pub struct PreviousValues {
    /// The results of applications. [`names`](AppData::names) lists all that changed; an
    /// application without a result had none before.
    pub appdata: Option<AppData>,
    /// Metadata by key; the value is `None` if the key did not exist before.
    pub metadata: Option<BTreeMap<Text, Option<Text>>>,
}

/// [`PreviousValues`] as they are sent. `A` is `appdata`, copied or a part of the body.
#[derive(Deserialize)]
#[serde(expecting = "an object with `appdata` and `metadata`")]
struct SentPreviousValues<A> {
    appdata: Option<A>,
    #[serde(default, deserialize_with = "lenient::previous_texts")]
    metadata: Option<BTreeMap<Text, Option<Text>>>,
}

impl<A> Default for SentPreviousValues<A> {
    fn default() -> Self {
        Self { appdata: None, metadata: None }
    }
}

impl<A: Into<AppData>> From<SentPreviousValues<A>> for PreviousValues {
    fn from(sent: SentPreviousValues<A>) -> Self {
        Self { appdata: sent.appdata.map(Into::into), metadata: sent.metadata }
    }
}
