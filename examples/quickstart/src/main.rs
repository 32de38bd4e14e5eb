//! Runs a simulated Uploadcare and an application in one program. The application registers
//! subscriptions for its handlers, and the simulator sends it events.
//!
//! `cargo run -p quickstart` runs all of it once. With `-- --stay` the program stays up afterwards,
//! so that you can look at the simulator's page and trigger events there. With
//! `-- --serve 127.0.0.1:8080` it only serves the application, and you send the deliveries.
#![allow(clippy::print_stdout)]

mod by_hand;
mod handlers;
mod story;

use std::{
    error::Error,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use actix_web::{App, HttpServer};
use clap::{Arg, ArgAction, Command, value_parser};
use uploadcare_hooks::{Rejection, SigningSecret, WebhookRouter, webhook_handlers};

use crate::handlers::{Backup, Handled, Index};

const VARIABLE: &str = "UC_SIGNING_SECRET";

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments = command().get_matches();
    let secret = match std::env::var_os(VARIABLE) {
        Some(_) => SigningSecret::from_env(VARIABLE)?,
        None => SigningSecret::new("quickstart")?,
    };
    match arguments.get_one::<SocketAddr>("serve") {
        Some(address) => serve(secret, *address).await,
        None => story::tell(secret, arguments.get_flag("stay")).await,
    }
}

fn command() -> Command {
    let serve =
        Arg::new("serve").long("serve").value_name("ADDR").value_parser(value_parser!(SocketAddr)).help(
            "Only serve the application at this address, such as 127.0.0.1:8080, and wait for your own deliveries",
        );
    let stay = Arg::new("stay").long("stay").action(ArgAction::SetTrue).conflicts_with("serve").help(
        "Stay up afterwards, until Ctrl-C, so that you can look at the simulator's page in a browser and trigger \
         events there",
    );
    Command::new("quickstart")
        .about("Shows uploadcare-hooks at work: subscribes handlers at a simulated Uploadcare, and sends them events")
        .arg(serve)
        .arg(stay)
}

/// What the demonstration checks at its end. Clones share it.
#[derive(Clone, Default)]
struct Outcome {
    index: Index,
    /// How many requests were not acknowledged because a handler failed.
    failed: Arc<AtomicUsize>,
    /// How many requests were refused.
    refused: Arc<AtomicUsize>,
}

impl Outcome {
    fn count(&self, rejection: &Rejection) {
        if rejection.status().is_server_error() {
            self.failed.fetch_add(1, Ordering::SeqCst);
            return;
        }
        self.refused.fetch_add(1, Ordering::SeqCst);
        // The rest of the text says what to do about it.
        let reason = rejection.reason().to_string();
        println!("   the router refuses it: {}", reason.split(": ").next().unwrap_or_default());
    }
}

/// Builds the router and prints what it does. Each worker of the server gets a clone of it.
fn router(secret: SigningSecret, outcome: &Outcome) -> Result<WebhookRouter, Box<dyn Error>> {
    let counting = outcome.clone();
    let router = WebhookRouter::builder()
        .signing_secret(secret)
        .state(outcome.index.clone())
        .state(Backup::default())
        .state(Handled::default())
        .handlers(webhook_handlers![
            handlers::index_upload,
            handlers::back_up,
            handlers::quarantine,
            handlers::show_change,
            handlers::forget,
            handlers::note_unknown,
        ])
        .on_rejection(move |rejection| counting.count(rejection))
        .build()?;
    println!("{}\n", router.describe());
    Ok(router)
}

/// Serves the application until the process is stopped.
async fn serve(secret: SigningSecret, address: SocketAddr) -> Result<(), Box<dyn Error>> {
    let hooks = router(secret, &Outcome::default())?;
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
