//! The attacked server.

use std::{io::Write, time::Duration};

use actix_web::{App, HttpServer, rt::System};
use tests::deliveries::secret;
use uploadcare_hooks::{Event, FileUploaded, WebhookRouter, webhook_handler, webhook_handlers};

use crate::AnyError;

/// Far larger than any delivery, so that hostile payloads reach the parser.
pub(crate) const BODY_LIMIT: usize = 64 << 20;

/// How long a body may take to arrive.
pub(crate) const BODY_TIMEOUT: Duration = Duration::from_secs(2);

#[webhook_handler(event = "file.uploaded")]
async fn index(event: FileUploaded) -> Result<(), String> {
    // Read everything, so that hostile values are parsed and not only passed on.
    let metadata = event.data.metadata.len();
    let scan = event.data.appdata.virus_scan();
    if metadata == usize::MAX || scan.is_err() { Err("the payload is not as expected".to_owned()) } else { Ok(()) }
}

#[webhook_handler(any)]
async fn note(event: Event) {
    drop(event.kind());
}

/// Prints the port, and serves until the process is killed.
pub(crate) fn run() -> Result<(), AnyError> {
    System::new().block_on(async {
        let builder = WebhookRouter::builder().signing_secret(secret()).handlers(webhook_handlers![index, note]);
        let hooks = builder.body_limit(BODY_LIMIT).body_timeout(BODY_TIMEOUT).build()?;
        let server = HttpServer::new(move || App::new().service(hooks.clone().mount("/hooks"))).workers(2);
        let server = server.max_connections(20_000).backlog(4096).bind("127.0.0.1:0")?;
        let address = *server.addrs().first().ok_or("the server has no address")?;
        println!("{}", address.port());
        std::io::stdout().flush()?;
        server.run().await?;
        Ok(())
    })
}
