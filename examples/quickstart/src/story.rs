//! The demonstration: starts the simulator and the application, registers subscriptions, follows
//! one file through its life, and checks that each step ended as expected.

use std::{error::Error, net::SocketAddr, time::Duration};

use actix_web::{App, HttpServer, dev::ServerHandle, rt};
use uploadcare_hooks::{
    SigningSecret, WebhookRouter,
    client::Client,
    registration::{Action, Subscriptions},
};
use uploadcare_sim::Simulator;

use crate::{
    life::life,
    outcome::{Outcome, expect},
    uploadcare::Uploadcare,
};

const PUBLIC_KEY: &str = "demopublickey";
const SECRET_KEY: &str = "demosecretkey";

/// Runs the whole demonstration. With `stay` it waits for Ctrl-C at its end. Fails if a step has an
/// unexpected result.
pub(crate) async fn tell(secret: SigningSecret, stay: bool) -> Result<(), Box<dyn Error>> {
    // Uploadcare, with shorter delays before redeliveries than the real one.
    let simulator = Simulator::builder(PUBLIC_KEY, SECRET_KEY)
        .redelivery_delays([200, 400, 800].map(Duration::from_millis))
        .start(SocketAddr::from(([127, 0, 0, 1], 0)))?;
    let page = format!("{}/", simulator.base_url());
    println!("Uploadcare is simulated at {page}");

    let outcome = Outcome::default();
    let (address, listener) = listen()?;
    let target_url = format!("http://{address}/hooks");
    println!("The application listens at {target_url}\n");
    let hooks = crate::router(secret.clone(), &outcome)?;
    let server = serve(hooks.clone(), listener)?;

    println!("The application subscribes its URL to the events of its handlers");
    let client = Client::builder(PUBLIC_KEY, SECRET_KEY).base_url(simulator.base_url()).build()?;
    let subscriptions = hooks.subscriptions(&target_url)?;
    subscribe(&subscriptions, &client).await?;

    let mut uploadcare = Uploadcare::new(simulator);
    for step in life() {
        uploadcare.show(&step).await?;
    }
    println!("\nThe application starts again: its subscriptions exist");
    let again = subscriptions.sync(&client).await?;
    println!("   {} subscriptions kept, {} written", again.steps.len(), again.writes());
    expect("writes of the second sync", again.writes(), 0)?;
    outcome.conclude(&hooks)?;

    if stay {
        println!("\nThe page at {page} shows all of this and triggers more events. Stop with Ctrl-C.");
        rt::signal::ctrl_c().await?;
        println!();
    } else {
        println!("\nThe page at {page} showed all of this until now. To keep it open, run");
        println!("   cargo run -p quickstart -- --stay");
    }
    server.stop(true).await;
    uploadcare.stop().await;
    Ok(())
}

fn listen() -> Result<(SocketAddr, std::net::TcpListener), Box<dyn Error>> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    Ok((listener.local_addr()?, listener))
}

fn serve(hooks: WebhookRouter, listener: std::net::TcpListener) -> Result<ServerHandle, Box<dyn Error>> {
    let server = HttpServer::new(move || App::new().service(hooks.clone().mount("/hooks")))
        .workers(1)
        .shutdown_timeout(1)
        .disable_signals()
        .listen(listener)?
        .run();
    let handle = server.handle();
    rt::spawn(server);
    Ok(handle)
}

async fn subscribe(subscriptions: &Subscriptions, client: &Client) -> Result<(), Box<dyn Error>> {
    let plan = subscriptions.sync(client).await?;
    for step in plan.steps.iter().filter(|step| step.action() == Action::Create) {
        println!("   created for {}", step.event);
    }
    expect("created subscriptions", plan.writes(), 5)
}
