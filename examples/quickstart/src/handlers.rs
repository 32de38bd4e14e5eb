//! The handlers of the application: one function for each event.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use uploadcare_hooks::{
    DecodeError, Event, FileDeleted, FileInfected, FileInfoUpdated, FileStored, FileUploaded, HandlerError, State,
    webhook_handler,
};

/// Maps a file's UUID to its name. A real application would use a database.
#[derive(Clone, Default)]
pub(crate) struct Index(Arc<Mutex<BTreeMap<String, String>>>);

impl Index {
    /// Returns whether the file was new.
    fn insert(&self, uuid: String, name: String) -> Result<bool, HandlerError> {
        let mut files = self.0.lock().map_err(|error| error.to_string())?;
        Ok(files.insert(uuid, name).is_none())
    }

    fn remove(&self, uuid: &str) -> Result<Option<String>, HandlerError> {
        Ok(self.0.lock().map_err(|error| error.to_string())?.remove(uuid))
    }
}

/// Uploadcare may deliver an event twice, so inserting a file twice must do no harm.
#[webhook_handler(event = "file.uploaded")]
pub(crate) async fn index_upload(event: FileUploaded, State(index): State<Index>) -> Result<(), HandlerError> {
    let file = event.data;
    let name = file.original_filename.ok_or_else(|| HandlerError::discard("the file has no name"))?;
    let image = file.content_info.and_then(|content| content.image);
    let size = image.and_then(|image| image.width.zip(image.height));
    let new = if index.insert(file.uuid.to_string(), name.clone())? { "new" } else { "already known" };
    println!("   index_upload saw {name:?} ({new}), {} bytes, pixels {size:?}", file.size.unwrap_or_default());
    Ok(())
}

/// A service whose first call fails.
#[derive(Clone, Default)]
pub(crate) struct Backup(Arc<AtomicBool>);

impl Backup {
    fn copy(&self, _uuid: &str) -> Result<(), std::io::Error> {
        let was_called = self.0.swap(true, Ordering::Relaxed);
        if was_called { Ok(()) } else { Err(std::io::Error::other("the backup service cannot be reached")) }
    }
}

/// When a handler returns an error, Uploadcare delivers the event again.
#[webhook_handler(event = "file.stored")]
pub(crate) async fn back_up(event: FileStored, State(backup): State<Backup>) -> Result<(), std::io::Error> {
    let file = event.data;
    backup.copy(&file.uuid.to_string())?;
    println!("   back_up saw {}, stored at {:?}", file.uuid, file.datetime_stored);
    Ok(())
}

#[webhook_handler(event = "file.deleted")]
pub(crate) async fn forget(event: FileDeleted, State(index): State<Index>) -> Result<(), HandlerError> {
    let name = index.remove(&event.data.uuid.to_string())?;
    println!("   forget saw {}, in the index as {name:?}", event.data.uuid);
    Ok(())
}

#[webhook_handler(event = "file.infected")]
pub(crate) async fn quarantine(event: FileInfected) -> Result<(), DecodeError> {
    let scan = event.data.appdata.virus_scan()?;
    println!(
        "   quarantine saw {}, infected with {:?}",
        event.data.uuid,
        scan.and_then(|scan| scan.data.infected_with)
    );
    Ok(())
}

#[webhook_handler(event = "file.info_updated")]
pub(crate) async fn show_change(event: FileInfoUpdated) {
    let before = event.previous_values.metadata.unwrap_or_default();
    println!("   show_change saw metadata {:?}, before that {before:?}", event.data.metadata);
}

/// A handler with `any` takes every event, also those that this version of the crate does not know.
#[webhook_handler(any)]
pub(crate) async fn note_unknown(event: Event) {
    if let Event::Unknown(event) = event {
        println!("   note_unknown saw {:?}: {}", event.name(), event.as_json());
    }
}
