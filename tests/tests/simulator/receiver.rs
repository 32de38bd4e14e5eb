//! A receiver that records what arrives.

use std::sync::{Arc, Mutex};

use axum::{Router, extract::State, http::HeaderMap, routing::post};
use bytes::Bytes;
use tokio::net::TcpListener;

/// What the receiver got: the headers and the whole body.
type Got = (HeaderMap, Bytes);

#[derive(Clone, Default)]
pub(super) struct Receiver {
    got: Arc<Mutex<Vec<Got>>>,
    /// The statuses of the next answers. After them the receiver answers 204.
    answers: Arc<Mutex<Vec<u16>>>,
    address: String,
}

impl Receiver {
    /// Receives at a loopback port until the runtime ends. Answers with these statuses first.
    pub(super) async fn start(answers: &[u16]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let receiver = Self {
            answers: Arc::new(Mutex::new(answers.iter().rev().copied().collect())),
            address: listener.local_addr().unwrap().to_string(),
            ..Self::default()
        };
        let app = Router::new().fallback(post(receive)).with_state(receiver.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        receiver
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(super) fn got(&self) -> Vec<Got> {
        self.got.lock().unwrap().clone()
    }

    /// The signatures and bodies.
    pub(super) fn signed(&self) -> Vec<(String, Bytes)> {
        let signature = |headers: &HeaderMap| headers["x-uc-signature"].to_str().unwrap().to_owned();
        self.got().into_iter().map(|(headers, body)| (signature(&headers), body)).collect()
    }
}

async fn receive(State(receiver): State<Receiver>, headers: HeaderMap, body: Bytes) -> axum::http::StatusCode {
    receiver.got.lock().unwrap().push((headers, body));
    let status = receiver.answers.lock().unwrap().pop().unwrap_or(204);
    axum::http::StatusCode::from_u16(status).unwrap()
}
