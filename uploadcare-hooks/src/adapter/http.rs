//! Plain `http` types, for requests whose body was read already. Decides nothing about a delivery.

use bytes::Bytes;

use crate::router::WebhookRouter;

impl WebhookRouter {
    /// Answers one request of plain [`http`](::http) types: for servers and platforms without an
    /// adapter, and for tests.
    ///
    /// The path of the request's URI is relative to the router's mount: handlers without `path`
    /// answer at `/`. The caller must have limited how many bytes it read; a body over
    /// [`body_limit`](Self::body_limit) is answered 413.
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
    pub async fn handle(&self, request: ::http::Request<Bytes>) -> ::http::Response<Bytes> {
        let (head, body) = request.into_parts();
        match self.admit(head.method.as_str(), head.uri.path(), &head.headers) {
            Ok(admitted) => self.deliver(admitted.with_body(head.headers, body)).await.into_response(),
            Err(answer) => answer.into_response(),
        }
    }
}
