//! The handlers: one that succeeds, one that fails at first, and one that discards its delivery.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use uploadcare_hooks::{FileDeleted, FileStored, FileUploaded, HandlerError, webhook_handler};

#[webhook_handler(event = "file.uploaded")]
pub(crate) async fn index_upload(_event: FileUploaded) {
    tokio::time::sleep(Duration::from_millis(3)).await;
}

#[webhook_handler(event = "file.stored")]
pub(crate) async fn back_up(_event: FileStored) -> Result<(), HandlerError> {
    static HAS_FAILED: AtomicBool = AtomicBool::new(false);
    if HAS_FAILED.swap(true, Ordering::SeqCst) { Ok(()) } else { Err(HandlerError::new("the disk is full")) }
}

#[webhook_handler(event = "file.deleted")]
pub(crate) async fn forget(_event: FileDeleted) -> Result<(), HandlerError> {
    Err(HandlerError::discard("this file is not in the index"))
}
