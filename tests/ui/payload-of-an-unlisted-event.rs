//! The payload of a known event in the handler of an unlisted event.
#![allow(unused)]

use uploadcare_hooks::{FileStored, webhook_handler, webhook_handlers};

#[webhook_handler(event = "moderation.state_changed", unlisted)]
async fn moderated(event: FileStored) {}

fn main() {
    let _ = webhook_handlers![moderated];
}
