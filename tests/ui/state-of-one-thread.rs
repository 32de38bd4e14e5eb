//! A state that cannot be shared by threads.
#![allow(unused)]

use std::{cell::RefCell, rc::Rc};
use uploadcare_hooks::{FileUploaded, State, webhook_handler, webhook_handlers};

struct Db;

#[webhook_handler(event = "file.uploaded")]
async fn index(event: FileUploaded, State(db): State<Rc<Db>>) {}

#[webhook_handler(event = "file.uploaded")]
async fn count(event: FileUploaded, State(count): State<RefCell<u64>>) {}

fn main() {
    let _ = webhook_handlers![index, count];
}
