#![allow(unused)]

use uploadcare_hooks::{FileUploaded, webhook_handler, webhook_handlers};

#[webhook_handler("file.uploaded")]
async fn index(event: FileUploaded) {}

#[webhook_handler(FileUploaded)]
async fn payload(event: FileUploaded) {}

#[webhook_handler(file.uploaded)]
async fn word(event: FileUploaded) {}

#[webhook_handler(uploaded)]
async fn end(event: FileUploaded) {}

fn main() {
    let _ = webhook_handlers![index, payload, word, end];
}
