//! Jobs that failed: listed, run again, discarded. Knows no database.

use std::fmt;

use jiff::Timestamp;

use super::{
    Failure, Job, QueueError,
    dispatch::Queue,
    storage::{Found, Verdict},
};
use crate::{payload::EventKind, router::WebhookRouter};

/// A job that will not be tried again, from [`WebhookRouter::dead_jobs`].
#[derive(Clone)]
#[non_exhaustive]
pub struct DeadJob {
    /// The job, with the body of its delivery.
    pub job: Job,
    /// How many attempts started. 0 if no process had its handler, or could read its body.
    pub attempts: u32,
    /// The latest failures, oldest first. The last says why the job died.
    pub failures: Vec<Failure>,
    /// When it died.
    pub died_at: Timestamp,
    died: i64,
}

/// A job that failed and will be tried again, from [`WebhookRouter::failing_jobs`].
#[derive(Clone)]
#[non_exhaustive]
pub struct FailingJob {
    /// The job, with the body of its delivery.
    pub job: Job,
    /// How many attempts started.
    pub attempts: u32,
    /// The latest failures, oldest first.
    pub failures: Vec<Failure>,
    /// When it is tried again.
    pub next_attempt: Timestamp,
}

impl DeadJob {
    /// Why it died: the text of its last failure.
    pub fn last_error(&self) -> &str {
        last_error(&self.failures)
    }

    fn name_and_death(&self) -> (String, i64) {
        (self.job.name.clone(), self.died)
    }
}

impl FailingJob {
    /// The text of its last failure.
    pub fn last_error(&self) -> &str {
        last_error(&self.failures)
    }
}

pub(super) fn last_error(failures: &[Failure]) -> &str {
    failures.last().map_or("", |failure| failure.error.as_str())
}

impl From<Found> for DeadJob {
    fn from(found: Found) -> Self {
        let Found { job, attempts, failures, at } = found;
        Self { job, attempts, failures, died_at: timestamp(at), died: at }
    }
}

impl From<Found> for FailingJob {
    fn from(found: Found) -> Self {
        let Found { job, attempts, failures, at } = found;
        Self { job, attempts, failures, next_attempt: timestamp(at) }
    }
}

pub(super) fn timestamp(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(milliseconds).unwrap_or_default()
}

/// Without the text of failures, which may quote the payload.
impl fmt::Debug for DeadJob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("DeadJob");
        debug.field("job", &self.job).field("attempts", &self.attempts).field("died_at", &self.died_at);
        debug.finish_non_exhaustive()
    }
}

/// Without the text of failures, which may quote the payload.
impl fmt::Debug for FailingJob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("FailingJob");
        debug.field("job", &self.job).field("attempts", &self.attempts).field("next_attempt", &self.next_attempt);
        debug.finish_non_exhaustive()
    }
}

/// Which dead jobs to list or to run again, for [`WebhookRouter::find_dead_jobs`] and
/// [`WebhookRouter::run_all_again`]. All of them by default.
///
/// ```no_run
/// # use uploadcare_hooks::{WebhookRouter, queue::{DeadJobs, QueueError}};
/// # async fn example(hooks: &WebhookRouter) -> Result<(), QueueError> {
/// let wanted = DeadJobs::default().handler("index_upload");
/// let page = hooks.find_dead_jobs(&wanted, 50).await?;
/// if let Some(last) = page.last() {
///     let next_page = hooks.find_dead_jobs(&wanted.after(last), 50).await?;
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeadJobs {
    handler: Option<String>,
    event: Option<EventKind>,
    after: Option<(i64, String)>,
}

impl DeadJobs {
    /// Only jobs of the handler with this name.
    pub fn handler(mut self, name: impl Into<String>) -> Self {
        self.handler = Some(name.into());
        self
    }

    /// Only jobs of this event.
    pub fn event(mut self, event: EventKind) -> Self {
        self.event = Some(event);
        self
    }

    /// Only jobs that come after this one in the list: the next page after its last job.
    pub fn after(mut self, last: &DeadJob) -> Self {
        self.after = Some((last.died, last.job.name.clone()));
        self
    }
}

