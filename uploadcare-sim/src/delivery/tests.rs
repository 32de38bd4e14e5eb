//! Orders and tasks when the simulator is reset.

use std::time::Instant;

use tokio::{runtime::Builder, task::yield_now};

use super::*;
use crate::project::{Fields, Keys, Limits, Settings};

fn sender(runtime: Handle) -> Arc<EventSender> {
    let keys = Keys { public: "demopublickey".to_owned(), secret: "demosecretkey".to_owned() };
    let limits = Limits { attempts: 10, deliveries: 10 };
    let settings = Settings { keys, limits, more_events: Vec::new(), signing_secret: "secret".to_owned() };
    let (project, redelivery_delays) = (Arc::new(Project::new(settings, None)), Vec::new());
    Arc::new(EventSender { project, redelivery_delays, http: Http::new().unwrap(), runtime })
}

fn subscribe(sender: &EventSender) {
    let fields = Fields {
        target_url: Some("http://127.0.0.1:9/".to_owned()),
        event: Some("file.stored".to_owned()),
        ..Default::default()
    };
    sender.project.change_subscriptions(|all| all.create(fields)).unwrap();
}

fn delayed(copies: usize) -> SimulatedEvent {
    SimulatedEvent { copies, delay_ms: 3_600_000, ..SimulatedEvent::new("file.stored") }
}

#[test]
fn a_reset_ends_the_tasks_of_the_deliveries_that_it_forgets() {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let sender = sender(runtime.handle().clone());
    subscribe(&sender);
    sender.send(&delayed(100));
    let tasks = || runtime.metrics().num_alive_tasks();
    runtime.block_on(async { yield_now().await });
    assert_eq!(tasks(), 100);
    sender.project.reset(false);
    let begun = Instant::now();
    runtime.block_on(async {
        while tasks() > 0 && begun.elapsed() < Duration::from_secs(20) {
            yield_now().await;
        }
    });
    assert_eq!(tasks(), 0);
}

#[test]
fn an_order_from_before_a_reset_is_carried_out_after_it_or_not_at_all() {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let sender = sender(runtime.handle().clone());
    subscribe(&sender);
    let before = sender.project.generation();
    let receivers = sender.subscribed_to("file.stored");
    sender.project.reset(false);
    let sent = sender.send_to(&delayed(3).into(), &[Uuid::new_v4()], &receivers, &before, usize::MAX);
    assert!(matches!(sent, Err(Failed::Reset)));
    assert_eq!(sender.project.deliveries().len(), 0);
    // The order is carried out once more, and then there is no subscription.
    let resets = std::cell::Cell::new(0);
    let sent = sender.repeated_after_reset(|generation| {
        if resets.replace(1) == 0 {
            sender.project.reset(false);
        }
        let receivers = sender.subscribed_to("file.stored");
        sender.send_to(&delayed(3).into(), &[Uuid::new_v4()], &receivers, generation, usize::MAX)
    });
    assert_eq!(sent.unwrap().subscriptions, 0);
}
