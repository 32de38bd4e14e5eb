//! Carries out a plan through the client. Decides nothing that the plan does not say.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use tokio::task::JoinHandle;

use super::{
    Action, Finding, Plan, RegistrationError, Step, StepFailure, Subscriptions,
    plan::{Change, IfGone, comparable, compare},
};
use crate::client::{Client, ClientError, CreateWebhook};

const LONGEST_DELAY: Duration = Duration::from_secs(5 * 60);

impl Subscriptions {
    /// Compares the needed subscriptions with those at Uploadcare. Changes nothing.
    ///
    /// # Errors
    /// [`RegistrationError::Client`] if the subscriptions cannot be listed.
    pub async fn plan(&self, client: &Client) -> Result<Plan, RegistrationError> {
        let mut wanted = self.wanted(None)?;
        let list = client
            .list()
            .await
            .map_err(|error| RegistrationError::Client { step: "listing the subscriptions".to_owned(), error })?;
        wanted.extend(self.wanted_unknown(&wanted, &list)?);
        let mut plan = compare(&self.base_url, self.options, &wanted, &list);
        if client.is_local() {
            // A simulator reaches the addresses of its own machine.
            plan.drop_findings(&Finding::TargetIsLocal);
        }
        Ok(plan)
    }

    /// Carries out the plan; returns it.
    ///
    /// A second call writes nothing. Several processes may call it at once: a process that finds a
    /// subscription created by another one adjusts it if needed.
    ///
    /// While Uploadcare cannot be reached, the [`Client`] repeats its calls, and logs each failed
    /// try and when the next one starts.
    ///
    /// # Errors
    /// [`RegistrationError::Client`] if the subscriptions cannot be listed.
    /// [`RegistrationError::Steps`] if some steps failed: all others were carried out, and another
    /// `sync` goes on from there. An application whose handlers take `unlisted` events can start
    /// although Uploadcare refuses these events: see
    /// [`is_only_refused_events`](RegistrationError::is_only_refused_events).
    pub async fn sync(&self, client: &Client) -> Result<Plan, RegistrationError> {
        let _turn = self.router.core.registration.lock().await;
        self.sync_in_turn(client).await
    }

    pub(super) async fn sync_in_turn(&self, client: &Client) -> Result<Plan, RegistrationError> {
        let plan = self.plan(client).await?;
        self.router.core.observer.subscribed_at(&self.path());
        let (deletes, others): (Vec<_>, Vec<_>) = plan.steps.iter().partition(|step| step.action() == Action::Delete);
        let (mut failures, mut failed) = (Vec::new(), Vec::new());
        for step in others {
            if let Err(failure) = self.carry_out(client, step).await {
                failures.push(failure);
                failed.push((&step.event, comparable(&step.target_url)));
            }
        }
        // Last, and a duplicate only if the subscription that stays is as it should be.
        for step in deletes {
            if !failed.contains(&(&step.event, comparable(&step.target_url)))
                && let Err(failure) = self.carry_out(client, step).await
            {
                failures.push(failure);
            }
        }
        let writes = plan.writes();
        if !failures.is_empty() {
            return Err(RegistrationError::Steps { failures, writes });
        }
        tracing::info!("subscriptions are in place: {writes} written, {} kept", plan.steps.len() - writes);
        Ok(plan)
    }

    /// Carries out the plan in a task of its own, and retries until it succeeds. Logs with
    /// `tracing` each `sync` that failed and when the next one starts (`error`), and that one
    /// succeeded after failures (`info`).
    ///
    /// For applications that should start even while Uploadcare cannot be reached. The delay
    /// between tries grows from a second to five minutes, and is up to twice that, at random.
    /// Dropping the handle leaves the task running; `abort` ends it.
    ///
    /// # Panics
    /// Outside of a Tokio runtime.
    pub fn sync_in_background(self, client: Client) -> JoinHandle<Plan> {
        let mut delays = delays();
        tokio::spawn(async move {
            let mut failures = 0_u64;
            loop {
                let error = match self.sync(&client).await {
                    Ok(plan) => {
                        if failures > 0 {
                            tracing::info!("the subscriptions were synced; failed syncs before that: {failures}");
                        }
                        return plan;
                    }
                    Err(error) => error,
                };
                failures += 1;
                let delay = delays.next().unwrap_or(LONGEST_DELAY);
                tracing::error!(
                    "the subscriptions are not in place yet, failed syncs: {failures}; the next sync is in \
                     {delay:.1?}: {error}"
                );
                tokio::time::sleep(delay).await;
            }
        })
    }

