//! A type of the application in a `Payload` that cannot be read from JSON.
#![allow(unused)]

use uploadcare_hooks::{Payload, webhook_handler, webhook_handlers};

struct Moderation;

#[webhook_handler(event = "moderation.state_changed", unlisted)]
async fn moderated(event: Payload<Moderation>) {}

fn main() {
    let _ = webhook_handlers![moderated];
}
