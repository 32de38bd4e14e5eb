//! An actix-web application with webhooks beside its own pages, and a simulated Uploadcare in the
//! same program. The handlers share a value with the pages.
//!
//! `cargo run -p actix-example` runs all of it once. With `-- 127.0.0.1:8080` the program only
//! serves the application, until Ctrl-C, and you send the deliveries.
#![allow(clippy::print_stdout)]

use std::{
    collections::BTreeMap,
    error::Error,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use actix_web::{
    App, HttpServer,
    web::{self, Data},
};
use tokio::time;
use uploadcare_hooks::{
    FileDeleted, FileUploaded, SigningSecret, State, WebhookRouter, client::Client, webhook_handler, webhook_handlers,
};
use uploadcare_sim::{SimulatedEvent, Simulator};

/// The names of the files, by their UUID. A real application has a database here.
type Index = Arc<Mutex<BTreeMap<String, String>>>;

#[webhook_handler(event = "file.uploaded")]
async fn index_upload(event: FileUploaded, State(index): State<Index>) {
    let name = event.data.original_filename.unwrap_or_default();
    index.lock().unwrap_or_else(PoisonError::into_inner).insert(event.data.uuid.to_string(), name.into_string());
}

#[webhook_handler(event = "file.deleted")]
async fn forget(event: FileDeleted, State(index): State<Index>) {
    index.lock().unwrap_or_else(PoisonError::into_inner).remove(&event.data.uuid.to_string());
}

/// A page of the application. Names of files are texts of other people, so they are escaped.
async fn files(index: Data<Index>) -> String {
    let index = index.lock().unwrap_or_else(PoisonError::into_inner);
    index.iter().map(|(uuid, name)| format!("{uuid} {}\n", name.escape_debug())).collect()
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let secret = match std::env::var_os("UC_SIGNING_SECRET") {
        Some(_) => SigningSecret::from_env("UC_SIGNING_SECRET")?,
        None => SigningSecret::new("actix-example")?,
    };
    let index = Index::default();
    let hooks = WebhookRouter::builder()
        .signing_secret(secret)
        .state(index.clone())
        .handlers(webhook_handlers![index_upload, forget])
        .build()?;
    println!("{}\n", hooks.describe());

    let address = std::env::args().nth(1);
    let mounted = hooks.clone();
    let server = HttpServer::new(move || {
        let app = App::new().app_data(Data::new(index.clone())).route("/files", web::get().to(files));
        app.service(mounted.clone().mount("/hooks"))
    });
    let server = server.workers(1).bind(address.as_deref().unwrap_or("127.0.0.1:0"))?;
    let bound = server.addrs().first().copied().ok_or("the server has no address")?;
    let server = server.run();
    if address.is_some() {
        println!("waiting for deliveries at http://{bound}/hooks; stop with Ctrl-C");
        return Ok(server.await?);
    }
    let handle = server.handle();
    let server = actix_web::rt::spawn(server);
    simulate(&hooks, &format!("http://{bound}/hooks")).await?;
    handle.stop(true).await;
    server.await??;
    println!("the application is shut down: {} deliveries acknowledged", hooks.stats().acknowledged);
    Ok(())
}

/// Subscribes the application at a simulated Uploadcare, and lets that deliver two events.
async fn simulate(hooks: &WebhookRouter, target_url: &str) -> Result<(), Box<dyn Error>> {
    let simulator =
        Simulator::builder("demopublickey", "demosecretkey").start(SocketAddr::from(([127, 0, 0, 1], 0)))?;
    let client = Client::builder("demopublickey", "demosecretkey").base_url(simulator.base_url()).build()?;
    println!("{}", hooks.subscriptions(target_url)?.sync(&client).await?);
    for event in ["file.uploaded", "file.deleted"] {
        let _ = simulator.trigger(&SimulatedEvent::new(event));
    }
    let acknowledged = async {
        while hooks.stats().acknowledged < 2 {
            time::sleep(Duration::from_millis(10)).await;
        }
    };
    time::timeout(Duration::from_secs(10), acknowledged).await?;
    simulator.stop().await;
    Ok(())
}
