//! A queue's storage that was not awaited.

use uploadcare_hooks::{WebhookRouter, queue};

fn main() {
    let _ = WebhookRouter::builder().queue(queue::open_redis("redis://127.0.0.1"));
}
