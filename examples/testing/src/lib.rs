//! The handlers of an application. `tests/handlers.rs` tests them: `cargo test -p testing-example`.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use uploadcare_hooks::{
    BuildError, FileInfected, FileUploaded, SigningSecret, State, WebhookRouter, WebhookRouterBuilder, webhook_handler,
    webhook_handlers,
};

/// What the application knows of its files, by their UUID.
#[derive(Debug, Clone, Default)]
pub struct Files(Arc<Mutex<BTreeMap<String, String>>>);

impl Files {
    /// Sets what is known of a file.
    pub fn set(&self, uuid: impl ToString, what: impl Into<String>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(uuid.to_string(), what.into());
    }

    /// What is known of a file.
    pub fn get(&self, uuid: impl ToString) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&uuid.to_string()).cloned()
    }
}

/// Keeps the name of each upload.
#[webhook_handler(event = "file.uploaded")]
pub async fn index_upload(event: FileUploaded, State(files): State<Files>) -> Result<(), &'static str> {
    let name = event.data.original_filename.as_deref().ok_or("the file has no name")?;
    files.set(event.data.uuid, name);
    Ok(())
}

/// Marks files in which a virus was found.
#[webhook_handler(event = "file.infected", path = "/scans")]
pub async fn quarantine(event: FileInfected, State(files): State<Files>) {
    files.set(event.data.uuid, "infected");
}

/// The router of the application, to which tests add what they need.
pub fn builder(secret: SigningSecret, files: Files) -> WebhookRouterBuilder {
    WebhookRouter::builder().signing_secret(secret).state(files).handlers(webhook_handlers![index_upload, quarantine])
}

/// The router of the application.
///
/// # Errors
/// All that is wrong with it, at once.
pub fn router(secret: SigningSecret, files: Files) -> Result<WebhookRouter, BuildError> {
    builder(secret, files).build()
}
