//! What a router does with a delivery.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod boot;
mod containment;
mod limits;
mod rejections;
mod rotation;
mod secrets;
mod versions;

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use tests::deliveries::{legacy_payload, payload, secret};
use uploadcare_hooks::{
    Delivery, Event, FailureKind, FileStored, FileUploaded, HandlerError, PayloadVersion, RejectionReason,
    SigningSecret, State, TriedSecrets, WebhookRouter, WebhookRouterBuilder,
    payload::{v0_5, v0_6},
    webhook_handler, webhook_handlers,
};

/// What handlers report.
type Notes = Arc<Mutex<Vec<String>>>;

fn note(notes: &Notes, text: impl ToString) {
    notes.lock().unwrap().push(text.to_string());
}

fn taken(notes: &Notes) -> Vec<String> {
    let mut notes = std::mem::take(&mut *notes.lock().unwrap());
    notes.sort();
    notes
}

#[webhook_handler(event = "file.uploaded")]
async fn index(event: FileUploaded, State(notes): State<Notes>) {
    note(&notes, format!("index {}", event.data.uuid));
}

#[webhook_handler(event = "file.uploaded")]
async fn copy(delivery: Delivery, event: FileUploaded, whole: Event, State(notes): State<Notes>) {
    assert_eq!(delivery.event(), &whole);
    assert_eq!(whole, Event::FileUploaded(event));
    note(&notes, "copy");
}

#[webhook_handler(event = "file.uploaded")]
async fn fail(_event: FileUploaded) -> Result<(), std::io::Error> {
    Err(std::io::Error::other("the disk\nis full"))
}

#[webhook_handler(event = "file.uploaded")]
async fn panic(_event: FileUploaded) {
    panic!("an invariant is broken");
}

#[webhook_handler(event = "file.uploaded")]
async fn give_up(_event: FileUploaded) -> Result<(), HandlerError> {
    Err(HandlerError::discard("this file is not for us"))
}

#[webhook_handler(event = "file.uploaded")]
async fn hang(_event: FileUploaded) {
    std::future::pending::<()>().await;
}

#[webhook_handler(event = "file.stored")]
async fn pause(_event: FileStored) {
    tokio::time::sleep(Duration::from_millis(100)).await;
}

#[webhook_handler(events = ["file.stored", "file.deleted"])]
async fn count(event: Event, State(notes): State<Notes>) {
    note(&notes, format!("count {}", event.kind()));
}

#[webhook_handler(any)]
async fn audit(event: Event, State(notes): State<Notes>) {
    note(&notes, format!("audit {}", event.kind()));
}

/// A builder with a secret and the notes.
fn builder(notes: &Notes) -> WebhookRouterBuilder {
    WebhookRouter::builder().signing_secret(secret()).state(Arc::clone(notes))
}

fn signed(path: &str, secret: &SigningSecret, body: impl Into<Bytes>) -> Request<Bytes> {
    let body = body.into();
    Request::post(path).header("X-Uc-Signature", secret.sign(&body)).body(body).unwrap()
}

async fn deliver(hooks: &WebhookRouter, body: impl ToString) -> Response<Bytes> {
    hooks.handle(signed("/", &secret(), body.to_string())).await
}

#[tokio::test]
async fn all_handlers_of_an_event_run_and_each_gets_the_payload() {
    let notes = Notes::default();
    let hooks = builder(&notes).handlers(webhook_handlers![index, copy, audit, count]).build().unwrap();
    assert_eq!(deliver(&hooks, payload("file.uploaded")).await.status(), StatusCode::NO_CONTENT);
    assert_eq!(taken(&notes), ["audit file.uploaded", "copy", "index 575ed4e8-f4e8-4c14-a58b-1527b6d9ee46"]);
    deliver(&hooks, payload("file.deleted")).await;
    assert_eq!(taken(&notes), ["audit file.deleted", "count file.deleted"]);
}

#[tokio::test]
async fn an_event_without_a_handler_is_acknowledged_and_counted() {
    let notes = Notes::default();
    let hooks = builder(&notes).handlers(webhook_handlers![index]).build().unwrap();
    assert_eq!(deliver(&hooks, payload("file.deleted")).await.status(), StatusCode::NO_CONTENT);
    assert_eq!(deliver(&hooks, r#"{"hook": {"event": "group.created"}, "data": [1]}"#).await.status(), 204);
    let stats = hooks.stats();
    assert_eq!((stats.acknowledged, stats.unhandled, stats.unknown_events, stats.rejected), (2, 2, 1, 0));
}

#[tokio::test]
async fn one_failing_handler_fails_the_delivery_and_the_others_still_run() {
    let notes = Notes::default();
    let rejected = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&rejected);
    let hooks = builder(&notes)
        .handlers(webhook_handlers![fail, panic, index, give_up])
        .on_rejection(move |rejection| {
            let RejectionReason::HandlersFailed(failures) = rejection.reason() else { panic!("{rejection}") };
            let kinds: Vec<_> = failures.iter().map(|failure| (failure.handler, failure.kind.to_string())).collect();
            seen.lock().unwrap().push((rejection.to_string(), kinds, rejection.secrets().clone()));
        })
        .build()
        .unwrap();
    let response = deliver(&hooks, payload("file.uploaded")).await;
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(
        response.body(),
        r#"{"type":"about:blank","status":500,"code":"handler_failed","title":"a handler failed"}"#
    );
    assert_eq!(taken(&notes).len(), 1);
    let rejected = rejected.lock().unwrap();
    let [(text, kinds, secrets)] = rejected.as_slice() else { panic!("{rejected:?}") };
    assert_eq!(
        kinds,
        &[
            ("fail", r#"failed: "the disk\nis full""#.to_owned()),
            ("panic", r#"panicked: "an invariant is broken""#.to_owned())
        ]
    );
    assert_eq!(secrets, &TriedSecrets::Matched(0));
    assert!(text.contains("\"file.uploaded\"") && !text.contains('\n'), "{text}");
    assert_eq!(hooks.stats().discarded, 1);
}

#[tokio::test]
async fn a_discarded_delivery_is_acknowledged() {
    let notes = Notes::default();
    let hooks = builder(&notes).handlers(webhook_handlers![give_up]).build().unwrap();
    assert_eq!(deliver(&hooks, payload("file.uploaded")).await.status(), StatusCode::NO_CONTENT);
    assert_eq!(hooks.stats().discarded, 1);
}

#[webhook_handler(event = "file.uploaded", path = "/scans", secret_env = "CARGO_PKG_VERSION")]
async fn scan(_event: FileUploaded, State(notes): State<Notes>) {
    note(&notes, "scan");
}

#[webhook_handler(event = "file.stored", secret_env = "CARGO_PKG_NAME")]
async fn archive(_event: FileStored, State(notes): State<Notes>) {
    note(&notes, "archive");
}

/// The text in a variable that cargo sets, as a secret.
fn from_cargo(variable: &str) -> SigningSecret {
    SigningSecret::from_env(variable).unwrap()
}

/// Collects log lines.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// Collects what this thread logs, until the guard is dropped.
    fn capture(&self) -> tracing::subscriber::DefaultGuard {
        let writer = self.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_ansi(false)
            .without_time()
            .with_writer(move || writer.clone())
            .finish();
        tracing::subscriber::set_default(subscriber)
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
