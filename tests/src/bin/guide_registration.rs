//! The program of the guide to registration, word for word. A test compares the two and runs it.
#![allow(clippy::print_stdout)]

use actix_web::{App, HttpServer};
use uploadcare_hooks::{FileUploaded, SigningSecret, WebhookRouter, client::Client, webhook_handler, webhook_handlers};

#[webhook_handler(event = "file.uploaded")]
async fn index_upload(event: FileUploaded) -> Result<(), std::io::Error> {
    println!("{} is {:?}", event.data.uuid, event.data.original_filename);
    Ok(())
}

fn variable(name: &str) -> Result<String, String> {
    std::env::var(name).map_err(|error| format!("{name}: {error}"))
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt().init();
    let hooks = WebhookRouter::builder()
        .signing_secret(SigningSecret::from_env("UC_SIGNING_SECRET")?)
        .handlers(webhook_handlers![index_upload])
        .build()?;
    let client = Client::from_env()?;
    let subscriptions = hooks.subscriptions(&variable("WEBHOOK_URL")?)?;
    if std::env::args().nth(1).as_deref() == Some("plan") {
        println!("{}", subscriptions.plan(&client).await?); // Like a diff, changes nothing.
        return Ok(());
    }

    let server = HttpServer::new(move || App::new().service(hooks.clone().mount("/hooks")));
    let server = server.bind(variable("LISTEN")?)?;
    subscriptions.sync_in_background(client);
    server.run().await?;
    Ok(())
}
