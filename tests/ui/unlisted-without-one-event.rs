#![allow(unused)]

use uploadcare_hooks::{Event, webhook_handler, webhook_handlers};

#[webhook_handler(any, unlisted)]
async fn audit(event: Event) {}

#[webhook_handler(events = ["moderation.state_changed", "file.stored"], unlisted)]
async fn count(event: Event) {}

#[webhook_handler(unlisted)]
async fn alone(event: Event) {}

fn main() {
    let _ = webhook_handlers![audit, count, alone];
}
