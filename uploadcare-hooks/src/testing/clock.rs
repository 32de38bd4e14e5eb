//! Time that a test moves, and the builder's option for it. Knows no queue.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use crate::{clock::Time, router::WebhookRouterBuilder};

/// Longer than any test needs, and no overflow.
const LONGEST: Duration = Duration::from_secs(1000 * 365 * 24 * 60 * 60);

/// Time that a test moves. Clones share it.
///
/// A router reads it if its [builder got it](WebhookRouterBuilder::clock).
///
/// ```
/// use std::time::Duration;
/// use uploadcare_hooks::testing::Clock;
///
/// let clock = Clock::new();
/// let before = clock.now();
/// clock.advance(Duration::from_secs(60));
/// assert_eq!(clock.now().duration_since(before).as_secs(), 60);
/// ```
#[derive(Clone)]
pub struct Clock(Arc<Inner>);

struct Inner {
    start: Start,
    advanced: Mutex<Duration>,
}

/// What a clock shows before it is advanced.
enum Start {
    /// Always this time, which the two types of time call by different names.
    Fixed(Timestamp, Instant),
    /// The time of the system's clock.
    Ticking,
}

impl Clock {
    /// A clock that shows the current time, and stands still until it is advanced.
    pub fn new() -> Self {
        Self::at(Timestamp::now())
    }

    /// A clock that shows this time, and stands still until it is advanced.
    pub fn at(time: Timestamp) -> Self {
        Self::starting(Start::Fixed(time, Instant::now()))
    }

    /// A clock that goes as the system's does, and can be advanced. For tests in which a
    /// [worker](crate::WebhookRouter::run_worker) runs by itself.
    pub fn ticking() -> Self {
        Self::starting(Start::Ticking)
    }

    fn starting(start: Start) -> Self {
        Self(Arc::new(Inner { start, advanced: Mutex::default() }))
    }

    /// Moves the clock forward. At most 1000 years in all.
    pub fn advance(&self, by: Duration) {
        let mut advanced = self.advanced();
        *advanced = advanced.saturating_add(by).min(LONGEST);
    }

    /// Moves the clock forward to this time. Changes nothing if it shows a later one.
    pub fn advance_to(&self, time: Timestamp) {
        let mut advanced = self.advanced();
        if let Ok(in_all) = Duration::try_from(time.duration_since(self.start())) {
            *advanced = in_all.min(LONGEST).max(*advanced);
        }
    }

    /// The time that it shows.
    pub fn now(&self) -> Timestamp {
        // A day beyond the last that a timestamp can have is that last one.
        SignedDuration::try_from(*self.advanced())
            .ok()
            .and_then(|advanced| self.start().checked_add(advanced).ok())
            .unwrap_or(Timestamp::MAX)
    }

    /// The time that it would show if it had never been advanced.
    fn start(&self) -> Timestamp {
        match self.0.start {
            Start::Fixed(time, _) => time,
            Start::Ticking => Timestamp::now(),
        }
    }

    fn advanced(&self) -> MutexGuard<'_, Duration> {
        self.0.advanced.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::new()
    }
}

impl Time for Clock {
    fn instant(&self) -> Instant {
        let start = match self.0.start {
            Start::Fixed(_, instant) => instant,
            Start::Ticking => Instant::now(),
        };
        start.checked_add(*self.advanced()).unwrap_or(start)
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Clock").field(&self.now()).finish()
    }
}

impl WebhookRouterBuilder {
    /// Has the router read the time from a clock that a test moves. Needs the feature `testing`.
    ///
    /// By this clock end the grace periods of
    /// [`replace_secret`](crate::WebhookRouter::replace_secret), and the time for which
    /// `deduplicate` remembers deliveries. Time limits of handlers and bodies are Tokio's, and a
    /// queue reads the time of its storage: see the [module's](crate::testing) documentation.
    pub fn clock(mut self, clock: &Clock) -> Self {
        self.clock = clock.clone().into();
        self
    }
}
