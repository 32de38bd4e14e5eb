//! See "the name `archive` is defined multiple times" in the attribute's documentation.
#![allow(unused)]

use uploadcare_hooks::{FileDeleted, FileStored, webhook_handler, webhook_handlers};

#[webhook_handler(event = "file.stored")]
async fn archive(event: FileStored) {}

#[webhook_handler(event = "file.deleted")]
async fn archive(event: FileDeleted) {}

fn main() {
    let _ = webhook_handlers![archive];
}
