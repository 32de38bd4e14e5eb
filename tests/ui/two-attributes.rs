#![allow(unused)]

use uploadcare_hooks::{Event, FileStored, webhook_handler, webhook_handlers};

#[webhook_handler(event = "file.stored")]
#[webhook_handler(event = "file.deleted")]
async fn index(event: Event) {}

#[webhook_handler(event = "file.stored")]
#[allow(dead_code)]
#[uploadcare_hooks::webhook_handler(event = "file.stored", path = "/files")]
async fn archive(event: FileStored) {}

fn main() {
    let _ = webhook_handlers![index, archive];
}
