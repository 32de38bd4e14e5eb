//! See "struct is not supported in `trait`s or `impl`s" in the attribute's documentation.
#![allow(unused)]

use uploadcare_hooks::{FileUploaded, webhook_handler};

struct Index;

impl Index {
    #[webhook_handler(event = "file.uploaded")]
    async fn add(event: FileUploaded) {}
}

struct Indexes<T>(T);

impl<T> Indexes<T> {
    #[webhook_handler(event = "file.uploaded")]
    async fn add(event: FileUploaded, more: T) {}

    #[webhook_handler(event = "file.uploaded")]
    async fn add_to(event: FileUploaded, index: uploadcare_hooks::State<Self>) {}
}

fn main() {}
