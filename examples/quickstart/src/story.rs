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
use uploadcare_sim::{Attempt, DeliveryFault, DeliveryFaultKind, SimulatedEvent, Simulator, Trigger};

use crate::Outcome;

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
    /// The version of the payload, if it is an old one.
    version: Option<&'static str>,
    /// The whole payload, in place of the simulator's own.
    payload: Option<Value>,
    /// The fault that the first attempt to deliver runs into.
    fault: Option<DeliveryFaultKind>,
    /// The statuses that the application should answer.
    expected: &'static [u16],
}

impl Default for Step {
    fn default() -> Self {
        Self {
            title: "",
            event: "",
            data: json!({}),
            before: None,
            version: None,
            payload: None,
            fault: None,
            expected: &[204],
        }
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
            title: "The metadata of ananas.jpg changes, and the delivery is signed with a wrong secret at first",
            event: "file.info_updated",
            data: json!({"metadata": {"pet": "cat"}}),
            fault: Some(DeliveryFaultKind::WrongSecret),
            expected: &[401, 204],
            ..Step::default()
        },
        Step {
            title: "The metadata changes again, and Uploadcare sends this one delivery twice",
            event: "file.info_updated",
            data: json!({"metadata": {"pet": "parrot"}}),
            before: Some(json!({"metadata": {"pet": "cat"}})),
            fault: Some(DeliveryFaultKind::Duplicate),
            expected: &[204, 204],
            ..Step::default()
        },
        Step { title: "ananas.jpg is deleted", event: "file.deleted", ..Step::default() },
        Step {
            title: "A delivery of the old payload version 0.6 arrives",
            event: "file.uploaded",
            data: json!({"original_filename": "clip.mp4"}),
            version: Some("0.6"),
            ..Step::default()
        },
        Step {
            title: "An event arrives that this version of the crate does not know",
            event: "moderation.state_changed",
            // Its payload is not documented yet.
            payload: Some(json!({
                "hook": {"event": "moderation.state_changed", "version": "0.7"},
                "data": {"uuid": UUID, "state": "approved"},
            })),
            ..Step::default()
        },
    ]
}

impl Step {
    /// The order for the simulator. An event that has no subscription of its own goes to the first
    /// one.
    fn trigger(&self, simulator: &Simulator) -> Trigger {
        let mut data = self.data.as_object().cloned().unwrap_or_default();
        data.entry("original_filename").or_insert(NAME.into());
        if self.version.is_none() {
            data.insert("uuid".to_owned(), UUID.into());
        }
        let event = SimulatedEvent { data, previous_values: self.before.clone(), ..SimulatedEvent::new(self.event) };
        let mut trigger = Trigger::from(event);
        trigger.version = self.version.map(ToOwned::to_owned);
        trigger.payload = self.payload.as_ref().map(ToString::to_string);
        let subscriptions = simulator.subscriptions();
        if !subscriptions.iter().any(|known| known.event == self.event) {
            trigger.subscriptions = Some(subscriptions.iter().take(1).map(|first| first.id).collect());
        }
        trigger
    }
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
        self.switch(step.fault, 1.0)?;
        self.simulator.trigger_with(&step.trigger(&self.simulator))?;
        let mut statuses = Vec::new();
        let start = Instant::now();
        while statuses.len() < step.expected.len() {
            for attempt in self.simulator.attempts_after(self.printed) {
                self.switch(step.fault, 0.0)?;
                self.printed += 1;
                println!("   {}", outcome(&attempt));
                statuses.push(attempt.status.unwrap_or_default());
            }
            if start.elapsed() > Duration::from_secs(10) {
                return Err(format!("{} was not acknowledged after 10 seconds", step.event).into());
            }
            rt::time::sleep(Duration::from_millis(10)).await;
        }
        expect("answers", statuses.as_slice(), step.expected)
    }

    fn switch(&self, fault: Option<DeliveryFaultKind>, probability: f64) -> Result<(), String> {
        let switch = |kind| self.simulator.delivery_fault(kind, DeliveryFault { probability, ms: None });
        fault.map_or(Ok(()), switch)
    }
}

/// Says how an attempt to deliver ended.
fn outcome(attempt: &Attempt) -> String {
    let sent = if attempt.attempt > 1 { "sent again, " } else { "" };
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
    println!("   refused:      {refused} request, whose signature did not match; sent again, it was acknowledged");
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
