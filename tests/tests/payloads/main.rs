//! Payloads of every version, and everything that was seen to vary in them.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use serde_json::{Value, json};
use tests::deliveries::{UUID, legacy_payload, payload, payload_with_labels};
use uploadcare_hooks::{
    Event, EventKind, FileInfoUpdated, FileUploaded, PayloadVersion,
    payload::{AddonName, ColorMode, InitiatorKind, appdata::AppData, v0_5, v0_6, v0_7},
};

mod built;
mod contract;
mod properties;
mod unicode;

fn read(payload: &Value) -> Event {
    Event::from_slice(payload.to_string().as_bytes()).unwrap_or_else(|error| panic!("{error}\n{payload}"))
}

fn file(payload: &Value) -> v0_7::File {
    read(payload).file().unwrap().clone()
}

/// A payload of 0.7 with one value put in place of another; `pointer` as in RFC 6901.
fn with(pointer: &str, value: Value) -> Value {
    let mut payload = payload("file.uploaded");
    *payload.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer}")) = value;
    payload
}

fn legacy_with(pointer: &str, value: Value) -> Value {
    let mut payload = legacy_payload("0.6");
    *payload.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer}")) = value;
    payload
}

#[test]
fn every_event_is_read_as_its_own() {
    for name in EventKind::KNOWN {
        assert_eq!(read(&payload(name)).kind().as_str(), *name);
    }
    let Event::FileUploaded(event) = read(&payload("file.uploaded")) else { panic!() };
    let initiator = event.initiator.unwrap();
    assert_eq!(initiator.kind, Some(InitiatorKind::Api));
    assert_eq!(initiator.detail.request_id.as_deref(), Some("972654bd-a2ad-485a-bd27-c86126c1ed8c"));
    assert_eq!(event.hook.project_id, Some(123_681));
    assert_eq!(event.hook.version, PayloadVersion::V0_7);
    assert_eq!(event.data.uuid.to_string(), UUID);
    assert_eq!(event.data.size, Some(642_118));
    assert_eq!(event.data.original_filename.as_deref(), Some("ananas.jpg"));
    assert_eq!(event.data.metadata["pet"], "cat");
    assert_eq!(event.data.datetime_stored.unwrap().to_string(), "2023-08-11T12:49:10.477888Z");
    let image = event.data.content_info.unwrap().image.unwrap();
    assert_eq!((image.color_mode, image.dpi, image.width), (Some(ColorMode::Rgb), Some([72.0, 72.0]), Some(2000)));
    assert!(!event.data.appdata.virus_scan().unwrap().unwrap().data.infected);
}

#[test]
fn a_real_delivery_of_2021_is_read_and_lifted() {
    let body = include_bytes!("../../../uploadcare-hooks/fixtures/unversioned_uploaded.json");
    let Event::FileUploaded(event) = Event::from_slice(body).unwrap() else { panic!() };
    assert_eq!((event.hook.version, event.initiator), (PayloadVersion::Unversioned, None));
    assert_eq!((event.data.url, event.data.datetime_uploaded), (None, None));
    let content = event.data.content_info.unwrap();
    assert_eq!(content.image.unwrap().height, Some(168));
    assert_eq!(content.mime.unwrap().subtype.as_deref(), Some("jpeg"));
    let sent: v0_5::FileUploaded = serde_json::from_slice(body).unwrap();
    assert_eq!(sent.data.image_info.unwrap().width, Some(300));
    assert!(sent.data.content_info.is_some());
}

#[test]
fn an_old_file_is_lifted() {
    for version in ["0.6", "0.5", ""] {
        let file = file(&legacy_payload(version));
        let content = file.content_info.unwrap();
        assert_eq!(content.mime.unwrap().mime.as_deref(), Some("video/mp4"));
        assert_eq!(content.image.unwrap().width, Some(300));
        let video = content.video.unwrap();
        assert_eq!((video.duration, video.bitrate), (Some(261_827.5), Some(393.2)));
        assert_eq!((video.audio[0].channels, video.audio[0].bitrate), (Some(2), Some(78.5)));
        assert_eq!(video.video[0].frame_rate, Some(29.97));
        let labels = file.appdata.labels().unwrap().unwrap().data.labels;
        assert_eq!((labels[0].name.as_str(), labels[0].confidence), ("Home Decor", 93.4));
        assert_eq!(labels.len(), 2);
    }
    let sent: v0_6::FileUploaded = serde_json::from_value(legacy_payload("0.6")).unwrap();
    assert_eq!(sent.data.rekognition_info["Linen"], 70.7);
    assert_eq!(sent.data.video_info.unwrap().audio.unwrap().channels.as_deref(), Some("2"));
}

