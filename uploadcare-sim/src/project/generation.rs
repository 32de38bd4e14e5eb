//! The time between two resets. What was ordered in one generation is not carried out in the next.

use std::time::Duration;

use tokio::{sync::watch, time::timeout};

/// Counts the resets.
#[derive(Debug)]
pub(super) struct Resets(watch::Sender<u64>);

impl Default for Resets {
    fn default() -> Self {
        Self(watch::Sender::new(0))
    }
}

impl Resets {
    pub(super) fn current(&self) -> Generation {
        let resets = self.0.subscribe();
        let number = *resets.borrow();
        Generation { number, resets }
    }

    pub(super) fn is_current(&self, generation: &Generation) -> bool {
        *self.0.borrow() == generation.number
    }

    /// Begins the next generation, and wakes all who sleep in this one.
    pub(super) fn next(&self) {
        self.0.send_modify(|number| *number += 1);
    }
}

/// One generation, which ends with the next reset.
#[derive(Debug, Clone)]
pub(crate) struct Generation {
    number: u64,
    resets: watch::Receiver<u64>,
}

impl Generation {
    /// Waits until the generation ends, or the project is gone.
    pub(crate) async fn end(&mut self) {
        let number = self.number;
        // This fails only if the project is gone.
        let _ = self.resets.wait_for(|now| *now != number).await;
    }

    /// Sleeps so long. Returns `false`, at once, if the generation ends before.
    pub(crate) async fn sleep(&mut self, time: Duration) -> bool {
        timeout(time, self.end()).await.is_err()
    }
}
