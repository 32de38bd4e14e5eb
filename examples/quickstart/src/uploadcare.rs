//! Uploadcare, simulated: triggers events, and prints each attempt to deliver them.

use std::{
    error::Error,
    time::{Duration, Instant},
};

use actix_web::rt;
use uploadcare_sim::{Attempt, DeliveryFault, DeliveryFaultKind, SimulatedEvent, Simulator, Trigger};

use crate::{
    life::{NAME, Step, UUID},
    outcome::expect,
};

/// The simulator, and how many of its attempts to deliver were printed.
pub(crate) struct Uploadcare {
    simulator: Simulator,
    printed: usize,
}

impl Uploadcare {
    pub(crate) fn new(simulator: Simulator) -> Self {
        Self { simulator, printed: 0 }
    }

    /// Triggers the event of a step, and prints each attempt to deliver it. Fails if the answers
    /// are not the expected ones.
    pub(crate) async fn show(&mut self, step: &Step) -> Result<(), Box<dyn Error>> {
        println!("\n{} ({})", step.title, step.event);
        self.switch(step.fault, 1.0)?;
        self.simulator.trigger_with(&order(step, &self.simulator))?;
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

    pub(crate) async fn stop(self) {
        self.simulator.stop().await;
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

/// The order for the simulator. An event that has no subscription of its own goes to the first one.
fn order(step: &Step, simulator: &Simulator) -> Trigger {
    let mut data = step.data.as_object().cloned().unwrap_or_default();
    data.entry("original_filename").or_insert(NAME.into());
    if step.version.is_none() {
        data.insert("uuid".to_owned(), UUID.into());
    }
    let event = SimulatedEvent { data, previous_values: step.before.clone(), ..SimulatedEvent::new(step.event) };
    let mut trigger = Trigger::from(event);
    trigger.version = step.version.map(ToOwned::to_owned);
    trigger.payload = step.payload.as_ref().map(ToString::to_string);
    let subscriptions = simulator.subscriptions();
    if !subscriptions.iter().any(|known| known.event == step.event) {
        trigger.subscriptions = Some(subscriptions.iter().take(1).map(|first| first.id).collect());
    }
    trigger
}
