//! Real servers on loopback ports, one for each adapter of the crate. All take HTTP/1.1 and HTTP/2
//! on the same port.

use std::{
    convert::Infallible,
    io,
    net::SocketAddr,
    task::{Context, Poll},
};

use actix_web::{App, HttpMessage, HttpServer, dev::Service as _, web};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Empty, Full};
use hyper::{
    body::{Body, Incoming},
    service::service_fn,
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
    service::TowerToHyperService,
};
use lambda_http::Service;
use tokio::net::TcpListener;
use uploadcare_hooks::{ResponseBody, WebhookRouter, WebhookService};

/// An adapter of the crate, and a server that uses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Adapter {
    /// `WebhookRouter::mount`, served by actix-web.
    Actix,
    /// `WebhookRouter::into_service`, below `nest_service` of axum.
    Axum,
    /// `WebhookRouter::into_service`, served by hyper.
    Hyper,
    /// `WebhookRouter::into_service`, served by AWS Lambda, see [`lambda`](crate::lambda).
    Lambda,
    /// `WebhookRouter::handle` with `http` types, served by hyper.
    Http,
}

impl Adapter {
    /// Every adapter that a test can serve in its own process.
    pub const IN_PROCESS: [Self; 4] = [Self::Actix, Self::Axum, Self::Hyper, Self::Http];
    /// Those that read the body themselves.
    pub const READING: [Self; 3] = [Self::Actix, Self::Axum, Self::Hyper];

    /// Serves a router at `/hooks` until the runtime ends. With `consume_bodies`, a middleware in
    /// front of the router consumes every body.
    ///
    /// # Errors
    /// When no port can be opened, and for [`Lambda`](Self::Lambda), which needs a process.
    pub async fn serve(self, router: WebhookRouter, consume_bodies: bool) -> io::Result<SocketAddr> {
        if self == Self::Actix {
            return serve_actix(router, consume_bodies, true);
        }
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let service = ConsumeBodies { service: router.clone().into_service().at("/hooks"), consume: consume_bodies };
        match self {
            Self::Axum => {
                let service = ConsumeBodies { service: router.into_service(), consume: consume_bodies };
                let app = axum::Router::new().nest_service("/hooks", service);
                tokio::spawn(async move { axum::serve(listener, app).await });
            }
            Self::Hyper => serve_hyper(listener, TowerToHyperService::new(service)),
            Self::Http => {
                let answer = move |request| answer(router.clone(), request, consume_bodies);
                serve_hyper(listener, service_fn(answer));
            }
            Self::Actix | Self::Lambda => return Err(io::Error::other("a function of Lambda needs a process")),
        }
        Ok(address)
    }
}

/// [`Adapter::Actix`], with actix-web's option to go on when the client closes its half of a
/// connection.
///
/// # Errors
/// When no port can be opened.
pub fn serve_actix(router: WebhookRouter, consume_bodies: bool, allow_half_closed: bool) -> io::Result<SocketAddr> {
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
            let server = HttpServer::new(app).workers(1).disable_signals().h1_allow_half_closed(allow_half_closed);
            server.listen_auto_h2c(listener)?.run().await
        })
    });
    Ok(address)
}

fn serve_hyper<S, B>(listener: TcpListener, service: S)
where
    S: hyper::service::Service<Request<Incoming>, Response = Response<B>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
    B: Body<Data = Bytes, Error = Infallible> + Send + 'static,
{
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let service = service.clone();
            let server = auto::Builder::new(TokioExecutor::new());
            tokio::spawn(async move {
                // A client may break its connection.
                let _ = server.serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });
}

async fn answer(
    router: WebhookRouter,
    request: Request<Incoming>,
    consume_bodies: bool,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (mut head, body) = request.into_parts();
    let path = head.uri.path().strip_prefix("/hooks").filter(|rest| rest.is_empty() || rest.starts_with('/'));
    let path = path.unwrap_or("/elsewhere").to_owned();
    head.uri = if path.is_empty() { "/".parse() } else { path.parse() }.unwrap_or_default();
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let body = if consume_bodies { Bytes::new() } else { body };
    Ok(router.handle(Request::from_parts(head, body)).await.map(Full::new))
}

/// A layer that can consume the bodies of requests.
#[derive(Debug, Clone)]
struct ConsumeBodies {
    service: WebhookService,
    consume: bool,
}

impl<B> Service<Request<B>> for ConsumeBodies
where
    B: Body + Send + 'static,
    B::Error: std::fmt::Display,
{
    type Response = Response<ResponseBody>;
    type Error = Infallible;
    type Future = <WebhookService as Service<Request<B>>>::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Service::<Request<B>>::poll_ready(&mut self.service, context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        match self.consume {
            true => self.service.call(request.map(|_consumed| Empty::<Bytes>::new())),
            false => self.service.call(request),
        }
    }
}
