//! A handler that is also a route of actix-web.
#![allow(unused)]

use uploadcare_hooks::{FileUploaded, webhook_handler, webhook_handlers};

#[webhook_handler(event = "file.uploaded")]
#[actix_web::post("/hooks")]
async fn index(event: FileUploaded) {}

fn main() {
    webhook_handlers![index];
}
