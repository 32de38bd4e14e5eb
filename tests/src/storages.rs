//! The storages of a queue behind one type, so that each test runs over all of them.

use std::{
    env, fmt,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use apalis::{layers::WorkerBuilderExt, layers::retry::RetryPolicy};
use apalis_core::{
    backend::ext::BackendExt,
    error::{BoxDynError, WorkerError},
    worker::builder::WorkerBuilder,
};
use apalis_postgres::PostgresStorage;
use apalis_redis::RedisStorage;
use apalis_sqlite::SqliteStorage;
use futures_util::future::BoxFuture;
use tempfile::TempDir;
use tokio::{sync::watch, task::JoinHandle};
use uploadcare_hooks::{
    WebhookRouter, WebhookRouterBuilder,
    queue::{self, DeadJob, Job, QueueError},
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
    fn server(self) -> Option<String> {
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

    /// Opens a new queue that no other test uses. Returns `None` when no server is configured.
    ///
    /// # Errors
    /// When the server cannot be reached, or the file cannot be created.
    pub async fn open(self) -> Result<Option<Storage>, BoxDynError> {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let directory = TempDir::new()?;
        let queue = format!("test-{}-{number}-{}", std::process::id(), directory.path().display());
        let file = directory.path().join("queue.db");
        let storage = self.open_queue(&queue, &file.to_string_lossy()).await?;
        Ok(storage.map(|storage| Storage { directory: Some(directory), ..storage }))
    }

    /// Opens the queue with this name; SQLite keeps it in this file. Returns `None` when no server
    /// is configured.
    ///
    /// # Errors
    /// When the server cannot be reached, or the file cannot be opened.
    pub async fn open_queue(self, queue: &str, file: &str) -> Result<Option<Storage>, BoxDynError> {
        let Some(url) = self.server() else { return Ok(None) };
        Ok(Some(match self {
            Self::Sqlite => {
                let storage = queue::open_sqlite(file).await?;
                sqlx::raw_sql(FAST_SQLITE).execute(storage.pool()).await?;
                let config = apalis_sqlite::Config::default().queue(queue).heartbeat_interval(HEARTBEAT);
                Storage::of_sqlite(storage.with_config(config))
            }
            Self::Redis => {
                let config = apalis_redis::Config::default().queue(queue).heartbeat_interval(HEARTBEAT);
                // By default apalis forgets idempotency keys at once.
                let config = config.idempotency_ttl(Some(Duration::from_secs(4 * 24 * 60 * 60)));
                Storage::of_redis(RedisStorage::new(apalis_redis::connect(url).await?).with_config(config))
            }
            Self::Postgres => {
                let pool = sqlx::postgres::PgPoolOptions::new().max_connections(4).connect(&url).await?;
                PostgresStorage::setup(&pool).await?;
                let config = apalis_postgres::Config::default().queue(queue).heartbeat_interval(HEARTBEAT);
                Storage::of_postgres(PostgresStorage::new(&pool).with_config(config))
            }
        }))
    }
}

/// Waits only half a second for a locked file, and does not sync each commit to the disk. Written
/// data survives the crash of a process. It might not survive a power failure, which no test needs.
const FAST_SQLITE: &str = "PRAGMA busy_timeout = 500; PRAGMA synchronous = NORMAL";

/// How often a worker reports that it is alive. A worker that misses two heartbeats counts as dead.
const HEARTBEAT: Duration = Duration::from_secs(1);

/// The storage of one queue.
pub struct Storage {
    /// The folder of the SQLite file. Dropping it deletes the folder.
    directory: Option<TempDir>,
    attach: Box<dyn Fn(WebhookRouterBuilder) -> WebhookRouterBuilder + Send + Sync>,
    work: Arc<RunWorker>,
    dead: Box<dyn Fn() -> BoxFuture<'static, Result<Vec<DeadJob>, QueueError>> + Send + Sync>,
    again: Box<dyn Fn(DeadJob) -> BoxFuture<'static, Result<(), QueueError>> + Send + Sync>,
}

/// Runs a worker of apalis until it is stopped.
type RunWorker =
    dyn Fn(WebhookRouter, WorkerOptions, Stop) -> BoxFuture<'static, Result<(), WorkerError>> + Send + Sync;

/// The options of a worker.
#[derive(Debug, Clone)]
pub struct WorkerOptions {
    /// The name of the worker.
    pub name: String,
    /// How many jobs run at once.
    pub concurrency: usize,
    /// How often apalis retries a failed job. The delay grows from 5 to 50 milliseconds.
    pub retries: usize,
    /// The time limit that apalis sets for a job, besides the router's time limit for a handler.
    pub timeout: Duration,
}

impl Default for WorkerOptions {
    fn default() -> Self {
        let name = format!("worker-{}", unique_id());
        Self { name, concurrency: 8, retries: 100, timeout: Duration::from_secs(60) }
    }
}

/// A text that no other call returns, in this process or another.
fn unique_id() -> String {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let started = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    format!("{}-{}-{}", std::process::id(), started.as_nanos(), NUMBER.fetch_add(1, Ordering::Relaxed))
}

/// Tells a worker when to stop.
#[derive(Debug, Clone)]
pub struct Stop(watch::Receiver<bool>);

impl Stop {
    async fn wait(mut self) -> Result<(), std::io::Error> {
        // An error means that the sender was dropped, which stops the worker as well.
        let _ = self.0.wait_for(|stop| *stop).await;
        Ok(())
    }
}

/// A running worker.
#[derive(Debug)]
pub struct RunningWorker {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl RunningWorker {
    /// Stops the worker after it has finished its running jobs.
    ///
    /// # Errors
    /// When the worker panicked.
    pub async fn stop(self) -> Result<(), tokio::task::JoinError> {
        let _ = self.stop.send(true);
        self.task.await
    }

    /// Ends the worker at its next `.await`, as a crash would.
    pub fn abort(self) {
        self.task.abort();
    }
}

macro_rules! storage {
    ($($(#[$meta:meta])* $name:ident($storage:ty);)+) => {
        impl Storage {$(
            $(#[$meta])*
            fn $name(storage: $storage) -> Self {
                let (attached, worked, listed, repeated) =
                    (storage.clone(), storage.clone(), storage.clone(), storage);
                Self {
                    directory: None,
                    attach: Box::new(move |builder| builder.queue(attached.clone())),
                    work: Arc::new(move |hooks, options, stop| {
                        let backend = worked.clone().poll_with_strategy(hooks.polling(Duration::from_millis(20)));
                        Box::pin(async move {
                            let backoff = backoff()?;
                            let worker = WorkerBuilder::new(options.name.as_str())
                                .backend(backend)
                                .concurrency(options.concurrency)
                                .retry(RetryPolicy::retries(options.retries).with_backoff(backoff))
                                .timeout(options.timeout)
                                .build(hooks.worker());
                            worker.run_until(stop.wait()).await
                        })
                    }),
                    dead: Box::new(move || {
                        let mut storage = listed.clone();
                        Box::pin(async move { queue::dead_jobs(&mut storage, 1000).await })
                    }),
                    again: Box::new(move |dead| {
                        let mut storage = repeated.clone();
                        Box::pin(async move { queue::run_again(&mut storage, &dead).await })
                    }),
                }
            }
        )+}
    };
}

storage! {
    of_sqlite(SqliteStorage<Job>);
    of_redis(RedisStorage<Job>);
    of_postgres(PostgresStorage<Job>);
}

fn backoff() -> Result<apalis::layers::retry::backoff::ExponentialBackoff, WorkerError> {
    use apalis::layers::retry::{
        HasherRng,
        backoff::{ExponentialBackoffMaker, MakeBackoff},
    };
    let (first, longest) = (Duration::from_millis(5), Duration::from_millis(50));
    let mut maker = ExponentialBackoffMaker::new(first, longest, 0.5, HasherRng::default())
        .map_err(|error| WorkerError::BackendError(Box::new(error)))?;
    Ok(maker.make_backoff())
}

impl Storage {
    /// Sets this storage as the router's queue.
    pub fn attach(&self, builder: WebhookRouterBuilder) -> WebhookRouterBuilder {
        (self.attach)(builder)
    }

    /// Starts a worker. When its storage fails, a new worker starts under another name.
    #[allow(clippy::print_stderr)]
    pub fn work(&self, hooks: &WebhookRouter, options: WorkerOptions) -> RunningWorker {
        let (stop, stopped) = watch::channel(false);
        let (work, hooks) = (Arc::clone(&self.work), hooks.clone());
        let task = tokio::spawn(async move {
            for start in 0.. {
                let name = format!("{}-{start}", options.name);
                let options = WorkerOptions { name, ..options.clone() };
                match work(hooks.clone(), options, Stop(stopped.clone())).await {
                    Ok(()) => return,
                    Err(error) => eprintln!("a worker failed, and a new one starts: {error}"),
                }
                if *stopped.borrow() {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        });
        RunningWorker { stop, task }
    }

    /// Lists the dead jobs.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn dead(&self) -> Result<Vec<DeadJob>, QueueError> {
        (self.dead)().await
    }

    /// Runs a dead job again.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn run_again(&self, dead: DeadJob) -> Result<(), QueueError> {
        (self.again)(dead).await
    }
}

impl fmt::Debug for Storage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Storage").field("directory", &self.directory).finish_non_exhaustive()
    }
}
