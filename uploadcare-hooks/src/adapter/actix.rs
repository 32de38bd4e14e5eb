//! actix-web 4.

use actix_web::{HttpRequest, HttpResponse, dev::HttpServiceFactory, rt::time::timeout, web};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::router::{Answer, RejectionReason, WebhookRouter};

impl WebhookRouter {
    /// A service for actix-web that answers `path` and everything below it.
    ///
    /// The paths of handlers are relative to `path`: with `mount("/hooks")`, a handler without the `path` option answers at
    /// `/hooks`, one with `path = "/scans"` at `/hooks/scans`. Mount it with `App::service`, also inside a scope. Nothing before it
    /// may consume the body: no middleware that reads or decompresses it.
    ///
    /// The body is read here, to the limit and not beyond. When the client goes away, its handlers are stopped at their next `.await`, and the
    /// delivery counts as not acknowledged.
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
        let serve = move |request: HttpRequest, body: web::Payload| {
            let router = self.clone();
            async move { respond(router.serve(&request, body).await) }
        };
        web::scope(path.trim_end_matches('/')).default_service(web::to(serve))
    }

    async fn serve(&self, request: &HttpRequest, mut body: web::Payload) -> Answer {
        let headers = headers(request);
        let admitted = match self.admit(request.method().as_str(), request.match_info().unprocessed(), &headers) {
            Ok(admitted) => admitted,
            Err(answer) => return answer,
        };
        let limit = self.body_timeout();
        let read = timeout(limit, read(&mut body, self.body_limit())).await;
        match read.unwrap_or(Err(RejectionReason::BodyTooSlow { limit })) {
            Ok(body) => self.deliver(admitted, headers, body).await,
            Err(reason) => self.refuse_body(admitted, reason),
        }
    }
}

/// Reads a body chunk by chunk; holds `limit` bytes at the most.
async fn read(body: &mut web::Payload, limit: usize) -> Result<Bytes, RejectionReason> {
    let mut whole = BytesMut::new();
    while let Some(chunk) = body.next().await {
        let chunk = chunk.map_err(|error| RejectionReason::BodyUnreadable(error.to_string()))?;
        if chunk.len() > limit - whole.len() {
            return Err(RejectionReason::BodyTooLarge { limit });
        }
        whole.extend_from_slice(&chunk);
    }
    Ok(whole.freeze())
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