#[test]
fn what_a_newer_part_says_is_not_overwritten_by_an_older_one() {
    let mut payload = payload("file.uploaded");
    payload["data"]["image_info"] = json!({"width": 1, "height": 1});
    payload["data"]["rekognition_info"] = json!({"Cat": 1.0});
    let file = file(&payload);
    assert_eq!(file.content_info.unwrap().image.unwrap().width, Some(2000));
    assert_eq!(file.appdata.names().unwrap(), ["uc_clamav_virus_scan"]);
}

#[test]
fn lists_and_objects_without_an_end_are_refused_by_their_path() {
    let entries = |number: usize| (0..number).map(|number| (number.to_string(), json!("x"))).collect::<Value>();
    for (place, fits, too_many) in [
        ("/data/content_info/video/video", Value::from(vec![json!({}); 1000]), Value::from(vec![json!({}); 1001])),
        ("/data/metadata", entries(10_000), entries(10_001)),
    ] {
        let read = |value: Value| {
            let mut payload = payload("file.uploaded");
            payload["data"]["content_info"]["video"] = json!({});
            let (parent, key) = place.rsplit_once('/').unwrap();
            payload.pointer_mut(parent).unwrap()[key] = value;
            Event::from_slice(payload.to_string().as_bytes())
        };
        assert!(read(fits).is_ok(), "{place}");
        let error = read(too_many).unwrap_err();
        assert!(error.problem().starts_with("more than 1") && error.problem().contains("entries"), "{error}");
        assert!(format!("/{}", error.path().replace('.', "/")).starts_with(place), "{error}");
    }
}

#[test]
fn timestamps_come_with_and_without_offset_and_fraction() {
    for (sent, read) in [
        (json!("2018-11-26T12:49:10.477888Z"), Some("2018-11-26T12:49:10.477888Z")),
        (json!("2018-11-26T12:49:10Z"), Some("2018-11-26T12:49:10Z")),
        (json!("2018-11-26T12:49:10.477888"), Some("2018-11-26T12:49:10.477888Z")),
        (json!("2018-11-26T12:49:10"), Some("2018-11-26T12:49:10Z")),
        (json!("2018-11-26 12:49:10"), Some("2018-11-26T12:49:10Z")),
        (json!("2018-11-26T12:49:10+00:00"), Some("2018-11-26T12:49:10Z")),
        (json!("2018-11-26T14:49:10+02:00"), Some("2018-11-26T12:49:10Z")),
        (json!(""), None),
        (Value::Null, None),
    ] {
        for field in ["uploaded", "stored", "removed"] {
            let payload = with(&format!("/data/datetime_{field}"), sent.clone());
            let file = file(&payload);
            let times = [file.datetime_uploaded, file.datetime_stored, file.datetime_removed];
            let at = ["uploaded", "stored", "removed"].iter().position(|name| *name == field).unwrap();
            assert_eq!(times[at].map(|time| time.to_string()).as_deref(), read, "{sent}");
        }
    }
}

#[test]
fn exif_times_are_kept_as_they_are() {
    for sent in ["2018-08-20T08:59:50", "2018:08:20 08:59:50", "0000:00:00 00:00:00", "    :  :     :  :  ", ""] {
        let payload = with("/data/content_info/image/datetime_original", json!(sent));
        assert_eq!(file(&payload).content_info.unwrap().image.unwrap().datetime_original.as_deref(), Some(sent));
    }
}

