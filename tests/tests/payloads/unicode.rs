//! Texts that are not Unicode: half of a surrogate pair, as browsers let end users type it, and
//! bytes that are not UTF-8. A delivery with one is read, with U+FFFD in its place.

use bytes::Bytes;
use serde_json::{Value, json};
use tests::deliveries::{legacy_payload, payload, secret};
use uploadcare_hooks::{
    Event, FileStored, FileUploaded, WebhookRouter,
    payload::{v0_5, v0_6},
    webhook_handler, webhook_handlers,
};

/// The payload as bytes, with half of a surrogate pair for each `@`.
fn halved(payload: &Value) -> String {
    payload.to_string().replace('@', r"\ud83d")
}

/// Reads the payload both ways, which must give the same.
fn read(body: &[u8]) -> Event {
    let event = Event::from_slice(body).unwrap();
    assert_eq!(Event::from_bytes(&Bytes::copy_from_slice(body)).unwrap(), event);
    event
}

#[test]
fn half_a_surrogate_pair_is_read_as_u_fffd_in_every_text() {
    let mut sent = payload("file.info_updated");
    sent["data"]["original_filename"] = json!("holiday @ 😀 \\ud83d.jpg");
    sent["data"]["metadata"] = json!({"pet@": "cat@"});
    sent["previous_values"] = json!({"metadata": {"@": "@", "new@": null}});
    sent["data"]["content_info"]["image"]["color_mode"] = json!("@");
    sent["hook"]["target"] = json!("https://app.example.com/@");
    sent["ignored@"] = json!("@");
    let Event::FileInfoUpdated(event) = read(halved(&sent).as_bytes()) else { panic!() };
    assert_eq!(event.data.original_filename.as_deref(), Some("holiday \u{fffd} 😀 \\ud83d.jpg"));
    assert_eq!(event.data.metadata["pet\u{fffd}"], "cat\u{fffd}");
    let before = event.previous_values.metadata.unwrap();
    assert_eq!((before["\u{fffd}"].as_deref(), before["new\u{fffd}"].as_deref()), (Some("\u{fffd}"), None));
    assert_eq!(event.hook.target.as_deref(), Some("https://app.example.com/\u{fffd}"));
}

#[test]
fn a_whole_surrogate_pair_beside_half_of_one_stays_whole() {
    let mut sent = payload("file.uploaded");
    sent["data"]["original_filename"] = json!("NAME");
    for (name, expected) in [
        (r"\ud83d\ude00\ud83d", "😀\u{fffd}"),
        (r"\uD83D\uD83D\uDE00", "\u{fffd}😀"),
        (r"\uDE00\uD83D", "\u{fffd}\u{fffd}"),
        (r"\\ud83d\ud83d", "\\ud83d\u{fffd}"),
    ] {
        let event = read(sent.to_string().replace("NAME", name).as_bytes());
        assert_eq!(event.file().unwrap().original_filename.as_deref(), Some(expected), "{name}");
    }
}

#[test]
fn appdata_with_half_a_surrogate_pair_is_read_when_it_is_asked_for() {
    let mut sent = payload("file.info_updated");
    let scan = json!({"data": {"infected": true, "infected_with": "Win.@"}, "version": "@"});
    sent["data"]["appdata"] = json!({"uc_clamav_virus_scan": scan, "own@": {"data": ["@"]}});
    sent["previous_values"] = json!({"appdata": {"own@": {"data": ["@@"]}}});
    // Once without and once with a text outside of `appdata` that has to be repaired.
    for name in ["holiday.jpg", "holiday@.jpg"] {
        sent["data"]["original_filename"] = json!(name);
        let Event::FileInfoUpdated(event) = read(halved(&sent).as_bytes()) else { panic!() };
        let appdata = event.data.appdata;
        assert_eq!(appdata.names().unwrap(), ["own\u{fffd}", "uc_clamav_virus_scan"]);
        assert!(!appdata.is_empty());
        let scan = appdata.virus_scan().unwrap().unwrap();
        assert_eq!(
            (scan.data.infected_with.as_deref(), scan.version.as_deref()),
            (Some("Win.\u{fffd}"), Some("\u{fffd}"))
        );
        assert_eq!(appdata.get::<Vec<String>>("own\u{fffd}").unwrap().unwrap().data, ["\u{fffd}"]);
        let before = event.previous_values.appdata.unwrap();
        assert_eq!(before.get::<Vec<String>>("own\u{fffd}").unwrap().unwrap().data, ["\u{fffd}\u{fffd}"]);
    }
}

