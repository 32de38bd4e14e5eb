//! The whole path of a delivery in one program: a real actix-web server with a handler for each event, and signed deliveries sent to it over
//! HTTP. `cargo run -p quickstart`, or with `-- --serve 127.0.0.1:8080` to keep the server up for deliveries of your own.
#![allow(clippy::print_stdout)]

mod deliveries;
mod handlers;

use std::{error::Error, net::SocketAddr};

use actix_web::{App, HttpServer, rt};
use clap::{Arg, Command, value_parser};
use uploadcare_hooks::{SigningSecret, WebhookRouter, webhook_handlers};

use crate::{deliveries::Delivery, handlers::Index};

const VARIABLE: &str = "UC_SIGNING_SECRET";

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let serve = Arg::new("serve")
        .long("serve")
        .value_name("ADDR")
        .value_parser(value_parser!(SocketAddr))
        .help("Stay up at this address, such as 127.0.0.1:8080, and wait for deliveries");
    let arguments = Command::new("quickstart")
        .about("Shows uploadcare-hooks at work: a server, a handler for each event, and signed deliveries")
        .arg(serve)
        .get_matches();
    let secret = match std::env::var_os(VARIABLE) {
        Some(_) => SigningSecret::from_env(VARIABLE)?,
        None => SigningSecret::new("quickstart")?,
    };
    match arguments.get_one::<SocketAddr>("serve") {
        Some(address) => stay_up(secret, *address).await,
        None => show(secret).await,
    }
}

/// What an application does: build the router once, and give each worker of the server a clone.
fn router(secret: SigningSecret) -> Result<WebhookRouter, Box<dyn Error>> {
    let router = WebhookRouter::builder()
        .signing_secret(secret)
        .state(Index::default())
        .handlers(webhook_handlers![
            handlers::index_upload,
            handlers::keep,
            handlers::forget,
            handlers::quarantine,
            handlers::show_change,
            handlers::note_unknown,
        ])
        .on_rejection(|rejection| println!("   rejected: {}", rejection.reason()))
        .build()?;
    Ok(router)
}

/// Starts a server, sends it one delivery after the other, and tells what came of each.
async fn show(secret: SigningSecret) -> Result<(), Box<dyn Error>> {
    let hooks = router(secret.clone())?;
    let router = hooks.clone();
    let server = HttpServer::new(move || App::new().service(hooks.clone().mount("/hooks")))
        .workers(1)
        .disable_signals()
        .bind("127.0.0.1:0")?;
    let address = *server.addrs().first().ok_or("the server has no address")?;
    let server = server.run();
    let handle = server.handle();
    rt::spawn(server);
    println!("a server listens at http://{address}/hooks\n");

    let client = reqwest::Client::new();
    let mut as_expected = true;
    for (number, delivery) in deliveries::all(&secret).into_iter().enumerate() {
        let Delivery { title, body, signature, expected } = delivery;
        println!("{}. {title}", number + 1);
        let request = client.post(format!("http://{address}/hooks")).header("X-Uc-Signature", signature).body(body);
        let status = request.send().await?.status();
        println!("   answered {status}\n");
        if status != expected {
            println!("   this should have been {expected}\n");
            as_expected = false;
        }
    }
    let stats = router.stats();
    println!(
        "{} deliveries acknowledged ({} of an unknown event), {} requests rejected",
        stats.acknowledged, stats.unknown_events, stats.rejected
    );
    handle.stop(true).await;
    if as_expected { Ok(()) } else { Err("not every delivery was answered as it should be".into()) }
}

/// Serves until it is stopped.
async fn stay_up(secret: SigningSecret, address: SocketAddr) -> Result<(), Box<dyn Error>> {
    let hooks = router(secret)?;
    let server = HttpServer::new(move || App::new().service(hooks.clone().mount("/hooks"))).bind(address)?;
    let key = match std::env::var_os(VARIABLE) {
        Some(_) => "\"$UC_SIGNING_SECRET\"",
        None => "quickstart",
    };
    for address in server.addrs() {
        println!("waiting for deliveries at http://{address}/hooks, to be stopped with Ctrl-C; to send one:\n");
        println!("body='{}'", deliveries::smallest());
        println!("signature=$(printf %s \"$body\" | openssl dgst -sha256 -hmac {key} | sed 's/.* //')");
        println!("curl -i http://{address}/hooks -H \"X-Uc-Signature: v1=$signature\" -d \"$body\"\n");
    }
    server.run().await?;
    Ok(())
}
