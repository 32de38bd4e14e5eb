//! Samples are deliveries of every event and version, and can be changed.

use std::collections::BTreeMap;

use uploadcare_hooks::{
    Event, EventKind, FileInfoUpdated, FileStored, FileUploaded, PayloadVersion, SIGNATURE_HEADER, SigningSecret,
    payload::{v0_5, v0_6},
    testing::{self, Sample},
};
use uuid::Uuid;

use crate::panic_of;

#[test]
fn a_sample_of_every_event_is_read_as_that_event() {
    for name in EventKind::KNOWN {
        let event = Sample::of(*name).event();
        assert_eq!(event.kind().as_str(), *name);
        let file = event.file().unwrap();
        assert_eq!(file.uuid, Sample::UUID);
        assert_eq!(file.datetime_removed.is_some(), *name == "file.deleted", "{name}");
        assert_eq!(file.original_file_url.is_none(), *name == "file.deleted", "{name}");
        let scan = file.appdata.virus_scan().unwrap().unwrap().data;
        assert_eq!((scan.infected, scan.infected_with.is_some()), (*name == "file.infected", scan.infected), "{name}");
        assert!((1_000..2_000).contains(&Sample::of(*name).body().len()), "{name}");
    }
    let updated: FileInfoUpdated = Sample::of("file.info_updated").payload();
    let before = updated.previous_values.metadata.unwrap();
    assert_eq!(before["pet"].as_deref(), Some("dog"));
    assert_eq!(updated.data.metadata["pet"], "cat");
}

#[test]
fn a_sample_of_every_version_has_the_form_of_that_version() {
    for version in ["0.7", "0.6", "0.5", ""] {
        let sample = Sample::of(EventKind::FileUploaded).version(version);
        let Event::FileUploaded(lifted) = sample.event() else { panic!("{version}") };
        assert_eq!(lifted.hook.version, PayloadVersion::from(version));
        assert!(lifted.data.content_info.unwrap().image.is_some(), "{version}");
        assert_eq!(sample.json()["data"].get("image_info").is_none(), version == "0.7", "{version}");
    }
    let sample = Sample::of("file.uploaded").version("0.6");
    assert_eq!(sample.payload::<v0_6::FileUploaded>().data.rekognition_info.len(), 2);
    assert_eq!(sample.version("0.5").payload::<v0_5::FileUploaded>().hook.version, PayloadVersion::V0_5);
    let newer = Sample::of("file.stored").set("hook.version", "0.8").event();
    assert_eq!(newer.hook().unwrap().version, PayloadVersion::from("0.8"));
}

#[test]
fn an_event_that_this_version_does_not_know_has_a_sample_with_any_field() {
    let sample = Sample::of("moderation.state_changed").set("data.moderation.state", "approved");
    let Event::Unknown(event) = sample.event() else { panic!() };
    assert_eq!(event.name(), "moderation.state_changed");
    assert_eq!(event.decode::<serde_json::Value>().unwrap()["data"]["moderation"]["state"], "approved");
}

#[test]
fn fields_are_set_added_and_removed() {
    let sample = Sample::of("file.uploaded")
        .set("data.size", 5_000_000_000_u64)
        .set("data.metadata", BTreeMap::from([("a.b", "c")]))
        .set("data.content_info.image.dpi.0", 300)
        .set("data.variations.-/preview/", Sample::UUID)
        .add("initiator.detail.source_file_uuid", Sample::UUID)
        .without("data.content_info.mime");
    let event: FileUploaded = sample.payload();
    assert_eq!(event.data.size, Some(5_000_000_000));
    assert_eq!(event.data.metadata["a.b"], "c");
    assert_eq!(event.data.variations["-/preview/"], Sample::UUID);
    assert_eq!(event.initiator.unwrap().detail.source_file_uuid, Some(Sample::UUID));
    let content = event.data.content_info.unwrap();
    assert_eq!((content.mime, content.image.unwrap().dpi), (None, Some([300.0, 72.0])));
}

#[test]
fn the_version_and_the_file_may_be_chosen_after_fields_were_set() {
    let other = Uuid::from_u128(7);
    let sample = Sample::of("file.uploaded").set("data.size", 7).version("0.6").uuid(other);
    assert_eq!(sample.json(), Sample::of("file.uploaded").uuid(other).version("0.6").set("data.size", 7).json());
    let event: v0_6::FileUploaded = sample.payload();
    assert_eq!((event.data.uuid, event.data.size), (other, Some(7)));
    assert!(event.file.unwrap().contains(&other.to_string()));
}

