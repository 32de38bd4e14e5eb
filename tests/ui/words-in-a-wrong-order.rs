//! The compiler reports the order of the words before it expands the attribute.
#![allow(unused)]

use uploadcare_hooks::{FileUploaded, webhook_handler, webhook_handlers};

#[webhook_handler(event = "file.uploaded")]
unsafe async fn index(event: FileUploaded) {}

#[webhook_handler(event = "file.uploaded")]
extern "C" async fn store(event: FileUploaded) {}

fn main() {
    let _ = webhook_handlers![index, store];
}
