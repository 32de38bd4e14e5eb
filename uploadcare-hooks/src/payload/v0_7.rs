//! The payloads of version 0.7, the newest. A delivery of an older version is lifted into these types.
//!
//! See [Uploadcare: webhook payload](https://uploadcare.com/docs/webhooks/).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use super::content::{AudioStream, ContentInfo, GeoLocation, ImageInfo, MimeInfo, VideoInfo, VideoStream};
pub use super::envelope::{Hook, Initiator, InitiatorDetail};
pub use super::file::File;
use super::{
    EventKind,
    appdata::{AppData, Body, SentAppData},
    file::SentFile,
    lenient,
};

/// A payload of any event, inside the body that is being read.
#[derive(Deserialize)]
pub(crate) struct SentPayload<'a> {
    initiator: Option<Initiator>,
    pub(crate) hook: Hook,
    #[serde(borrow)]
    data: SentFile<SentAppData<'a>>,
    #[serde(default, deserialize_with = "lenient::link")]
    file: Option<String>,
    #[serde(borrow, default, deserialize_with = "lenient::null_default")]
    previous_values: SentPreviousValues<SentAppData<'a>>,
}

macro_rules! payloads {
    ($($(#[$meta:meta])* $name:ident { $($(#[$field_meta:meta])* $field:ident: $type:ty,)* })+) => {$(
        $(#[$meta])*
        ///
        /// Reading one with `serde` checks its form, not that `hook.event` is the event of its name: a
        /// [`WebhookRouter`](crate::WebhookRouter) and [`Event::from_slice`](crate::Event::from_slice) do that.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[non_exhaustive]
        pub struct $name {
            /// Who caused it; deliveries from before July 2023 do not say.
            pub initiator: Option<Initiator>,
            /// The subscription that the delivery belongs to.
            pub hook: Hook,
            /// The file.
            pub data: File,
            /// The file's URL at the CDN.
            #[serde(default, deserialize_with = "lenient::link")]
            pub file: Option<String>,
            $($(#[$field_meta])* pub $field: $type,)*
        }

        impl $name {
            /// A payload with nothing but the file's UUID, to fill in as a unit test of a handler needs it.
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

        impl $name {
            pub(crate) fn from_sent(sent: SentPayload<'_>, body: Body<'_>) -> Self {
                let SentPayload { initiator, hook, data, file, .. } = sent;
                let data = data.lift(|appdata| body.own_appdata(appdata));
                Self { initiator, hook, data, file, $($field: sent.$field.own(|appdata| body.own_appdata(appdata)),)* }
            }
        }
    )+};
}

payloads! {
    /// `file.uploaded`: a file was uploaded, copied within the project, or made by a conversion or an add-on.
    ///
    /// ```
    /// use uploadcare_hooks::FileUploaded;
    ///
    /// let mut event = FileUploaded::new("f08d7c8a-2971-42e0-ab01-780d9039b40b".parse()?);
    /// event.data.original_filename = Some("download.jpeg".to_owned());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    FileUploaded {}

    /// `file.stored`: a file was stored, that is, will not be deleted after a day.
    FileStored {}

    /// `file.deleted`: a file was deleted.
    FileDeleted {}

    /// `file.infected`: a virus scan found the file infected.
    ///
    /// Uploadcare means to drop this event in a later API version in favour of `file.info_updated`, whose
    /// `data.appdata` has the scan's result.
    FileInfected {}

    /// `file.info_updated`: a file's `metadata` or `appdata` changed.
    FileInfoUpdated {
        /// What they were before, as far as they changed.
        #[serde(default, deserialize_with = "lenient::null_default")]
        previous_values: PreviousValues,
    }
}

/// The keys that changed, with their values before the event. Each is `None` if nothing of it changed.
///
/// See [Uploadcare: file.info_updated](https://uploadcare.com/docs/webhooks/).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "SentPreviousValues<AppData>")]
#[non_exhaustive]
pub struct PreviousValues {
    /// The results of applications: [`names`](AppData::names) has all that changed; those without a result were not there before.
    pub appdata: Option<AppData>,
    /// Metadata by key; `None` if the key was not there before.
    pub metadata: Option<BTreeMap<String, Option<String>>>,
}

/// The same as it is sent; `A` is `appdata`, copied or not.
#[derive(Deserialize)]
struct SentPreviousValues<A> {
    appdata: Option<A>,
    #[serde(default, deserialize_with = "lenient::previous_texts")]
    metadata: Option<BTreeMap<String, Option<String>>>,
}

impl<A> Default for SentPreviousValues<A> {
    fn default() -> Self {
        Self { appdata: None, metadata: None }
    }
}

impl<A> SentPreviousValues<A> {
    fn own(self, own_appdata: impl FnOnce(A) -> AppData) -> PreviousValues {
        PreviousValues { appdata: self.appdata.map(own_appdata), metadata: self.metadata }
    }
}

impl From<SentPreviousValues<AppData>> for PreviousValues {
    fn from(sent: SentPreviousValues<AppData>) -> Self {
        sent.own(|appdata| appdata)
    }
}
