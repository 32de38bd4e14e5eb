//! A `tower_service::Service`, for axum, hyper, AWS Lambda and everything else that takes one.
//! Knows no server, and decides nothing about a delivery.

mod response;

use std::{
    convert::Infallible,
    fmt::Display,
    future::Future,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::{Buf, Bytes};
use futures_util::{Stream, stream};
use http::header;
use http_body::Body;

pub use self::response::ResponseBody;
use super::{
    body::{self, Outside, Unread},
    http::respond,
};
use crate::{
    handler::HandlerDescriptor,
    router::{Answer, Built, WebhookRouter, WebhookRouterBuilder, decode_path},
};

/// A [`WebhookRouter`] as a [`tower_service::Service`], made by
/// [`into_service`](WebhookRouter::into_service). It takes requests with every body that a server
/// can hand over, is always ready, and never fails. Clones share everything.
#[derive(Debug, Clone)]
pub struct WebhookService {
    router: WebhookRouter,
    /// The path before the router's own paths. Without a final `/`; empty if paths are relative.
    mount: Arc<str>,
}

impl WebhookRouter {
    /// A [`tower_service::Service`] for axum, hyper, AWS Lambda and every other server that takes
    /// one.
    ///
    /// ```text
    /// use axum::Router;
    ///
    /// let app = Router::new().nest_service("/hooks", hooks.into_service());
    /// ```
    ///
    /// A handler without the `path` option then answers at `/hooks` and `/hooks/`, one with `path =
    /// "/scans"` at `/hooks/scans`. The router reads the body, up to its limit. When the client
    /// goes away, its handlers are stopped at their next `.await`, and the delivery counts as not
    /// acknowledged. The service needs a Tokio runtime with time enabled.
    ///
    /// # Which paths answer
    ///
    /// The paths of handlers are relative to the mount. `nest_service` removes the mount from the
    /// path before it calls the service. Where the service gets whole paths, it must know the
    /// mount:
    ///
    /// | server | service |
    /// |---|---|
    /// | `axum::Router::nest_service("/hooks", ..)` | `hooks.into_service()` |
    /// | `axum::Router::route_service("/hooks", ..)`, `fallback_service(..)` | `hooks.into_service().at("/hooks")` |
    /// | hyper, with `hyper_util::service::TowerToHyperService` | `hooks.into_service().at("/hooks")` |
    /// | AWS Lambda, with `lambda_http::run` | `hooks.into_service().at("/hooks")` |
    ///
    /// # What can go wrong
    ///
    /// The compiler says:
    ///
    /// | what it says | for | write |
    /// |---|---|---|
    /// | the trait bound `WebhookRouter: Service<Request<Body>>` is not satisfied | `nest_service("/hooks", hooks)` | `nest_service("/hooks", hooks.into_service())` |
    /// | expected `MethodRouter`, found `WebhookService` | `route("/hooks", hooks.into_service())` | `nest_service(..)` |
    /// | expected `Router`, found `WebhookService` | `nest("/hooks", hooks.into_service())` | `nest_service(..)` |
    /// | the trait bound `WebhookRouter: Handler<_, _>` is not satisfied, or `WebhookService: Handler<_, _>` | `route("/hooks", post(hooks))` | `nest_service("/hooks", hooks.into_service())` |
    /// | the trait bound `WebhookService: Service<IncomingStream<'a, TcpListener>>` is not satisfied | `axum::serve(listener, hooks.into_service())` | `axum::serve(listener, Router::new().nest_service("/hooks", hooks.into_service()))` |
    /// | no method named `into_service` found for enum `Result` | `.build().into_service()` | `.build()?.into_service()`. If the compiler adds that the method is available on `WebhookRouterBuilder`, ignore that: it is there only to say that `build` is missing. |
    /// | use of moved value, for `hooks` | a second `hooks.into_service()` | `hooks.clone().into_service()`. Clones share everything. |
    ///
    /// It prints long types with their paths, as in `tower_service::Service`. Later:
    ///
    /// - **Everything is 404.** The service does not know its mount, or knows it where the server
    ///   removes it: see the table. The router logs a warning when a signed request comes to a path
    ///   where no handler answers, with that path and those that answer.
    /// - **`/hooks/` is 404** under `route_service("/hooks", ..)`, and so is `/hooks/scans`. axum
    ///   passes exactly that path on. Use `nest_service`, which passes on all three.
    /// - **`/hooks` is 404, and nothing is logged,** under `nest_service("/hooks/", ..)`. axum then
    ///   answers it by itself. Write the mount without a slash at its end: `/hooks/` then answers
    ///   as well.
    /// - **`/h%6Foks` is 404** under axum, which compares the mount letter by letter. Below the
    ///   mount, and in the mount given to [`at`](WebhookService::at), the router treats
    ///   percent-encoded letters, digits, `-`, `.`, `_` and `~` like plain ones.
    /// - **413 without a `code`.** `tower_http::limit::RequestBodyLimitLayer` refuses bodies by
    ///   itself, so a limit that is lower than [`body_limit`](WebhookRouter::body_limit) decides.
    ///   axum's `DefaultBodyLimit` limits extractors only, and not this service.
    /// - **500 `body_consumed`**, or 401 for every delivery. A layer before the service read,
    ///   decompressed or replaced the body, whose raw bytes are signed. Add such layers to other
    ///   routes only: `Router::layer` wraps the routes that were added before it.
    /// - **408 or 503 without a `code`.** A `TimeoutLayer` before the service ended the request,
    ///   and with it the handlers; the log says ``handler `..` was dropped before it ended``. Give
    ///   it more time than
    ///   [`body_timeout`](crate::WebhookRouterBuilder::body_timeout) and
    ///   [`handler_timeout`](crate::WebhookRouterBuilder::handler_timeout) together (60 seconds by
    ///   default).
    /// - **Handlers end early at a deploy.** A server that is stopped without a graceful shutdown
    ///   drops its requests. Serve with `axum::serve(..).with_graceful_shutdown(..)`. Uploadcare
    ///   sends again what was not acknowledged.
    ///
    /// ```
    /// # #[cfg(feature = "macros")]
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use uploadcare_hooks::{webhook_handler, webhook_handlers, FileStored, SigningSecret, WebhookRouter};
    ///
    /// #[webhook_handler(event = "file.stored")]
    /// async fn archive(event: FileStored) {}
    ///
    /// let secret = SigningSecret::new("7kMVZivndx0ErgvhRKAr")?;
    /// let hooks = WebhookRouter::builder().signing_secret(secret).handlers(webhook_handlers![archive]).build()?;
    /// let service = hooks.into_service().at("/hooks");
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "macros"))]
    /// # fn main() {}
    /// ```
    pub fn into_service(self) -> WebhookService {
        WebhookService { router: self, mount: Arc::from("") }
    }
}

