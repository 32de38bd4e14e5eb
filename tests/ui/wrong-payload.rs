#![allow(unused)]

use uploadcare_hooks::{FileStored, FileUploaded, webhook_handler, webhook_handlers};

#[webhook_handler(event = "file.stored")]
async fn index(event: FileUploaded) {}

#[webhook_handler(event = "file.stored")]
async fn archive(event: FileStored, count: u32) {}

fn main() {
    let _ = webhook_handlers![index, archive];
}
