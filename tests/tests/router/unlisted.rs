//! Events that this version does not know, and payloads as types of the application.

use serde::Deserialize;
use serde_json::json;
use tests::deliveries::{UUID, payload, secret};
use uploadcare_hooks::{
    Event, Payload, PayloadVersion, State, UnknownEvent, WebhookRouter, webhook_handler, webhook_handlers,
};

use crate::{Notes, builder, note, send, take_notes};

#[derive(Deserialize)]
struct Moderation {
    data: ModeratedFile,
}

#[derive(Deserialize)]
struct ModeratedFile {
    uuid: String,
    state: String,
}

#[webhook_handler(event = "moderation.state_changed", unlisted)]
async fn moderated(Payload(event): Payload<Moderation>, State(notes): State<Notes>) {
    note(&notes, format!("moderated {} {}", event.data.uuid, event.data.state));
}

#[webhook_handler(event = "moderation.state_changed", unlisted)]
async fn keep(event: UnknownEvent, whole: Event, State(notes): State<Notes>) {
    assert_eq!(whole, Event::Unknown(event.clone()));
    note(&notes, format!("keep {} {}", event.name(), event.version()));
}

#[webhook_handler(event = "group.created", unlisted, version = "0.7")]
async fn grouped(_event: UnknownEvent, State(notes): State<Notes>) {
    note(&notes, "grouped");
}

#[webhook_handler(any, version = "0.7")]
async fn audit(event: Event, State(notes): State<Notes>) {
    note(&notes, format!("audit {}", event.kind()));
}

fn router(notes: &Notes) -> WebhookRouter {
    builder(notes).handlers(webhook_handlers![moderated, keep, grouped, audit]).build().unwrap()
}

fn moderation(data: serde_json::Value) -> serde_json::Value {
    json!({"hook": {"event": "moderation.state_changed", "version": "0.7"}, "data": data})
}

#[tokio::test]
async fn an_unlisted_event_reaches_its_own_handlers_and_those_of_every_event() {
    let notes = Notes::default();
    let hooks = router(&notes);
    let answer = send(&hooks, moderation(json!({"uuid": UUID, "state": "flagged"})).to_string()).await;
    assert_eq!(answer.status(), 204);
    let moderated = format!("moderated {UUID} flagged");
    assert_eq!(
        take_notes(&notes),
        ["audit moderation.state_changed", "keep moderation.state_changed 0.7", moderated.as_str()]
    );
    assert_eq!(send(&hooks, payload("group.created").to_string()).await.status(), 204);
    assert_eq!(take_notes(&notes), ["audit group.created", "grouped"]);
    assert_eq!(send(&hooks, payload("group.deleted").to_string()).await.status(), 204);
    assert_eq!(take_notes(&notes), ["audit group.deleted"]);
}

#[tokio::test]
async fn a_handler_of_one_version_gets_unknown_events_of_that_version_only() {
    let notes = Notes::default();
    let hooks = router(&notes);
    for version in [json!("0.8"), json!(0.8), json!(null)] {
        let body = json!({"hook": {"event": "group.created", "version": version}}).to_string();
        assert_eq!(send(&hooks, body).await.status(), 204);
        assert!(take_notes(&notes).is_empty());
    }
    assert_eq!(
        send(&hooks, json!({"hook": {"event": "group.created", "version": 0.7}}).to_string()).await.status(),
        204
    );
    assert_eq!(take_notes(&notes), ["audit group.created", "grouped"]);
    let event = Event::from_slice(br#"{"hook": {"event": "group.created", "version": "0.8"}}"#).unwrap();
    assert_eq!(event.version(), &PayloadVersion::from("0.8"));
}

#[tokio::test]
async fn a_payload_that_does_not_fit_the_handlers_type_is_answered_422_and_the_path_is_reported() {
    let notes = Notes::default();
    let (sender, rejections) = std::sync::mpsc::channel();
    let hooks = builder(&notes)
        .handlers(webhook_handlers![moderated])
        .on_rejection(move |rejection| sender.send(rejection.to_string()).unwrap())
        .build()
        .unwrap();
    let misfit = moderation(json!({"uuid": UUID, "state": 42}));
    let answer = send(&hooks, misfit.to_string()).await;
    assert_eq!(answer.status(), 422);
    let problem: serde_json::Value = serde_json::from_slice(answer.body()).unwrap();
    assert_eq!(problem["code"], "payload_mismatch");
    let rejection = rejections.recv().unwrap();
    assert!(rejection.contains("handler `moderated` failed"), "{rejection}");
    assert!(rejection.contains("does not fit the type that the handler takes: at `data.state`: "), "{rejection}");
    assert!(take_notes(&notes).is_empty());

    let with_another = builder(&notes).handlers(webhook_handlers![moderated, keep]).build().unwrap();
    assert_eq!(send(&with_another, misfit.to_string()).await.status(), 422);
    assert_eq!(take_notes(&notes), ["keep moderation.state_changed 0.7"], "the other handler runs all the same");
}

#[tokio::test]
async fn an_unlisted_event_whose_body_is_no_object_is_answered_422_or_passed_on_as_it_is() {
    let notes = Notes::default();
    let hooks = builder(&notes).handlers(webhook_handlers![moderated, keep]).build().unwrap();
    for body in ["[]", "\"moderation.state_changed\"", "null", r#"{"hook": "moderation.state_changed"}"#, ""] {
        assert_eq!(send(&hooks, body).await.status(), 422, "{body}");
        assert!(take_notes(&notes).is_empty(), "{body}");
    }
    let odd = json!({"hook": {"event": "moderation.state_changed", "version": {"a": [1]}}, "data": {}}).to_string();
    assert_eq!(send(&hooks, odd.clone()).await.status(), 422, "`moderated` needs a state");
    assert_eq!(take_notes(&notes), ["keep moderation.state_changed "]);
    let error = Event::from_slice(format!("{odd} x").as_bytes()).unwrap_err();
    assert_eq!((error.path(), error.problem().contains("trailing characters")), (".", true), "{error}");
    for data in [json!(null), json!([1, 2]), json!("text")] {
        assert_eq!(send(&hooks, moderation(data).to_string()).await.status(), 422);
        assert_eq!(take_notes(&notes), ["keep moderation.state_changed 0.7"]);
    }
}

#[derive(Deserialize)]
struct Named {
    data: NamedFile,
}

#[derive(Deserialize)]
struct NamedFile {
    original_filename: String,
}

#[webhook_handler(event = "file.stored")]
async fn name(Payload(event): Payload<Named>, State(notes): State<Notes>) {
    note(&notes, format!("name {}", event.data.original_filename));
}

#[tokio::test]
async fn a_handler_of_a_known_event_may_take_a_type_of_the_application() {
    let notes = Notes::default();
    let hooks = builder(&notes).handlers(webhook_handlers![name]).build().unwrap();
    assert_eq!(send(&hooks, payload("file.stored").to_string()).await.status(), 204);
    assert_eq!(take_notes(&notes), ["name ananas.jpg"]);
}

#[test]
fn the_handlers_of_different_unlisted_events_do_not_run_at_once() {
    let build = |limit| {
        WebhookRouter::builder()
            .signing_secret(secret())
            .state(Notes::default())
            .handlers(webhook_handlers![moderated, keep, grouped])
            .max_concurrent_handlers(limit)
            .build()
    };
    assert!(build(2).is_ok());
    assert!(build(1).unwrap_err().to_string().contains("one delivery can need 2 at once"));
}
