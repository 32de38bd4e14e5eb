//! Webhooks as a function of AWS Lambda, behind a function URL or API Gateway.
//!
//! `cargo lambda build -p lambda-example --release` builds it for Lambda. Started by itself it
//! panics with `Missing AWS_LAMBDA_FUNCTION_NAME`: it takes its requests from Lambda's runtime API.
//! To run it on your machine, install `cargo-lambda`, which simulates that API, and send a signed
//! delivery to `http://127.0.0.1:9000/hooks` from another terminal:
//!
//! ```sh
//! UC_SIGNING_SECRET=my-secret cargo lambda watch -p lambda-example
//! cargo run -p uploadcare-sim -- send file.uploaded --to http://127.0.0.1:9000/hooks --secret my-secret
//! ```
//!
//! These environment variables configure it:
//!
//! - `UC_SIGNING_SECRET`: the signing secret of the subscription.
//! - `WEBHOOK_PATH`: the path of the target URL, `/hooks` by default. With a function URL the
//!   target URL is then `https://<id>.lambda-url.<region>.on.aws/hooks`, and every other path is
//!   404. Behind a stage of API Gateway it begins with the stage, as in `/prod/hooks`.
//!   `lambda_http` puts the stage before the path of a REST API as well, unless
//!   `AWS_LAMBDA_HTTP_IGNORE_STAGE_IN_PATH` is set.
//!
//! The function answers when its handlers have ended, because Lambda freezes its process after the
//! answer. Give the function more time than the handlers' time limit.
#![allow(clippy::print_stdout)]

use std::time::Duration;

use uploadcare_hooks::{FileUploaded, SigningSecret, WebhookRouter, webhook_handler, webhook_handlers};

#[webhook_handler(event = "file.uploaded")]
async fn index_upload(event: FileUploaded) -> Result<(), std::io::Error> {
    println!("{} is {:?}", event.data.uuid, event.data.original_filename.unwrap_or_default());
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    tracing_subscriber::fmt().with_ansi(false).without_time().init();
    let hooks = WebhookRouter::builder()
        .signing_secret(SigningSecret::from_env("UC_SIGNING_SECRET")?)
        .handlers(webhook_handlers![index_upload])
        .handler_timeout(Duration::from_secs(10))
        .build()?;
    // One line of the log for each line of the table: Lambda makes an entry of each.
    for line in hooks.describe().to_string().lines().filter(|line| !line.is_empty()) {
        tracing::info!("{line}");
    }
    let path = std::env::var("WEBHOOK_PATH").unwrap_or_else(|_| "/hooks".to_owned());
    lambda_http::run(hooks.into_service().at(&path)).await
}
