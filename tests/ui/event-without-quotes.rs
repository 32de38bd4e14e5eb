#![allow(unused)]

use uploadcare_hooks::{FileUploaded, webhook_handler, webhook_handlers};

#[webhook_handler(event = FileUploaded)]
async fn index(event: FileUploaded) {}

#[webhook_handler(events = "file.uploaded")]
async fn list(event: FileUploaded) {}

fn main() {
    let _ = webhook_handlers![index, list];
}
