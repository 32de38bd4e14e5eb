#![allow(unused)]

use uploadcare_hooks::{FileUploaded, webhook_handler, webhook_handlers};

#[webhook_handler(event = "file.uplaoded", version = "1", path = "")]
fn index<T>(event: &FileUploaded, more: T) {}

fn main() {
    let _ = webhook_handlers![index];
}
