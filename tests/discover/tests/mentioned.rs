//! Handlers that are collected instead of listed: those of this program, and those of the crate
//! `tests-discover`, which it mentions once.
#![allow(clippy::unwrap_used, reason = "tests")]
#![forbid(unsafe_code)]

use std::{fs, sync::Arc};

use tests_discover as _;
use uploadcare_hooks::testing::{Sample, deliver, secret};
use uploadcare_hooks::{BuildProblem, FileDeleted, FileStored, WebhookRouter, webhook_handler, webhook_handlers};

#[webhook_handler(event = "file.deleted")]
async fn forget(_event: FileDeleted) {}

mod nested {
    use super::{FileStored, webhook_handler};

    #[deprecated]
    #[webhook_handler(event = "file.stored")]
    async fn r#move(_event: FileStored) -> Result<(), String> {
        Err("found".to_owned())
    }

    #[cfg(any())]
    #[webhook_handler(event = "file.stored")]
    async fn switched_off(_event: FileStored) {}
}

fn names(hooks: &WebhookRouter) -> Vec<&'static str> {
    let debug = format!("{hooks:?}");
    let mut names = vec!["archive_linked", "forget", "move", "quarantine_linked"];
    names.retain(|name| debug.contains(&format!("{name:?}")));
    names
}

#[tokio::test]
async fn every_annotated_function_that_is_linked_in_is_found_and_runs() {
    let log = tempfile::NamedTempFile::new().unwrap();
    let writer = Arc::new(log.reopen().unwrap());
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(writer).finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let builder = WebhookRouter::builder().signing_secret(secret());
    let hooks = builder.discovered_handlers().expect_handlers(4).build().unwrap();
    assert_eq!(names(&hooks), ["archive_linked", "forget", "move", "quarantine_linked"]);
    let text = fs::read_to_string(log.path()).unwrap();
    let found =
        text.lines().find(|line| line.contains("4 webhook handlers discovered: `mentioned::forget` (")).unwrap();
    assert!(found.contains("`tests_discover::scan::quarantine_linked` (tests/discover/src/lib.rs:"), "{found}");

    for (event, status) in [("file.deleted", 204), ("file.stored", 500)] {
        let delivered = deliver(&hooks, Sample::of(event).sign(&secret())).await;
        assert_eq!(delivered.status(), status, "{delivered}");
    }
}

#[test]
fn a_wrong_number_of_handlers_fails_the_build_and_names_those_that_were_found() {
    let builder = || WebhookRouter::builder().signing_secret(secret());
    let error = builder().discovered_handlers().expect_handlers(5).build().unwrap_err();
    assert!(matches!(error.problems(), [BuildProblem::HandlerCount { expected: 5, found }] if found.len() == 4));
    let text = error.to_string();
    for part in ["`expect_handlers` says 5, and there are 4: `forget`, `move`", "`use my_handlers as _;`"] {
        assert!(text.contains(part), "{text}");
    }
    assert!(builder().handlers(webhook_handlers![forget]).expect_handlers(1).build().is_ok());
    assert!(builder().handlers(webhook_handlers![forget]).expect_handlers(0).build().is_err());
}

#[test]
fn a_handler_that_is_listed_and_found_counts_twice() {
    let builder = WebhookRouter::builder().signing_secret(secret());
    let error = builder.handlers(webhook_handlers![forget]).discovered_handlers().build().unwrap_err();
    let text = error.to_string();
    assert!(text.contains("the handler `mentioned::forget` (") && text.contains("is listed or discovered 2 times"));
    assert!(text.contains("leave it out of `.handlers(..)` if `.discovered_handlers()` finds it"), "{error}");
}

#[test]
fn a_second_call_adds_no_handlers_and_no_problems() {
    let builder = WebhookRouter::builder().signing_secret(secret());
    builder.discovered_handlers().discovered_handlers().expect_handlers(4).build().unwrap();
    let error = WebhookRouter::builder().discovered_handlers().discovered_handlers().build().unwrap_err();
    assert!(matches!(error.problems(), [BuildProblem::NoSigningSecret { handlers }] if handlers.len() == 4), "{error}");
}
