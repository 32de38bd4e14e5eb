//! The application that the tests serve with every adapter: handlers that note what they see, and
//! one router for each state in which an application can be.

use std::{
    future::pending,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use uploadcare_hooks::{
    DeliveryId, Event, FileDeleted, FileInfected, FileInfoUpdated, FileStored, FileUploaded, State, WebhookRouter,
    WebhookRouterBuilder,
    claims::{Claim, ClaimFuture, ClaimMark, DeliveryClaims},
    webhook_handler, webhook_handlers,
};

use crate::{
    deliveries::{payload, secret, signed_request},
    storages::{Kind, TestQueue},
};

/// The most bytes of a body.
pub const BODY_LIMIT: usize = 64 * 1024;
/// How long a body may take.
pub const BODY_TIMEOUT: Duration = Duration::from_secs(2);
/// How long a handler may run.
pub const HANDLER_TIMEOUT: Duration = Duration::from_millis(150);

/// One line for each handler that ran: its name, and the name of the file or of the event.
#[derive(Debug, Clone, Default)]
pub struct Seen(Arc<Mutex<Vec<String>>>);

impl Seen {
    /// Adds a line.
    pub fn note(&self, line: impl Into<String>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(line.into());
    }

    /// The lines since the last call.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

macro_rules! noting_handlers {
    ($($name:ident: $payload:ident = $event:literal;)+) => {$(
        #[webhook_handler(event = $event)]
        async fn $name(event: $payload, State(seen): State<Seen>) {
            assert_eq!(event.hook.event.as_str(), $event);
            seen.note(format!("{} {}", stringify!($name), event.data.original_filename.unwrap_or_default()));
        }
    )+};
}

noting_handlers! {
    uploaded: FileUploaded = "file.uploaded";
    stored: FileStored = "file.stored";
    deleted: FileDeleted = "file.deleted";
    infected: FileInfected = "file.infected";
    info_updated: FileInfoUpdated = "file.info_updated";
}

#[webhook_handler(any, path = "/audit")]
async fn audit(event: Event, _id: DeliveryId, State(seen): State<Seen>) {
    seen.note(format!("audit {}", event.kind()));
}

#[webhook_handler(any, path = "/fails")]
async fn fails(_event: Event) -> Result<(), &'static str> {
    Err("the database is down")
}

#[webhook_handler(any, path = "/panics")]
async fn panics(_event: Event) {
    panic!("a handler's mistake");
}

/// Notes when it starts, and when it is dropped. Never ends.
#[webhook_handler(any, path = "/waits")]
async fn waits(_event: Event, State(seen): State<Seen>) {
    seen.note("waits");
    let _dropped = Dropped(seen);
    pending::<()>().await;
}

struct Dropped(Seen);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.note("dropped");
    }
}

/// The state of an application.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Application {
    /// Handlers run while Uploadcare waits.
    Inline,
    /// As many handlers run as may run at once.
    Full,
    /// Handlers have no time limit.
    Patient,
    /// Deliveries are stored in a queue.
    Queue,
    /// The storage of the queue fails.
    QueueDown,
    /// Another process is running every delivery.
    StillRunning,
    /// The storage of the claims fails.
    ClaimsDown,
}

impl Application {
    /// Every state.
    pub const ALL: [Self; 7] =
        [Self::Inline, Self::Full, Self::Patient, Self::Queue, Self::QueueDown, Self::StillRunning, Self::ClaimsDown];

    /// The application with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|application| format!("{application:?}") == name)
    }

    /// Starts the application. The second value keeps it in its state until it is dropped.
    ///
    /// # Errors
    /// When no queue can be opened.
    pub async fn start(self, seen: &Seen) -> Result<(WebhookRouter, Option<Held>), Box<dyn std::error::Error>> {
        let builder = builder(seen);
        Ok(match self {
            Self::Inline => (builder.build()?, None),
            Self::Patient => (builder.no_handler_timeout().build()?, None),
            Self::Full => {
                let router = builder.max_concurrent_handlers(1).no_handler_timeout().build()?;
                let waiting = signed_request("/waits", &secret(), payload("file.uploaded").to_string());
                let running = router.clone();
                tokio::spawn(async move { running.handle(waiting).await });
                while seen.take().is_empty() {
                    tokio::task::yield_now().await;
                }
                (router, None)
            }
            Self::Queue | Self::QueueDown => {
                let queue = TestQueue::new(Kind::Sqlite)?;
                let storage = queue.open().await?.ok_or("SQLite needs no server")?;
                let lock = if self == Self::QueueDown { Some(lock(&queue).await?) } else { None };
                (builder.queue(storage).build()?, Some(Held { _queue: queue, _lock: lock }))
            }
            Self::StillRunning | Self::ClaimsDown => (builder.deduplicate_with(ClaimsOf(self)).build()?, None),
        })
    }
}

/// A router over all handlers, to which a test can add options.
pub fn builder(seen: &Seen) -> WebhookRouterBuilder {
    WebhookRouter::builder()
        .signing_secret(secret())
        .state(seen.clone())
        .handlers(webhook_handlers![uploaded, stored, deleted, infected, info_updated, audit, fails, panics, waits])
        .body_limit(BODY_LIMIT)
        .body_timeout(BODY_TIMEOUT)
        .handler_timeout(HANDLER_TIMEOUT)
}

/// A queue, and the lock that makes its storage fail.
#[derive(Debug)]
pub struct Held {
    _queue: TestQueue,
    _lock: Option<sqlx::SqliteConnection>,
}

async fn lock(queue: &TestQueue) -> sqlx::Result<sqlx::SqliteConnection> {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(queue.file()).busy_timeout(Duration::ZERO);
    let mut connection = sqlx::ConnectOptions::connect(&options).await?;
    sqlx::raw_sql("BEGIN EXCLUSIVE").execute(&mut connection).await?;
    Ok(connection)
}

/// Claims that are always in the same state.
struct ClaimsOf(Application);

impl DeliveryClaims for ClaimsOf {
    fn claim<'a>(&'a self, _: &'a str) -> ClaimFuture<'a, Claim> {
        let state = self.0;
        Box::pin(async move {
            match state {
                Application::StillRunning => Ok(Claim::Running),
                _ => Err("the connection is lost".into()),
            }
        })
    }

    fn complete<'a>(&'a self, _: &'a str, _: &'a ClaimMark) -> ClaimFuture<'a, ()> {
        Box::pin(async { Ok(()) })
    }

    fn release<'a>(&'a self, _: &'a str, _: &'a ClaimMark) -> ClaimFuture<'a, ()> {
        Box::pin(async { Ok(()) })
    }
}
