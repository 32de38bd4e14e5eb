#![allow(unused)]

use uploadcare_hooks::{Event, webhook_handler, webhook_handlers};

#[webhook_handler(event = "file.uploaded", any)]
async fn index(event: Event) {}

fn main() {
    let _ = webhook_handlers![index];
}
