//! The test in the guide to the simulator, word for word. `guide` compares the two.

use std::time::{Duration, Instant};

use axum::Router;
use tokio::net::TcpListener;
use uploadcare_hooks::{FileUploaded, SigningSecret, WebhookRouter, client::Client, webhook_handler, webhook_handlers};
use uploadcare_sim::{DeliveryFault, DeliveryFaultKind, SimulatedEvent, Simulator};

#[webhook_handler(event = "file.uploaded")]
async fn index_upload(_event: FileUploaded) {}

#[tokio::test]
async fn a_delivery_that_comes_twice_runs_once() {
    let simulator = Simulator::builder("demopublickey", "demosecretkey").start("127.0.0.1:0".parse().unwrap()).unwrap();
    let client = Client::builder("demopublickey", "demosecretkey").base_url(simulator.base_url()).build().unwrap();

    // The application, as its own `main` builds it.
    let hooks = WebhookRouter::builder()
        .signing_secret(SigningSecret::new("my-secret").unwrap())
        .handlers(webhook_handlers![index_upload])
        .deduplicate(1000, Duration::from_secs(60))
        .build()
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hooks", listener.local_addr().unwrap());
    let app = Router::new().nest_service("/hooks", hooks.clone().into_service());
    tokio::spawn(async { axum::serve(listener, app).await });
    hooks.subscriptions(&url).unwrap().sync(&client).await.unwrap();

    simulator.delivery_fault(DeliveryFaultKind::Duplicate, DeliveryFault { probability: 1.0, ms: None }).unwrap();
    simulator.trigger(&SimulatedEvent::new("file.uploaded"));
    let end = Instant::now() + Duration::from_secs(60);
    while hooks.stats().duplicates == 0 {
        assert!(Instant::now() < end, "{:?}", simulator.attempts());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    simulator.stop().await;
}
