//! An application with a queue: it stores each delivery, answers 202, and runs the handlers
//! afterwards. A simulator of Uploadcare on this machine sends the deliveries.
//!
//! ```sh
//! cargo run -p queue                                                      # a SQLite file
//! cargo run -p queue -- --storage redis --url redis://127.0.0.1:6379
//! cargo run -p queue -- --storage postgres --url postgres://postgres@127.0.0.1/postgres
//! cargo run -p queue -- --serve                                           # stays up, with its page
//! ```
#![allow(clippy::print_stdout)]

mod handlers;
mod html;
mod page;
mod story;

use std::error::Error;

use actix_web::{App, HttpServer, rt, web};
use clap::{Arg, ArgAction, Command};
use tempfile::TempDir;
use tokio::sync::oneshot;
use uploadcare_hooks::{
    SigningSecret, WebhookRouter,
    client::Client,
    queue::{self, Storage},
    webhook_handlers,
};
use uploadcare_sim::Simulator;
use uuid::Uuid;

use crate::{handlers::Archive, page::Page};

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments = command().get_matches();
    let directory = TempDir::new()?;
    let file = directory.path().join("queue.db").to_string_lossy().into_owned();
    let url = arguments.get_one::<String>("url").unwrap_or(&file);
    let storage = open(arguments.get_one::<String>("storage").map_or("", String::as_str), url).await?;

    let archive = Archive::default();
    let hooks = WebhookRouter::builder()
        .signing_secret(SigningSecret::new("queue")?)
        .state(archive.clone())
        .handlers(webhook_handlers![handlers::archive, handlers::scan])
        .queue(storage)
        .build()?;
    println!("{}\n", hooks.describe());
    let (stop, stopped) = oneshot::channel::<()>();
    let worker = rt::spawn(hooks.run_worker(stopped));

    let page = Page::new(&hooks, Uuid::new_v4().to_string());
    let token = page.token().to_owned();
    let router = hooks.clone();
    let server = HttpServer::new(move || {
        let hooks = router.clone().mount("/hooks");
        App::new().app_data(web::Data::new(page.clone())).configure(page::routes).service(hooks)
    });
    // Loopback only: the page shows what is in the queue.
    let server = server.workers(1).bind("127.0.0.1:0")?;
    let address = *server.addrs().first().ok_or("the server has no address")?;
    let server = rt::spawn(server.run());
    let simulator = Simulator::builder("demopublickey", "demosecretkey").start("127.0.0.1:0".parse()?)?;
    let client = Client::builder("demopublickey", "demosecretkey").base_url(simulator.base_url()).build()?;
    hooks.subscriptions(&format!("http://{address}/hooks"))?.sync(&client).await?;

    story::tell(&hooks, &archive, &simulator).await?;
    if arguments.get_flag("serve") {
        story::leave_something_to_see(&archive, &simulator);
        println!("\nThe page for administrators, until Ctrl-C: http://{address}/queue/{token}");
        server.await??;
    }
    println!("\nThe worker finishes its running jobs and stops.");
    drop(stop);
    worker.await?;
    Ok(())
}

fn command() -> Command {
    let storages = ["sqlite", "redis", "postgres"];
    let storage = Arg::new("storage").long("storage").default_value("sqlite").value_parser(storages);
    let url = Arg::new("url").long("url").required_if_eq_any([("storage", "redis"), ("storage", "postgres")]);
    let serve = Arg::new("serve").long("serve").action(ArgAction::SetTrue);
    Command::new("queue")
        .about("Shows an application that stores each delivery before it runs the handlers")
        .arg(storage.help("The kind of storage for the queue"))
        .arg(url.help("The URL of the server, or the path of the SQLite file. Defaults to a temporary SQLite file."))
        .arg(serve.help("Stays up and shows a page for administrators"))
}

async fn open(storage: &str, url: &str) -> Result<Storage, queue::QueueError> {
    match storage {
        "redis" => queue::open_redis(url).await,
        "postgres" => queue::open_postgres(url).await,
        _ => queue::open_sqlite(url).await,
    }
}
