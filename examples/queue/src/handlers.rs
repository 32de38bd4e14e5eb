//! Handlers that fail in the usual ways.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use uploadcare_hooks::{FileInfected, FileStored, HandlerError, State, webhook_handler};

/// What the handlers share.
#[derive(Clone, Default)]
pub(crate) struct Archive {
    tries: Arc<AtomicUsize>,
    files: Arc<AtomicUsize>,
    scans: Arc<AtomicUsize>,
    mended: Arc<AtomicBool>,
}

impl Archive {
    pub(crate) fn files(&self) -> usize {
        self.files.load(Ordering::SeqCst)
    }

    pub(crate) fn scans(&self) -> usize {
        self.scans.load(Ordering::SeqCst)
    }

    pub(crate) fn mend(&self) {
        self.mended.store(true, Ordering::SeqCst);
    }
}

#[webhook_handler(event = "file.stored")]
pub(crate) async fn archive(event: FileStored, State(archive): State<Archive>) -> Result<(), std::io::Error> {
    if archive.tries.fetch_add(1, Ordering::SeqCst) < 2 {
        println!("   archive cannot reach its disk");
        return Err(std::io::Error::other("the disk cannot be reached"));
    }
    archive.files.fetch_add(1, Ordering::SeqCst);
    println!("   archive saw {}", event.data.uuid);
    Ok(())
}

#[webhook_handler(event = "file.infected")]
pub(crate) async fn scan(event: FileInfected, State(archive): State<Archive>) -> Result<(), HandlerError> {
    if !archive.mended.load(Ordering::SeqCst) {
        println!("   scan does not know what to do with {}", event.data.uuid);
        return Err(HandlerError::discard("no rule for this virus"));
    }
    archive.scans.fetch_add(1, Ordering::SeqCst);
    println!("   scan saw {}", event.data.uuid);
    Ok(())
}
