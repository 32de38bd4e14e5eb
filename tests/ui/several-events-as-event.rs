#![allow(unused)]

use uploadcare_hooks::{Event, webhook_handler, webhook_handlers};

#[webhook_handler(event = ["file.stored", "file.deleted"])]
async fn count(event: Event) {}

#[webhook_handler(event = [FileStored, FileDeleted])]
async fn list(event: Event) {}

fn main() {
    let _ = webhook_handlers![count, list];
}
