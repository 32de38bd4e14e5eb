#![allow(unused)]

use uploadcare_hooks::{FileUploaded, webhook_handler, webhook_handlers};

#[webhook_handler(event = "file.uploaded")]
async fn index(event: &FileUploaded) {}

#[webhook_handler(event = "file.uploaded")]
async fn show(event: impl std::fmt::Debug) {}

fn main() {
    let _ = webhook_handlers![index, show];
}
