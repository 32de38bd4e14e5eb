//! Requests over real sockets. Every adapter answers the same table of requests in the same way.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use reqwest::{Body, Client, Method};
use tests::{
    deliveries::{legacy_payload, payload, payload_with_labels, secret},
    servers::Adapter,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use uploadcare_hooks::{
    DeliveryId, Event, FileDeleted, FileInfected, FileInfoUpdated, FileStored, FileUploaded, SigningSecret, State,
    WebhookRouter, webhook_handler, webhook_handlers,
};

/// One line for each handler that ran: its name, and the name of the file or of the event.
type Seen = Arc<Mutex<Vec<String>>>;

const BODY_LIMIT: usize = 64 * 1024;

macro_rules! noting_handlers {
    ($($name:ident: $payload:ident = $event:literal;)+) => {$(
        #[webhook_handler(event = $event)]
        async fn $name(event: $payload, State(seen): State<Seen>) {
            assert_eq!(event.hook.event.as_str(), $event);
            seen.lock().unwrap().push(format!("{} {}", stringify!($name), event.data.original_filename.unwrap()));
        }
    )+};
}

noting_handlers! {
    uploaded: FileUploaded = "file.uploaded";
    stored: FileStored = "file.stored";
    deleted: FileDeleted = "file.deleted";
    infected: FileInfected = "file.infected";
    info_updated: FileInfoUpdated = "file.info_updated";
}

#[webhook_handler(any, path = "/audit")]
async fn audit(event: Event, _id: DeliveryId, State(seen): State<Seen>) {
    seen.lock().unwrap().push(format!("audit {}", event.kind()));
}

fn router(seen: &Seen) -> WebhookRouter {
    WebhookRouter::builder()
        .signing_secret(secret())
        .state(Arc::clone(seen))
        .handlers(webhook_handlers![uploaded, stored, deleted, infected, info_updated, audit])
        .body_limit(BODY_LIMIT)
        .handler_timeout(Duration::from_millis(150))
        .build()
        .unwrap()
}

/// How a request transfers its body.
#[derive(Clone, Copy)]
enum Transfer {
    /// With a `Content-Length`.
    Sized,
    /// Chunked, with this many bytes in each chunk.
    Chunks(usize),
}

/// A request, and the expected answer.
struct Case {
    name: &'static str,
    method: Method,
    path: &'static str,
    signatures: Vec<String>,
    body: Vec<u8>,
    transfer: Transfer,
    status: u16,
    /// The `code` in the problem that the body holds. Empty when the answer has no body.
    code: &'static str,
    /// What the handlers note.
    seen: &'static [&'static str],
}

/// A correctly signed delivery of this body that is acknowledged. Each case changes parts of it.
fn signed(name: &'static str, body: impl Into<Vec<u8>>) -> Case {
    let body = body.into();
    let signatures = vec![secret().sign(&body)];
    let (method, path, transfer) = (Method::POST, "/hooks", Transfer::Sized);
    Case { name, method, path, signatures, body, transfer, status: 204, code: "", seen: &[] }
}

