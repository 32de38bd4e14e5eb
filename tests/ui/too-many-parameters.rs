//! More parameters than a function is called with.
#![allow(unused)]

use uploadcare_hooks::{FileUploaded, State, webhook_handler, webhook_handlers};

type S = State<u8>;

#[webhook_handler(event = "file.uploaded")]
#[rustfmt::skip]
async fn index(
    event: FileUploaded, b: S, c: S, d: S, e: S, f: S, g: S, h: S,
    i: S, j: S, k: S, l: S, m: S, n: S, o: S, p: S,
    seventeenth: S, eighteenth: S,
) {}

fn main() {
    webhook_handlers![index];
}
