#![deny(dead_code)]

use uploadcare_hooks::{FileUploaded, webhook_handler};

#[webhook_handler(event = "file.uploaded")]
async fn forgotten(event: FileUploaded) {
    println!("{}", event.data.uuid);
}

fn main() {}
