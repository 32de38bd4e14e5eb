//! The program of the guide to a queue in production, word for word. A test compares the two and
//! runs it.

use actix_web::{App, HttpServer};
use uploadcare_hooks::{FileUploaded, SigningSecret, WebhookRouter, queue, webhook_handler, webhook_handlers};

#[webhook_handler(event = "file.uploaded")]
async fn index_upload(event: FileUploaded) -> Result<(), std::io::Error> {
    tokio::fs::write(format!("index/{}", event.data.uuid), event.data.original_filename.unwrap_or_default()).await
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt().init();
    let hooks = WebhookRouter::builder()
        .signing_secret(SigningSecret::from_env("UC_SIGNING_SECRET")?)
        .handlers(webhook_handlers![index_upload])
        .queue(queue::open_sqlite("webhooks.db").await?)
        .build()?;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let worker = tokio::spawn(hooks.run_worker(stopped));

    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8080".to_owned());
    HttpServer::new(move || App::new().service(hooks.clone().mount("/hooks"))).bind(address)?.run().await?;

    drop(stop); // The server has ended, for instance at Ctrl-C. The worker finishes what it runs.
    worker.await?;
    Ok(())
}
