//! What the handlers share. A real application would use a database.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use uploadcare_hooks::HandlerError;

/// Maps a file's UUID to its name.
#[derive(Clone, Default)]
pub(crate) struct Index(Arc<Mutex<BTreeMap<String, String>>>);

impl Index {
    /// Returns whether the file was new.
    pub(crate) fn insert(&self, uuid: String, name: String) -> Result<bool, HandlerError> {
        let mut files = self.0.lock().map_err(|error| error.to_string())?;
        Ok(files.insert(uuid, name).is_none())
    }

    /// Returns whether the file was there.
    pub(crate) fn remove(&self, uuid: &str) -> Result<bool, HandlerError> {
        Ok(self.0.lock().map_err(|error| error.to_string())?.remove(uuid).is_some())
    }

    /// The names of the files.
    pub(crate) fn names(&self) -> Vec<String> {
        self.0.lock().map(|files| files.values().cloned().collect()).unwrap_or_default()
    }
}

/// A service whose first call fails.
#[derive(Clone, Default)]
pub(crate) struct Backup(Arc<AtomicBool>);

impl Backup {
    pub(crate) fn copy(&self, _uuid: &str) -> Result<(), std::io::Error> {
        let was_called = self.0.swap(true, Ordering::Relaxed);
        if was_called { Ok(()) } else { Err(std::io::Error::other("the backup service cannot be reached")) }
    }
}

/// The deliveries that were handled. The router's option `deduplicate` does the same for all
/// handlers.
#[derive(Clone, Default)]
pub(crate) struct Handled(Arc<Mutex<BTreeSet<String>>>);

impl Handled {
    /// Returns whether the delivery is new.
    pub(crate) fn insert(&self, delivery: String) -> Result<bool, HandlerError> {
        Ok(self.0.lock().map_err(|error| error.to_string())?.insert(delivery))
    }
}
