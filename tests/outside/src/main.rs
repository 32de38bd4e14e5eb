//! Uses what a package would miss first: the attribute with its macro crate, fixtures, the schema
//! of the queue, and a feature of each kind.

use std::{error::Error, io};

use actix_web::{App, HttpServer};
use uploadcare_hooks::{
    FileUploaded, SigningSecret, WebhookRouter, client::Client, queue, testing::Sample, webhook_handler,
    webhook_handlers,
};

#[webhook_handler(event = "file.uploaded")]
async fn index_upload(event: FileUploaded) -> Result<(), io::Error> {
    println!("{} is {:?}", event.data.uuid, event.data.original_filename);
    Ok(())
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let secret = SigningSecret::new("outside")?;
    let hooks = WebhookRouter::builder()
        .signing_secret(secret.clone())
        .handlers(webhook_handlers![index_upload])
        .queue(queue::open_sqlite("outside.db").await?)
        .build()?;
    let _server = HttpServer::new({
        let hooks = hooks.clone();
        move || App::new().service(hooks.clone().mount("/hooks"))
    });
    let client = Client::builder("demopublickey", "demosecretkey").build()?;
    let _ = (client, hooks.subscriptions("https://app.example.com/hooks")?);
    let answer = hooks.handle(Sample::of("file.uploaded").sign(&secret)).await;
    assert_eq!(answer.status(), 202, "a signed delivery is stored");
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let worker = tokio::spawn(hooks.run_worker(stopped));
    while hooks.queue_stats().await?.waiting > 0 {
        tokio::task::yield_now().await;
    }
    drop(stop);
    worker.await?;
    println!("the packaged crates work");
    Ok(())
}
