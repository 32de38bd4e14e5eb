#![allow(unused)]

use uploadcare_hooks::{FileUploaded, webhook_handler, webhook_handlers};

#[webhook_handler(event = "file.uploaded")]
async fn index(event: FileUploaded) -> bool {
    event.data.is_image
}

#[webhook_handler(event = "file.uploaded")]
async fn show(event: FileUploaded) -> impl Send {}

#[webhook_handler(event = "file.uploaded")]
async fn name(event: FileUploaded) -> Result<String, std::io::Error> {
    Ok(String::new())
}

#[webhook_handler(event = "file.uploaded")]
async fn status(event: FileUploaded) -> axum::http::StatusCode {
    axum::http::StatusCode::OK
}

fn main() {
    let _ = webhook_handlers![index, show, name, status];
}
