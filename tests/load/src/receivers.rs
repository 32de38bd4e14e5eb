//! The receivers in Rust that are compared.

use std::{
    error::Error,
    hint::black_box,
    net::{SocketAddr, TcpListener},
};

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use axum::{Router, extract::DefaultBodyLimit, routing};
use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, StatusCode};
use sha2::Sha256;
use uploadcare_hooks::{
    FileUploaded, SIGNATURE_HEADER, SigningSecret, WebhookRouter, webhook_handler, webhook_handlers,
};

use crate::client::Target;

pub(crate) const SECRET: &str = "7kMVZivndx0ErgvhRKAr";

/// The most bytes of a body, as in this crate.
const LIMIT: usize = 256 * 1024;

pub(crate) fn secret() -> Result<SigningSecret, Box<dyn Error>> {
    Ok(SigningSecret::new(SECRET)?)
}

/// A delivery as Uploadcare sends it.
pub(crate) fn target(address: SocketAddr, body: &[u8], signature: &str) -> Target {
    Target::new(address, "/hooks", &[("X-Uc-Signature", signature)], body)
}

/// A web framework.
#[derive(Clone, Copy)]
pub(crate) enum Framework {
    Actix,
    Axum,
}

impl Framework {
    pub(crate) const ALL: [Self; 2] = [Self::Actix, Self::Axum];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Actix => "actix",
            Self::Axum => "axum",
        }
    }

    pub(crate) fn named(name: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|known| known.name() == name).ok_or_else(|| format!("no framework {name:?}"))
    }
}

/// What receives the deliveries.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    /// The framework reads the body and answers.
    Bare,
    /// This crate, as its guides show it.
    Ours,
    /// What people write: prepare the key, compare texts, decode to a `Value` and then to a type.
    ByHand,
}

impl Kind {
    pub(crate) const ALL: [Self; 3] = [Self::Bare, Self::Ours, Self::ByHand];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Bare => "bare",
            Self::Ours => "ours",
            Self::ByHand => "by-hand",
        }
    }

    pub(crate) fn named(name: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|known| known.name() == name).ok_or_else(|| format!("no receiver {name:?}"))
    }
}

#[webhook_handler(event = "file.uploaded")]
async fn take(event: FileUploaded) {
    black_box(&event);
}

fn router() -> Result<WebhookRouter, Box<dyn Error>> {
    let builder = WebhookRouter::builder().signing_secret(secret()?);
    Ok(builder.handlers(webhook_handlers![take]).build()?)
}

async fn by_hand(signature: Option<&[u8]>, body: &[u8]) -> StatusCode {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()) else {
        return StatusCode::INTERNAL_SERVER_ERROR;
    };
    mac.update(body);
    let expected = format!("v1={}", hex::encode(mac.finalize().into_bytes()));
    if signature != Some(expected.as_bytes()) {
        return StatusCode::UNAUTHORIZED;
    }
    let event = serde_json::from_slice::<serde_json::Value>(body).and_then(serde_json::from_value);
    let Ok(event) = event else { return StatusCode::UNPROCESSABLE_ENTITY };
    take(event).await;
    StatusCode::NO_CONTENT
}

/// Prints the address, and serves in this thread until the process is ended.
pub(crate) fn serve(framework: Framework, kind: Kind) -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("{}", listener.local_addr()?);
    match framework {
        Framework::Actix => actix_web::rt::System::new().block_on(serve_actix(kind, listener)),
        Framework::Axum => {
            listener.set_nonblocking(true)?;
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime
                .block_on(async { Ok(axum::serve(tokio::net::TcpListener::from_std(listener)?, axum(kind)?).await?) })
        }
    }
}

async fn serve_actix(kind: Kind, listener: TcpListener) -> Result<(), Box<dyn Error>> {
    let hooks = router()?;
    let bare = |_body: web::Bytes| async { HttpResponse::NoContent().finish() };
    let by_hand = |request: HttpRequest, body: web::Bytes| async move {
        let signature = request.headers().get(SIGNATURE_HEADER).map(|value| value.as_bytes());
        let status = by_hand(signature, &body).await.as_u16();
        HttpResponse::new(actix_web::http::StatusCode::from_u16(status).unwrap_or_default())
    };
    let server = HttpServer::new(move || {
        let app = App::new().app_data(web::PayloadConfig::new(LIMIT));
        match kind {
            Kind::Bare => app.route("/hooks", web::post().to(bare)),
            Kind::Ours => app.service(hooks.clone().mount("/hooks")),
            Kind::ByHand => app.route("/hooks", web::post().to(by_hand)),
        }
    });
    Ok(server.workers(1).listen(listener)?.run().await?)
}

fn axum(kind: Kind) -> Result<Router, Box<dyn Error>> {
    let app = match kind {
        Kind::Bare => Router::new().route("/hooks", routing::post(|_body: Bytes| async { StatusCode::NO_CONTENT })),
        Kind::Ours => Router::new().nest_service("/hooks", router()?.into_service()),
        Kind::ByHand => Router::new().route(
            "/hooks",
            routing::post(|headers: HeaderMap, body: Bytes| async move {
                by_hand(headers.get(SIGNATURE_HEADER).map(|value| value.as_bytes()), &body).await
            }),
        ),
    };
    Ok(app.layer(DefaultBodyLimit::max(LIMIT)))
}
