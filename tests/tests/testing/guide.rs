//! The words that the guide to testing quotes are the words that a test shows.

use std::time::Duration;

use tests::guides::assert_quoted;
use uploadcare_hooks::{
    FileStored, HandlerError, State, WebhookRouter,
    testing::{self, Delivered, Sample},
    webhook_handler, webhook_handlers,
};

use crate::panic_of;

#[webhook_handler(event = "file.uploaded")]
async fn index_upload(_event: uploadcare_hooks::FileUploaded) {}

#[webhook_handler(event = "file.stored", path = "/archive")]
async fn archive(_event: FileStored) {}

#[webhook_handler(event = "file.stored")]
async fn thumbnail(_event: FileStored) -> Result<(), HandlerError> {
    Err(HandlerError::discard("only images have thumbnails"))
}

#[webhook_handler(event = "file.stored")]
async fn count(_event: FileStored, State(_): State<u8>) {}

async fn deliver(hooks: &WebhookRouter, sample: &Sample) -> Delivered {
    testing::deliver(hooks, sample.sign(&testing::secret())).await
}

#[track_caller]
fn is_quoted(message: &str, end: &str) {
    assert_quoted(include_str!("../../../uploadcare-hooks/docs/testing.md"), message, end);
}

#[test]
fn the_guide_quotes_the_mistakes_in_samples() {
    is_quoted(&panic_of(|| Sample::of("file.uploaded").set("data.orginal_filename", "")), "content_info, ");
    is_quoted(&panic_of(|| Sample::of("file.stored").version("0.6")), "before 0.7");
    is_quoted(&panic_of(|| Sample::of("file.stored").version("0.8")), "\"0.8\"");
    is_quoted(&panic_of(|| Sample::of("file.stored").at("archive")), "path of a request");
    is_quoted(&panic_of(|| Sample::of("file.uploaded").payload::<FileStored>()), "of \"file.stored\"");
    is_quoted(&panic_of(|| Sample::of("file.stored").set("data.size", "large").event()), "at `data.size`: ");
}

#[tokio::test]
async fn the_guide_quotes_what_became_of_deliveries() {
    let builder = || WebhookRouter::builder().signing_secret(testing::secret());
    let hooks = builder().handlers(webhook_handlers![index_upload, archive]).build().unwrap();
    let delivered = deliver(&hooks, &Sample::of("file.uploaded")).await;
    is_quoted(&panic_of(|| delivered.outcome_of("archive").clone()), "`index_upload` succeeded");
    let unhandled = deliver(&hooks, &Sample::of("file.stored")).await;
    is_quoted(&panic_of(|| unhandled.assert_ok().status()), "there `index_upload` takes file.uploaded");
    let lost = deliver(&hooks, &Sample::of("file.stored").at("/hooks")).await;
    is_quoted(&lost.to_string(), "404 unknown_path at \"/hooks\": ");

    let open = WebhookRouter::builder().dangerously_accept_unsigned().handlers(webhook_handlers![index_upload]);
    let unsigned = testing::deliver(&open.build().unwrap(), Sample::of("file.uploaded").unsigned()).await;
    is_quoted(&panic_of(|| unsigned.assert_rejected("signature_missing").status()), "204 No Content; ");

    let hooks = builder().handlers(webhook_handlers![thumbnail]).deduplicate(10, Duration::from_secs(60));
    let hooks = hooks.build().unwrap();
    let discarded = deliver(&hooks, &Sample::of("file.stored")).await;
    is_quoted(&panic_of(|| discarded.assert_ok().status()), "\"only images have thumbnails\"");
    let again = deliver(&hooks, &Sample::of("file.stored")).await;
    is_quoted(&panic_of(|| again.assert_ok().status()), "it was done before");

    let stateless = builder().handlers(webhook_handlers![count]).build().unwrap_err().to_string();
    let message = stateless.replace("`u8`", "`..`").replace("`count`", "`..`");
    let (_, message) = message.split_once("no state").unwrap();
    is_quoted(&format!("no state{message}"), "add `.state(..)`");
}
