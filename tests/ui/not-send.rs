#![allow(unused)]

use std::marker::PhantomData;
use uploadcare_hooks::{FileUploaded, webhook_handler, webhook_handlers};

struct OfOneThread(PhantomData<*const ()>);

async fn wait() {}

#[webhook_handler(event = "file.uploaded")]
async fn index(event: FileUploaded) {
    let kept = OfOneThread(PhantomData);
    wait().await;
    drop(kept);
}

fn main() {
    let _ = webhook_handlers![index];
}
