#![allow(unused)]

use uploadcare_hooks::{FileUploaded, webhook_handler, webhook_handlers};

#[webhook_handler(event = "file.upload")]
async fn index(event: FileUploaded) {}

#[webhook_handler(event = "group.created")]
async fn group(event: FileUploaded) {}

fn main() {
    let _ = webhook_handlers![index, group];
}
