#![allow(unused)]

use renamed_hooks::{WebhookRouter, WebhookRouterBuilder};

fn serve(hooks: WebhookRouter) {
    takes_anything(hooks.mount("/hooks"));
    takes_anything(hooks.into_service());
}

fn takes_anything<T: Send>(_: T) {}

fn build(builder: WebhookRouterBuilder) {
    let _ = builder.queue("webhooks.db").build();
}

fn main() {}
