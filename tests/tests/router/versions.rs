//! Payload versions: which handlers receive a payload, and in which form.

use tests::deliveries::{legacy_payload, payload};
use uploadcare_hooks::{
    FileUploaded, PayloadVersion, State,
    payload::{v0_5, v0_6},
    webhook_handler, webhook_handlers,
};

use super::{Notes, builder, index, note, send, take_notes};

#[webhook_handler(event = "file.uploaded", version = "0.6")]
async fn version_0_6(event: v0_6::FileUploaded, State(notes): State<Notes>) {
    let channels = event.data.video_info.and_then(|video| video.audio).and_then(|audio| audio.channels);
    note(&notes, format!("0.6 {channels:?} {:?}", event.data.source));
}

#[webhook_handler(event = "file.uploaded", version = "0.5")]
async fn version_0_5(event: v0_5::FileUploaded, State(notes): State<Notes>) {
    assert_eq!(event.hook.version, PayloadVersion::V0_5);
    note(&notes, "0.5");
}

#[webhook_handler(event = "file.uploaded", version = "")]
async fn unversioned(event: v0_5::FileUploaded, State(notes): State<Notes>) {
    note(&notes, format!("unversioned {:?}", event.data.image_info.and_then(|image| image.width)));
}

#[webhook_handler(event = "file.uploaded", version = "0.7")]
async fn version_0_7(_event: FileUploaded, State(notes): State<Notes>) {
    note(&notes, "0.7");
}

#[tokio::test]
async fn an_old_payload_reaches_handlers_of_its_version_unchanged_and_other_handlers_in_the_form_of_0_7() {
    let notes = Notes::default();
    let hooks = builder(&notes)
        .handlers(webhook_handlers![index, version_0_6, version_0_5, unversioned, version_0_7])
        .build()
        .unwrap();
    let index = "index 575ed4e8-f4e8-4c14-a58b-1527b6d9ee46";
    send(&hooks, legacy_payload("0.6").to_string()).await;
    assert_eq!(take_notes(&notes), [r#"0.6 Some("2") Some("local")"#, index]);
    send(&hooks, legacy_payload("0.5").to_string()).await;
    assert_eq!(take_notes(&notes), ["0.5", index]);
    send(&hooks, legacy_payload("").to_string()).await;
    assert_eq!(take_notes(&notes), [index, "unversioned Some(300)"]);
    send(&hooks, payload("file.uploaded").to_string()).await;
    assert_eq!(take_notes(&notes), ["0.7", index]);
}
