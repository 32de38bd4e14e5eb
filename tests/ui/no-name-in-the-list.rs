#![allow(unused)]

use uploadcare_hooks::{FileStored, webhook_handler, webhook_handlers};

#[webhook_handler(event = "file.stored")]
async fn index(event: FileStored) {}

fn main() {
    let _ = webhook_handlers!["index"];
    let _ = webhook_handlers![index, |event: FileStored| async {}];
    let _ = webhook_handlers![index; index];
}