#[test]
fn numbers_may_be_fractional_huge_or_senseless() {
    let image = |pointer: &str, value: Value| {
        file(&with(&format!("/data/content_info/image/{pointer}"), value)).content_info.unwrap().image.unwrap()
    };
    assert_eq!(image("dpi", json!([72.5, 300])).dpi, Some([72.5, 300.0]));
    assert_eq!(image("dpi", json!([72.5])).dpi, None);
    assert_eq!(image("dpi", json!([1, 2, 3])).dpi, None);
    assert_eq!(image("dpi", json!([null, 72])).dpi, None);
    assert_eq!(image("width", json!(300.0)).width, Some(300));
    assert_eq!(image("width", json!(299.5)).width, Some(300));
    assert_eq!(image("width", json!(-1)).width, None);
    assert_eq!(image("width", json!(1e300)).width, None);
    assert_eq!(image("width", json!(18_446_744_073_709_551_616.0)).width, None);
    assert_eq!(image("orientation", json!(600)).orientation, None);
    assert_eq!(file(&with("/data/size", json!(5_497_558_138_880_u64))).size, Some(5_497_558_138_880));
    for (sent, channels) in
        [(json!("2"), Some(2)), (json!(2), Some(2)), (json!("5.1"), None), (json!(null), None), (json!("stereo"), None)]
    {
        let payload = legacy_with("/data/video_info/audio/channels", sent.clone());
        assert_eq!(file(&payload).content_info.unwrap().video.unwrap().audio[0].channels, channels, "{sent}");
        let old: v0_6::FileUploaded = serde_json::from_value(payload).unwrap();
        let text = sent.as_str().map(str::to_owned).or_else(|| sent.as_u64().map(|number| number.to_string()));
        assert_eq!(old.data.video_info.unwrap().audio.unwrap().channels.as_deref(), text.as_deref(), "{sent}");
    }
}

#[test]
fn streams_come_as_a_list_as_one_object_or_not_at_all() {
    let one = json!({"codec": "aac"});
    for (sent, count) in [(one.clone(), 1), (json!([one]), 1), (json!([one, one]), 2), (json!([]), 0), (json!(null), 0)]
    {
        let mut payload = payload("file.uploaded");
        payload["data"]["content_info"]["video"] = json!({"audio": sent, "duration": 12.5, "bitrate": null});
        let video = file(&payload).content_info.unwrap().video.unwrap();
        assert_eq!((video.audio.len(), video.video.len(), video.duration), (count, 0, Some(12.5)));
        let old: v0_6::FileUploaded = serde_json::from_value(legacy_with("/data/video_info/audio", sent)).unwrap();
        assert_eq!(old.data.video_info.unwrap().audio.is_some(), count > 0);
    }
}

#[test]
fn metadata_is_any_text_or_none() {
    for sent in [json!({}), json!(null)] {
        assert!(file(&with("/data/metadata", sent)).metadata.is_empty());
    }
    let hostile =
        json!({"\u{0}<script>": "' OR 1=1; --", "ключ": "値\r\nSet-Cookie: x", "number": 3, "gone": null, "": ""});
    let metadata = file(&with("/data/metadata", hostile)).metadata;
    assert_eq!(metadata["\u{0}<script>"], "' OR 1=1; --");
    assert_eq!((metadata["ключ"].as_str(), metadata["number"].as_str()), ("値\r\nSet-Cookie: x", "3"));
    assert_eq!((metadata.get("gone"), metadata.len()), (None, 4));
}

#[test]
fn file_names_come_in_any_script() {
    for name in ["фото.jpg", "写真😀.png", "\u{202e}gpj.exe", "a\u{0}b", "../../etc/passwd", ""] {
        assert_eq!(file(&with("/data/original_filename", json!(name))).original_filename.as_deref(), Some(name));
    }
}

#[test]
fn what_is_not_known_yet_is_kept_or_passed_over() {
    let mut payload = with("/data/content_info/image/color_mode", json!("OKLAB"));
    payload["initiator"] = json!({"type": "robot", "detail": {"addon_name": "new_addon", "more": [1, {"deep": true}]}});
    payload["hook"]["version"] = json!("0.8");
    payload["data"]["new_field"] = json!({"a": [1, 2, {"b": null}]});
    let Event::FileUploaded(event) = read(&payload) else { panic!() };
    assert_eq!(event.hook.version, PayloadVersion::Other("0.8".to_owned()));
    let initiator = event.initiator.unwrap();
    assert_eq!(initiator.kind, Some(InitiatorKind::Other("robot".to_owned())));
    assert_eq!(initiator.detail.addon_name, Some(AddonName::Other("new_addon".to_owned())));
    let image = event.data.content_info.unwrap().image.unwrap();
    assert_eq!(image.color_mode, Some(ColorMode::Other("OKLAB".to_owned())));
}

#[test]
fn the_projects_id_goes_by_two_names() {
    let mut payload = payload("file.uploaded");
    payload["hook"].as_object_mut().unwrap().insert("project".to_owned(), json!(7));
    let id = |payload: &Value| read(payload).hook().unwrap().project_id;
    assert_eq!(id(&payload), Some(123_681));
    payload["hook"].as_object_mut().unwrap().remove("project_id");
    assert_eq!(id(&payload), Some(7));
}