#[test]
fn an_event_with_half_a_surrogate_pair_in_its_name_is_unknown() {
    let Event::Unknown(event) = read(br#"{"hook": {"event": "file.\ud83d"}, "data": {"id": "\ud83d"}}"#) else {
        panic!()
    };
    assert_eq!(event.name(), "file.\u{fffd}");
    assert_eq!(event.decode::<Value>().unwrap()["data"]["id"], "\u{fffd}");
}

#[test]
fn an_unknown_event_keeps_the_json_as_it_was_sent() {
    let body = r#"{"hook": {"event": "group.created"}, "data": {"id": "\ud83d"}}"#;
    let Event::Unknown(event) = read(body.as_bytes()) else { panic!() };
    assert_eq!(event.as_json(), body);
    assert_eq!(event.decode::<Value>().unwrap()["data"]["id"], "\u{fffd}");
}

#[test]
fn bytes_that_are_not_utf_8_are_read_as_u_fffd() {
    let mut sent = payload("file.uploaded");
    sent["data"]["original_filename"] = json!("NAME");
    sent["data"]["appdata"] = json!({"own": {"data": "NAME"}});
    let sent = sent.to_string();
    // The last one is the surrogate U+D83D, as WTF-8 writes it.
    for (bytes, expected) in
        [(&b"\xff"[..], "\u{fffd}"), (b"a\xc3(", "a\u{fffd}("), (b"\xed\xa0\xbd", "\u{fffd}\u{fffd}\u{fffd}")]
    {
        let mut body = Vec::new();
        for (position, part) in sent.split("NAME").enumerate() {
            body.extend_from_slice(if position > 0 { bytes } else { b"" });
            body.extend_from_slice(part.as_bytes());
        }
        let event = read(&body);
        let file = event.file().unwrap();
        assert_eq!(file.original_filename.as_deref(), Some(expected));
        assert_eq!(file.appdata.get::<String>("own").unwrap().unwrap().data, expected);
    }
    let Event::Unknown(event) = read(b"{\"hook\": {\"event\": \"file.\xff\"}}") else { panic!() };
    assert_eq!((event.name(), event.as_json()), ("file.\u{fffd}", "{\"hook\": {\"event\": \"file.\u{fffd}\"}}"));
}

#[test]
fn appdata_shares_the_repaired_body() {
    let mut sent = payload("file.info_updated");
    sent["data"]["original_filename"] = json!("@");
    sent["data"]["appdata"] = json!({"own": {"data": "now"}});
    sent["previous_values"] = json!({"appdata": {"own": {"data": "before"}}});
    let body = halved(&sent);
    let distance_in_memory = |event: Event| {
        let Event::FileInfoUpdated(event) = event else { panic!() };
        let before = event.previous_values.appdata.unwrap();
        before.as_json().as_ptr().addr().wrapping_sub(event.data.appdata.as_json().as_ptr().addr())
    };
    // The repaired body is as long as the body, so both parts are as far apart as they were sent.
    let start = |part: &str| body.find(part).unwrap();
    let sent_distance = start(r#"{"own":{"data":"before"#).wrapping_sub(start(r#"{"own":{"data":"now"#));
    let shared = Event::from_bytes(&Bytes::from(body.clone())).unwrap();
    assert_eq!(distance_in_memory(shared), sent_distance);
}

#[test]
fn half_a_surrogate_pair_beside_bytes_that_are_not_utf_8_is_replaced_everywhere() {
    let json = r#"{"hook":{"event":"file.stored"},"data":{"uuid":"f08d7c8a-2971-42e0-ab01-780d9039b40b",
        "original_filename":"@","appdata":{"own":{"data":"\ud83d"}}}}"#;
    let body: Vec<u8> = json.bytes().map(|byte| if byte == b'@' { 0xFF } else { byte }).collect();
    let Ok(Event::FileStored(event)) = Event::from_slice(&body) else { panic!() };
    assert_eq!(event.data.original_filename.as_deref(), Some("\u{fffd}"));
    assert_eq!(event.data.appdata.as_json(), r#"{"own":{"data":"\ufffd"}}"#);
    let written = serde_json::to_string(&event).unwrap();
    assert_eq!(serde_json::from_str::<FileStored>(&written).unwrap(), event);
}

