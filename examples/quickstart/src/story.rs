//! The whole story: Uploadcare (simulated) and an application, subscriptions that register themselves, and events.

use std::{
    error::Error,
    net::SocketAddr,
    time::{Duration, Instant},
};

use actix_web::{App, HttpServer, dev::ServerHandle, rt};
use serde_json::{Value, json};
use uploadcare_hooks::{SigningSecret, WebhookRouter, client::Client};
use uploadcare_sim::{Attempt, SimulatedEvent, Simulator};

use crate::by_hand;

const PUBLIC_KEY: &str = "demopublickey";
const SECRET_KEY: &str = "demosecretkey";

/// What the events happen to.
const UUID: &str = "575ed4e8-f4e8-4c14-a58b-1527b6d9ee46";

/// Tells the story from its first to its last chapter; fails if anything was not as it should be.
pub(crate) async fn tell(secret: SigningSecret) -> Result<(), Box<dyn Error>> {
    // Uploadcare's part, with shorter delays than its own before it delivers again.
    let simulator = Simulator::builder(PUBLIC_KEY, SECRET_KEY)
        .redelivery_delays([200, 400, 800].map(Duration::from_millis))
        .start(SocketAddr::from(([127, 0, 0, 1], 0)))?;
    println!("Uploadcare is simulated at {}", simulator.base_url());

    // The application's part.
    let hooks = crate::router(secret.clone())?;
    let (address, server) = serve(hooks.clone())?;
    let target_url = format!("http://{address}/hooks");
    println!("the application listens at {target_url}\n");

    println!("Subscriptions: Uploadcare has none yet, the handlers need these");
    let client = Client::builder(PUBLIC_KEY, SECRET_KEY).base_url(simulator.base_url()).build()?;
    let subscriptions = hooks.subscriptions(&target_url)?;
    println!("{}\n", indented(&subscriptions.plan(&client).await?));
    subscriptions.sync(&client).await?;

    let mut uploadcare = Uploadcare { simulator, told: 0 };
    uploadcare.trigger("A file is uploaded", "file.uploaded", json!({"original_filename": "ananas.jpg"}), 1).await?;
    uploadcare.trigger("It is stored; a handler fails, so it is delivered again", "file.stored", json!({}), 1).await?;
    uploadcare.trigger("A virus is found", "file.infected", json!({}), 1).await?;
    uploadcare.trigger("Its metadata change", "file.info_updated", json!({"metadata": {"pet": "cat"}}), 1).await?;
    uploadcare.trigger("Delivery is at least once: here twice", "file.uploaded", json!({}), 2).await?;
    uploadcare.trigger("It is deleted", "file.deleted", json!({}), 1).await?;

    println!("What Uploadcare would send too, and what it would not");
    for delivery in by_hand::all(&secret) {
        delivery.send(&target_url).await?;
    }

    println!("\nA second sync, as at the next start of the application");
    let again = subscriptions.sync(&client).await?;
    println!("{}\n", indented(&again));
    let stats = hooks.stats();
    println!(
        "{} deliveries acknowledged ({} of an unknown event), {} requests rejected",
        stats.acknowledged, stats.unknown_events, stats.rejected
    );
    server.stop(true).await;
    uploadcare.simulator.stop().await;
    if again.writes() == 0 { Ok(()) } else { Err("the second sync should have had nothing to write".into()) }
}

fn serve(hooks: WebhookRouter) -> Result<(SocketAddr, ServerHandle), Box<dyn Error>> {
    let server = HttpServer::new(move || App::new().service(hooks.clone().mount("/hooks")))
        .workers(1)
        .disable_signals()
        .bind("127.0.0.1:0")?;
    let address = *server.addrs().first().ok_or("the server has no address")?;
    let server = server.run();
    let handle = server.handle();
    rt::spawn(server);
    Ok((address, handle))
}

/// The simulator, and how many of its attempts were told of.
struct Uploadcare {
    simulator: Simulator,
    told: usize,
}

impl Uploadcare {
    /// Makes an event happen, and tells of its deliveries until all of them are acknowledged.
    async fn trigger(
        &mut self,
        title: &str,
        event: &str,
        mut file: Value,
        copies: usize,
    ) -> Result<(), Box<dyn Error>> {
        println!("{title}: {event}");
        if let Value::Object(data) = &mut file {
            data.insert("uuid".to_owned(), UUID.into());
            self.simulator.trigger(&SimulatedEvent { data: data.clone(), copies, ..SimulatedEvent::new(event) });
        }
        let mut acknowledged = 0;
        let start = Instant::now();
        while acknowledged < copies {
            for attempt in self.simulator.attempts_after(self.told) {
                println!("   attempt {}: {}", attempt.attempt, outcome(&attempt));
                self.told += 1;
                acknowledged += usize::from(attempt.status == Some(204));
            }
            if start.elapsed() > Duration::from_secs(10) {
                return Err(format!("{event} was not acknowledged after 10 seconds").into());
            }
            rt::time::sleep(Duration::from_millis(10)).await;
        }
        println!();
        Ok(())
    }
}

fn outcome(attempt: &Attempt) -> String {
    match (attempt.status, &attempt.error) {
        (Some(status), _) => format!("answered {status}"),
        (None, error) => format!("not answered: {}", error.as_deref().unwrap_or_default()),
    }
}

fn indented(text: &impl ToString) -> String {
    text.to_string().lines().map(|line| format!("   {line}")).collect::<Vec<_>>().join("\n")
}
