#![allow(unused)]

use uploadcare_hooks::{FileStored, webhook_handler, webhook_handlers};

#[webhook_handler(events = ["file.stored", "file.deleted"])]
async fn count(event: FileStored) {}

#[webhook_handler(any)]
async fn audit(event: FileStored) {}

fn main() {
    let _ = webhook_handlers![count, audit];
}
