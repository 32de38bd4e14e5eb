#![allow(unused)]

use uploadcare_hooks::{FileUploaded, webhook_handler, webhook_handlers};

#[webhook_handler(event = FileUploaded)]
async fn index(event: FileUploaded) {}

#[webhook_handler(events = "file.uploaded")]
async fn list(event: FileUploaded) {}

#[webhook_handler(events = "file.stored, file.deleted")]
async fn two(event: uploadcare_hooks::Event) {}

fn main() {
    let _ = webhook_handlers![index, list, two];
}