#[test]
fn changed_values_tell_what_was_there_before() {
    let mut payload = payload("file.info_updated");
    payload["previous_values"] = json!({
        "metadata": {"pet": "dog", "subsystem": null},
        "appdata": {
            "uc_clamav_virus_scan": null,
            "remove_bg": {"data": {"foreground_type": "person"}, "version": "1.0"},
        },
    });
    let Event::FileInfoUpdated(event) = read(&payload) else { panic!() };
    let before = event.previous_values.metadata.unwrap();
    assert_eq!((before["pet"].as_deref(), before["subsystem"].as_deref()), (Some("dog"), None));
    let appdata = event.previous_values.appdata.unwrap();
    assert_eq!(appdata.names().unwrap(), ["remove_bg", "uc_clamav_virus_scan"]);
    assert_eq!(appdata.virus_scan().unwrap(), None);
    assert_eq!(appdata.remove_bg().unwrap().unwrap().data.foreground_type.as_deref(), Some("person"));

    for nothing in [json!({}), json!(null), json!({"appdata": null, "metadata": null})] {
        payload["previous_values"] = nothing;
        let Event::FileInfoUpdated(event) = read(&payload) else { panic!() };
        assert_eq!((event.previous_values.metadata, event.previous_values.appdata), (None, None));
    }
    payload.as_object_mut().unwrap().remove("previous_values");
    assert_eq!(read(&payload).kind(), EventKind::FileInfoUpdated);
}

#[test]
fn applications_are_read_when_asked_for() {
    let Event::FileStored(event) = Event::from_slice(&payload_with_labels("file.stored", 6_000)).unwrap() else {
        panic!()
    };
    let labels = event.data.appdata.labels().unwrap().unwrap();
    assert_eq!(labels.data.labels[0].parents[0].name, "Home Decor");
    assert_eq!(labels.data.labels[0].instances[0].bounding_box.unwrap().left, Some(0.113_9));
    assert_eq!(labels.version.as_deref(), Some("2016-06-27"));

    let appdata = json!({
        "aws_rekognition_detect_moderation_labels": {
            "data": {
                "ModerationModelVersion": "6.0",
                "ModerationLabels": [{"Confidence": 93.4, "Name": "Weapons", "ParentName": "Violence"}],
            },
        },
        "uc_clamav_virus_scan": {"data": {"infected": "perhaps"}},
        "own": {"data": {"score": 3}},
    });
    let appdata = file(&with("/data/appdata", appdata)).appdata;
    let moderation = appdata.moderation_labels().unwrap().unwrap().data;
    assert_eq!(moderation.moderation_labels[0].parent_name, "Violence");
    // Results are read when the application asks for them, so reading the delivery did not fail.
    assert_eq!(appdata.virus_scan().unwrap_err().path(), "appdata.uc_clamav_virus_scan.data.infected");
    let own = appdata.get::<std::collections::BTreeMap<String, u8>>("own").unwrap().unwrap();
    assert_eq!(own.data["score"], 3);
    for nothing in [json!({}), json!(null)] {
        let appdata = file(&with("/data/appdata", nothing)).appdata;
        assert!(appdata.is_empty() && appdata.as_json() == "{}");
    }
    for (json, is_empty) in [("{}", true), ("{ \n}", true), ("{\t\"own\": null }", false), ("{\"\":{}}", false)] {
        assert_eq!(serde_json::from_str::<AppData>(json).unwrap().is_empty(), is_empty, "{json}");
    }
}

#[test]
fn appdata_shares_the_body_where_there_is_one_to_share() {
    let body = bytes::Bytes::from(payload_with_labels("file.info_updated", 6_000));
    let shared = Event::from_bytes(&body).unwrap();
    let copied = Event::from_slice(&body).unwrap();
    assert_eq!(shared, copied);
    let within = |event: &Event| body.as_ptr_range().contains(&event.file().unwrap().appdata.as_json().as_ptr());
    assert!(within(&shared) && !within(&copied));
}

