//! The server that is attacked.

use std::{io::Write, time::Duration};

use actix_web::{App, HttpServer, rt::System};
use tests::deliveries::secret;
use uploadcare_hooks::{Event, FileUploaded, WebhookRouter, webhook_handler, webhook_handlers};

use crate::AnyError;

/// Larger than any delivery, so that a payload can be as hostile as can be.
pub(crate) const BODY_LIMIT: usize = 64 << 20;

/// How long a body may take.
pub(crate) const BODY_TIMEOUT: Duration = Duration::from_secs(2);

#[webhook_handler(event = "file.uploaded")]
async fn index(event: FileUploaded) -> Result<(), String> {
    // Everything is looked at, so that nothing hostile is merely passed on.
    let metadata = event.data.metadata.len();
    let scan = event.data.appdata.virus_scan();
    if metadata == usize::MAX || scan.is_err() { Err("never mind".to_owned()) } else { Ok(()) }
}

#[webhook_handler(any)]
async fn note(event: Event) {
    drop(event.kind());
}

/// Runs until it is killed; says its port first.
pub(crate) fn run() -> Result<(), AnyError> {
    System::new().block_on(async {
        let builder = WebhookRouter::builder().signing_secret(secret()).handlers(webhook_handlers![index, note]);
        let hooks = builder.body_limit(BODY_LIMIT).body_timeout(BODY_TIMEOUT).build()?;
        let server = HttpServer::new(move || App::new().service(hooks.clone().mount("/hooks"))).workers(2);
        let server = server.max_connections(20_000).backlog(4096).bind("127.0.0.1:0")?;
        let address = *server.addrs().first().ok_or("no address")?;
        println!("{}", address.port());
        std::io::stdout().flush()?;
        server.run().await?;
        Ok(())
    })
}
