//! How storages are opened: the queue's name, and whether to wait for a server. Knows no database.

use std::{future::Future, time::Duration};

use tokio::time::{Instant, sleep};

use super::{QueueError, Storage};

/// Longer than any process waits, and no overflow.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// How a storage is opened, if `open_sqlite`, `open_postgres` and `open_redis` do not fit.
///
/// ```no_run
/// # use std::time::Duration;
/// # use uploadcare_hooks::queue::{OpenOptions, QueueError, Storage};
/// # #[cfg(feature = "queue-postgres")]
/// # async fn example() -> Result<Storage, QueueError> {
/// let options = OpenOptions::new().name("billing").keep_trying(Duration::from_secs(60));
/// options.open_postgres("postgres://app@db.example.com/app").await
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct OpenOptions {
    pub(super) name: String,
    keep_trying: Duration,
}

impl Default for OpenOptions {
    fn default() -> Self {
        Self { name: "webhooks".to_owned(), keep_trying: Duration::ZERO }
    }
}

impl OpenOptions {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the name of the queue, to keep applications apart that share a storage. 1 to 40
    /// characters of `a-z`, `0-9` and `_`. Defaults to `webhooks`.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Tries again for this long if the storage cannot be reached, for applications that start at
    /// the same time as their database. Defaults to not at all.
    pub fn keep_trying(mut self, limit: Duration) -> Self {
        self.keep_trying = limit;
        self
    }

    /// Opens a storage, and tries again for as long as it should.
    pub(super) async fn open<F>(&self, open: impl Fn() -> F) -> Result<Storage, QueueError>
    where
        F: Future<Output = Result<Storage, QueueError>>,
    {
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        if !(1..=40).contains(&self.name.len()) || !self.name.bytes().all(fits) {
            return Err(QueueError::misused(format!(
                "{:?} cannot be the name of a queue: give 1 to 40 characters of a-z, 0-9 and _",
                self.name
            )));
        }
        let end = Instant::now() + self.keep_trying.min(LONGEST);
        let mut pause = Duration::from_millis(100);
        loop {
            match open().await {
                Err(error) if !error.is_refusal() && Instant::now() + pause < end => {
                    tracing::warn!("trying again in {pause:?}: {error}");
                    sleep(pause).await;
                    pause = (pause * 2).min(Duration::from_secs(5));
                }
                opened => return opened,
            }
        }
    }
}
