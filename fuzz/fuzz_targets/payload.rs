//! Payloads of every version are read or refused, and every way to read one gives the same.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use uploadcare_hooks::{
    Event, FileDeleted, FileInfected, FileInfoUpdated, FileStored, FileUploaded,
    payload::{v0_5, v0_6},
};

fuzz_target!(|body: &[u8]| {
    let event = Event::from_slice(body);
    assert_eq!(event, Event::from_bytes(&Bytes::copy_from_slice(body)));
    if let Some(file) = event.as_ref().ok().and_then(Event::file) {
        let _ = file.appdata.virus_scan();
        let _ = file.appdata.labels();
        let _ = file.appdata.moderation_labels();
        let _ = file.appdata.remove_bg();
    }
    // If there is nothing to repair, a known event and its payload are read alike.
    let unicode = std::str::from_utf8(body).is_ok_and(|text| !text.to_ascii_lowercase().contains(r"\ud"));
    if let (Ok(Event::FileUploaded(payload)), true) = (&event, unicode) {
        assert_eq!(serde_json::from_slice::<FileUploaded>(body).ok().as_ref(), Some(payload));
    }
    let _ = serde_json::from_slice::<FileStored>(body);
    let _ = serde_json::from_slice::<FileDeleted>(body);
    let _ = serde_json::from_slice::<FileInfected>(body);
    let _ = serde_json::from_slice::<FileInfoUpdated>(body);
    let _ = serde_json::from_slice::<v0_6::FileUploaded>(body);
    let _ = serde_json::from_slice::<v0_5::FileUploaded>(body);
    if let Err(error) = event {
        assert!(!error.to_string().is_empty());
    }
});
