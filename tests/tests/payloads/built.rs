//! Every type of a payload can be built outside of the crate, without JSON.

use std::collections::BTreeMap;

use uploadcare_hooks::{
    Event, EventKind, FileDeleted, FileInfected, FileInfoUpdated, FileStored, FileUploaded, PayloadVersion,
    UnknownEvent,
    payload::{
        AddonName, ColorMode, InitiatorKind,
        appdata::{
            AppData, Application, BoundingBox, Label, LabelInstance, LabelParent, Labels, ModerationLabel,
            ModerationLabels, RemoveBg, VirusScan,
        },
        v0_5, v0_6, v0_7,
    },
};
use uuid::Uuid;

fn uuid() -> Uuid {
    tests::deliveries::UUID.parse().unwrap()
}

/// What is written as JSON and read again is the same.
fn read_again(payload: &impl serde::Serialize) -> Event {
    Event::from_slice(&serde_json::to_vec(payload).unwrap()).unwrap()
}

#[test]
fn a_payload_of_every_event_is_built_from_a_uuid_and_is_of_its_event() {
    let (uploaded, stored) = (FileUploaded::new(uuid()), FileStored::new(uuid()));
    let (deleted, infected) = (FileDeleted::new(uuid()), FileInfected::new(uuid()));
    let info_updated = FileInfoUpdated::new(uuid());
    let hooks = [&uploaded.hook, &stored.hook, &deleted.hook, &infected.hook, &info_updated.hook];
    assert!(hooks.iter().all(|hook| hook.version == PayloadVersion::V0_7));
    assert_eq!(hooks.map(|hook| hook.event.as_str()), EventKind::KNOWN);
    assert_eq!(read_again(&uploaded), Event::FileUploaded(uploaded));
    assert_eq!(read_again(&stored), Event::FileStored(stored));
    assert_eq!(read_again(&deleted), Event::FileDeleted(deleted));
    assert_eq!(read_again(&infected), Event::FileInfected(infected));
    assert_eq!(read_again(&info_updated), Event::FileInfoUpdated(info_updated));
}

#[test]
fn a_payload_of_an_old_version_is_built_from_a_uuid_and_says_its_version() {
    let (newer, older) = (v0_6::FileUploaded::new(uuid()), v0_5::FileUploaded::new(uuid()));
    assert_eq!((newer.hook.version.as_str(), older.hook.version.as_str()), ("0.6", "0.5"));
    assert_eq!((newer.data.uuid, older.data.uuid), (uuid(), uuid()));
    for payload in [serde_json::to_value(&newer).unwrap(), serde_json::to_value(&older).unwrap()] {
        let Event::FileUploaded(lifted) = read_again(&payload) else { panic!("{payload}") };
        assert_eq!(lifted.hook.event, EventKind::FileUploaded);
        assert_eq!(serde_json::from_value::<v0_6::File>(payload["data"].clone()).unwrap(), newer.data);
    }
}

#[test]
fn each_part_of_a_payload_is_built_from_its_default() {
    let mut image = v0_7::ImageInfo::default();
    image.color_mode = Some(ColorMode::Cmyk);
    let mut place = v0_7::GeoLocation::default();
    place.latitude = Some(55.6);
    image.geo_location = Some(place);
    let mut mime = v0_7::MimeInfo::default();
    mime.kind = Some("image".into());
    let mut sound = v0_7::AudioStream::default();
    sound.channels = Some(2);
    let mut picture = v0_7::VideoStream::default();
    picture.frame_rate = Some(29.97);
    let mut video = v0_7::VideoInfo::default();
    (video.audio, video.video) = (vec![sound], vec![picture]);
    let mut content = v0_7::ContentInfo::default();
    (content.mime, content.image, content.video) = (Some(mime), Some(image), Some(video));

    let mut detail = v0_7::InitiatorDetail::default();
    detail.addon_name = Some(AddonName::RemoveBg);
    let mut initiator = v0_7::Initiator::default();
    (initiator.kind, initiator.detail) = (Some(InitiatorKind::Addon), detail);

    let mut previous = v0_7::PreviousValues::default();
    previous.metadata = Some(BTreeMap::from([("pet".into(), None)]));
    previous.appdata = Some(AppData::default());

    let mut event = FileInfoUpdated::new(uuid());
    event.hook = v0_7::Hook::new("file.info_updated");
    event.hook.id = Some(889_783);
    event.initiator = Some(initiator);
    event.data = v0_7::File::default();
    event.data.uuid = uuid();
    event.data.content_info = Some(Box::new(content));
    event.previous_values = previous;
    assert_eq!(read_again(&event), Event::FileInfoUpdated(event));
}

