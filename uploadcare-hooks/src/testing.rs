#![cfg_attr(feature = "macros", doc = include_str!("../docs/testing.md"))]
#![cfg_attr(all(feature = "macros", feature = "queue"), doc = "\n\n", doc = include_str!("../docs/testing_time.md"))]
#![cfg_attr(
    not(feature = "macros"),
    doc = "Sample deliveries of every event and version, and what each handler did with them."
)]

mod clock;
mod deliver;
mod forms;
mod path;
#[cfg(feature = "queue")]
mod queue;
mod sample;
mod unhandled;

use bytes::Bytes;
use http::{HeaderValue, Request, header};

pub use self::clock::Clock;
pub use self::deliver::{Delivered, HandlerOutcome, HandlerRun, deliver};
#[cfg(feature = "queue")]
pub use self::queue::{JobEnd, MemoryQueue, Ran, WaitingJob};
pub use self::sample::Sample;
use crate::{service::SIGNATURE_HEADER, signature::SigningSecret};

/// A signing secret for tests: the same one at each call.
///
/// # Panics
/// Never: the text is a valid secret.
#[allow(clippy::expect_used, reason = "a constant")]
pub fn secret() -> SigningSecret {
    SigningSecret::new("7kMVZivndx0ErgvhRKAr").expect("the text is a valid secret")
}

/// A request with any body, signed with this secret: for a delivery that was recorded, or a body
/// that is no payload. [`Sample`] makes requests with payloads.
///
/// ```
/// # #[cfg(feature = "macros")]
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), uploadcare_hooks::BuildError> {
/// use uploadcare_hooks::{WebhookRouter, testing};
/// # use uploadcare_hooks::{Event, webhook_handler, webhook_handlers};
/// # #[webhook_handler(any)]
/// # async fn index(event: Event) {}
/// # let builder = WebhookRouter::builder().handlers(webhook_handlers![index]);
///
/// let hooks = builder.signing_secret(testing::secret()).build()?;
/// let request = testing::signed_request("/", &testing::secret(), "[]");
/// testing::deliver(&hooks, request).await.assert_rejected("not_a_payload");
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "macros"))]
/// # fn main() {}
/// ```
///
/// # Panics
/// If the path is not the path of a URI, such as `/scans`.
#[track_caller]
pub fn signed_request(path: &str, secret: &SigningSecret, body: impl Into<Bytes>) -> Request<Bytes> {
    let body = body.into();
    let signature = secret.sign(&body);
    let mut request = request(path, body);
    // A signature is hexadecimal digits, which every header value may have.
    if let Ok(signature) = HeaderValue::from_str(&signature) {
        request.headers_mut().insert(SIGNATURE_HEADER, signature);
    }
    request
}

/// A path without its slash would be read as the name of a host.
#[track_caller]
fn check_path(path: &str) {
    assert!(
        path.starts_with('/'),
        "{path:?} cannot be the path of a request: it must begin with a slash, as in \"/scans\""
    );
}

/// A request without a signature, as Uploadcare sends it for a subscription without a secret.
#[track_caller]
fn request(path: &str, body: Bytes) -> Request<Bytes> {
    check_path(path);
    match Request::post(path).header(header::CONTENT_TYPE, "application/json").body(body) {
        Ok(request) => request,
        Err(error) => panic!("{path:?} cannot be the path of a request: {error}"),
    }
}
