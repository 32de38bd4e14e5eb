#![allow(unused)]

use uploadcare_hooks::{FileUploaded, webhook_handler, webhook_handlers};

#[webhook_handler(event = "file.uploaded")]
async fn index(event: &FileUploaded) {}

#[webhook_handler(event = "file.uploaded")]
async fn show(event: impl std::fmt::Debug) {}

#[webhook_handler(event = "file.uploaded")]
async fn state(event: FileUploaded, count: &mut uploadcare_hooks::State<u8>) {}

#[webhook_handler(event = "file.uploaded")]
async fn name<'a>(event: FileUploaded, name: &'a str) {}

#[webhook_handler(event = "file.uploaded")]
async fn bytes(body: &[u8], more: &String) {}

trait Repo {}

#[webhook_handler(event = "file.uploaded")]
async fn repo(event: FileUploaded, repo: &(dyn Repo + Send)) {}

fn main() {
    let _ = webhook_handlers![index, show, state, name, bytes, repo];
}
