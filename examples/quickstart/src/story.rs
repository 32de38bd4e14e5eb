//! The demonstration: starts the simulator and the application, registers subscriptions, and
//! triggers events.

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

/// The file that the events are about.
const UUID: &str = "575ed4e8-f4e8-4c14-a58b-1527b6d9ee46";

/// Runs the whole demonstration. Fails if a step has an unexpected result.
pub(crate) async fn tell(secret: SigningSecret) -> Result<(), Box<dyn Error>> {
    // Uploadcare, with shorter delays before redeliveries than the real one.
    let simulator = Simulator::builder(PUBLIC_KEY, SECRET_KEY)
        .redelivery_delays([200, 400, 800].map(Duration::from_millis))
        .start(SocketAddr::from(([127, 0, 0, 1], 0)))?;
    println!("Uploadcare is simulated at {}", simulator.base_url());

    // The application.
    let hooks = crate::router(secret.clone())?;
    let (address, server) = serve(hooks.clone())?;
    let target_url = format!("http://{address}/hooks");
    println!("the application listens at {target_url}\n");

    println!("Uploadcare has no subscriptions yet. The handlers need these");
    let client = Client::builder(PUBLIC_KEY, SECRET_KEY).base_url(simulator.base_url()).build()?;
    let subscriptions = hooks.subscriptions(&target_url)?;
    println!("{}\n", indented(&subscriptions.plan(&client).await?));
    subscriptions.sync(&client).await?;

    let mut uploadcare = Uploadcare { simulator, printed: 0 };
    uploadcare.trigger("A file is uploaded", "file.uploaded", json!({"original_filename": "ananas.jpg"}), 1).await?;
    uploadcare
        .trigger(
            "The file is stored. A handler fails, so Uploadcare delivers the event again",
            "file.stored",
            json!({}),
            1,
        )
        .await?;
    uploadcare.trigger("A virus is found in the file", "file.infected", json!({}), 1).await?;
    uploadcare.trigger("Its metadata changes", "file.info_updated", json!({"metadata": {"pet": "cat"}}), 1).await?;
    uploadcare.trigger("Uploadcare delivers at least once, here twice", "file.uploaded", json!({}), 2).await?;
    uploadcare.trigger("The file is deleted", "file.deleted", json!({}), 1).await?;

    println!("Deliveries of an old version and of an unknown event, and a forgery");
    for delivery in by_hand::all(&secret) {
        delivery.send(&target_url).await?;
    }

    println!("\nA second sync, as at the next start of the application, changes nothing");
    let again = subscriptions.sync(&client).await?;
    println!("{}\n", indented(&again));
    let stats = hooks.stats();
    println!(
        "{} deliveries acknowledged ({} of an unknown event), {} requests rejected",
        stats.acknowledged, stats.unknown_events, stats.rejected
    );
    server.stop(true).await;
    uploadcare.simulator.stop().await;
    if again.writes() == 0 {
        Ok(())
    } else {
        Err("the second sync changed subscriptions, although nothing had changed".into())
    }
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

/// The simulator, and how many of its attempts were printed.
struct Uploadcare {
    simulator: Simulator,
    printed: usize,
}

impl Uploadcare {
    /// Triggers an event, and prints the attempts to deliver it until all copies are acknowledged.
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
            for attempt in self.simulator.attempts_after(self.printed) {
                println!("   attempt {}: {}", attempt.attempt, outcome(&attempt));
                self.printed += 1;
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
