//! Real servers on loopback ports, one for each adapter of the crate.

use std::{convert::Infallible, io, net::SocketAddr};

use actix_web::{App, HttpMessage, HttpServer, dev::Service, web};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use uploadcare_hooks::WebhookRouter;

/// An adapter of the crate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Adapter {
    /// `WebhookRouter::mount`, served by actix-web.
    Actix,
    /// `WebhookRouter::handle` with `http` types, served by hyper.
    Http,
}

impl Adapter {
    /// Every adapter.
    pub const ALL: [Self; 2] = [Self::Actix, Self::Http];

    /// Serves a router at `/hooks` until the runtime ends. With `consume_bodies`, a middleware in
    /// front of the router consumes every body.
    ///
    /// # Errors
    /// When no port can be opened.
    pub async fn serve(self, router: WebhookRouter, consume_bodies: bool) -> io::Result<SocketAddr> {
        match self {
            Self::Actix => serve_actix(router, consume_bodies),
            Self::Http => serve_http(router, consume_bodies).await,
        }
    }
}

fn serve_actix(router: WebhookRouter, consume_bodies: bool) -> io::Result<SocketAddr> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    std::thread::spawn(move || {
        actix_web::rt::System::new().block_on(async move {
            let app = move || {
                let router = router.clone();
                App::new()
                    .wrap_fn(move |mut request, service| {
                        if consume_bodies {
                            drop(request.take_payload());
                        }
                        service.call(request)
                    })
                    .service(router.mount("/hooks"))
                    .service(web::scope("/api").service(web::resource("/ping").to(|| async { "pong" })))
            };
            HttpServer::new(app).workers(1).disable_signals().listen(listener)?.run().await
        })
    });
    Ok(address)
}

async fn serve_http(router: WebhookRouter, consume_bodies: bool) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let router = router.clone();
            let answer = service_fn(move |request| answer(router.clone(), request, consume_bodies));
            tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), answer));
        }
    });
    Ok(address)
}

async fn answer(
    router: WebhookRouter,
    request: Request<Incoming>,
    consume_bodies: bool,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (mut head, body) = request.into_parts();
    let path = head.uri.path().strip_prefix("/hooks").unwrap_or("/elsewhere").to_owned();
    head.uri = if path.is_empty() { "/".parse() } else { path.parse() }.unwrap_or_default();
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let body = if consume_bodies { Bytes::new() } else { body };
    Ok(router.handle(Request::from_parts(head, body)).await.map(Full::new))
}
