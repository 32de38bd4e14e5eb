#![allow(unused)]

use uploadcare_hooks::{Event, FileStored, webhook_handler, webhook_handlers};

#[webhook_handler(event = "file.stored" path = "/files")]
async fn nothing(event: FileStored) {}

#[webhook_handler(event = "file.stored"; path = "/files")]
async fn semicolon(event: FileStored) {}

#[webhook_handler(event = "file.stored" | "file.deleted")]
async fn bar(event: Event) {}

#[webhook_handler(event = "file.stored" "file.deleted")]
async fn two(event: Event) {}

fn main() {
    let _ = webhook_handlers![nothing, semicolon, bar, two];
}
