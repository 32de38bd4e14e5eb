//! The tortured application: two handlers for each upload, a queue, and a worker.

use std::{path::PathBuf, time::Duration};

use actix_web::{App, HttpServer, rt};
use apalis_core::error::BoxDynError;
use tests::{
    deliveries::secret,
    storages::{Kind, WorkerOptions},
};
use uploadcare_hooks::{FileUploaded, State, WebhookRouter, webhook_handler, webhook_handlers};

use crate::journal::Journal;

/// How many handlers run for each upload.
pub(crate) const HANDLERS: u8 = 2;

/// One start of the application, with its options.
#[derive(Debug)]
pub(crate) struct Application {
    pub(crate) kind: Kind,
    pub(crate) port: u16,
    pub(crate) queue: String,
    pub(crate) file: String,
    pub(crate) journal: PathBuf,
    pub(crate) life: usize,
}

#[webhook_handler(event = "file.uploaded")]
async fn index(event: FileUploaded, State(journal): State<Journal>) -> Result<(), BoxDynError> {
    work(event, journal, 0).await
}

#[webhook_handler(event = "file.uploaded")]
async fn notify(event: FileUploaded, State(journal): State<Journal>) -> Result<(), BoxDynError> {
    work(event, journal, 1).await
}

/// Records a success, or fails, panics or hangs at random.
async fn work(event: FileUploaded, journal: Journal, handler: u8) -> Result<(), BoxDynError> {
    rt::time::sleep(Duration::from_millis(fastrand::u64(..5))).await;
    match fastrand::u8(..100) {
        0..10 => return Err("a service cannot be reached".into()),
        10..12 => panic!("an invariant is violated"),
        12..13 => std::future::pending().await,
        _ => {}
    }
    journal.note(event.data.uuid, handler)?;
    Ok(())
}

impl Application {
    /// Runs until the process is killed.
    pub(crate) fn run(self) -> Result<(), BoxDynError> {
        // Handlers panic often, on purpose: do not print that.
        std::panic::set_hook(Box::new(|_| {}));
        rt::System::new().block_on(async move {
            let storage = self
                .kind
                .open_queue(&self.queue, &self.file)
                .await?
                .ok_or("no server is configured for this storage")?;
            let builder = WebhookRouter::builder()
                .signing_secret(secret())
                .state(Journal::append(&self.journal, self.life)?)
                .handlers(webhook_handlers![index, notify])
                .handler_timeout(Duration::from_secs(2));
            let hooks = storage.attach(builder).build()?;
            let worker = storage.work(&hooks, WorkerOptions { concurrency: 16, ..WorkerOptions::default() });
            let server = HttpServer::new(move || App::new().service(hooks.clone().mount("/hooks"))).workers(2);
            server.bind(("127.0.0.1", self.port))?.run().await?;
            worker.stop().await?;
            Ok(())
        })
    }
}
