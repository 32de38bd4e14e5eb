//! A whole call of a router: every request is answered with one of the statuses that are promised,
//! and no request that is not signed is acknowledged.
//!
//! The input is the path, a line break, the signature, a line break, and the body. With the
//! signature `!` the body is signed correctly.
#![no_main]

use std::sync::LazyLock;

use bytes::Bytes;
use futures_executor::block_on;
use http::Request;
use libfuzzer_sys::fuzz_target;
use uploadcare_hooks::{
    Event, FileUploaded, SigningSecret, WebhookRouter, payload::v0_6, webhook_handler, webhook_handlers,
};

#[webhook_handler(event = "file.uploaded")]
async fn index(_event: FileUploaded) {}

#[webhook_handler(event = "file.uploaded", version = "0.6", path = "/old")]
async fn old(_event: v0_6::FileUploaded) {}

#[webhook_handler(any, path = "/audit")]
async fn audit(_event: Event) {}

static SECRET: LazyLock<SigningSecret> = LazyLock::new(|| SigningSecret::new("12345X").expect("a good secret"));

static ROUTER: LazyLock<WebhookRouter> = LazyLock::new(|| {
    let builder = WebhookRouter::builder().signing_secret(SECRET.clone()).no_handler_timeout().body_limit(1 << 16);
    builder.handlers(webhook_handlers![index, old, audit]).build().expect("a good router")
});

fuzz_target!(|input: &[u8]| {
    let mut parts = input.splitn(3, |byte| *byte == b'\n');
    let mut next = || parts.next().unwrap_or_default();
    let (path, signature, body) = (next(), next(), next());
    let right = SECRET.sign(body);
    let signature = if signature == b"!" { right.as_bytes() } else { signature };
    let request = Request::post(path).header("X-Uc-Signature", signature);
    let Ok(request) = request.body(Bytes::copy_from_slice(body)) else { return };
    let status = block_on(ROUTER.handle(request)).status().as_u16();
    assert!([204, 401, 404, 413, 422, 500].contains(&status), "{status}");
    assert!(status != 204 || signature == right.as_bytes(), "not signed, and acknowledged");
    // Only a handler that reads the body again, as an old version, can fail.
    assert!(status != 500 || path.starts_with(b"/old"), "no handler of this path fails");
});
