#![allow(unused)]

use uploadcare_hooks::{FileUploaded, WebhookRouter, webhook_handler};

#[webhook_handler(event = "file.uploaded")]
async fn index(event: FileUploaded) {}

fn main() {
    let _ = WebhookRouter::builder().handlers([index]);
    let _ = WebhookRouter::builder().handlers(index);
}
