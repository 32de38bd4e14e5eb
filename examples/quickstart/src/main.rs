//! Runs a simulated Uploadcare and an application in one program. The application registers
//! subscriptions for its handlers, and the simulator sends it events.
//!
//! `cargo run -p quickstart` runs all of it once. With `-- --stay` the program stays up afterwards,
//! so that you can look at the simulator's page and trigger events there. With
//! `-- --serve 127.0.0.1:8080` it only serves the application, and you send the deliveries.
#![allow(clippy::print_stdout)]

mod handlers;
mod life;
mod outcome;
mod serve;
mod stores;
mod story;
mod uploadcare;

use std::{error::Error, net::SocketAddr};

use clap::{Arg, ArgAction, Command, value_parser};
use uploadcare_hooks::{SigningSecret, WebhookRouter, webhook_handlers};

use crate::{
    outcome::Outcome,
    stores::{Backup, Handled},
};

const VARIABLE: &str = "UC_SIGNING_SECRET";

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments = command().get_matches();
    let secret = match std::env::var_os(VARIABLE) {
        Some(_) => SigningSecret::from_env(VARIABLE)?,
        None => SigningSecret::new("quickstart")?,
    };
    match arguments.get_one::<SocketAddr>("serve") {
        Some(address) => serve::serve(secret, *address).await,
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
