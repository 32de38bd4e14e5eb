#![allow(unused)]

use uploadcare_hooks::{Event, FileStored, webhook_handler, webhook_handlers};

#[webhook_handler(event = "file.stored", version = "0.6")]
async fn stored(event: FileStored) {}

#[webhook_handler(any, version = "0.5")]
async fn audit(event: Event) {}

fn main() {
    let _ = webhook_handlers![stored, audit];
}
