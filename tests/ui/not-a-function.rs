#![allow(unused)]

use uploadcare_hooks::{webhook_handler, webhook_handlers};

#[webhook_handler(event = "file.uploaded")]
struct Index;

#[webhook_handler(event = "file.uploaded")]
impl Index {
    async fn add() {}
}

#[webhook_handler(event = "file.uploaded")]
mod scan {}

struct Handle(*const ());

#[webhook_handler(event = "file.uploaded")]
unsafe impl Send for Handle {}

fn main() {
    let _ = Index;
    let _ = webhook_handlers![Index];
}
