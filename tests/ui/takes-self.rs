#![allow(unused)]

use uploadcare_hooks::{FileUploaded, webhook_handler};

struct Index;

impl Index {
    #[webhook_handler(event = "file.uploaded")]
    async fn add(&self, event: FileUploaded) {}
}

fn main() {
    let _ = Index;
}
