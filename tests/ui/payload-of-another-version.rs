#![allow(unused)]

use uploadcare_hooks::{FileUploaded, payload::v0_6, webhook_handler, webhook_handlers};

#[webhook_handler(event = "file.uploaded", version = "0.6")]
async fn old(event: FileUploaded) {}

#[webhook_handler(event = "file.uploaded")]
async fn new(event: v0_6::FileUploaded) {}

fn main() {
    let _ = webhook_handlers![old, new];
}
