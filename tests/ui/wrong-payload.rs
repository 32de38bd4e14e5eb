#![allow(unused)]

use uploadcare_hooks::{FileStored, FileUploaded, webhook_handler, webhook_handlers};

#[webhook_handler(event = "file.stored")]
async fn index(event: FileUploaded) {}

#[webhook_handler(event = "file.stored")]
async fn archive(event: FileStored, count: u32) {}

/// The type decides, not its name.
type Payload = FileUploaded;

#[webhook_handler(event = "file.stored")]
async fn renamed(event: Option<Payload>) {}

/// Nothing else is wrong with a payload of its own.
type Stored = FileStored;

#[webhook_handler(event = "file.stored")]
async fn right(event: Stored) {}

fn main() {
    let _ = webhook_handlers![index, archive, renamed, right];
}
