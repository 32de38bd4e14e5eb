#![allow(unused)]

use uploadcare_hooks::{FileUploaded, webhook_handler, webhook_handlers};

#[webhook_handler(evnt = "file.uploaded")]
async fn index(event: FileUploaded) {}

#[webhook_handler(event = "file.uploaded", retries = 3)]
async fn retry(event: FileUploaded) {}

#[webhook_handler(event = "file.uploaded", secret = "s3cret")]
async fn secret(event: FileUploaded) {}

fn main() {
    let _ = webhook_handlers![index, retry, secret];
}
