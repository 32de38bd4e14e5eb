#![allow(unused)]

use uploadcare_hooks::{FileUploaded, webhook_handler, webhook_handlers};

#[webhook_handler(event = "file.uploaded", path = "uploads")]
async fn relative(event: FileUploaded) {}

#[webhook_handler(event = "file.uploaded", path = "/uploads/")]
async fn slash(event: FileUploaded) {}

#[webhook_handler(event = "file.uploaded", path = "/uploads/{id}")]
async fn parameter(event: FileUploaded) {}

fn main() {
    let _ = webhook_handlers![relative, slash, parameter];
}
