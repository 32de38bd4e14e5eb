#![allow(unused)]

use uploadcare_hooks::{UnknownEvent, webhook_handler, webhook_handlers};

#[webhook_handler(event = "file.stored", unlisted)]
async fn index(event: UnknownEvent) {}

#[webhook_handler(event = "moderation state", unlisted)]
async fn moderated(event: UnknownEvent) {}

#[webhook_handler(event = "file.uploadd", unlisted)]
async fn mistyped(event: UnknownEvent) {}

#[webhook_handler(event = "File.Stored", unlisted)]
async fn capital(event: UnknownEvent) {}

/// It differs enough from `file.stored`.
#[webhook_handler(event = "file.restored", unlisted)]
async fn restored(event: UnknownEvent) {}

fn main() {
    let _ = webhook_handlers![index, moderated, mistyped, capital, restored];
}
