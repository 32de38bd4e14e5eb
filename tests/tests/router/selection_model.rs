//! Random handlers and deliveries: exactly those handlers run that the options of the attribute
//! name.

use proptest::{prelude::*, sample::select, sample::subsequence, test_runner::TestRunner};
use tests::deliveries::secret;
use uploadcare_hooks::{
    Event, FileUploaded, HandlerDescriptor, UnknownEvent, WebhookRouter,
    payload::{v0_5, v0_6},
    testing::{self, Sample},
    webhook_handler, webhook_handlers,
};

#[webhook_handler(event = "file.uploaded")]
async fn uploaded(_event: FileUploaded) {}

#[webhook_handler(events = ["file.stored", "file.deleted"])]
async fn stored_or_deleted(_event: Event) {}

#[webhook_handler(any)]
async fn every(_event: Event) {}

#[webhook_handler(any, version = "0.7")]
async fn every_new(_event: Event) {}

#[webhook_handler(event = "file.uploaded", version = "0.7")]
async fn uploaded_0_7(_event: FileUploaded) {}

#[webhook_handler(event = "file.uploaded", version = "0.6")]
async fn uploaded_0_6(_event: v0_6::FileUploaded) {}

#[webhook_handler(event = "file.uploaded", version = "")]
async fn uploaded_unversioned(_event: v0_5::FileUploaded) {}

#[webhook_handler(event = "moderation.state_changed", unlisted)]
async fn moderated(_event: UnknownEvent) {}

#[webhook_handler(any, path = "/audit")]
async fn audit(_event: Event) {}

#[webhook_handler(events = ["file.uploaded", "file.infected"], path = "/audit")]
async fn audit_some(_event: Event) {}

/// What the options say: the name, the events (none for `any`), the version, and the path.
const HANDLERS: [(&str, &[&str], Option<&str>, &str); 10] = [
    ("uploaded", &["file.uploaded"], None, "/"),
    ("stored_or_deleted", &["file.stored", "file.deleted"], None, "/"),
    ("every", &[], None, "/"),
    ("every_new", &[], Some("0.7"), "/"),
    ("uploaded_0_7", &["file.uploaded"], Some("0.7"), "/"),
    ("uploaded_0_6", &["file.uploaded"], Some("0.6"), "/"),
    ("uploaded_unversioned", &["file.uploaded"], Some(""), "/"),
    ("moderated", &["moderation.state_changed"], None, "/"),
    ("audit", &[], None, "/audit"),
    ("audit_some", &["file.uploaded", "file.infected"], None, "/audit"),
];

fn descriptors() -> [HandlerDescriptor; 10] {
    let all = webhook_handlers![
        uploaded,
        stored_or_deleted,
        every,
        every_new,
        uploaded_0_7,
        uploaded_0_6,
        uploaded_unversioned,
        moderated,
        audit,
        audit_some,
    ];
    all.try_into().unwrap()
}

/// Events with the version of their payload.
const SENT: [(&str, &str); 9] = [
    ("file.uploaded", "0.7"),
    ("file.uploaded", "0.6"),
    ("file.uploaded", "0.5"),
    ("file.uploaded", ""),
    ("file.stored", "0.7"),
    ("file.deleted", "0.7"),
    ("file.infected", "0.7"),
    ("moderation.state_changed", "0.7"),
    ("group.created", "0.7"),
];

async fn check(chosen: &[usize], (event, version): (&str, &str), path: &str) -> Result<(), TestCaseError> {
    let all = descriptors();
    let handlers: Vec<_> = chosen.iter().map(|handler| all[*handler]).collect();
    let hooks = WebhookRouter::builder().signing_secret(secret()).handlers(handlers).build().unwrap();
    let delivered = testing::deliver(&hooks, Sample::of(event).version(version).at(path).sign(&secret())).await;

    let (mut expected, mut has_path) = (Vec::new(), false);
    for (name, events, of_version, at) in chosen.iter().map(|handler| HANDLERS[*handler]) {
        has_path |= at == path;
        let takes_event = events.is_empty() || events.contains(&event);
        if at == path && takes_event && of_version.is_none_or(|of_version| of_version == version) {
            expected.push(name);
        }
    }
    let mut ran: Vec<_> = delivered.handlers().iter().map(|run| run.handler).collect();
    ran.sort_unstable();
    expected.sort_unstable();
    prop_assert_eq!(ran, expected, "{}", delivered);
    prop_assert_eq!(delivered.status().as_u16(), if has_path { 204 } else { 404 });
    Ok(())
}

#[test]
fn exactly_those_handlers_run_that_take_the_event_and_version_at_the_path() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let handlers = subsequence((0..HANDLERS.len()).collect::<Vec<_>>(), 1..=HANDLERS.len());
    let case = (handlers, select(&SENT), select(&["/", "/audit"]));
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    let run = |(handlers, sent, path): (Vec<usize>, _, _)| runtime.block_on(check(&handlers, sent, path));
    TestRunner::new(config).run(&case, run).unwrap();
}
