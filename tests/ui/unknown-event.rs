#![allow(unused)]

use uploadcare_hooks::{FileUploaded, webhook_handler, webhook_handlers};

#[webhook_handler(event = "file.upload")]
async fn index(event: FileUploaded) {}

#[webhook_handler(event = "group.created")]
async fn group(event: FileUploaded) {}

#[webhook_handler(event = "uploaded")]
async fn short(event: FileUploaded) {}

#[webhook_handler(event = "InfoUpdated")]
async fn info(event: FileUploaded) {}

#[webhook_handler(events = ["deleted", "file_stored"])]
async fn several(event: uploadcare_hooks::Event) {}

fn main() {
    let _ = webhook_handlers![index, group, short, info, several];
}
