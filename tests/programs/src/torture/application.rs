//! The tortured application, assembled as the guide says: two handlers for each upload, a queue,
//! and a worker. A process receives, works, or does both.

use std::{
    error::Error,
    path::{Path, PathBuf},
    time::Duration,
};

use actix_web::{App, HttpServer, rt};
use tests::{deliveries::secret, storages::Kind};
use uploadcare_hooks::{FileUploaded, State, WebhookRouter, webhook_handler, webhook_handlers};

use crate::journal::{Attempt, Journal};

/// How many handlers run for each upload.
pub(crate) const HANDLERS: u8 = 2;

/// One start of the application, with its options.
#[derive(Debug)]
pub(crate) struct Application {
    pub(crate) kind: Kind,
    /// Where it receives deliveries; `None` if it does not.
    pub(crate) port: Option<u16>,
    pub(crate) works: bool,
    pub(crate) queue: String,
    pub(crate) file: String,
    pub(crate) journal: PathBuf,
    pub(crate) life: usize,
}

/// While this file exists, all handlers fail.
pub(crate) fn outage_file(journal: &Path) -> PathBuf {
    journal.with_extension("outage")
}

/// While this file exists, no handler fails by itself.
pub(crate) fn calm_file(journal: &Path) -> PathBuf {
    journal.with_extension("calm")
}

#[derive(Debug, Clone)]
struct Work {
    journal: Journal,
    outage: PathBuf,
    calm: PathBuf,
}

#[webhook_handler(event = "file.uploaded")]
async fn index(event: FileUploaded, State(work): State<Work>) -> Result<(), Box<dyn Error + Send + Sync>> {
    work.run(event, 0).await
}

#[webhook_handler(event = "file.uploaded")]
async fn notify(event: FileUploaded, State(work): State<Work>) -> Result<(), Box<dyn Error + Send + Sync>> {
    work.run(event, 1).await
}

impl Work {
    /// Records a success, or fails, panics or hangs at random.
    async fn run(&self, event: FileUploaded, handler: u8) -> Result<(), Box<dyn Error + Send + Sync>> {
        let attempt = Attempt::start(&self.journal, event.data.uuid, handler)?;
        rt::time::sleep(Duration::from_millis(fastrand::u64(..5))).await;
        if self.outage.exists() {
            return Err("no service can be reached".into());
        }
        match fastrand::u8(..100) {
            _ if self.calm.exists() => {}
            0..10 => return Err("a service cannot be reached".into()),
            10..12 => panic!("an invariant is violated"),
            12..13 => std::future::pending().await,
            _ => {}
        }
        Ok(attempt.succeed()?)
    }
}

impl Application {
    /// Runs until the process is killed.
    pub(crate) fn run(self) -> Result<(), Box<dyn Error>> {
        // Handlers panic often, on purpose: do not print that.
        std::panic::set_hook(Box::new(|_| {}));
        rt::System::new().block_on(async move {
            let storage = self.kind.open(&self.queue, &self.file).await?.ok_or("no server is configured")?;
            let journal = Journal::append(&self.journal, self.life)?;
            let (outage, calm) = (outage_file(&self.journal), calm_file(&self.journal));
            let hooks = WebhookRouter::builder()
                .signing_secret(secret())
                .state(Work { journal, outage, calm })
                .handlers(webhook_handlers![index, notify])
                .handler_timeout(Duration::from_secs(2))
                .queue(storage)
                .build()?;
            let worker = hooks.run_worker(std::future::pending::<()>());
            let worker = self.works.then(|| tokio::spawn(worker));
            if let Some(port) = self.port {
                let server = HttpServer::new(move || App::new().service(hooks.clone().mount("/hooks"))).workers(2);
                server.bind(("127.0.0.1", port))?.run().await?;
            }
            match worker {
                Some(worker) => Ok(worker.await?),
                None => Ok(()),
            }
        })
    }
}
