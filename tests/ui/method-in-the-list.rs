//! See "ambiguous associated type" in the attribute's documentation.
#![allow(unused)]

use uploadcare_hooks::{FileUploaded, webhook_handler, webhook_handlers};

struct Index;

impl Index {
    async fn add(&self, event: FileUploaded) {}
}

fn main() {
    let _ = webhook_handlers![Index::add];
}
