//! Everything that the schemas of 0.7 and of 0.6 allow is read.

use jiff::{Timestamp, civil, tz::Offset};
use proptest::{collection, option, prelude::*, sample};
use serde_json::{Map, Value, json};
use uploadcare_hooks::{
    Event, EventKind,
    payload::{v0_6, v0_7::Hook},
};

/// A value for a field, or `null`, or no field at all.
fn fields(fields: Vec<(&'static str, BoxedStrategy<Value>)>) -> BoxedStrategy<Value> {
    let fields: Vec<_> = fields
        .into_iter()
        .map(|(name, value)| {
            let value = prop_oneof![6 => value.prop_map(Some), 1 => Just(Some(Value::Null)), 1 => Just(None)];
            value.prop_map(move |value| Some((name.to_owned(), value?)))
        })
        .collect();
    (fields, option::of("[a-z_]{1,12}x"))
        .prop_map(|(fields, unknown)| {
            let mut object: Map<_, _> = fields.into_iter().flatten().collect();
            // A field that no version has.
            object.extend(unknown.map(|name| (name, json!({"new": [1, null]}))));
            Value::Object(object)
        })
        .boxed()
}

/// The same with fields that are always there.
fn with_required(
    object: BoxedStrategy<Value>,
    required: Vec<(&'static str, BoxedStrategy<Value>)>,
) -> BoxedStrategy<Value> {
    let required: Vec<_> =
        required.into_iter().map(|(name, value)| value.prop_map(move |value| (name.to_owned(), value))).collect();
    (object, required)
        .prop_map(|(mut object, required)| {
            if let Some(object) = object.as_object_mut() {
                object.extend(required);
            }
            object
        })
        .boxed()
}

fn text() -> BoxedStrategy<Value> {
    any::<String>().prop_map(Value::from).boxed()
}

fn boolean() -> BoxedStrategy<Value> {
    any::<bool>().prop_map(Value::from).boxed()
}

fn number() -> BoxedStrategy<Value> {
    prop_oneof![
        any::<u32>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (0.0..1e9_f64).prop_map(Value::from),
    ]
    .boxed()
}

fn one_of(words: &'static [&'static str]) -> BoxedStrategy<Value> {
    prop_oneof![5 => sample::select(words).prop_map(Value::from), 1 => text()].boxed()
}

fn uuid() -> BoxedStrategy<Value> {
    any::<u128>().prop_map(|bits| Value::from(uuid_of(bits))).boxed()
}

fn uuid_of(bits: u128) -> String {
    let hex = format!("{bits:032x}");
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

fn time() -> BoxedStrategy<Value> {
    let day = (1970..2200_u16, 1..=12_u8, 1..=28_u8);
    let clock = (0..24_u8, 0..60_u8, 0..60_u8, option::of(0..1_000_000_u32));
    (day, clock, sample::select(&["Z", "", "+00:00", "-05:30"]))
        .prop_map(|((year, month, day), (hour, minute, second, micros), offset)| {
            let fraction = micros.map(|micros| format!(".{micros:06}")).unwrap_or_default();
            json!(format!("{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}{offset}"))
        })
        .boxed()
}

fn map(value: BoxedStrategy<Value>) -> BoxedStrategy<Value> {
    let value = prop_oneof![6 => value, 1 => Just(Value::Null)];
    collection::btree_map(any::<String>(), value, 0..4)
        .prop_map(|entries| Value::Object(entries.into_iter().collect()))
        .boxed()
}

fn list(value: BoxedStrategy<Value>) -> BoxedStrategy<Value> {
    collection::vec(value, 0..3).prop_map(Value::from).boxed()
}

fn image_info() -> BoxedStrategy<Value> {
    const MODES: &[&str] = &["RGB", "RGBA", "RGBa", "RGBX", "L", "LA", "La", "P", "PA", "CMYK", "YCbCr", "HSV", "LAB"];
    fields(vec![
        ("color_mode", one_of(MODES)),
        ("orientation", (0..=8_u8).prop_map(Value::from).boxed()),
        ("format", text()),
        ("sequence", boolean()),
        ("height", number()),
        ("width", number()),
        ("geo_location", fields(vec![("latitude", number()), ("longitude", number())])),
        ("datetime_original", prop_oneof![time(), text()].boxed()),
        ("dpi", collection::vec(number(), 2).prop_map(Value::from).boxed()),
    ])
}

fn audio(channels: BoxedStrategy<Value>) -> BoxedStrategy<Value> {
    fields(vec![("bitrate", number()), ("codec", text()), ("sample_rate", number()), ("channels", channels)])
}

fn video() -> BoxedStrategy<Value> {
    fields(vec![
        ("height", number()),
        ("width", number()),
        ("frame_rate", number()),
        ("bitrate", number()),
        ("codec", text()),
    ])
}

fn video_info(audio: BoxedStrategy<Value>, video: BoxedStrategy<Value>) -> BoxedStrategy<Value> {
    fields(vec![("duration", number()), ("format", text()), ("bitrate", number()), ("audio", audio), ("video", video)])
}

fn content_info() -> BoxedStrategy<Value> {
    fields(vec![
        ("mime", fields(vec![("mime", text()), ("type", text()), ("subtype", text())])),
        ("image", image_info()),
        ("video", video_info(list(audio(number())), list(video()))),
    ])
}

/// The fields that files of every version have.
fn common_file_fields() -> Vec<(&'static str, BoxedStrategy<Value>)> {
    vec![
        ("size", number()),
        ("mime_type", text()),
        ("original_filename", text()),
        ("original_file_url", text()),
        ("url", text()),
        ("is_image", boolean()),
        ("is_ready", boolean()),
        ("datetime_uploaded", time()),
        ("datetime_stored", time()),
        ("datetime_removed", time()),
        ("variations", map(uuid())),
        ("content_info", content_info()),
    ]
}

fn appdata() -> BoxedStrategy<Value> {
    let application = |data| fields(vec![("data", data), ("version", text()), ("datetime_created", time())]);
    let scan = fields(vec![("infected", boolean()), ("infected_with", text())]);
    let label = fields(vec![("Confidence", number()), ("Instances", list(text())), ("Name", text())]);
    let labels = fields(vec![("LabelModelVersion", text()), ("Labels", list(label))]);
    fields(vec![
        ("uc_clamav_virus_scan", application(scan)),
        ("aws_rekognition_detect_labels", application(labels)),
        ("an_application_of_next_year", number()),
    ])
}

fn hook(events: &'static [&'static str], versions: &'static [&'static str]) -> BoxedStrategy<Value> {
    let optional = fields(vec![
        ("id", number()),
        ("project_id", number()),
        ("project", number()),
        ("project_pub_key", text()),
        ("target", text()),
        ("is_active", boolean()),
        ("version", sample::select(versions).prop_map(Value::from).boxed()),
        ("created_at", time()),
        ("updated_at", time()),
    ]);
    with_required(optional, vec![("event", sample::select(events).prop_map(Value::from).boxed())])
}

