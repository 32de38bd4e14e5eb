//! What clients do with their connections: send slowly, pipeline, and leave.

use std::time::{Duration, Instant};

use tests::{
    application::Application,
    deliveries::{payload, secret},
    servers::{Adapter, serve_actix},
};
use tokio::{net::TcpListener, sync::oneshot, time::sleep};

use crate::{
    Target,
    raw::{Raw, head, signature},
};

/// A whole request that is signed, to a path.
fn delivery(path: &str, event: &str) -> Vec<u8> {
    let body = payload(event).to_string();
    let lines = [signature(body.as_bytes()), format!("Content-Length: {}", body.len())];
    [head(&lines).replacen("/hooks", path, 1), body].concat().into_bytes()
}

/// Sends a request whose body comes in ten parts with pauses between them. Returns the status.
async fn send_slowly(target: &Target, signature: String, body: &[u8]) -> u16 {
    let mut connection = Raw::connect(target.address).await;
    connection.write(head(&[signature, format!("Content-Length: {}", body.len())])).await.unwrap();
    for part in body.chunks(body.len() / 10 + 1) {
        connection.write(part).await.unwrap();
        sleep(Duration::from_millis(30)).await;
    }
    connection.read().await.unwrap().status
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_time_that_a_slow_body_takes_does_not_count_against_the_handlers_time_limit() {
    for adapter in Adapter::IN_PROCESS {
        let target = Target::start(adapter, Application::Inline).await;
        let body = payload("file.uploaded").to_string();
        assert_eq!(send_slowly(&target, signature(body.as_bytes()), body.as_bytes()).await, 204, "{adapter:?}");
        let forged = format!("X-Uc-Signature: {}", secret().sign(b"another body"));
        assert_eq!(send_slowly(&target, forged, body.as_bytes()).await, 401, "{adapter:?}");
        assert_eq!(target.seen.take(), ["uploaded ananas.jpg"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pipelined_requests_are_answered_in_their_order() {
    for adapter in Adapter::IN_PROCESS {
        let target = Target::start(adapter, Application::Inline).await;
        let mut connection = Raw::connect(target.address).await;
        let requests = [
            delivery("/hooks", "file.uploaded"),
            delivery("/hooks/unknown", "file.uploaded"),
            delivery("/hooks/fails", "file.uploaded"),
            delivery("/hooks/audit", "file.moved"),
            head(&["Content-Length: 0".to_owned()]).into_bytes(),
            delivery("/hooks", "file.stored"),
        ];
        connection.write(requests.concat()).await.unwrap();
        for status in [204, 404, 500, 204, 401, 204] {
            assert_eq!(connection.read().await.unwrap().status, status, "{adapter:?}");
        }
        assert_eq!(target.seen.take(), ["uploaded ananas.jpg", "audit file.moved", "stored ananas.jpg"], "{adapter:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_leaves_stops_its_handlers_and_nothing_is_acknowledged() {
    for adapter in Adapter::IN_PROCESS {
        let mut target = Target::start(adapter, Application::Patient).await;
        if adapter == Adapter::Actix {
            target.address = serve_actix(target.router.clone().unwrap(), false, false).unwrap();
        }
        leave(&target).await;
        wait_for(&target, "dropped").await;
        assert_eq!(target.counted(), Some((0, 0)), "{adapter:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn actix_by_default_runs_the_handlers_of_a_client_that_left_to_their_end() {
    let target = Target::start(Adapter::Actix, Application::Inline).await;
    leave(&target).await;
    wait_for(&target, "dropped").await;
    // The handler was stopped at its time limit, and not before.
    sleep(Duration::from_millis(50)).await;
    assert_eq!(target.counted(), Some((0, 1)));
}

/// Sends a delivery, and closes the connection when its handler waits.
async fn leave(target: &Target) {
    let mut connection = Raw::connect(target.address).await;
    connection.write(delivery("/hooks/waits", "file.uploaded")).await.unwrap();
    wait_for(target, "waits").await;
    drop(connection);
}

async fn wait_for(target: &Target, line: &str) {
    let start = Instant::now();
    while target.seen.take() != [line] {
        assert!(start.elapsed() < Duration::from_secs(10), "{:?}: no {line:?}", target.adapter);
        sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_leaves_in_the_middle_of_the_body_reaches_no_handler() {
    for adapter in Adapter::READING {
        let target = Target::start(adapter, Application::Inline).await;
        let mut connection = Raw::connect(target.address).await;
        let request = delivery("/hooks", "file.uploaded");
        connection.write(&request[..request.len() - 10]).await.unwrap();
        sleep(Duration::from_millis(50)).await;
        drop(connection);
        sleep(Duration::from_millis(100)).await;
        assert!(target.seen.take().is_empty(), "{adapter:?}");
        assert_eq!(target.counted().map(|(acknowledged, _)| acknowledged), Some(0), "{adapter:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_graceful_shutdown_of_axum_answers_the_deliveries_that_run() {
    let target = Target::start(Adapter::Axum, Application::Inline).await;
    let app = axum::Router::new().nest_service("/hooks", target.router.clone().unwrap().into_service());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut connection = Raw::connect(listener.local_addr().unwrap()).await;
    let (stop, stopped) = oneshot::channel::<()>();
    let stopped = async { stopped.await.unwrap_or_default() };
    let server = tokio::spawn(async { axum::serve(listener, app).with_graceful_shutdown(stopped).await });
    connection.write(delivery("/hooks/waits", "file.uploaded")).await.unwrap();
    wait_for(&target, "waits").await;
    drop(stop);
    // The handler runs until its time limit.
    assert_eq!(connection.read().await.unwrap().status, 503);
    server.await.unwrap().unwrap();
}
