#![allow(unused)]

use uploadcare_hooks::{FileUploaded, webhook_handler, webhook_handlers};

struct NoError;

#[webhook_handler(event = "file.uploaded")]
async fn index(event: FileUploaded) -> Result<(), NoError> {
    Ok(())
}

#[webhook_handler(event = "file.uploaded")]
async fn boxed(event: FileUploaded) -> Result<(), Box<dyn std::error::Error>> {
    Ok(())
}

fn main() {
    let _ = webhook_handlers![index, boxed];
}
