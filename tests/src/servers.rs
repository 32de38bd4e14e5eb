//! Each adapter behind a real server on a loopback port.

use std::{convert::Infallible, io, net::SocketAddr};

use actix_web::{App, HttpMessage, HttpServer, dev::Service, web};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use uploadcare_hooks::WebhookRouter;

/// The adapters that are tested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Adapter {
    /// actix-web.
    Actix,
    /// Plain `http` types, behind hyper.
    Http,
}

impl Adapter {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Actix, Self::Http];

    /// Serves a router at `/hooks` until the runtime ends. With `greedy`, a layer before the router
    /// consumes every body.
    ///
    /// # Errors
    /// If the server cannot listen on a port.
    pub async fn serve(self, router: WebhookRouter, greedy: bool) -> io::Result<SocketAddr> {
        match self {
            Self::Actix => serve_actix(router, greedy),
            Self::Http => serve_http(router, greedy).await,
        }
    }
}

fn serve_actix(router: WebhookRouter, greedy: bool) -> io::Result<SocketAddr> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    std::thread::spawn(move || {
        actix_web::rt::System::new().block_on(async move {
            let app = move || {
                let router = router.clone();
                App::new()
                    .wrap_fn(move |mut request, service| {
                        if greedy {
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

async fn serve_http(router: WebhookRouter, greedy: bool) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let router = router.clone();
            let answer = service_fn(move |request| answer(router.clone(), request, greedy));
            tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), answer));
        }
    });
    Ok(address)
}

async fn answer(
    router: WebhookRouter,
    request: Request<Incoming>,
    greedy: bool,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (mut head, body) = request.into_parts();
    let path = head.uri.path().strip_prefix("/hooks").unwrap_or("/elsewhere").to_owned();
    head.uri = if path.is_empty() { "/".parse() } else { path.parse() }.unwrap_or_default();
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let body = if greedy { Bytes::new() } else { body };
    Ok(router.handle(Request::from_parts(head, body)).await.map(Full::new))
}
