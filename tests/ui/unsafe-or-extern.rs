#![allow(unused)]

use uploadcare_hooks::{FileUploaded, webhook_handler, webhook_handlers};

#[webhook_handler(event = "file.uploaded")]
async unsafe fn index(event: FileUploaded) {}

#[webhook_handler(event = "file.uploaded")]
async extern "C" fn store(event: FileUploaded) {}

fn main() {
    let _ = webhook_handlers![index, store];
}
