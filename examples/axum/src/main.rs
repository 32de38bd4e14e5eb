//! An axum application with webhooks, and a simulated Uploadcare in the same program. The
//! application registers a subscription, receives an event and shuts down.
//!
//! `cargo run -p axum-example` runs all of it once. With `-- 127.0.0.1:8080` the program only
//! serves the application, until Ctrl-C, and you send the deliveries.
#![allow(clippy::print_stdout)]

use std::{error::Error, net::SocketAddr, time::Duration};

use axum::{Router, routing::get};
use tokio::{net::TcpListener, signal, sync::oneshot, time};
use uploadcare_hooks::{FileUploaded, SigningSecret, WebhookRouter, client::Client, webhook_handler, webhook_handlers};
use uploadcare_sim::{SimulatedEvent, Simulator};

#[webhook_handler(event = "file.uploaded")]
async fn index_upload(event: FileUploaded) {
    let name = event.data.original_filename.unwrap_or_default();
    // The name is a text of other people, so it is printed escaped.
    println!("index_upload: {} has {} bytes", name.escape_debug(), event.data.size.unwrap_or_default());
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let secret = match std::env::var_os("UC_SIGNING_SECRET") {
        Some(_) => SigningSecret::from_env("UC_SIGNING_SECRET")?,
        None => SigningSecret::new("axum-example")?,
    };
    let hooks = WebhookRouter::builder().signing_secret(secret).handlers(webhook_handlers![index_upload]).build()?;
    println!("{}\n", hooks.describe());
    let app = Router::new()
        .route("/", get(|| async { "an application with webhooks at /hooks\n" }))
        .nest_service("/hooks", hooks.clone().into_service());

    if let Some(address) = std::env::args().nth(1) {
        let listener = TcpListener::bind(address).await?;
        println!("waiting for deliveries at http://{}/hooks; stop with Ctrl-C", listener.local_addr()?);
        // Requests that run at Ctrl-C are answered before the program ends.
        let stop = async { signal::ctrl_c().await.unwrap_or_default() };
        axum::serve(listener, app).with_graceful_shutdown(stop).await?;
        return Ok(());
    }

    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let target_url = format!("http://{}/hooks", listener.local_addr()?);
    let (stop, stopped) = oneshot::channel::<()>();
    let stopped = async { stopped.await.unwrap_or_default() };
    let server = tokio::spawn(async { axum::serve(listener, app).with_graceful_shutdown(stopped).await });
    simulate(&hooks, &target_url).await?;
    drop(stop);
    server.await??;
    println!("the application is shut down: {} delivery acknowledged", hooks.stats().acknowledged);
    Ok(())
}

/// Subscribes the application at a simulated Uploadcare, and lets that deliver an event.
async fn simulate(hooks: &WebhookRouter, target_url: &str) -> Result<(), Box<dyn Error>> {
    let simulator =
        Simulator::builder("demopublickey", "demosecretkey").start(SocketAddr::from(([127, 0, 0, 1], 0)))?;
    let client = Client::builder("demopublickey", "demosecretkey").base_url(simulator.base_url()).build()?;
    println!("{}", hooks.subscriptions(target_url)?.sync(&client).await?);
    let _ = simulator.trigger(&SimulatedEvent::new("file.uploaded"));
    let acknowledged = async {
        while hooks.stats().acknowledged == 0 {
            time::sleep(Duration::from_millis(10)).await;
        }
    };
    time::timeout(Duration::from_secs(10), acknowledged).await?;
    simulator.stop().await;
    Ok(())
}
