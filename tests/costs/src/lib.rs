//! Receivers and deliveries whose costs are counted.

#![allow(clippy::unwrap_used, reason = "what cannot be set up cannot be counted")]

use std::{
    future::pending,
    hint::black_box,
    iter::repeat_with,
    task::{Context, Waker},
};

use bytes::Bytes;
use http::{Request, Response};
use uploadcare_hooks::{
    Event, FileUploaded, HandlerDescriptor, SIGNATURE_HEADER, SigningSecret, WebhookRouter, testing::Sample,
    webhook_handler, webhook_handlers,
};

pub mod thousand {
    //! A thousand handlers, written by the build script.
    use uploadcare_hooks::{FileStored, HandlerDescriptor, webhook_handler, webhook_handlers};

    include!(concat!(env!("OUT_DIR"), "/thousand.rs"));
}

#[webhook_handler(event = "file.uploaded")]
async fn index(event: FileUploaded) {
    black_box(&event);
}

#[webhook_handler(event = "file.uploaded")]
async fn never_ends(event: FileUploaded) {
    pending::<()>().await;
    black_box(&event);
}

macro_rules! more_handlers {
    ($($name:ident)+) => {
        $(#[webhook_handler(event = "file.uploaded")]
        async fn $name(event: FileUploaded) {
            black_box(&event);
        })+

        /// Nine more handlers of the event.
        fn nine_more() -> Vec<HandlerDescriptor> {
            webhook_handlers![$($name),+]
        }
    };
}

more_handlers! { second third fourth fifth sixth seventh eighth ninth tenth }

/// The secret that deliveries are signed with.
pub fn secret() -> SigningSecret {
    SigningSecret::new("7kMVZivndx0ErgvhRKAr").unwrap()
}

/// A `file.uploaded` of 1.5 KB.
pub fn small() -> Bytes {
    received(Sample::of("file.uploaded"))
}

/// A `file.uploaded` of 6 KB, most of which are labels in `appdata`.
pub fn large() -> Bytes {
    received(Sample::of("file.uploaded").grow_to(6000))
}

/// A body of 1 MiB with a part that has as many entries as fit, for `ENTRIES`.
pub fn hostile(part: &str, entry: impl Fn(usize) -> String) -> Bytes {
    const LENGTH: usize = 1 << 20;
    let mut entries = String::new();
    for number in 0.. {
        entries += &entry(number);
        if entries.len() > LENGTH {
            break;
        }
        entries.push(',');
    }
    let payload = format!(
        r#"{{"hook":{{"event":"file.uploaded"}},"data":{{"uuid":"575ed4e8-f4e8-4c14-a58b-1527b6d9ee46",{part}}}}}"#
    );
    payload.replace("ENTRIES", &entries).into()
}

/// The body as a server has it, which shares its buffer already.
fn received(sample: Sample) -> Bytes {
    let body = sample.body();
    // The first call of a function of the C library looks it up.
    drop(black_box(Event::from_bytes(&body)));
    settle();
    body
}

/// Lets the allocator tidy up what was freed before. It would do so at the next large allocation,
/// which may be one that is counted.
pub fn settle() {
    drop(black_box(Vec::<u8>::with_capacity(1 << 16)));
}

/// The handlers of a router.
#[derive(Debug, Clone, Copy)]
pub enum Handlers {
    /// One handler of the event.
    One,
    /// Ten handlers of the event.
    Ten,
    /// One handler of the event, and a thousand of another one.
    ThousandOthers,
}

impl Handlers {
    /// A router with these handlers, as an application builds it.
    pub fn router(self) -> WebhookRouter {
        let more = match self {
            Self::One => Vec::new(),
            Self::Ten => nine_more(),
            Self::ThousandOthers => thousand::handlers(),
        };
        let builder = WebhookRouter::builder().signing_secret(secret()).no_handler_timeout();
        builder.handlers(webhook_handlers![index]).handlers(more).build().unwrap()
    }
}

/// A router and a request to it.
#[derive(Debug)]
pub struct Call(WebhookRouter, Request<Bytes>);

impl Call {
    /// A request with this body and this signature to a router with these handlers. The router has
    /// answered one request already.
    pub fn new(handlers: Handlers, body: &Bytes, signature: Option<&str>) -> Self {
        let request = || {
            let mut request = Request::post("/");
            if let Some(signature) = signature {
                request = request.header(SIGNATURE_HEADER, signature);
            }
            request.body(body.clone()).unwrap()
        };
        let router = handlers.router();
        drop(futures_executor::block_on(router.handle(request())));
        let request = request();
        settle();
        Self(router, request)
    }

    /// Answers the request.
    pub fn run(self) -> (WebhookRouter, Response<Bytes>) {
        let Self(router, request) = self;
        let response = futures_executor::block_on(router.handle(request));
        (router, response)
    }
}

/// As many deliveries wait at once.
const DELIVERIES: usize = 1000;

/// Starts a thousand deliveries with this body, each with a copy of its own, whose handlers wait,
/// and drops them all.
pub fn wait_in(router: &WebhookRouter, body: &Bytes) {
    let signature = secret().sign(body);
    let request = || Request::post("/").header(SIGNATURE_HEADER, &signature).body(Bytes::copy_from_slice(body));
    let mut waiting: Vec<_> = repeat_with(|| Box::pin(router.handle(request().unwrap()))).take(DELIVERIES).collect();
    for delivery in &mut waiting {
        assert!(delivery.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }
}

/// A router whose handler never ends.
pub fn waiting_router() -> WebhookRouter {
    let builder = WebhookRouter::builder().signing_secret(secret()).no_handler_timeout();
    let builder = builder.max_concurrent_handlers(DELIVERIES);
    builder.handlers(webhook_handlers![never_ends]).build().unwrap()
}
