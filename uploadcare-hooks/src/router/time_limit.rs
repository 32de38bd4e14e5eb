//! How long something may take: a handler, a body, a storage. Knows nothing of what it limits.

use std::{fmt, future::poll_fn, panic, task::Poll, time::Duration};

use futures_util::{
    FutureExt,
    future::{Either, select},
};

/// How long something may take; `None` for no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TimeLimit(pub(crate) Option<Duration>);

/// Why a future did not finish within its [`TimeLimit`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OutOfTime {
    /// It took longer than this.
    After(Duration),
    /// It had to wait, and without a Tokio runtime with timers nothing can limit that.
    NoTimer,
}

impl TimeLimit {
    /// Runs `work` until it finishes or its time is over. The time starts when `work` first waits.
    ///
    /// # Errors
    /// [`OutOfTime`]. The caller then drops `work`, and does not poll it again.
    pub(crate) async fn apply<F: Future + Unpin>(self, work: &mut F) -> Result<F::Output, OutOfTime> {
        match (poll_once(work).await, self.0) {
            // Much work never waits and needs no timer.
            (Some(output), _) => Ok(output),
            (None, None) => Ok(work.await),
            (None, Some(limit)) => {
                // Tokio panics without a runtime, and in a runtime without timers. Boxed, because
                // most deliveries need no timer, and it would make their futures larger.
                let Ok(sleep) = panic::catch_unwind(|| Box::pin(tokio::time::sleep(limit))) else {
                    return Err(OutOfTime::NoTimer);
                };
                match select(work, sleep).await {
                    Either::Left((output, _)) => Ok(output),
                    Either::Right(_) => Err(OutOfTime::After(limit)),
                }
            }
        }
    }
}

/// The output of `future` if it is ready at once.
async fn poll_once<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
    poll_fn(|context| match future.poll_unpin(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}

impl fmt::Display for OutOfTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::After(limit) => write!(f, "did not finish within {limit:?}"),
            Self::NoTimer => f.write_str(
                "had to wait, and its time limit needs a Tokio runtime with time enabled: run inside one, \
                 or build the router with `.no_handler_timeout()`",
            ),
        }
    }
}
