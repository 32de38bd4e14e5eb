//! The webhook router: its boot checks, and its answer to each delivery.
//!
//! This file holds what the modules share: handlers that note down that they ran.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod boot;
mod clock;
mod containment;
mod describe;
mod fallible;
mod guides;
mod handlers;
mod metrics;
mod observe_docs;
mod operation_guides;
mod parameters;
mod rejections;
mod rotation;
mod rotation_model;
mod secrecy;
mod secrets;
mod selection_model;
mod spans;
mod unlisted;
mod versions;

use std::sync::{Arc, Mutex};

use tests::{
    log::Log,
    routers::{builder, deliver, send},
};
use uploadcare_hooks::{Event, FileUploaded, SigningSecret, State, webhook_handler};

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

#[webhook_handler(event = "file.uploaded", path = "/scans", secret_env = "CARGO_PKG_VERSION")]
async fn scan(_event: FileUploaded, State(notes): State<Notes>) {
    note(&notes, "scan");
}

/// A secret from an environment variable that Cargo sets for every test.
fn secret_from_env(variable: &str) -> SigningSecret {
    SigningSecret::from_env(variable).unwrap()
}
