//! Runs a simulated Uploadcare and an application in one program. The application registers
//! subscriptions for its handlers, and the simulator sends it events.
//!
//! `cargo run -p quickstart` runs all of it once. With `-- --serve 127.0.0.1:8080` the program only
//! serves the application, and you send the deliveries.
#![allow(clippy::print_stdout)]

mod by_hand;
mod handlers;
mod story;

use std::{error::Error, net::SocketAddr};

use actix_web::{App, HttpServer};
use clap::{Arg, Command, value_parser};
use uploadcare_hooks::{SigningSecret, WebhookRouter, webhook_handlers};

use crate::handlers::{Backup, Index};

const VARIABLE: &str = "UC_SIGNING_SECRET";

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = Arg::new("serve")
        .long("serve")
        .value_name("ADDR")
        .value_parser(value_parser!(SocketAddr))
        .help("Serve the application at this address, such as 127.0.0.1:8080, and wait for your deliveries");
    let arguments = Command::new("quickstart")
        .about("Shows uploadcare-hooks at work: subscribes handlers at a simulated Uploadcare, and sends them events")
        .arg(address)
        .get_matches();
    let secret = match std::env::var_os(VARIABLE) {
        Some(_) => SigningSecret::from_env(VARIABLE)?,
        None => SigningSecret::new("quickstart")?,
    };
    match arguments.get_one::<SocketAddr>("serve") {
        Some(address) => serve(secret, *address).await,
        None => story::tell(secret).await,
    }
}

/// Builds the router. Each worker of the server gets a clone of it.
fn router(secret: SigningSecret) -> Result<WebhookRouter, Box<dyn Error>> {
    let router = WebhookRouter::builder()
        .signing_secret(secret)
        .state(Index::default())
        .state(Backup::default())
        .handlers(webhook_handlers![
            handlers::index_upload,
            handlers::back_up,
            handlers::forget,
            handlers::quarantine,
            handlers::show_change,
            handlers::note_unknown,
        ])
        .on_rejection(|rejection| println!("   rejected: {}", rejection.reason()))
        .build()?;
    Ok(router)
}

/// Serves the application until the process is stopped.
async fn serve(secret: SigningSecret, address: SocketAddr) -> Result<(), Box<dyn Error>> {
    let hooks = router(secret)?;
    let server = HttpServer::new(move || App::new().service(hooks.clone().mount("/hooks"))).bind(address)?;
    let key = match std::env::var_os(VARIABLE) {
        Some(_) => "\"$UC_SIGNING_SECRET\"",
        None => "quickstart",
    };
    for address in server.addrs() {
        println!("waiting for deliveries at http://{address}/hooks; stop with Ctrl-C, or send one:\n");
        println!("body='{}'", by_hand::short().json());
        println!("signature=$(printf %s \"$body\" | openssl dgst -sha256 -hmac {key} | sed 's/.* //')");
        println!("curl -i http://{address}/hooks -H \"X-Uc-Signature: v1=$signature\" -d \"$body\"\n");
    }
    server.run().await?;
    Ok(())
}
