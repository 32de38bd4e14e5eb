#![allow(unused)]

use uploadcare_hooks::{FileUploaded, State, webhook_handler, webhook_handlers};

struct Db;

#[webhook_handler(event = "file.uploaded")]
async fn index(event: FileUploaded, State(db): State<Db>) {}

fn main() {
    let _ = webhook_handlers![index];
}
