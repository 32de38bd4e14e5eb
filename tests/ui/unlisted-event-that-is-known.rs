#![allow(unused)]

use uploadcare_hooks::{UnknownEvent, webhook_handler, webhook_handlers};

#[webhook_handler(event = "file.stored", unlisted)]
async fn index(event: UnknownEvent) {}

#[webhook_handler(event = "moderation state", unlisted)]
async fn moderated(event: UnknownEvent) {}

fn main() {
    let _ = webhook_handlers![index, moderated];
}
