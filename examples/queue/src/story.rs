//! What the example shows: a job that fails, and one that dies and is run again.

use std::{error::Error, time::Duration};

use actix_web::rt::time::sleep;
use uploadcare_hooks::WebhookRouter;
use uploadcare_sim::{SimulatedEvent, Simulator};

use crate::handlers::Archive;

pub(crate) async fn tell(
    hooks: &WebhookRouter,
    archive: &Archive,
    simulator: &Simulator,
) -> Result<(), Box<dyn Error>> {
    println!("1. A file is stored. Its handler fails twice before it succeeds.");
    simulator.trigger(&SimulatedEvent::new("file.stored"));
    wait_until(|| archive.files() == 1).await?;

    println!("\n2. A file is infected. Its handler discards the delivery, and the job is dead.");
    simulator.trigger(&SimulatedEvent::new("file.infected"));
    let mut dead = Vec::new();
    while dead.is_empty() {
        sleep(Duration::from_millis(50)).await;
        dead = hooks.dead_jobs(100).await?;
    }
    for dead in &dead {
        println!("   dead: {} after attempt {}: {}", dead.job.handler(), dead.attempts, dead.last_error());
    }

    println!("\n3. The missing rule is added, and the dead job runs again.");
    archive.add_rule();
    for dead in &dead {
        hooks.run_again(dead).await?;
    }
    wait_until(|| archive.scans() == 1).await?;
    let stats = hooks.queue_stats().await?;
    println!("   {} dead jobs are left", stats.dead);

    println!("\n4. Uploadcare was answered before the handlers ran, and has nothing to send again.");
    for attempt in simulator.attempts() {
        let status = attempt.status.map_or_else(|| "no status".to_owned(), |status| status.to_string());
        println!("   {}: attempt {} was answered {status}", attempt.event, attempt.attempt);
    }
    Ok(())
}

/// A job that is dead, and one that is tried again and again.
pub(crate) fn leave_something_to_see(archive: &Archive, simulator: &Simulator) {
    archive.remove_rule();
    archive.lose_disk();
    simulator.trigger(&SimulatedEvent::new("file.infected"));
    simulator.trigger(&SimulatedEvent::new("file.stored"));
}

/// Waits until the condition holds, at most 30 seconds.
async fn wait_until(holds: impl Fn() -> bool) -> Result<(), Box<dyn Error>> {
    for _ in 0..600 {
        if holds() {
            return Ok(());
        }
        sleep(Duration::from_millis(50)).await;
    }
    Err("the handler did not succeed within 30 seconds".into())
}
