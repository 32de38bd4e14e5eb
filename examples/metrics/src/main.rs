//! An application that shows what its handlers do: spans on standard output, and metrics for
//! Prometheus at `/metrics`. A simulated Uploadcare in the same program sends the deliveries.
//!
//! `cargo run -p metrics-example` sends some, prints the metrics and ends. With `-- --serve` it
//! serves them until Ctrl-C, at `http://127.0.0.1:9187/metrics`, and a delivery comes every second.
#![allow(clippy::print_stdout)]

mod handlers;

use std::{error::Error, net::SocketAddr, time::Duration};

use axum::{Router, routing::get};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tokio::{net::TcpListener, time};
use tracing_subscriber::fmt::format::FmtSpan;
use uploadcare_hooks::{SigningSecret, WebhookRouter, client::Client, webhook_handlers};
use uploadcare_sim::{SimulatedEvent, Simulator};

/// Upper bounds of the histograms: of durations in seconds, and of bodies in bytes.
const SECONDS: &[f64] = &[0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10.0, 30.0];
const BYTES: &[f64] = &[1024.0, 4096.0, 16384.0, 65536.0, 262_144.0];

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let serves = std::env::args().any(|argument| argument == "--serve");
    // One line for each span, when it ends.
    tracing_subscriber::fmt().with_span_events(FmtSpan::CLOSE).with_target(false).without_time().init();
    // Before the router is built, which describes its metrics to the recorder.
    let metrics = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), SECONDS)?
        .set_buckets_for_metric(Matcher::Suffix("_bytes".to_owned()), BYTES)?
        .install_recorder()?;
    let hooks = WebhookRouter::builder()
        .signing_secret(SigningSecret::new("metrics-example")?)
        .handlers(webhook_handlers![handlers::index_upload, handlers::back_up, handlers::forget])
        .deduplicate(10_000, Duration::from_secs(60 * 60))
        .build()?;

    let listener = TcpListener::bind(if serves { "127.0.0.1:9187" } else { "127.0.0.1:0" }).await?;
    let address = listener.local_addr()?;
    tokio::spawn(axum::serve(listener, app(&hooks, metrics.clone())).into_future());
    let simulator = Simulator::builder("demopublickey", "demosecretkey")
        .redelivery_delays([Duration::from_millis(100)])
        .start(SocketAddr::from(([127, 0, 0, 1], 0)))?;
    let client = Client::builder("demopublickey", "demosecretkey").base_url(simulator.base_url()).build()?;
    hooks.subscriptions(&format!("http://{address}/hooks"))?.sync(&client).await?;

    send_deliveries(&simulator, address).await?;
    time::timeout(Duration::from_secs(10), settled(&hooks)).await?;
    println!("\n{}", reqwest::get(format!("http://{address}/metrics")).await?.text().await?);
    if serves {
        println!("serving http://{address}/metrics; stop with Ctrl-C");
        loop {
            time::sleep(Duration::from_secs(1)).await;
            let _ = simulator.trigger(&SimulatedEvent::new("file.uploaded"));
            // Otherwise the values of histograms gather until Prometheus asks for them.
            metrics.run_upkeep();
        }
    }
    simulator.stop().await;
    Ok(())
}

/// The application: webhooks at `/hooks`, and metrics at `/metrics`. Serve metrics only where your
/// Prometheus reaches them, and not to everyone.
fn app(hooks: &WebhookRouter, metrics: PrometheusHandle) -> Router {
    Router::new()
        .route("/metrics", get(|| async move { metrics.render() }))
        .nest_service("/hooks", hooks.clone().into_service())
}

/// Deliveries of each kind: of three events, one of them twice, and one that is forged.
async fn send_deliveries(simulator: &Simulator, address: SocketAddr) -> Result<(), Box<dyn Error>> {
    for event in ["file.uploaded", "file.stored", "file.deleted"] {
        let _ = simulator.trigger(&SimulatedEvent::new(event));
    }
    let twice = SimulatedEvent { copies: 2, ..SimulatedEvent::new("file.uploaded") };
    let _ = simulator.trigger(&twice);
    let forged = reqwest::Client::new().post(format!("http://{address}/hooks")).body("{}");
    let status = forged.send().await?.status();
    println!("a request without a signature is answered {status}");
    Ok(())
}

/// Waits until every delivery has succeeded: one handler fails at first.
async fn settled(hooks: &WebhookRouter) {
    while hooks.stats().acknowledged < 5 {
        time::sleep(Duration::from_millis(10)).await;
    }
}
