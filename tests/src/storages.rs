//! The storages of a queue, so that each test runs over all of them.

use std::{
    env,
    sync::atomic::{AtomicUsize, Ordering},
    time::{SystemTime, UNIX_EPOCH},
};

use tempfile::TempDir;
use tokio::{sync::oneshot, task::JoinHandle};
use uploadcare_hooks::{
    WebhookRouter,
    queue::{OpenOptions, QueueError, Storage},
};

/// A kind of storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A SQLite file.
    Sqlite,
    /// The Redis server of `TEST_REDIS_URL`.
    Redis,
    /// The PostgreSQL server of `TEST_POSTGRES_URL`.
    Postgres,
}

impl Kind {
    /// Every kind of storage.
    pub const ALL: [Self; 3] = [Self::Sqlite, Self::Redis, Self::Postgres];

    /// The URL of the server. `None` when the environment has no URL, which is printed. SQLite
    /// needs no server: its URL is empty.
    #[allow(clippy::print_stderr)]
    pub fn server(self) -> Option<String> {
        let variable = match self {
            Self::Sqlite => return Some(String::new()),
            Self::Redis => "TEST_REDIS_URL",
            Self::Postgres => "TEST_POSTGRES_URL",
        };
        let url = env::var(variable).ok().filter(|url| !url.is_empty());
        if url.is_none() {
            eprintln!("test skipped for {self:?}: {variable} is not set");
        }
        url
    }

    /// Opens the queue of this name; SQLite keeps it in this file. Returns `None` when no server is
    /// configured.
    ///
    /// # Errors
    /// When the server cannot be reached, or the file cannot be opened.
    pub async fn open(self, name: &str, file: &str) -> Result<Option<Storage>, QueueError> {
        let Some(url) = self.server() else { return Ok(None) };
        let options = OpenOptions::new().name(name);
        let opened = match self {
            Self::Sqlite => options.open_sqlite(file).await,
            Self::Redis => options.open_redis(&url).await,
            Self::Postgres => options.open_postgres(&url).await,
        };
        opened.map(Some)
    }
}

/// A queue that no other test uses.
#[derive(Debug)]
pub struct TestQueue {
    /// Which storage it is.
    pub kind: Kind,
    /// Its name.
    pub name: String,
    /// Where SQLite keeps it. Dropping it deletes the folder.
    directory: TempDir,
}

impl TestQueue {
    /// A new queue in a storage of this kind.
    ///
    /// # Errors
    /// When there is no temporary folder.
    pub fn new(kind: Kind) -> std::io::Result<Self> {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        let name = format!("test_{}_{now}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        Ok(Self { kind, name, directory: TempDir::new()? })
    }

    /// The file of a SQLite queue.
    pub fn file(&self) -> String {
        self.directory.path().join("queue.db").to_string_lossy().into_owned()
    }

    /// Opens it. Returns `None` when no server is configured.
    ///
    /// # Errors
    /// When the server cannot be reached, or the file cannot be opened.
    pub async fn open(&self) -> Result<Option<Storage>, QueueError> {
        self.kind.open(&self.name, &self.file()).await
    }
}

/// A running worker.
#[derive(Debug)]
pub struct RunningWorker {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl RunningWorker {
    /// Starts a worker of this router.
    pub fn start(hooks: &WebhookRouter) -> Self {
        let (stop, stopped) = oneshot::channel();
        Self { stop, task: tokio::spawn(hooks.run_worker(stopped)) }
    }

    /// Stops the worker after it has finished its running jobs.
    ///
    /// # Errors
    /// When the worker panicked.
    pub async fn stop(self) -> Result<(), tokio::task::JoinError> {
        let _ = self.stop.send(());
        self.task.await
    }

    /// Ends the worker at its next `.await`, as a crash would.
    pub fn abort(self) {
        self.task.abort();
    }
}