fn payload_0_7() -> BoxedStrategy<Value> {
    const ADDONS: &[&str] = &["aws_rekognition_detect_labels", "uc_clamav_virus_scan", "zencoder_convert_video"];
    let mut file = common_file_fields();
    file.extend([("metadata", map(text())), ("appdata", appdata())]);
    let detail = fields(vec![("request_id", uuid()), ("addon_name", one_of(ADDONS)), ("source_file_uuid", uuid())]);
    let optional = fields(vec![
        ("initiator", fields(vec![("type", one_of(&["api", "system", "addon"])), ("detail", detail)])),
        ("file", text()),
        ("previous_values", fields(vec![("metadata", map(text())), ("appdata", appdata())])),
    ]);
    let file = with_required(fields(file), vec![("uuid", uuid())]);
    with_required(optional, vec![("hook", hook(EventKind::KNOWN, &["0.7"])), ("data", file)])
}

fn payload_0_6() -> BoxedStrategy<Value> {
    let channels = prop_oneof![number(), text(), sample::select(&["1", "2"]).prop_map(Value::from)].boxed();
    let mut file = common_file_fields();
    file.extend([
        ("image_info", image_info()),
        ("video_info", video_info(audio(channels), video())),
        ("rekognition_info", map(number())),
        ("source", text()),
    ]);
    let file = with_required(fields(file), vec![("uuid", uuid())]);
    let optional = fields(vec![("file", text()), ("payload_hash", text())]);
    with_required(optional, vec![("hook", hook(&["file.uploaded"], &["0.6", "0.5", ""])), ("data", file)])
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_payload_of_0_7_is_read(payload in payload_0_7()) {
        let event = Event::from_slice(payload.to_string().as_bytes());
        let event = event.map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert_eq!(Value::from(event.kind().as_str()), payload["hook"]["event"].clone());
        let file = event.file().unwrap();
        prop_assert_eq!(Value::from(file.uuid.to_string()), payload["data"]["uuid"].clone());
        prop_assert_eq!(file.original_filename.as_deref(), payload["data"]["original_filename"].as_str());
        prop_assert!(file.appdata.names().is_ok());
    }

    #[test]
    fn every_payload_of_0_6_is_read_lifted_and_as_it_is(payload in payload_0_6()) {
        let event = Event::from_slice(payload.to_string().as_bytes());
        let event = event.map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert!(event.file().unwrap().appdata.labels().is_ok());
        let sent: v0_6::FileUploaded = serde_json::from_slice(payload.to_string().as_bytes())
            .map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert_eq!(Value::from(sent.data.uuid.to_string()), payload["data"]["uuid"].clone());
        prop_assert_eq!(sent.data.source.as_deref(), payload["data"]["source"].as_str());
    }

    #[test]
    fn a_timestamp_is_read_as_jiff_reads_it(
        text in "[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9](\\.[0-9]{0,10})?(Z|\\+00:00)?",
    ) {
        let utc = || text.parse::<civil::DateTime>().ok().and_then(|time| Offset::UTC.to_timestamp(time).ok());
        let expected = text.parse::<Timestamp>().ok().or_else(utc);
        let hook = json!({"event": "file.stored", "created_at": text});
        let read = serde_json::from_value::<Hook>(hook).ok().map(|hook| hook.created_at.unwrap());
        prop_assert_eq!(read, expected);
    }

    #[test]
    fn no_bytes_make_the_reader_panic(body in prop_oneof![
        collection::vec(any::<u8>(), 0..200),
        (payload_0_7(), any::<sample::Index>(), any::<u8>()).prop_map(|(payload, at, byte)| {
            let mut body = payload.to_string().into_bytes();
            let at = at.index(body.len());
            body[at] = byte;
            body
        }),
    ]) {
        let _ = Event::from_slice(&body);
    }
}
