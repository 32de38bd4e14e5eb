#![allow(unused)]

use uploadcare_hooks::{FileStored, webhook_handler, webhook_handlers};

mod archive {}

#[webhook_handler(event = "file.stored")]
async fn archive(event: FileStored) {}

fn main() {}
