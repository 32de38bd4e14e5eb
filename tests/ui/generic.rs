#![allow(unused)]

use uploadcare_hooks::{FileUploaded, State, webhook_handler, webhook_handlers};

#[webhook_handler(event = "file.uploaded")]
async fn index<T: Clone>(event: FileUploaded, State(db): State<T>) {}

fn main() {
    let _ = webhook_handlers![index];
}
