//! The time: the system's, or one that a test moves. Knows nothing else.

use std::{fmt, sync::Arc};

use tokio::time::Instant;

/// Where a router reads the time. Clones read the same. The default is the system's clock.
#[derive(Clone, Default)]
pub(crate) struct Clock(Option<Arc<dyn Time>>);

/// A time other than the system's.
pub(crate) trait Time: Send + Sync {
    fn instant(&self) -> Instant;
}

impl Clock {
    /// The current time, to compare with others of this clock. Without another time it is Tokio's,
    /// which moves with `tokio::time::advance` in a test that has paused it.
    pub(crate) fn instant(&self) -> Instant {
        self.0.as_ref().map_or_else(Instant::now, |time| time.instant())
    }
}

impl<T: Time + 'static> From<T> for Clock {
    fn from(time: T) -> Self {
        Self(Some(Arc::new(time)))
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Clock(moved by a test)" } else { "Clock(the system's)" })
    }
}
