#![allow(unused)]

use uploadcare_hooks::{FileUploaded, webhook_handler, webhook_handlers};

#[webhook_handler(event = "file.upload")]
async fn index(event: FileUploaded) {}

#[webhook_handler(event = "group.created")]
async fn group(event: FileUploaded) {}

#[webhook_handler(event = "uploaded")]
async fn short(event: FileUploaded) {}

#[webhook_handler(event = "InfoUpdated")]
async fn info(event: FileUploaded) {}

#[webhook_handler(events = ["deleted", "file_stored"])]
async fn several(event: uploadcare_hooks::Event) {}

#[webhook_handler(event = "moderation.state_changed")]
async fn moderated(event: uploadcare_hooks::UnknownEvent) {}

#[webhook_handler(events = ["moderation.state_changed", "file.*"])]
async fn count(event: uploadcare_hooks::Event) {}

#[webhook_handler(event = "*")]
async fn star(event: uploadcare_hooks::Event) {}

#[webhook_handler(event = "All", unlisted)]
async fn all(event: uploadcare_hooks::UnknownEvent) {}

#[webhook_handler(event = "file.stored, file.deleted")]
async fn two(event: uploadcare_hooks::Event) {}

fn main() {
    let _ = webhook_handlers![index, group, short, info, several, moderated, count, star, all, two];
}
