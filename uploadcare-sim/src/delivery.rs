//! Sends events to their subscriptions, signed, and again until the receiver acknowledges them.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use tokio::runtime::Handle;
use uploadcare_hooks::{SIGNATURE_HEADER, SigningSecret};
use uuid::Uuid;

use crate::{
    event::{SimulatedEvent, payload},
    project::{Attempt, Project, Subscription},
};

/// How long a receiver may take to answer.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Sends events to the subscriptions of a project.
pub(crate) struct EventSender {
    pub(crate) project: Arc<Project>,
    pub(crate) redelivery_delays: Vec<Duration>,
    pub(crate) http: reqwest::Client,
    /// Runs the deliveries. A server worker's own runtime would end with its connection.
    pub(crate) runtime: Handle,
}

impl EventSender {
    /// Starts to deliver an event to each active subscription of it. Returns the file's UUID and
    /// the number of subscriptions.
    pub(crate) fn send(self: &Arc<Self>, event: &SimulatedEvent) -> (Uuid, usize) {
        let uuid = event.uuid();
        let wanted = |known: &&Subscription| known.is_active && known.event == event.event;
        let subscriptions: Vec<_> = self.project.subscriptions().all().iter().filter(wanted).cloned().collect();
        let number = subscriptions.len();
        let delay = Duration::from_millis(event.delay_ms);
        for subscription in subscriptions {
            let body: Arc<str> = payload(&self.project, &subscription, event, uuid).to_string().into();
            for _ in 0..event.copies {
                let (id, body, subscription) = (Uuid::new_v4(), Arc::clone(&body), subscription.clone());
                let (delivery, sender) = (PendingDelivery { id, uuid, subscription, body }, Arc::clone(self));
                self.runtime.spawn(async move { delivery.run(&sender, delay).await });
            }
        }
        (uuid, number)
    }
}

/// An event that one subscription has not acknowledged yet.
struct PendingDelivery {
    id: Uuid,
    uuid: Uuid,
    subscription: Subscription,
    body: Arc<str>,
}

impl PendingDelivery {
    /// Repeats the attempt until the receiver acknowledges it, or no delay is left.
    async fn run(&self, sender: &EventSender, first_delay: Duration) {
        let delays = std::iter::once(first_delay).chain(sender.redelivery_delays.iter().copied());
        for (attempt, delay) in delays.enumerate() {
            tokio::time::sleep(delay).await;
            let answer = self.attempt(&sender.http).await;
            let acknowledged = answer.as_ref().is_ok_and(|status| (200..300).contains(status));
            sender.project.attempts().push(Attempt {
                delivery: self.id,
                attempt: attempt + 1,
                event: self.subscription.event.clone(),
                uuid: self.uuid,
                subscription: self.subscription.id,
                target_url: self.subscription.target_url.clone(),
                at: Timestamp::now(),
                status: answer.as_ref().ok().copied(),
                error: answer.err(),
            });
            if acknowledged {
                return;
            }
        }
    }

    /// Sends the delivery once. Returns the status of the answer, or why there was none.
    async fn attempt(&self, http: &reqwest::Client) -> Result<u16, String> {
        let mut request = http.post(&self.subscription.target_url).timeout(TIMEOUT);
        request = request.header("Content-Type", "application/json");
        if let Some(secret) = &self.subscription.signing_secret {
            let secret = SigningSecret::new(secret.as_str()).map_err(|error| error.to_string())?;
            request = request.header(SIGNATURE_HEADER, secret.sign(self.body.as_bytes()));
        }
        match request.body(self.body.to_string()).send().await {
            Ok(answer) => Ok(answer.status().as_u16()),
            Err(error) => Err(error.to_string()),
        }
    }
}
