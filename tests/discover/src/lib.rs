//! Handlers in a crate of their own. The application that finds them names none of them.
#![deny(warnings)]
#![forbid(unsafe_code)]
#![allow(missing_docs)]

use uploadcare_hooks::{FileInfected, FileStored, webhook_handler};

#[webhook_handler(event = "file.stored")]
async fn archive_linked(event: FileStored) {
    drop(event);
}

mod scan {
    use super::{FileInfected, webhook_handler};

    #[webhook_handler(event = "file.infected", path = "/scans")]
    async fn quarantine_linked(event: FileInfected) {
        drop(event);
    }
}
