//! A handler that fails for a while, and a handler that discards its delivery.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use uploadcare_hooks::{FileInfected, FileStored, HandlerError, State, webhook_handler};

/// The state of the handlers: an archive whose disk cannot be reached at first, and a virus scanner
/// that lacks a rule at first.
#[derive(Clone)]
pub(crate) struct Archive {
    failures_left: Arc<AtomicUsize>,
    files: Arc<AtomicUsize>,
    scans: Arc<AtomicUsize>,
    has_rule: Arc<AtomicBool>,
}

impl Default for Archive {
    fn default() -> Self {
        let count = || Arc::new(AtomicUsize::new(0));
        Self {
            failures_left: Arc::new(AtomicUsize::new(2)),
            files: count(),
            scans: count(),
            has_rule: Arc::new(AtomicBool::new(false)),
        }
    }
}

impl Archive {
    /// The number of archived files.
    pub(crate) fn files(&self) -> usize {
        self.files.load(Ordering::SeqCst)
    }

    /// The number of scanned files.
    pub(crate) fn scans(&self) -> usize {
        self.scans.load(Ordering::SeqCst)
    }

    pub(crate) fn add_rule(&self) {
        self.has_rule.store(true, Ordering::SeqCst);
    }

    pub(crate) fn remove_rule(&self) {
        self.has_rule.store(false, Ordering::SeqCst);
    }

    /// The next attempts fail, nine of them.
    pub(crate) fn lose_disk(&self) {
        self.failures_left.store(9, Ordering::SeqCst);
    }
}

#[webhook_handler(event = "file.stored")]
pub(crate) async fn archive(event: FileStored, State(archive): State<Archive>) -> Result<(), std::io::Error> {
    if archive.failures_left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok() {
        println!("   archive fails: the disk cannot be reached");
        return Err(std::io::Error::other("the disk cannot be reached"));
    }
    archive.files.fetch_add(1, Ordering::SeqCst);
    println!("   archive: {} is archived", shown(event.data.original_filename.as_deref()));
    Ok(())
}

#[webhook_handler(event = "file.infected")]
pub(crate) async fn scan(event: FileInfected, State(archive): State<Archive>) -> Result<(), HandlerError> {
    if !archive.has_rule.load(Ordering::SeqCst) {
        println!("   scan has no rule for the virus in {}", shown(event.data.original_filename.as_deref()));
        return Err(HandlerError::discard("no rule for this virus"));
    }
    archive.scans.fetch_add(1, Ordering::SeqCst);
    println!("   scan: {} is scanned", shown(event.data.original_filename.as_deref()));
    Ok(())
}

/// A name of a file. It is a text of other people, so it is printed escaped.
fn shown(name: Option<&str>) -> String {
    name.map_or_else(|| "a file without a name".to_owned(), |name| name.escape_debug().to_string())
}
