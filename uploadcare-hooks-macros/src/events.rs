//! The events and versions that the attribute knows. A test compares them with the runtime crate's
//! table of events.

/// An event, with the names of its marker and its payload in the runtime crate.
pub(crate) struct KnownEvent {
    pub(crate) name: &'static str,
    pub(crate) marker: &'static str,
    pub(crate) payload: &'static str,
}

pub(crate) const EVENTS: &[KnownEvent] = &[
    KnownEvent { name: "file.uploaded", marker: "Uploaded", payload: "FileUploaded" },
    KnownEvent { name: "file.stored", marker: "Stored", payload: "FileStored" },
    KnownEvent { name: "file.deleted", marker: "Deleted", payload: "FileDeleted" },
    KnownEvent { name: "file.infected", marker: "Infected", payload: "FileInfected" },
    KnownEvent { name: "file.info_updated", marker: "InfoUpdated", payload: "FileInfoUpdated" },
];

/// The version that sends all events.
pub(crate) const NEWEST_VERSION: &str = "0.7";

/// The versions that send [`EVENT_OF_OLD_VERSIONS`] only, each with that event's marker.
pub(crate) const OLD_VERSIONS: &[(&str, &str)] = &[("0.6", "UploadedV06"), ("0.5", "UploadedV05"), ("", "UploadedV05")];

pub(crate) const EVENT_OF_OLD_VERSIONS: &str = "file.uploaded";

/// The marker of handlers that take several events.
pub(crate) const MARKER_OF_SEVERAL: &str = "Any";

/// The marker of handlers with `unlisted`.
pub(crate) const MARKER_OF_UNLISTED: &str = "Unlisted";

pub(crate) fn find(name: &str) -> Option<&'static KnownEvent> {
    EVENTS.iter().find(|event| event.name == name)
}

/// Whether a type of this name is a payload, or the event or the delivery around it.
pub(crate) fn is_of_delivery(name: &str) -> bool {
    const OTHERS: [&str; 4] = ["Event", "UnknownEvent", "Delivery", "DeliveryId"];
    OTHERS.contains(&name) || EVENTS.iter().any(|event| event.payload == name)
}
