#![allow(unused)]

use uploadcare_hooks::{FileUploaded, webhook_handler, webhook_handlers};

#[webhook_handler(event = "file.uploaded", name = "index#2")]
async fn index(event: FileUploaded) {}

fn main() {
    let _ = webhook_handlers![index];
}