#[test]
fn what_does_not_fit_beside_half_a_surrogate_pair_is_still_named_by_its_path() {
    let mut sent = payload("file.uploaded");
    sent["data"]["original_filename"] = json!("@");
    sent["data"]["size"] = json!("@");
    let error = Event::from_slice(halved(&sent).as_bytes()).unwrap_err();
    assert_eq!(error.path(), "data.size");
    assert!(error.problem().contains("expected a number"), "{error}");
}

#[test]
fn a_line_break_in_a_payload_does_not_break_the_line_of_its_error() {
    for hostile in ["no\nERROR forged", "\r\n", "\u{1b}[2J", "\u{2028}", "\u{85}", "\u{202e}"] {
        let mut uuid = payload("file.uploaded");
        uuid["data"]["uuid"] = json!(hostile);
        let mut key = payload("file.uploaded");
        key["data"]["metadata"] = json!({hostile: []});
        let mut number = payload("file.uploaded");
        number["data"]["size"] = json!(hostile);
        let mut application = payload("file.uploaded");
        application["data"]["appdata"] = json!({hostile: {"data": hostile}});
        let application = read(application.to_string().as_bytes());
        let errors = [
            Event::from_slice(uuid.to_string().as_bytes()).unwrap_err(),
            Event::from_slice(key.to_string().as_bytes()).unwrap_err(),
            Event::from_slice(number.to_string().as_bytes()).unwrap_err(),
            application.file().unwrap().appdata.get::<u8>(hostile).unwrap_err(),
        ];
        for error in errors {
            for text in [error.to_string(), error.path().to_owned(), error.problem().to_owned()] {
                let raw = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{202e}');
                assert!(!text.contains(raw), "{text:?}");
            }
        }
    }
}

#[webhook_handler(event = "file.uploaded")]
async fn new(event: FileUploaded) {
    assert_eq!(event.data.original_filename.as_deref(), Some("\u{fffd}"));
}

#[webhook_handler(event = "file.uploaded", version = "0.6")]
async fn old(event: v0_6::FileUploaded) {
    assert_eq!(event.data.original_filename.as_deref(), Some("\u{fffd}"));
    assert_eq!(event.data.source.as_deref(), Some("\u{fffd}"));
    assert_eq!(event.data.rekognition_info["\u{fffd}"], 1.0);
}

#[webhook_handler(event = "file.uploaded", version = "0.5")]
async fn oldest(event: v0_5::FileUploaded) {
    assert_eq!(event.data.original_filename.as_deref(), Some("\u{fffd}"));
}

#[tokio::test]
async fn handlers_of_every_version_get_such_a_delivery() {
    let handlers = webhook_handlers![new, old, oldest];
    let hooks = WebhookRouter::builder().signing_secret(secret()).handlers(handlers).build().unwrap();
    let mut sent = vec![payload("file.uploaded")];
    sent.extend(["0.6", "0.5", ""].map(legacy_payload));
    for mut payload in sent {
        payload["data"]["original_filename"] = json!("@");
        if payload["data"]["source"].is_string() {
            payload["data"]["source"] = json!("@");
            payload["data"]["rekognition_info"] = json!({"@": 1.0});
        }
        let body = halved(&payload);
        let request = http::Request::post("/").header("x-uc-signature", secret().sign(body.as_bytes()));
        assert_eq!(hooks.handle(request.body(body.into()).unwrap()).await.status(), 204);
    }
}
