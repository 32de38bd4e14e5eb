#![allow(unused)]

use uploadcare_hooks::{FileUploaded, WebhookRouter, webhook_handler, webhook_handlers};

#[webhook_handler(event = "file.uploaded")]
async fn index(event: FileUploaded) {}

fn main() {
    let hooks = WebhookRouter::builder().handlers(webhook_handlers![index]);
    let _ = WebhookRouter::builder().into_service();
    let _ = actix_web::App::new().service(hooks.mount("/hooks"));
    let hooks = WebhookRouter::builder().handlers(webhook_handlers![index]);
    println!("{}", hooks.describe());
    let _ = hooks.clone().mount("/hooks");
}
