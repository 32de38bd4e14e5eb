//! Serves only the application, for deliveries that its user sends.

use std::{error::Error, net::SocketAddr};

use actix_web::{App, HttpServer};
use uploadcare_hooks::{SigningSecret, testing::Sample};

use crate::{VARIABLE, outcome::Outcome};

/// Serves the application until the process is stopped.
pub(crate) async fn serve(secret: SigningSecret, address: SocketAddr) -> Result<(), Box<dyn Error>> {
    let hooks = crate::router(secret, &Outcome::default())?;
    let server = HttpServer::new(move || App::new().service(hooks.clone().mount("/hooks"))).bind(address)?;
    let key = match std::env::var_os(VARIABLE) {
        Some(_) => "\"$UC_SIGNING_SECRET\"",
        None => "quickstart",
    };
    for address in server.addrs() {
        println!("waiting for deliveries at http://{address}/hooks; stop with Ctrl-C, or send one:\n");
        println!("body='{}'", short().json());
        println!("signature=$(printf %s \"$body\" | openssl dgst -sha256 -hmac {key} | sed 's/.* //')");
        println!("curl -i http://{address}/hooks -H \"X-Uc-Signature: v1=$signature\" -d \"$body\"\n");
    }
    server.run().await?;
    Ok(())
}

/// A payload that is short enough for a command line.
fn short() -> Sample {
    Sample::of("file.uploaded").without("initiator").without("data.content_info").without("data.appdata")
}
