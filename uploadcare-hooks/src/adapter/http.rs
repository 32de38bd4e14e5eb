//! Plain `http` types, for requests whose body was read already. Decides nothing about a delivery.

use bytes::Bytes;
use futures_util::FutureExt;

use crate::router::{Answer, Rejection, Watcher, WebhookRouter, decode_path};

impl WebhookRouter {
    /// Answers one request of plain [`http`](::http) types: for servers and platforms without an
    /// adapter, and for tests.
    ///
    /// The path of the request's URI is relative to the router's mount: handlers without `path`
    /// answer at `/`. The caller must have limited how many bytes it read; a body over
    /// [`body_limit`](Self::body_limit) is answered 413. A body of zero bytes that the headers
    /// announce, also as `Transfer-Encoding: chunked`, is answered 500 `body_consumed`, because
    /// bytes alone do not show whether the client sent none or a middleware took them.
    ///
    /// Dropping the future stops the handlers at their next `.await`; the delivery then counts as
    /// not acknowledged.
    ///
    /// ```
    /// # #[cfg(feature = "macros")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use bytes::Bytes;
    /// use http::{Request, StatusCode};
    /// use uploadcare_hooks::{webhook_handler, webhook_handlers, FileStored, SigningSecret, WebhookRouter};
    ///
    /// #[webhook_handler(event = "file.stored")]
    /// async fn archive(event: FileStored) {}
    ///
    /// let secret = SigningSecret::new("7kMVZivndx0ErgvhRKAr")?;
    /// let builder = WebhookRouter::builder().signing_secret(secret.clone());
    /// let hooks = builder.handlers(webhook_handlers![archive]).build()?;
    ///
    /// let body = r#"{"hook": {"event": "file.stored"}, "data": {"uuid": "f08d7c8a-2971-42e0-ab01-780d9039b40b"}}"#;
    /// let signature = secret.sign(body.as_bytes());
    /// let request = Request::post("/").header("X-Uc-Signature", signature).body(Bytes::from(body))?;
    /// assert_eq!(hooks.handle(request).await.status(), StatusCode::NO_CONTENT);
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "macros"))]
    /// # fn main() {}
    /// ```
    pub fn handle(&self, request: ::http::Request<Bytes>) -> impl Future<Output = ::http::Response<Bytes>> {
        // Not an `async fn`: that would hold the request twice.
        self.handle_watched(request, None).map(|(response, _)| response)
    }

    /// Answers a request. Also returns the rejection if it was not acknowledged.
    pub(crate) async fn handle_watched<'a>(
        &'a self,
        request: ::http::Request<Bytes>,
        watcher: Option<&'a dyn Watcher>,
    ) -> (::http::Response<Bytes>, Option<Box<Rejection>>) {
        let (head, body) = request.into_parts();
        let (answer, rejection) =
            match self.check_head(head.method.as_str(), &decode_path(head.uri.path()), &head.headers) {
                Ok(admitted) => {
                    let observed = self.observe(admitted);
                    let body = Some(body).filter(|body| !body.is_empty());
                    let unverified = admitted.with_body(head.headers, body);
                    let unverified = unverified.map(|unverified| unverified.watched_by(watcher));
                    let ended = self.process(unverified, &observed).await;
                    (self.core.observer.ended(&ended, &observed), ended.err())
                }
                Err(rejection) => (self.refuse_head(&rejection, None, &head.headers), Some(rejection)),
            };
        (respond(answer, &head.method), rejection)
    }
}

/// The answer to a request with this method. A `HEAD` request gets the head only: hyper sends
/// bodies over HTTP/2 as they are, which breaks the connection of a client that expects none.
pub(super) fn respond(answer: Answer, method: &::http::Method) -> ::http::Response<Bytes> {
    let mut response = answer.into_response();
    if method == ::http::Method::HEAD {
        let body = std::mem::take(response.body_mut());
        response.headers_mut().insert(::http::header::CONTENT_LENGTH, body.len().into());
    }
    response
}
