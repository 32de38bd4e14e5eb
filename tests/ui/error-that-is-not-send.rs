//! An error that cannot be sent between threads.
#![allow(unused)]

use uploadcare_hooks::{FileUploaded, webhook_handler, webhook_handlers};

#[webhook_handler(event = "file.uploaded")]
async fn index(event: FileUploaded) -> Result<(), actix_web::Error> {
    Ok(())
}

#[webhook_handler(event = "file.uploaded")]
async fn store(event: FileUploaded) -> Result<(), Box<dyn std::error::Error>> {
    Ok(())
}

fn main() {
    let _ = webhook_handlers![index, store];
}