/// What a storage is to find.
#[derive(Debug, Clone)]
pub(super) struct Search {
    /// Dead jobs, or else those that failed and wait.
    pub(super) dead: bool,
    pub(super) handler: Option<String>,
    /// The wire name of an event.
    pub(super) event: Option<String>,
    /// Only those before this time and name, in the order latest first.
    pub(super) before: Option<(i64, String)>,
    pub(super) most: u32,
}

impl Search {
    fn dead(wanted: &DeadJobs, most: u32) -> Self {
        let DeadJobs { handler, event, after } = wanted.clone();
        let event = event.map(|event| event.as_str().to_owned());
        Self { dead: true, handler, event, before: after, most }
    }

    fn failing(most: u32) -> Self {
        Self { dead: false, handler: None, event: None, before: None, most }
    }
}

impl WebhookRouter {
    /// The latest dead jobs of the [queue](crate::queue), latest first, at most `limit` of them.
    ///
    /// # Errors
    /// If the router has no queue, or the storage fails.
    pub async fn dead_jobs(&self, limit: u32) -> Result<Vec<DeadJob>, QueueError> {
        self.find_dead_jobs(&DeadJobs::default(), limit).await
    }

    /// Dead jobs of one handler or one event, page by page, see [`DeadJobs`].
    ///
    /// # Errors
    /// If the router has no queue, or the storage fails.
    pub async fn find_dead_jobs(&self, wanted: &DeadJobs, limit: u32) -> Result<Vec<DeadJob>, QueueError> {
        let found = Queue::required(self)?.engine().find(&Search::dead(wanted, limit)).await?;
        Ok(found.into_iter().map(DeadJob::from).collect())
    }

    /// Jobs that failed and will be tried again, latest attempt first, at most `limit` of them.
    ///
    /// # Errors
    /// If the router has no queue, or the storage fails.
    pub async fn failing_jobs(&self, limit: u32) -> Result<Vec<FailingJob>, QueueError> {
        let found = Queue::required(self)?.engine().find(&Search::failing(limit)).await?;
        Ok(found.into_iter().map(FailingJob::from).collect())
    }

    /// Gives a dead job as many attempts as a new one. Returns whether this call did it: a job
    /// that is no longer dead, or that died again since it was listed, is not changed.
    ///
    /// # Errors
    /// If the router has no queue, or the storage fails.
    pub async fn run_again(&self, dead: &DeadJob) -> Result<bool, QueueError> {
        let queue = Queue::required(self)?;
        let changed = queue.engine().decide(&[dead.name_and_death()], Verdict::RunAgain).await?;
        queue.stored.send_replace(());
        Ok(changed > 0)
    }

    /// Gives all these dead jobs as many attempts as new ones. Returns how many this call changed.
    /// Jobs that die meanwhile are not run a second time.
    ///
    /// # Errors
    /// If the router has no queue, or the storage fails. Those before the failure are changed.
    pub async fn run_all_again(&self, wanted: &DeadJobs) -> Result<u64, QueueError> {
        const PAGE: u32 = 200;
        let (queue, mut wanted, mut changed) = (Queue::required(self)?, wanted.clone(), 0);
        loop {
            let page = self.find_dead_jobs(&wanted, PAGE).await?;
            let Some(last) = page.last() else { return Ok(changed) };
            let names: Vec<_> = page.iter().map(DeadJob::name_and_death).collect();
            changed += queue.engine().decide(&names, Verdict::RunAgain).await?;
            queue.stored.send_replace(());
            wanted = wanted.after(last);
        }
    }

    /// Removes a dead job from the list, for a reason that goes into the log. A redelivery does not
    /// run it. Returns whether this call did it, as [`run_again`](Self::run_again) does.
    ///
    /// # Errors
    /// If the router has no queue, or the storage fails.
    pub async fn discard_dead_job(&self, dead: &DeadJob, reason: &str) -> Result<bool, QueueError> {
        let queue = Queue::required(self)?;
        let changed = queue.engine().decide(&[dead.name_and_death()], Verdict::Discard).await?;
        if changed > 0 {
            let (handler, delivery) = (dead.job.handler(), dead.job.delivery_id());
            tracing::info!(
                delivery.id = %delivery,
                handler,
                "the dead job of handler `{handler}` for delivery {delivery} was discarded: {reason:?}"
            );
        }
        Ok(changed > 0)
    }
}