    async fn carry_out(&self, client: &Client, step: &Step) -> Result<(), StepFailure> {
        match &step.change {
            Change::Keep { .. } => Ok(()),
            Change::Create(create) => self.create(client, step, create).await,
            Change::Update { id, update, if_gone } => match (client.update(*id, update).await, if_gone) {
                (Ok(_), _) => {
                    self.log_new_secret(step, *id);
                    Ok(())
                }
                // Another process deleted it since it was listed.
                (Err(ClientError::NotFound(_)), IfGone::Create(create)) => self.create(client, step, create).await,
                (Err(ClientError::NotFound(_)), IfGone::Done) => Ok(()),
                (Err(error), _) => Err(step.failure("updating", error)),
            },
            Change::Replace { id, create } => {
                delete(client, step, *id).await?;
                self.create(client, step, create).await?;
                self.log_new_secret(step, *id);
                Ok(())
            }
            Change::Delete { id } => delete(client, step, *id).await,
        }
    }

    /// Creates a subscription, or adjusts the one that another process has created in the meantime.
    async fn create(&self, client: &Client, step: &Step, create: &CreateWebhook) -> Result<(), StepFailure> {
        let failed = |error| step.failure("creating", error);
        let error = match client.create(create).await {
            Ok(_) => return Ok(()),
            Err(error @ ClientError::AlreadySubscribed(_)) => error,
            Err(error) => return Err(failed(error)),
        };
        let now = match self.plan(client).await {
            Ok(now) => now,
            Err(RegistrationError::Client { step, error }) => return Err(StepFailure::new(step, error)),
            Err(_) => return Err(failed(error)),
        };
        let target_url = comparable(&step.target_url);
        let found =
            now.steps.iter().find(|other| other.event == step.event && comparable(&other.target_url) == target_url);
        match found.map(|found| (found, &found.change)) {
            Some((_, Change::Keep { id: Some(_) })) => Ok(()),
            Some((found, Change::Update { id, update, .. })) => {
                client.update(*id, update).await.map_err(failed)?;
                self.log_new_secret(found, *id);
                Ok(())
            }
            _ => Err(failed(error)),
        }
    }

    /// A process that starts with an old secret in its environment changes it back, so a person
    /// should see it. A rotation is what a person wanted.
    fn log_new_secret(&self, step: &Step, id: u64) {
        if step.findings.contains(&Finding::SecretDiffers) && !self.options.is_rotation {
            tracing::warn!(
                "the signing secret of subscription {id} (`{}` at {}) is now the one of this router: Uploadcare had \
                 another one, or none",
                step.event,
                step.target_url
            );
        }
    }
}

/// Deletes a subscription. One that is gone already is no error.
async fn delete(client: &Client, step: &Step, id: u64) -> Result<(), StepFailure> {
    match client.delete(id).await {
        Ok(()) | Err(ClientError::NotFound(_)) => Ok(()),
        Err(error) => Err(step.failure("deleting", error)),
    }
}

impl Step {
    fn failure(&self, doing: &str, error: ClientError) -> StepFailure {
        StepFailure::new(format!("{doing} the subscription of {} to `{}`", self.target_url, self.event), error)
    }
}

/// The delays between the tries of a sync in the background, without end: from a second to five
/// minutes, and up to twice that with jitter.
fn delays() -> impl Iterator<Item = Duration> {
    let delays = ExponentialBuilder::new().with_min_delay(Duration::from_secs(1)).with_max_delay(LONGEST_DELAY);
    delays.without_max_times().with_jitter().build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delays_between_syncs_grow_from_a_second_to_five_minutes() {
        let seconds: Vec<_> = delays().take(1000).map(|delay| delay.as_secs_f64()).collect();
        for (number, seconds) in seconds.into_iter().enumerate() {
            let least = 2_f64.powi(number.try_into().unwrap()).min(300.0);
            assert!((least..=2.0 * least).contains(&seconds), "delay {number} is {seconds} s");
        }
    }
}
