#![allow(unused)]

use uploadcare_hooks::{FileUploaded, webhook_handler, webhook_handlers};

#[webhook_handler(event = "file.uploaded", event = "file.stored")]
async fn index(event: FileUploaded) {}

#[webhook_handler(event = "file.stored", event = "file.stored", path = "/a", path = "/b")]
async fn same(event: FileUploaded) {}

fn main() {
    let _ = webhook_handlers![index, same];
}
