#![deny(deprecated)]
#![allow(unused)]

use uploadcare_hooks::{Event, EventKind, FileStored, webhook_handler, webhook_handlers};

#[webhook_handler(event = "file.stored")]
#[deprecated = "use `keep`"]
async fn archive(event: FileStored) {}

mod old {
    #[deprecated = "use `keep`"]
    #[uploadcare_hooks::webhook_handler(any)]
    pub async fn audit() {}
}

use old::audit;

fn main() {
    let _ = webhook_handlers![archive, old::audit];
    let _ = old::audit();
}
