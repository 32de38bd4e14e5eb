#![allow(unused)]

use uploadcare_hooks::{Event, webhook_handler, webhook_handlers};

#[webhook_handler(events = ["file.stored", "file.deleted", "file.stored"])]
async fn count(event: Event) {}

fn main() {
    let _ = webhook_handlers![count];
}