#[test]
fn an_unknown_event_is_kept_whatever_its_form() {
    for body in
        [json!({"hook": {"event": "group.created"}, "data": {"id": "g~3", "size": "many"}}), payload("file.moved")]
    {
        let Event::Unknown(event) = read(&body) else { panic!("{body}") };
        assert_eq!(Value::String(event.name().to_owned()), body["hook"]["event"]);
        assert_eq!(event.decode::<Value>().unwrap(), body);
    }
}

#[test]
fn what_does_not_fit_is_named_by_its_path() {
    let missing = |parent: &str, key: &str| {
        let mut payload = payload("file.uploaded");
        payload.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(key);
        payload
    };
    for (payload, path, problem) in [
        (missing("/hook", "event"), "hook", "missing field `event`"),
        (missing("/data", "uuid"), "data", "missing field `uuid`"),
        (missing("", "hook"), ".", "missing field `hook`"),
        (missing("", "data"), ".", "missing field `data`"),
        (with("/data/uuid", json!("no")), "data.uuid", "UUID"),
        (with("/data/size", json!("big")), "data.size", "expected a number"),
        (with("/data/datetime_stored", json!("yesterday")), "data.datetime_stored", "expected a date and time"),
        (with("/data/content_info/image/width", json!({})), "data.content_info.image.width", "expected a number"),
        (with("/data/appdata", json!([])), "data.appdata", "expected an object"),
        (with("/hook/event", json!(null)), "hook.event", "expected a string"),
        (json!(42), ".", "invalid type: integer `42`"),
        (json!([]), ".", ""),
        (json!(null), ".", ""),
        (json!("file.uploaded"), ".", ""),
    ] {
        let error = Event::from_slice(payload.to_string().as_bytes()).unwrap_err();
        assert_eq!(error.path(), path, "{error}");
        assert!(error.problem().contains(problem), "{error}");
    }
    for body in ["", "{", "\u{feff}{}", "{}{}", "event=file.uploaded"] {
        Event::from_slice(body.as_bytes()).unwrap_err();
    }
    Event::from_slice(b"{\"hook\": {\"event\": \"file.stored\xff}}").unwrap_err();
    Event::from_slice(b"\xff{}").unwrap_err();
}

#[test]
fn nesting_without_end_is_passed_over_or_refused() {
    let deep = |open: &str, close: &str| format!("{}1{}", open.repeat(100_000), close.repeat(100_000));
    let arrays = deep("[", "]");
    let body = format!(r#"{{"hook": {{"event": "file.stored"}}, "x": {arrays}, "data": {{"uuid": "{UUID}"}}}}"#);
    assert_eq!(Event::from_slice(body.as_bytes()).unwrap().kind(), EventKind::FileStored);
    let body = format!(r#"{{"hook": {{"event": "file.stored"}}, "data": {{"uuid": "{UUID}", "metadata": {arrays}}}}}"#);
    Event::from_slice(body.as_bytes()).unwrap_err();
    Event::from_slice(deep(r#"{"hook":"#, "}").as_bytes()).unwrap_err();
}

#[test]
fn a_payload_is_written_as_it_was_read() {
    let sent = payload("file.uploaded");
    let Event::FileUploaded(event) = read(&sent) else { panic!() };
    let written = serde_json::to_value(&event).unwrap();
    assert_eq!(serde_json::from_value::<FileUploaded>(written.clone()).unwrap(), event);
    assert_eq!(written["data"]["appdata"], sent["data"]["appdata"]);
    assert_eq!(written["hook"], sent["hook"]);
    let made = FileInfoUpdated::new(UUID.parse().unwrap());
    assert_eq!(read(&serde_json::to_value(&made).unwrap()), Event::FileInfoUpdated(made));
}

#[test]
fn an_error_about_the_form_of_a_part_says_what_belongs_there() {
    let problem = |json: &str| Event::from_slice(json.as_bytes()).unwrap_err().to_string();
    for (json, expected) in [
        ("[]", "a webhook payload, which is a JSON object"),
        ("5", "a webhook payload, which is a JSON object"),
        (r#"{"hook": 5}"#, "a subscription, which is a JSON object"),
        (r#"{"hook": {"event": "file.stored"}, "data": 5}"#, "a file, which is a JSON object"),
    ] {
        let error = problem(json);
        assert!(error.contains(expected) && !error.contains("Sent"), "{json}: {error}");
    }
    let mut updated = payload("file.info_updated");
    updated["previous_values"] = json!(5);
    let error = problem(&updated.to_string());
    assert!(error.contains("expected an object with `appdata` and `metadata`"), "{error}");
}
