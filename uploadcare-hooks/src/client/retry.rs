//! When a call is tried again. Knows no HTTP.

use std::{future::Future, time::Duration};

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};

use super::ClientError;

/// When a call is tried again.
#[derive(Debug, Clone)]
pub(super) struct Retries {
    pub(super) times: usize,
    pub(super) first_delay: Duration,
    /// The longest delay that Uploadcare may ask for.
    pub(super) max_asked_delay: Duration,
}

impl Default for Retries {
    fn default() -> Self {
        let (first_delay, max_asked_delay) = (Duration::from_millis(500), Duration::from_secs(60));
        Self { times: 4, first_delay, max_asked_delay }
    }
}

/// What became of a try that failed.
pub(super) enum Settled<T> {
    /// It succeeded all the same, with this result.
    Done(T),
    /// Another process has done the like, with other details.
    DoneByAnother,
    /// It did nothing, so it may be tried again.
    NotDone,
    /// That could not be found out.
    Unknown(ClientError),
}

impl Retries {
    /// Runs `attempt` until it succeeds, fails for good, or has used up its tries. After each
    /// failure and its delay, `settle` finds out what became of the try. Logs each failed try that
    /// is repeated, and that a repeated one succeeded; `what` names the call. The error of the last
    /// try says that it was at `place`.
    pub(super) async fn run<T, A, S>(
        &self,
        what: &str,
        place: &str,
        mut attempt: impl FnMut() -> A,
        mut settle: impl FnMut(&ClientError) -> S,
    ) -> Result<T, ClientError>
    where
        A: Future<Output = Result<T, ClientError>>,
        S: Future<Output = Settled<T>>,
    {
        let mut delays = self.delays();
        let most = self.times.saturating_add(1);
        let mut number = 0_usize;
        loop {
            number += 1;
            let error = match attempt().await {
                Ok(done) => {
                    if number > 1 {
                        tracing::info!("{what} succeeded at try {number} of {most}");
                    }
                    return Ok(done);
                }
                Err(error) => error,
            };
            let delay = self.delay_after(&error, &mut delays);
            if let Some(delay) = delay {
                tracing::warn!("{what} failed, try {number} of {most}; the next try is in {delay:.1?}: {error}");
                tokio::time::sleep(delay).await;
            }
            match (settle(&error).await, delay) {
                (Settled::Done(done), _) => {
                    tracing::info!("{what} had succeeded at try {number} of {most}, although its answer failed");
                    return Ok(done);
                }
                (Settled::DoneByAnother, _) => return Err(error.into_already_subscribed()),
                (Settled::NotDone, Some(_)) => {}
                (Settled::Unknown(unknown), Some(_)) => return Err(unknown),
                (Settled::NotDone | Settled::Unknown(_), None) => return Err(error.at(place)),
            }
        }
    }

    fn delays(&self) -> ExponentialBackoff {
        const LONGEST: Duration = Duration::from_secs(10);
        ExponentialBuilder::new()
            .with_min_delay(self.first_delay)
            .with_max_delay(LONGEST.max(self.first_delay))
            .with_max_times(self.times)
            .with_jitter()
            .build()
    }

    /// How long to wait before the next try; `None` if there is none.
    fn delay_after(&self, error: &ClientError, delays: &mut ExponentialBackoff) -> Option<Duration> {
        if !error.is_temporary() {
            return None;
        }
        let delay = delays.next()?;
        match error {
            ClientError::Throttled { retry_after: Some(asked), .. } if *asked > self.max_asked_delay => None,
            ClientError::Throttled { retry_after: Some(asked), .. } => Some(delay.max(*asked)),
            _ => Some(delay),
        }
    }
}