#[test]
fn each_part_of_an_old_payload_is_built_from_its_default() {
    let mut sound = v0_6::AudioStream::default();
    sound.channels = Some("2".into());
    let mut video = v0_6::VideoInfo::default();
    (video.audio, video.video) = (Some(sound), Some(v0_6::VideoStream::default()));
    let mut event = v0_6::FileUploaded::new(uuid());
    event.initiator = Some(v0_6::Initiator::default());
    event.data = v0_6::File::default();
    event.data.uuid = uuid();
    event.data.image_info = Some(v0_6::ImageInfo::default());
    event.data.video_info = Some(video);
    event.data.content_info = Some(v0_6::ContentInfo::default());
    let again: v0_6::FileUploaded = serde_json::from_slice(&serde_json::to_vec(&event).unwrap()).unwrap();
    assert_eq!(again, event);
    let Event::FileUploaded(lifted) = read_again(&event) else { panic!() };
    assert_eq!(lifted.data.content_info.unwrap().video.unwrap().audio[0].channels, Some(2));
}

#[test]
fn results_of_applications_are_put_in_with_their_types() {
    let mut appdata = AppData::default();
    let mut scan = VirusScan::default();
    (scan.infected, scan.infected_with) = (true, Some("Win.Test.EICAR_HDB-1".into()));
    let mut dated = Application::new(scan.clone());
    dated.version = Some("0.105.1".into());
    appdata.set_virus_scan(dated.clone()).unwrap();

    let mut instance = LabelInstance::default();
    instance.bounding_box = Some(BoundingBox::default());
    let mut parent = LabelParent::default();
    parent.name = "Home Decor".into();
    let mut label = Label::default();
    (label.name, label.confidence) = ("Linen".into(), 93.4);
    (label.instances, label.parents) = (vec![instance], vec![parent]);
    let mut labels = Labels::default();
    labels.labels = vec![label];
    appdata.set_labels(labels.clone()).unwrap();

    let mut moderation = ModerationLabels::default();
    moderation.moderation_labels = vec![ModerationLabel::default()];
    appdata.set_moderation_labels(moderation.clone()).unwrap();
    let mut removed = RemoveBg::default();
    removed.foreground_type = Some("person".into());
    appdata.set_remove_bg(removed.clone()).unwrap();
    appdata.insert("my \"own\" application", &Application::new(7)).unwrap();

    assert_eq!(appdata.virus_scan().unwrap(), Some(dated));
    assert_eq!(appdata.labels().unwrap().unwrap().data, labels);
    assert_eq!(appdata.moderation_labels().unwrap().unwrap().data, moderation);
    assert_eq!(appdata.remove_bg().unwrap().unwrap().data, removed);
    assert_eq!(appdata.get::<u8>("my \"own\" application").unwrap().unwrap().data, 7);

    scan.infected = false;
    appdata.set_virus_scan(scan).unwrap();
    assert_eq!(appdata.names().unwrap().len(), 5);
    assert!(!appdata.virus_scan().unwrap().unwrap().data.infected);
}

#[test]
fn a_result_that_cannot_be_written_as_json_leaves_the_others_and_says_which_it_is() {
    let mut appdata = AppData::default();
    appdata.set_remove_bg(RemoveBg::default()).unwrap();
    let unwritable = Application::new(BTreeMap::from([((1, 2), 3)]));
    let error = appdata.insert("pairs", &unwritable).unwrap_err();
    assert_eq!(error.to_string(), "at `appdata.pairs`: key must be a string");
    assert_eq!(appdata.names().unwrap(), ["remove_bg"]);
}

#[test]
fn an_unknown_event_is_built_from_its_name_and_its_json() {
    let json = r#"{"hook": {"event": "moderation.state_changed"}, "data": {"state": "approved"}}"#;
    let event = UnknownEvent::new("moderation.state_changed", json).unwrap();
    assert_eq!(Event::from_slice(json.as_bytes()).unwrap(), Event::Unknown(event.clone()));
    assert_eq!((event.name(), event.as_json()), ("moderation.state_changed", json));
    assert_eq!(UnknownEvent::new("x", "{").unwrap_err().path(), ".");
}