fn table() -> Vec<Case> {
    let event = |name: &str| payload(name).to_string();
    let other_secret = SigningSecret::new("another secret").unwrap();
    let forged = vec![other_secret.sign(event("file.uploaded").as_bytes())];
    let two_signatures = |body: &str| vec![secret().sign(body.as_bytes()); 2];
    let uploaded = || signed("file.uploaded", event("file.uploaded"));
    let stored_ananas: &[&str] = &["stored ananas.jpg"];
    let uploaded_ananas: &[&str] = &["uploaded ananas.jpg"];
    vec![
        Case { seen: uploaded_ananas, ..uploaded() },
        Case { seen: stored_ananas, ..signed("file.stored", event("file.stored")) },
        Case { seen: &["deleted ananas.jpg"], ..signed("file.deleted", event("file.deleted")) },
        Case { seen: &["infected ananas.jpg"], ..signed("file.infected", event("file.infected")) },
        Case { seen: &["info_updated ananas.jpg"], ..signed("file.info_updated", event("file.info_updated")) },
        Case { seen: &["uploaded clip.mp4"], ..signed("a legacy payload", legacy_payload("0.6").to_string()) },
        Case { name: "an unknown event", ..signed("", event("file.moved")) },
        Case { name: "a trailing slash", path: "/hooks/", seen: uploaded_ananas, ..uploaded() },
        Case { name: "a query", path: "/hooks?from=uploadcare", seen: uploaded_ananas, ..uploaded() },
        Case { name: "another path", path: "/hooks/audit", seen: &["audit file.uploaded"], ..uploaded() },
        Case {
            name: "another path, an unknown event",
            path: "/hooks/audit",
            seen: &["audit file.moved"],
            ..signed("", event("file.moved"))
        },
        Case { name: "chunked", transfer: Transfer::Chunks(100), seen: uploaded_ananas, ..uploaded() },
        Case { name: "one byte in each chunk", transfer: Transfer::Chunks(1), seen: uploaded_ananas, ..uploaded() },
        Case { seen: stored_ananas, ..signed("a large payload", payload_with_labels("file.stored", 60_000)) },
        Case { name: "an unknown path", path: "/hooks/unknown", status: 404, code: "unknown_path", ..uploaded() },
        Case { name: "GET", method: Method::GET, status: 405, code: "method_not_allowed", body: vec![], ..uploaded() },
        Case { name: "HEAD", method: Method::HEAD, status: 405, code: "", body: vec![], ..uploaded() },
        Case { name: "PUT", method: Method::PUT, status: 405, code: "method_not_allowed", ..uploaded() },
        Case {
            name: "GET at an unknown path",
            method: Method::GET,
            path: "/hooks/unknown",
            status: 404,
            code: "unknown_path",
            body: vec![],
            ..uploaded()
        },
        Case { name: "no signature", signatures: vec![], status: 401, code: "signature_missing", ..uploaded() },
        Case { name: "forged", signatures: forged, status: 401, code: "signature_mismatch", ..uploaded() },
        Case {
            name: "two signatures",
            signatures: two_signatures(&event("file.uploaded")),
            status: 401,
            code: "signature_malformed",
            ..uploaded()
        },
        Case {
            name: "no scheme",
            signatures: vec!["abcdef".to_owned()],
            status: 401,
            code: "signature_malformed",
            ..uploaded()
        },
        Case { name: "an empty body", status: 422, code: "not_a_payload", ..signed("", "") },
        Case { name: "a scalar", status: 422, code: "not_a_payload", ..signed("", "42") },
        Case { name: "not JSON", status: 422, code: "not_a_payload", ..signed("", "event=file.uploaded") },
        Case {
            name: "no UUID",
            status: 422,
            code: "not_a_payload",
            ..signed("", r#"{"hook": {"event": "file.stored"}, "data": {}}"#)
        },
        Case { name: "too large", status: 413, code: "body_too_large", ..signed("", vec![b' '; BODY_LIMIT + 1]) },
        Case {
            name: "too large and forged",
            status: 413,
            code: "body_too_large",
            signatures: vec![],
            ..signed("", vec![b' '; BODY_LIMIT + 1])
        },
        Case {
            name: "too large, chunked",
            status: 413,
            code: "body_too_large",
            transfer: Transfer::Chunks(1024),
            ..signed("", vec![b' '; BODY_LIMIT + 1])
        },
        Case {
            name: "exactly as large as the limit",
            status: 422,
            code: "not_a_payload",
            ..signed("", vec![b' '; BODY_LIMIT])
        },
    ]
}

async fn send(client: &Client, address: SocketAddr, case: &Case) -> reqwest::Response {
    let mut request = client.request(case.method.clone(), format!("http://{address}{}", case.path));
    for signature in &case.signatures {
        request = request.header("X-Uc-Signature", signature);
    }
    request = match case.transfer {
        Transfer::Sized => request.body(case.body.clone()),
        Transfer::Chunks(size) => {
            let chunks: Vec<_> = case.body.chunks(size).map(|chunk| Ok::<_, Infallible>(chunk.to_vec())).collect();
            request.body(Body::wrap_stream(futures_util::stream::iter(chunks)))
        }
    };
    request.send().await.unwrap_or_else(|error| panic!("{}: {error:?}", case.name))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_adapter_answers_every_request_of_the_table_as_expected() {
    for adapter in Adapter::ALL {
        let seen = Seen::default();
        let router = router(&seen);
        let address = adapter.serve(router.clone(), false).await.unwrap();
        let client = Client::new();
        let cases = table();
        for case in &cases {
            let response = send(&client, address, case).await;
            let name = format!("{adapter:?}, {}", case.name);
            assert_eq!(response.status().as_u16(), case.status, "{name}");
            assert_eq!(response.headers().get("allow").is_some(), case.status == 405, "{name}");
            let content_type = response.headers().get("content-type").map(|value| value.to_str().unwrap().to_owned());
            let body = response.text().await.unwrap();
            if case.code.is_empty() {
                assert_eq!(body, "", "{name}");
            } else {
                assert_eq!(content_type.as_deref(), Some("application/problem+json"), "{name}");
                let problem: serde_json::Value = serde_json::from_str(&body).unwrap();
                assert_eq!((&problem["code"], &problem["status"]), (&case.code.into(), &case.status.into()), "{name}");
            }
            assert_eq!(std::mem::take(&mut *seen.lock().unwrap()), case.seen, "{name}");
        }
        let stats = router.stats();
        let acknowledged = cases.iter().filter(|case| case.status == 204).count() as u64;
        assert_eq!((stats.acknowledged, stats.rejected), (acknowledged, cases.len() as u64 - acknowledged));
        assert_eq!((stats.unhandled, stats.unknown_events), (1, 2));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_a_middleware_consumed_is_answered_500_with_its_own_code() {
    for adapter in Adapter::ALL {
        for transfer in [Transfer::Sized, Transfer::Chunks(100)] {
            let seen = Seen::default();
            let address = adapter.serve(router(&seen), true).await.unwrap();
            let case = Case { transfer, ..signed("consumed", payload("file.uploaded").to_string()) };
            let response = send(&Client::new(), address, &case).await;
            assert_eq!(response.status(), 500, "{adapter:?}");
            assert!(response.text().await.unwrap().contains("body_consumed"), "{adapter:?}");
            assert!(seen.lock().unwrap().is_empty());
        }
    }
}

/// Sends a request whose body comes in ten parts with pauses between them. Returns the status line.
async fn send_slowly(address: SocketAddr, signature: &str, body: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "POST /hooks HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nX-Uc-Signature: {signature}\r\n\
         Content-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    for part in body.chunks(body.len() / 10 + 1) {
        stream.write_all(part).await.unwrap();
        stream.flush().await.unwrap();
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8(answer).unwrap().lines().next().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_time_that_a_slow_body_takes_does_not_count_against_the_handlers_time_limit() {
    for adapter in Adapter::ALL {
        let seen = Seen::default();
        let address = adapter.serve(router(&seen), false).await.unwrap();
        let body = payload("file.uploaded").to_string();
        let status = send_slowly(address, &secret().sign(body.as_bytes()), body.as_bytes()).await;
        assert_eq!(status, "HTTP/1.1 204 No Content", "{adapter:?}");
        let forged = send_slowly(address, &secret().sign(b"another body"), body.as_bytes()).await;
        assert_eq!(forged, "HTTP/1.1 401 Unauthorized", "{adapter:?}");
        assert_eq!(*seen.lock().unwrap(), ["uploaded ananas.jpg"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn actix_answers_408_when_the_body_does_not_arrive_within_the_time_limit() {
    let hooks = WebhookRouter::builder()
        .signing_secret(secret())
        .state(Seen::default())
        .handlers(webhook_handlers![uploaded])
        .body_timeout(Duration::from_millis(60))
        .build()
        .unwrap();
    let address = Adapter::Actix.serve(hooks, false).await.unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!("POST /hooks HTTP/1.1\r\nHost: {address}\r\nContent-Length: 100\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0; 28];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 408 Request Timeout");
}

#[test]
fn actix_mounts_the_router_at_the_root_with_a_trailing_slash_and_inside_a_scope() {
    use actix_web::{App, rt, test, web};

    for (scope, mount, path, status) in [
        ("/api", "/hooks", "/api/hooks", 204),
        ("/api", "/hooks/", "/api/hooks/", 204),
        ("/api", "hooks", "/api/hooks", 204),
        ("/api", "/hooks", "/hooks", 404),
        ("/api", "/hooks", "/api/hookshot", 404),
        ("", "/", "/", 204),
        ("", "", "/", 204),
        ("", "/", "/audit", 204),
        ("/{tenant}", "/hooks", "/acme/hooks/audit", 204),
    ] {
        let body = payload("file.uploaded").to_string();
        let signature = secret().sign(body.as_bytes());
        let answered_status = rt::System::new().block_on(async {
            let service = web::scope(scope).service(router(&Seen::default()).mount(mount));
            let app = test::init_service(App::new().service(service)).await;
            let request = test::TestRequest::post().uri(path).insert_header(("X-Uc-Signature", signature));
            test::call_service(&app, request.set_payload(body).to_request()).await.status().as_u16()
        });
        assert_eq!(answered_status, status, "scope {scope:?}, mount {mount:?}, path {path}");
    }
}
