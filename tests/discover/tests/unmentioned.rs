//! What a program finds that depends on a crate of handlers and never mentions it.
#![allow(clippy::unwrap_used, reason = "tests")]

use uploadcare_hooks::{FileDeleted, WebhookRouter, testing::secret, webhook_handler};

#[webhook_handler(event = "file.deleted")]
async fn forget(_event: FileDeleted) {}

#[test]
fn the_handlers_of_a_crate_that_the_program_does_not_mention_are_missed_and_the_expected_number_shows_it() {
    let build = |expected| {
        let builder = WebhookRouter::builder().signing_secret(secret());
        builder.discovered_handlers().expect_handlers(expected).build()
    };
    assert!(build(1).is_ok());
    let error = build(3).unwrap_err().to_string();
    assert!(error.contains("`expect_handlers` says 3, and there are 1: `forget`;"), "{error}");
}
