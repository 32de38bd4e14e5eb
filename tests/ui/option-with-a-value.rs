#![allow(unused)]

use uploadcare_hooks::{Event, UnknownEvent, webhook_handler, webhook_handlers};

#[webhook_handler(event = "moderation.state_changed", unlisted = true)]
async fn moderated(event: UnknownEvent) {}

#[webhook_handler(unlisted = "moderation.state_changed")]
async fn named(event: UnknownEvent) {}

#[webhook_handler(any = true)]
async fn audit(event: Event) {}

#[webhook_handler(any())]
async fn count(event: Event) {}

fn main() {
    let _ = webhook_handlers![moderated, named, audit, count];
}
