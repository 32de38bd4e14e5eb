//! Receivers of deliveries.

use std::{net::SocketAddr, sync::Arc};

use axum::{Router, body::Bytes, extract::State, http::HeaderMap};
use http::StatusCode;
use tests::{application::Seen, servers::Adapter};
use uploadcare_hooks::{Event, SigningSecret, WebhookRouter, webhook_handler, webhook_handlers};

/// The secret of [`application`].
pub(crate) const SECRET: &str = "workbench";

#[webhook_handler(any)]
async fn note(event: Event, uploadcare_hooks::State(seen): uploadcare_hooks::State<Seen>) {
    seen.note(event.kind().as_str());
}

/// An application with a real router, and what its handler saw. Returns its URL.
pub(crate) async fn application() -> (String, Seen) {
    let seen = Seen::default();
    let router = WebhookRouter::builder()
        .signing_secret(SigningSecret::new(SECRET).unwrap())
        .state(seen.clone())
        .handlers(webhook_handlers![note])
        .build()
        .unwrap();
    let address = Adapter::Actix.serve(router, false).await.unwrap();
    (format!("http://{address}/hooks"), seen)
}

/// A receiver that answers everything with this status, header `x-note` and body. Returns its URL.
pub(crate) async fn answering(status: u16, note: &str, body: &str) -> String {
    let answer = Arc::new((StatusCode::from_u16(status).unwrap(), note.to_owned(), body.to_owned()));
    let answer_with = |State(answer): State<Arc<(StatusCode, String, String)>>, _: Bytes| async move {
        let mut headers = HeaderMap::new();
        headers.insert("x-note", answer.1.parse().unwrap());
        (answer.0, headers, answer.2.clone())
    };
    let app = Router::new().fallback(answer_with).with_state(answer);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address: SocketAddr = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    format!("http://{address}/hooks")
}
