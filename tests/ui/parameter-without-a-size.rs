#![allow(unused)]

use uploadcare_hooks::{FileUploaded, webhook_handler, webhook_handlers};

trait Repo {
    fn add(&self, event: FileUploaded);
}

#[webhook_handler(event = "file.uploaded")]
async fn name(event: FileUploaded, name: str) {}

#[webhook_handler(event = "file.uploaded")]
async fn bytes(body: [u8]) {
    body.len();
}

#[webhook_handler(event = "file.uploaded")]
async fn repo(event: FileUploaded, repo: dyn Repo) {
    repo.add(event);
}

fn main() {
    let _ = webhook_handlers![name, bytes, repo];
}
