//! The webhook router: its boot checks, and its answer to each delivery.
//!
//! This file holds what the modules share: handlers that note down that they ran.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod boot;
mod clock;
mod containment;
mod handlers;
mod parameters;
mod rejections;
mod rotation;
mod secrets;
mod versions;

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::Response;
use tests::{
    deliveries::{secret, signed_request},
    log::Log,
};
use uploadcare_hooks::{
    Event, FileUploaded, SigningSecret, State, WebhookRouter, WebhookRouterBuilder, webhook_handler,
};

/// The notes of handlers: one line for each run.
type Notes = Arc<Mutex<Vec<String>>>;

fn note(notes: &Notes, text: impl ToString) {
    notes.lock().unwrap().push(text.to_string());
}

/// Returns the notes, sorted, and leaves none.
fn take_notes(notes: &Notes) -> Vec<String> {
    let mut notes = std::mem::take(&mut *notes.lock().unwrap());
    notes.sort();
    notes
}

#[webhook_handler(event = "file.uploaded")]
async fn index(event: FileUploaded, State(notes): State<Notes>) {
    note(&notes, format!("index {}", event.data.uuid));
}

#[webhook_handler(event = "file.uploaded")]
async fn fail(_event: FileUploaded) -> Result<(), std::io::Error> {
    Err(std::io::Error::other("the disk\nis full"))
}

#[webhook_handler(events = ["file.stored", "file.deleted"])]
async fn count(event: Event, State(notes): State<Notes>) {
    note(&notes, format!("count {}", event.kind()));
}

/// A builder with the signing secret and the notes as a state.
fn builder(notes: &Notes) -> WebhookRouterBuilder {
    WebhookRouter::builder().signing_secret(secret()).state(Arc::clone(notes))
}

/// Sends a body to path `/`, signed with the right secret.
async fn deliver(hooks: &WebhookRouter, body: impl ToString) -> Response<Bytes> {
    hooks.handle(signed_request("/", &secret(), body.to_string())).await
}

#[webhook_handler(event = "file.uploaded", path = "/scans", secret_env = "CARGO_PKG_VERSION")]
async fn scan(_event: FileUploaded, State(notes): State<Notes>) {
    note(&notes, "scan");
}

/// A secret from an environment variable that Cargo sets for every test.
fn secret_from_env(variable: &str) -> SigningSecret {
    SigningSecret::from_env(variable).unwrap()
}
