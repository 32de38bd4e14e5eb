//! Makes one attempt to deliver: signs, sends, and reads the answer, with the faults that the
//! attempt runs into. Keeps nothing.

use std::{
    io,
    sync::Arc,
    time::{Duration, Instant},
};

use actix_web::web::Bytes;
use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use reqwest::{
    Body, Client, Request,
    header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderMap, HeaderValue},
};
use tokio::time::sleep;
use uploadcare_hooks::{SIGNATURE_HEADER, SigningSecret};

use crate::{
    http::Http,
    project::{Answer, Delivery, DeliveryFaultKind, DrawnFaults, Exchange, SignatureCheck},
};

/// How long a receiver may take to answer, once the body is sent.
const TIMEOUT: Duration = Duration::from_secs(30);
/// How much of an answer's body is kept.
const KEPT_BODY: usize = 16 * 1024;
/// How many pieces a slow body is sent in.
const PIECES: u32 = 10;

/// Sends the delivery once.
pub(crate) async fn attempt(http: &Http, delivery: &Delivery, faults: &DrawnFaults) -> Exchange {
    let http = http.to(&delivery.target_url);
    let start = (Timestamp::now(), Instant::now());
    let signed = sign(delivery, faults);
    let mut exchange = Exchange {
        attempt: delivery.attempts.len() + 1,
        started: start.0,
        duration_ms: 0,
        request_headers: Vec::new(),
        signature: SignatureCheck::NoSecret,
        faults: Vec::new(),
        answer: None,
        error: None,
    };
    let answered = async {
        let (signature, check) = signed?;
        exchange.signature = check;
        let request = request(http, delivery, signature, faults)?;
        exchange.request_headers = listed(request.headers());
        answer(http, request).await
    };
    match answered.await {
        Ok(answer) => exchange.answer = Some(answer),
        Err(error) => exchange.error = Some(error),
    }
    exchange.faults = faults.kinds().into_iter().filter(|fault| happened(*fault, faults, &exchange)).collect();
    exchange.duration_ms = u64::try_from(start.1.elapsed().as_millis()).unwrap_or(u64::MAX);
    exchange
}

/// Whether a fault that was drawn changed this attempt.
fn happened(fault: DeliveryFaultKind, drawn: &DrawnFaults, exchange: &Exchange) -> bool {
    match fault {
        DeliveryFaultKind::WrongSecret => exchange.signature == SignatureCheck::Wrong,
        DeliveryFaultKind::MissingSignature => exchange.signature == SignatureCheck::Missing,
        // Only a delivery that was acknowledged is sent once more.
        DeliveryFaultKind::Duplicate => exchange.is_acknowledged(),
        DeliveryFaultKind::Cut => is_sent(exchange),
        DeliveryFaultKind::SlowBody => is_sent(exchange) && !drawn.has(DeliveryFaultKind::Cut),
        DeliveryFaultKind::Delay | DeliveryFaultKind::Reorder => true,
    }
}

/// Whether there was a request: a secret or a URL that cannot be used makes none.
fn is_sent(exchange: &Exchange) -> bool {
    !exchange.request_headers.is_empty()
}

/// The value of the signature's header, and whether it verifies.
fn sign(delivery: &Delivery, faults: &DrawnFaults) -> Result<(Option<String>, SignatureCheck), String> {
    let Some(secret) = &delivery.signing_secret else { return Ok((None, SignatureCheck::NoSecret)) };
    if faults.has(DeliveryFaultKind::MissingSignature) {
        return Ok((None, SignatureCheck::Missing));
    }
    let read = |secret: &str| SigningSecret::new(secret).map_err(|error| error.to_string());
    let right = read(secret)?;
    let signing =
        if faults.has(DeliveryFaultKind::WrongSecret) { read(another_secret(secret))? } else { right.clone() };
    let body = delivery.body.as_bytes();
    let signature = signing.sign(body);
    let check = if right.verify(body, &signature).is_ok() { SignatureCheck::Verifies } else { SignatureCheck::Wrong };
    Ok((Some(signature), check))
}

/// A secret that is not this one, and not longer than secrets may be.
fn another_secret(secret: &str) -> &'static str {
    if secret == "wrong secret" { "another wrong secret" } else { "wrong secret" }
}

fn request(
    http: &Client,
    delivery: &Delivery,
    signature: Option<String>,
    faults: &DrawnFaults,
) -> Result<Request, String> {
    let slow = faults.time(DeliveryFaultKind::SlowBody);
    let mut request = http.post(&delivery.target_url).timeout(TIMEOUT + slow.unwrap_or_default());
    request = request.header(CONTENT_TYPE, "application/json").header(CONTENT_LENGTH, delivery.body.len());
    if let Some(signature) = signature {
        request = request.header(SIGNATURE_HEADER, signature);
    }
    let body = Bytes::from_owner(Shared(Arc::clone(&delivery.body)));
    request = if faults.has(DeliveryFaultKind::Cut) {
        request.body(cut(body))
    } else if let Some(time) = slow {
        request.body(in_pieces(body, time))
    } else {
        request.body(body)
    };
    let mut request = request.build().map_err(|error| with_causes(&error))?;
    let url = request.url();
    let host = match (url.host_str(), url.port()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (host, _) => host.unwrap_or_default().to_owned(),
    };
    if let Ok(host) = HeaderValue::try_from(host) {
        request.headers_mut().insert(HOST, host);
    }
    // The client would add it later, and the attempt would not list it.
    request.headers_mut().insert(ACCEPT, HeaderValue::from_static("*/*"));
    Ok(request)
}

async fn answer(http: &Client, request: Request) -> Result<Answer, String> {
    let mut answer = http.execute(request).await.map_err(|error| with_causes(&error.without_url()))?;
    let mut body = Vec::new();
    // The status has arrived, and it is what counts. A body that breaks off is kept as far as it
    // came.
    while let Ok(Some(chunk)) = answer.chunk().await {
        body.extend_from_slice(&chunk);
        if body.len() > KEPT_BODY {
            break;
        }
    }
    let body_cut = body.len() > KEPT_BODY;
    body.truncate(KEPT_BODY);
    Ok(Answer {
        status: answer.status().as_u16(),
        headers: listed(answer.headers()),
        body: String::from_utf8_lossy(&body).into_owned(),
        body_cut,
    })
}

/// A payload that is sent without a copy of it.
struct Shared(Arc<str>);

impl AsRef<[u8]> for Shared {
    fn as_ref(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

/// The first half of a body, and then an error that closes the connection.
fn cut(body: Bytes) -> Body {
    let half = body.slice(..body.len() / 2);
    let error = stream::once(async {
        // The half is sent before the connection is closed.
        sleep(Duration::from_millis(50)).await;
        Err(io::Error::other("the simulator cut the connection in the middle of the body"))
    });
    Body::wrap_stream(stream::iter([Ok(half)]).chain(error))
}

/// A body in pieces, which takes so long in all.
fn in_pieces(body: Bytes, time: Duration) -> Body {
    let length = body.len().div_ceil(PIECES as usize).max(1);
    let pieces: Vec<_> = body.chunks(length).map(|piece| body.slice_ref(piece)).collect();
    let pause = time / PIECES;
    Body::wrap_stream(stream::iter(pieces).then(move |piece| async move {
        sleep(pause).await;
        Ok::<_, io::Error>(piece)
    }))
}

fn listed(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect()
}

/// An error with all its causes: reqwest's own text does not say why. The URL stands beside it.
fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| {
        let cause = cause.to_string();
        if text.ends_with(&cause) { text } else { format!("{text}: {cause}") }
    })
}
