#![allow(unused)]

use uploadcare_hooks::webhook_handler;

#[webhook_handler(event = "file.uploaded")]
struct Index;

fn main() {
    let _ = Index;
}
