//! The table of events: the only place in this crate that lists them. `EventKind`, the markers,
//! `Event`, the payload parameters of handlers and the router's index are made from it.
//!
//! To add an event, add a row here and its payload to `v0_7.rs`; the compiler and the tests then
//! name the places that are left: the re-exports in `lib.rs`, the note at `FromDelivery`, the
//! messages in `handler/taken_by.rs`, and the list of the attribute, which is another crate.

use super::open_enum::open_enum;

/// Calls the macro `$make` with all rows. A row has the name that the `EventKind` variant, the
/// `Event` variant and the payload share, the name in `hook.event`, and the marker.
macro_rules! for_each_event {
    ($make:ident) => {
        $make! {
            /// A file was uploaded, copied within the project, or made by a conversion or an
            /// add-on:
            FileUploaded = "file.uploaded", marker Uploaded;
            /// A file was stored, so Uploadcare will not delete it after a day:
            FileStored = "file.stored", marker Stored;
            /// A file was deleted:
            FileDeleted = "file.deleted", marker Deleted;
            /// A virus scan found a file infected:
            FileInfected = "file.infected", marker Infected;
            /// A file's `metadata` or `appdata` changed:
            FileInfoUpdated = "file.info_updated", marker InfoUpdated;
        }
    };
}

/// Calls the macro `$make` with all payloads of old versions: the payload, the marker, the versions
/// that send it, and how to write these versions in a sentence. They know `file.uploaded` only.
macro_rules! for_each_old_payload {
    ($make:ident) => {
        $make! {
            v0_6::FileUploaded, marker UploadedV06, versions ["0.6"] "version 0.6";
            v0_5::FileUploaded, marker UploadedV05, versions ["0.5", ""] "version 0.5 and in the empty version";
        }
    };
}

pub(crate) use {for_each_event, for_each_old_payload};

macro_rules! event_kind {
    ($($(#[$doc:meta])* $name:ident = $word:literal, marker $marker:ident;)+) => {
        open_enum! {
            /// The kind of an event, as `hook.event` names it.
            ///
            /// See [Uploadcare: event types](https://uploadcare.com/docs/webhooks/).
            ///
            /// ```
            /// use uploadcare_hooks::EventKind;
            ///
            /// assert_eq!(EventKind::from("file.stored"), EventKind::FileStored);
            /// assert_eq!(EventKind::from("file.moved").as_str(), "file.moved");
            /// ```
            EventKind { $($(#[$doc])* $name = $word,)+ }
        }

        /// Numbers the kinds in the order of the table; all unknown events share the last place.
        enum Place { $($name,)+ Unknown }

        impl EventKind {
            /// How many places [`index`](Self::index) can return: one for each known event, and one
            /// for all unknown events.
            pub(crate) const COUNT: usize = Place::Unknown as usize + 1;

            /// The place of this kind in a table with [`COUNT`](Self::COUNT) entries. Known events
            /// come in the order of [`KNOWN`](Self::KNOWN), unknown events are last.
            pub(crate) fn index(&self) -> usize {
                let place = match self {
                    $(Self::$name => Place::$name,)+
                    Self::Other(_) => Place::Unknown,
                };
                place as usize
            }
        }
    };
}

for_each_event!(event_kind);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_word_comes_back_as_itself_and_others_are_kept() {
        for word in EventKind::KNOWN {
            let kind = EventKind::from(*word);
            assert!(!matches!(kind, EventKind::Other(_)), "{word}");
            assert_eq!(serde_json::to_string(&kind).unwrap(), format!("\"{word}\""));
        }
        let other: EventKind = serde_json::from_str(r#""file.\u0074urned""#).unwrap();
        assert_eq!(other, EventKind::Other("file.turned".to_owned()));
    }

    #[test]
    fn known_events_have_a_place_each_and_unknown_ones_share_the_last() {
        for (index, word) in EventKind::KNOWN.iter().enumerate() {
            assert_eq!(EventKind::from(*word).index(), index, "{word}");
        }
        assert_eq!(EventKind::COUNT, EventKind::KNOWN.len() + 1);
        for unknown in ["file.moved", ""] {
            assert_eq!(EventKind::from(unknown).index(), EventKind::COUNT - 1);
        }
    }
}
