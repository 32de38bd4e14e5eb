//! Routers of the tests, and deliveries to them. `testing::deliver` is not used here: these tests
//! are about what a request gets for an answer.

use bytes::Bytes;
use http::{Response, StatusCode};
use uploadcare_hooks::{SigningSecret, WebhookRouter, WebhookRouterBuilder, testing::Sample};

use crate::deliveries::{secret, signed_request};

/// A builder with the signing secret of the tests and this state.
pub fn builder<S: Clone + Send + Sync + 'static>(state: &S) -> WebhookRouterBuilder {
    WebhookRouter::builder().signing_secret(secret()).state(state.clone())
}

/// Sends a signed body to the path `/` of a router.
pub async fn send(hooks: &WebhookRouter, body: impl Into<Bytes>) -> Response<Bytes> {
    hooks.handle(signed_request("/", &secret(), body)).await
}

/// The status of a signed delivery of this event to the path `/`.
pub async fn deliver(hooks: &WebhookRouter, event: &str) -> StatusCode {
    send(hooks, Sample::of(event).body()).await.status()
}

/// The status of a `file.uploaded` to the path `/` that is signed with this secret.
pub async fn deliver_signed(hooks: &WebhookRouter, secret: &SigningSecret) -> u16 {
    hooks.handle(Sample::of("file.uploaded").sign(secret)).await.status().as_u16()
}
