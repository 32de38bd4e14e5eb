//! When a worker looks for jobs. Knows no storage and no job.

use std::{
    fmt,
    future::{Future, pending},
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use apalis_core::backend::ext::poll_strategy::{PollSnapshot, PollStrategy};
use tokio::{
    sync::watch,
    time::{sleep, timeout},
};

/// The shortest time between two queries, so that many deliveries do not make as many queries.
/// Further queries follow soon, because the job that woke the worker may not be visible to the
/// first.
const SHORTEST: Duration = Duration::from_millis(10);

/// When a worker looks for jobs; made by [`WebhookRouter::polling`](crate::WebhookRouter::polling).
///
/// For `poll_with_strategy` of apalis' `BackendExt`, inside a Tokio runtime.
pub struct Polling {
    /// Changes whenever this process has stored a delivery.
    stored: watch::Receiver<()>,
    longest: Duration,
    wait: Option<Wait>,
    waiting: Duration,
}

/// Returns whether something was stored meanwhile.
type Wait = Pin<Box<dyn Future<Output = bool> + Send + Sync>>;

impl Polling {
    pub(crate) fn new(stored: watch::Receiver<()>, interval: Duration) -> Self {
        let longest = interval.max(Duration::from_millis(1));
        Self { stored, longest, wait: None, waiting: SHORTEST.min(longest) }
    }
}

impl PollStrategy for Polling {
    fn poll_drive(&mut self, context: &mut Context<'_>, _: &PollSnapshot) -> Poll<Option<()>> {
        let mut due = Poll::Pending;
        // Loop until pending, so that a waker is always registered.
        loop {
            let (stored, waiting) = (&self.stored, self.waiting);
            let wait = self.wait.get_or_insert_with(|| Box::pin(wait(stored.clone(), waiting)));
            let Poll::Ready(stored) = wait.as_mut().poll(context) else { return due };
            if stored {
                self.stored.mark_unchanged();
                self.waiting = SHORTEST.min(self.longest);
            } else {
                self.waiting = self.waiting.saturating_mul(2).min(self.longest);
            }
            self.wait = None;
            due = Poll::Ready(Some(()));
        }
    }
}

async fn wait(mut stored: watch::Receiver<()>, longest: Duration) -> bool {
    sleep(SHORTEST.min(longest)).await;
    let something = async {
        if stored.changed().await.is_err() {
            // No router of this process stores jobs any more.
            pending::<()>().await;
        }
    };
    timeout(longest, something).await.is_ok()
}

impl fmt::Debug for Polling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Polling").field("interval", &self.longest).finish_non_exhaustive()
    }
}
