//! The demonstration: starts the simulator and the application, registers subscriptions, follows
//! one file through its life, and checks that each step ended as expected.

use std::{
    error::Error,
    net::SocketAddr,
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use actix_web::{App, HttpServer, dev::ServerHandle, rt};
use serde_json::{Value, json};
use uploadcare_hooks::{
    SigningSecret, WebhookRouter,
    client::Client,
    registration::{Action, Subscriptions},
};
use uploadcare_sim::{Attempt, SimulatedEvent, Simulator};

use crate::{Outcome, by_hand};

const PUBLIC_KEY: &str = "demopublickey";
const SECRET_KEY: &str = "demosecretkey";

/// The file that the events are about.
const UUID: &str = "575ed4e8-f4e8-4c14-a58b-1527b6d9ee46";
const NAME: &str = "ananas.jpg";

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

    let mut uploadcare = Uploadcare { simulator, printed: 0 };
    for step in life() {
        uploadcare.show(&step).await?;
    }
    for delivery in by_hand::all(&secret) {
        println!("\n{}", delivery.title);
        delivery.send(&target_url).await?;
    }

    println!("\nThe application starts again: its subscriptions exist");
    let again = subscriptions.sync(&client).await?;
    println!("   {} subscriptions kept, {} written", again.steps.len(), again.writes());
    expect("writes of the second sync", again.writes(), 0)?;
    conclude(&hooks, &outcome)?;

    if stay {
        println!("\nThe page at {page} shows all of this and triggers more events. Stop with Ctrl-C.");
        rt::signal::ctrl_c().await?;
        println!();
    } else {
        println!("\nThe page at {page} showed all of this until now. To keep it open, run");
        println!("   cargo run -p quickstart -- --stay");
    }
    server.stop(true).await;
    uploadcare.simulator.stop().await;
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

/// Something that happens to the file.
struct Step {
    title: &'static str,
    event: &'static str,
    /// Fields of the file that differ from the simulator's own.
    data: Value,
    /// The fields before a change, if they differ from the simulator's own.
    before: Option<Value>,
    /// How often Uploadcare sends the one delivery.
    copies: usize,
    /// The statuses that the application should answer.
    expected: &'static [u16],
}

impl Default for Step {
    fn default() -> Self {
        Self { title: "", event: "", data: json!({}), before: None, copies: 1, expected: &[204] }
    }
}

fn life() -> Vec<Step> {
    vec![
        Step { title: "ananas.jpg is uploaded", event: "file.uploaded", ..Step::default() },
        Step {
            title: "ananas.jpg is stored, and the first backup fails",
            event: "file.stored",
            expected: &[500, 204],
            ..Step::default()
        },
        Step { title: "A virus is found in ananas.jpg", event: "file.infected", ..Step::default() },
        Step {
            title: "The metadata of ananas.jpg changes",
            event: "file.info_updated",
            data: json!({"metadata": {"pet": "cat"}}),
            ..Step::default()
        },
        Step {
            title: "The metadata changes again, and Uploadcare sends this one delivery twice",
            event: "file.info_updated",
            data: json!({"metadata": {"pet": "parrot"}}),
            before: Some(json!({"metadata": {"pet": "cat"}})),
            copies: 2,
            expected: &[204, 204],
        },
        Step { title: "ananas.jpg is deleted", event: "file.deleted", ..Step::default() },
    ]
}

/// The simulator, and how many of its attempts to deliver were printed.
struct Uploadcare {
    simulator: Simulator,
    printed: usize,
}

impl Uploadcare {
    /// Triggers the event of a step, and prints each attempt to deliver it. Fails if the answers
    /// are not the expected ones.
    async fn show(&mut self, step: &Step) -> Result<(), Box<dyn Error>> {
        println!("\n{} ({})", step.title, step.event);
        let Value::Object(mut data) = step.data.clone() else { return Err("the data must be an object".into()) };
        data.insert("uuid".to_owned(), UUID.into());
        data.insert("original_filename".to_owned(), NAME.into());
        let (previous_values, copies) = (step.before.clone(), step.copies);
        self.simulator.trigger(&SimulatedEvent { data, previous_values, copies, ..SimulatedEvent::new(step.event) });
        let mut statuses = Vec::new();
        let start = Instant::now();
        while statuses.len() < step.expected.len() {
            for attempt in self.simulator.attempts_after(self.printed) {
                self.printed += 1;
                println!("   {}", outcome(&attempt, step.copies, statuses.len() + 1));
                statuses.push(attempt.status.unwrap_or_default());
            }
            if start.elapsed() > Duration::from_secs(10) {
                return Err(format!("{} was not acknowledged after 10 seconds", step.event).into());
            }
            rt::time::sleep(Duration::from_millis(10)).await;
        }
        expect("answers", statuses.as_slice(), step.expected)
    }
}

/// Says how an attempt to deliver ended. `number` counts the answers of this step.
fn outcome(attempt: &Attempt, copies: usize, number: usize) -> String {
    let sent = match (copies, attempt.attempt, number) {
        (1, 1, _) => "",
        (1, ..) => "sent again, ",
        (_, _, 1) => "sent the first time, ",
        _ => "sent once more, ",
    };
    match (attempt.status, &attempt.error) {
        (Some(status @ 200..=299), _) => format!("{sent}answered {status}"),
        (Some(status), _) => format!("{sent}answered {status}, so Uploadcare will send the delivery again"),
        (None, error) => format!("{sent}not answered: {}", error.as_deref().unwrap_or_default()),
    }
}

/// Prints what happened, and checks it.
fn conclude(hooks: &WebhookRouter, outcome: &Outcome) -> Result<(), Box<dyn Error>> {
    let stats = hooks.stats();
    let (failed, refused) = (outcome.failed.load(Ordering::SeqCst), outcome.refused.load(Ordering::SeqCst));
    println!("\nIn short");
    println!(
        "   acknowledged: {} requests, one of them the second sending of a delivery, {} of an unknown event",
        stats.acknowledged, stats.unknown_events
    );
    println!("   failed:       {failed} request, whose handler failed; sent again, it was acknowledged");
    println!("   refused:      {refused} request, whose signature did not match");
    expect("acknowledged requests", stats.acknowledged, 9)?;
    expect("requests of an unknown event", stats.unknown_events, 1)?;
    expect("failed requests", failed, 1)?;
    expect("refused requests", refused, 1)?;
    // The file of the old version, which is never deleted.
    expect("files in the index", outcome.index.names(), vec!["clip.mp4".to_owned()])
}

fn expect<T: PartialEq + std::fmt::Debug>(what: &str, found: T, expected: T) -> Result<(), Box<dyn Error>> {
    if found == expected { Ok(()) } else { Err(format!("{what}: {found:?}, expected {expected:?}").into()) }
}
