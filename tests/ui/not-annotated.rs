#![allow(unused)]

use uploadcare_hooks::{FileUploaded, webhook_handlers};

async fn index(event: FileUploaded) {}

struct Index;

fn main() {
    let _ = webhook_handlers![index];
    let _ = webhook_handlers![Index];
}
