//! actix-web 4: turns its requests into `http` types, and answers into its responses. The only file
//! with types of actix-web; decides nothing about a delivery.

use actix_web::{
    HttpRequest, HttpResponse, Scope,
    dev::{HttpServiceFactory, Payload},
    web,
};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::body::{self, Unread};
use crate::{
    handler::HandlerDescriptor,
    router::{Answer, Built, WebhookRouter, WebhookRouterBuilder},
};

impl WebhookRouter {
    /// A service for actix-web that answers `path` and everything below it.
    ///
    /// The paths of handlers are relative to `path`: with `mount("/hooks")`, a handler without the
    /// `path` option answers at `/hooks`, one with `path = "/scans"` at `/hooks/scans`. Mount it
    /// with `App::service`, also inside a scope. Middleware before it must not read or decompress
    /// the body. Percent-encoded letters, digits, `-`, `.`, `_` and `~` in a path count like plain
    /// ones.
    ///
    /// The router reads the body, up to its limit. When the client closes its connection, actix-web
    /// still runs the handlers to their end, and the delivery may count as acknowledged although
    /// the client did not get the answer. With `HttpServer::h1_allow_half_closed(false)` the
    /// handlers are stopped at their next `.await` instead, and the delivery counts as not
    /// acknowledged.
    ///
    /// # What can go wrong
    ///
    /// The compiler says:
    ///
    /// | what it says | for | write |
    /// |---|---|---|
    /// | the trait bound `WebhookRouter: HttpServiceFactory` is not satisfied | `App::new().service(hooks)` | `App::new().service(hooks.mount("/hooks"))` |
    /// | the trait bound `WebhookRouter: Handler<_>` is not satisfied | `route("/hooks", web::post().to(hooks))` | `service(hooks.mount("/hooks"))` |
    /// | cannot move out of `hooks`, a captured variable in an `Fn` closure | `HttpServer::new(move \|\| App::new().service(hooks.mount("/hooks")))` | `hooks.clone().mount("/hooks")`. Clones share everything. |
    /// | no method named `mount` found for enum `Result` | `.build().mount("/hooks")` | `.build()?.mount("/hooks")`. If the compiler adds that the method is available on `WebhookRouterBuilder`, ignore that: it is there only to say that `build` is missing. |
    ///
    /// Later:
    ///
    /// - **Everything is 404 inside a scope.** actix-web joins the paths of scopes as they are:
    ///   `web::scope("/api/").service(hooks.mount("/hooks"))` answers at `/api//hooks`. Write
    ///   `web::scope("/api")`.
    /// - **A second router at the same path never gets a request.** actix-web gives a request to
    ///   the first service whose path matches. List all handlers in one router, or mount each at a
    ///   path of its own.
    /// - **500 `body_consumed`**, or 401 for every delivery. A middleware or an extractor before
    ///   the router read, decompressed or replaced the body, whose raw bytes are signed.
    /// - **A client sends a body that is too large although it sent `Expect: 100-continue`.**
    ///   actix-web asks for the body before it calls the router, which then refuses it with 413.
    /// - **A mount at `/` or `""`** answers every path that no earlier service answers, with 404.
    ///
    /// The first mount at each path is logged with `tracing` (`info`), with the paths that answer.
    ///
    /// ```
    /// # #[cfg(feature = "macros")]
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use actix_web::{App, HttpServer};
    /// use uploadcare_hooks::{webhook_handler, webhook_handlers, FileStored, SigningSecret, WebhookRouter};
    ///
    /// #[webhook_handler(event = "file.stored")]
    /// async fn archive(event: FileStored) {}
    ///
    /// let secret = SigningSecret::new("7kMVZivndx0ErgvhRKAr")?;
    /// let hooks = WebhookRouter::builder().signing_secret(secret).handlers(webhook_handlers![archive]).build()?;
    /// let server = HttpServer::new(move || App::new().service(hooks.clone().mount("/hooks")));
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "macros"))]
    /// # fn main() {}
    /// ```
    pub fn mount(self, path: &str) -> impl HttpServiceFactory + use<> {
        let path = path.trim_end_matches('/');
        // actix-web adds a slash that is missing.
        let slash = if path.is_empty() || path.starts_with('/') { "" } else { "/" };
        self.core.observer.mounted(&format!("{slash}{path}"), self.handlers().map(HandlerDescriptor::path));
        let serve = move |request: HttpRequest, body: web::Payload| {
            let router = self.clone();
            async move { respond(router.serve(&request, body).await) }
        };
        web::scope(path).default_service(web::to(serve))
    }

    // Not an `async fn`: that would hold the body twice.
    fn serve<'a>(&'a self, request: &'a HttpRequest, body: web::Payload) -> impl Future<Output = Answer> + use<'a> {
        let body = match body.into_inner() {
            Payload::None => None,
            body => Some(body),
        };
        let request = Unread {
            method: request.method().as_str(),
            // actix-web has decoded it.
            path: Ok(Some(request.match_info().unprocessed()).filter(|path| !path.is_empty()).unwrap_or("/")),
            headers: headers(request),
            // actix-web has sent `100 Continue` already.
            is_body_held_back: false,
            body,
        };
        body::answer(self, request)
    }
}

impl WebhookRouterBuilder {
    /// Cannot be called: the compiler says that `build` is missing. Returns a named type, because
    /// the compiler would report an `impl HttpServiceFactory` once more.
    #[doc(hidden)]
    pub fn mount(self, path: &str) -> Scope
    where
        for<'a> Self: Built,
    {
        web::scope("").service(self.router().clone().mount(path))
    }
}

/// actix-web has types of an older `http` release.
fn headers(request: &HttpRequest) -> HeaderMap {
    let sent = request.headers();
    let mut headers = HeaderMap::with_capacity(sent.len());
    for (name, value) in sent {
        let name = HeaderName::from_bytes(name.as_str().as_bytes());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(value.as_bytes())) {
            headers.append(name, value);
        }
    }
    headers
}

fn respond(answer: Answer) -> HttpResponse {
    let (head, body) = answer.into_response().into_parts();
    let status = actix_web::http::StatusCode::from_u16(head.status.as_u16());
    let mut response = HttpResponse::build(status.unwrap_or(actix_web::http::StatusCode::INTERNAL_SERVER_ERROR));
    for (name, value) in &head.headers {
        response.append_header((name.as_str(), value.as_bytes()));
    }
    response.body(body)
}