impl WebhookRouterBuilder {
    /// Cannot be called: the compiler says that `build` is missing.
    #[doc(hidden)]
    pub fn into_service(self) -> WebhookService
    where
        for<'a> Self: Built,
    {
        self.router().clone().into_service()
    }
}

impl WebhookService {
    /// Tells the service its mount, for servers that do not remove it from the path. With
    /// `at("/hooks")`, a handler without the `path` option answers at `/hooks` and `/hooks/`, one
    /// with `path = "/scans"` at `/hooks/scans`, and every path outside `/hooks` is 404.
    ///
    /// A mount of `/` or `""` means that paths are relative, which is the default. A second call
    /// replaces the mount. The first mount at each path is logged with `tracing` (`info`), with the
    /// paths that answer.
    #[must_use]
    pub fn at(self, mount: &str) -> Self {
        let trimmed = mount.trim_matches('/');
        let mount = if trimmed.is_empty() { String::new() } else { format!("/{}", decode_path(trimmed)) };
        self.router.core.observer.mounted(&mount, self.router.handlers().map(HandlerDescriptor::path));
        Self { mount: mount.into(), ..self }
    }

    async fn answer<B>(&self, request: http::Request<B>) -> Answer
    where
        B: Body,
        B::Error: Display,
    {
        let (head, body) = request.into_parts();
        let whole_path = head.uri.path();
        let path = decode_path(whole_path);
        let mut body = pin!(body);
        let request = Unread {
            method: head.method.as_str(),
            path: relative(&path, &self.mount).ok_or(Outside { path: whole_path, mount: &self.mount }),
            is_body_held_back: head.headers.contains_key(header::EXPECT),
            headers: head.headers,
            body: (!body.is_end_stream()).then(|| chunks(body.as_mut())),
        };
        body::answer(&self.router, request).await
    }
}

/// The part of a path below the mount; `None` if the path is outside.
fn relative<'p>(path: &'p str, mount: &str) -> Option<&'p str> {
    match path.strip_prefix(mount)? {
        "" if !mount.is_empty() => Some("/"),
        rest => Some(rest).filter(|rest| rest.starts_with('/')),
    }
}

/// The data of a body, and its errors as texts, because they need not be `Send`. Trailers are no
/// data: they are not signed.
fn chunks<B>(mut body: Pin<&mut B>) -> impl Stream<Item = Result<Bytes, String>>
where
    B: Body,
    B::Error: Display,
{
    stream::poll_fn(move |context| {
        let frame = ready!(body.as_mut().poll_frame(context));
        Poll::Ready(frame.map(|frame| match frame.map(http_body::Frame::into_data) {
            Ok(Ok(mut data)) => Ok(data.copy_to_bytes(data.remaining())),
            Ok(Err(_trailers)) => Ok(Bytes::new()),
            Err(error) => Err(error.to_string()),
        }))
    })
}

impl<B> tower_service::Service<http::Request<B>> for WebhookService
where
    B: Body + Send + 'static,
    B::Error: Display,
{
    type Response = http::Response<ResponseBody>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        let service = self.clone();
        Box::pin(async move {
            let method = request.method().clone();
            Ok(respond(service.answer(request).await, &method).map(ResponseBody::new))
        })
    }
}