#[test]
fn a_mistake_in_a_sample_panics_with_the_place_and_the_way_out() {
    let sample = || Sample::of("file.uploaded");
    let misspelt = panic_of(|| sample().set("data.orginal_filename", "x"));
    assert!(misspelt.starts_with(
        "no place \"data.orginal_filename\" in a sample of \"file.uploaded\" in version \"0.7\": `data` has no field \
         `orginal_filename`: its fields are appdata, content_info, "
    ));
    let of_old_version = panic_of(|| sample().set("data.appdata.x", 1).version("0.6"));
    assert!(of_old_version.contains("\"data.appdata.x\""), "{of_old_version}");
    assert!(of_old_version.contains("version \"0.6\": `data` has no field `appdata`"), "{of_old_version}");
    assert_eq!(
        panic_of(|| Sample::of("file.stored").version("0.5")),
        "no sample of \"file.stored\" in version \"0.5\": `file.uploaded` is the only event of the versions before 0.7"
    );
    assert_eq!(
        panic_of(|| Sample::of("file.stored").version("0.8")),
        "no sample in version \"0.8\": the known versions are \"0.7\", \"0.6\", \"0.5\" and \"\"; \
         `.set(\"hook.version\", \"0.8\")` gives the form of 0.7 this name"
    );
    let unreadable = panic_of(|| sample().set("data.size", "big").event());
    assert!(unreadable.contains("at `data.size`: "), "{unreadable}");
    let no_path = panic_of(|| sample().at("no path").unsigned());
    assert!(no_path.starts_with("\"no path\" cannot be the path of a request: "), "{no_path}");
    for path in ["archive", "", "hooks/archive"] {
        let expected =
            format!("{path:?} cannot be the path of a request: it must begin with a slash, as in \"/scans\"");
        assert_eq!(panic_of(|| sample().at(path)), expected);
        assert_eq!(panic_of(|| testing::signed_request(path, &testing::secret(), "[]")), expected);
    }
    let unwritable = panic_of(|| sample().set("data.metadata", BTreeMap::from([((1, 2), 3)])));
    assert_eq!(unwritable, "the value for \"data.metadata\" cannot be written as JSON: key must be a string");
}

#[test]
fn a_payload_of_another_event_than_the_samples_panics() {
    let sample = Sample::of("file.uploaded");
    assert_eq!(
        panic_of(|| sample.payload::<FileStored>()),
        "this sample is of \"file.uploaded\", and `FileStored` is the payload of \"file.stored\""
    );
    let stored = Sample::of("file.stored");
    let old = panic_of(|| stored.payload::<v0_6::FileUploaded>());
    assert_eq!(old, "this sample is of \"file.stored\", and `FileUploaded` is the payload of \"file.uploaded\"");
    let unknown = panic_of(|| Sample::of("file.moved").payload::<FileStored>());
    assert!(unknown.starts_with("this sample is of \"file.moved\""), "{unknown}");
    // Types of the application are not payloads of an event.
    assert_eq!(stored.payload::<serde_json::Value>()["hook"]["event"], "file.stored");
    stored.set("hook.event", "file.uploaded").payload::<FileUploaded>();
}

#[test]
fn labels_make_a_sample_as_large_as_wanted() {
    let sample = Sample::of("file.stored").grow_to(60_000);
    assert!((60_000..61_000).contains(&sample.body().len()));
    assert!(sample.event().file().unwrap().appdata.labels().unwrap().unwrap().data.labels.len() > 100);
    let length = sample.body().len();
    let twice = sample.grow_to(5_000);
    assert_eq!(twice.body().len(), length, "it is long enough already");
    assert!((70_000..71_000).contains(&twice.grow_to(70_000).body().len()));
}

#[test]
fn a_signed_sample_has_the_signature_of_its_secret_and_an_unsigned_one_has_none() {
    let secret = SigningSecret::new("12345X").unwrap();
    let sample = Sample::of("file.stored").at("/scans");
    let signed = sample.sign(&secret);
    assert_eq!((signed.method().as_str(), signed.uri().path()), ("POST", "/scans"));
    assert_eq!(signed.headers()["content-type"], "application/json");
    secret.verify(signed.body(), signed.headers()[SIGNATURE_HEADER].to_str().unwrap()).unwrap();
    assert!(testing::secret().verify(signed.body(), signed.headers()[SIGNATURE_HEADER].to_str().unwrap()).is_err());
    assert!(!sample.unsigned().headers().contains_key(SIGNATURE_HEADER));
}
