#![allow(unused)]

use uploadcare_hooks::{FileStored, State, webhook_handler, webhook_handlers};

#[webhook_handler(event = "file.stored")]
async fn index(event: FileStored, #[cfg(windows)] count: State<u8>) {}

#[webhook_handler(event = "file.stored")]
async fn archive(#[allow(unused_mut)] mut event: FileStored) {}

fn main() {
    let _ = webhook_handlers![index, archive];
}
