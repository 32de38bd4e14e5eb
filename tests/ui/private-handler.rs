//! See "struct `index` is private" in the attribute's documentation.
#![allow(unused)]

use uploadcare_hooks::webhook_handlers;

mod handlers {
    use uploadcare_hooks::{FileUploaded, webhook_handler};

    #[webhook_handler(event = "file.uploaded")]
    async fn index(event: FileUploaded) {}
}

fn main() {
    let _ = webhook_handlers![handlers::index];
}
