//! Tells those who watch the simulator what changed.

use std::sync::Arc;

use tokio::sync::broadcast;

use super::{Attempt, Delivery};

/// How many changes wait for a slow watcher. One that misses some is told so.
const WAITING: usize = 1024;

/// Something that changed.
#[derive(Debug, Clone)]
pub(crate) enum Change {
    /// A delivery is new, or has one more attempt.
    Delivery(Arc<Delivery>),
    /// An attempt ended. Holds the delivery as well, as it is then.
    Attempt(Arc<Attempt>, Arc<Delivery>),
    /// A subscription was created, changed or deleted.
    Subscriptions,
    /// Faults were switched on or off.
    Faults,
    /// Everything was reset.
    Reset,
    /// The simulator stops: a stream of changes ends.
    Stop,
}

#[derive(Debug)]
pub(crate) struct Changes(broadcast::Sender<Change>);

impl Default for Changes {
    fn default() -> Self {
        Self(broadcast::Sender::new(WAITING))
    }
}

impl Changes {
    pub(crate) fn tell(&self, change: Change) {
        // This fails only if there is no watcher.
        let _ = self.0.send(change);
    }

    pub(crate) fn watch(&self) -> broadcast::Receiver<Change> {
        self.0.subscribe()
    }
}
