//! The webhook router: its boot checks, and its answer to each delivery.
//!
//! This file holds what the modules share: handlers that note down that they ran, and a captured
//! log.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod boot;
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
use tests::deliveries::{secret, signed_request};
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

/// The log lines of a test.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// Collects the log lines of this thread until the guard is dropped.
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
