//! What a router says of itself.

use std::time::Duration;

use serde_json::json;
use tests::{
    routers::builder,
    storages::{Kind, TestQueue},
    texts::assert_reads_as_in,
};
use uploadcare_hooks::{
    Event, SigningSecret, UnknownEvent, WebhookRouter,
    claims::{Claim, ClaimFuture, ClaimMark, DeliveryClaims, RedisClaims},
    payload::v0_6,
    webhook_handler, webhook_handlers,
};

use super::{Notes, count, index, scan};

#[webhook_handler(any, path = "/audit", name = "keep-a-record")]
async fn audit(_event: Event) {}

#[webhook_handler(event = "file.uploaded", version = "0.6")]
async fn old(_event: v0_6::FileUploaded) {}

/// The row of the table that begins with this word.
fn row(hooks: &WebhookRouter, name: &str) -> String {
    let table = hooks.describe().to_string();
    table.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim_start().to_owned()
}

#[test]
fn a_router_with_everything_is_described_in_one_table() {
    let hooks = builder(&Notes::default())
        .signing_secret(SigningSecret::from_env("CARGO_PKG_NAME").unwrap())
        .handlers(webhook_handlers![index, scan, count, audit, old])
        .body_limit(100_000)
        .body_timeout(Duration::from_millis(1500))
        .handler_timeout(Duration::from_secs(120))
        .dangerously_accept_unsigned()
        .build()
        .unwrap();
    assert_reads_as_in("description", &hooks.describe().to_string());
}

#[test]
fn a_limit_of_bytes_is_described_in_its_shortest_form() {
    for (limit, words) in [(262_144, "256 KiB"), (1024, "1 KiB"), (1025, "1025 bytes"), (1023, "1023 bytes")] {
        let hooks = builder(&Notes::default()).handlers(webhook_handlers![index]).body_limit(limit).build().unwrap();
        assert_eq!(row(&hooks, "limits"), format!("{words} and 30 seconds for a body, 30 seconds for a handler"));
    }
}

#[test]
fn a_description_as_json_has_the_same() {
    let hooks = builder(&Notes::default())
        .signing_secret(SigningSecret::from_env("CARGO_PKG_NAME").unwrap())
        .handlers(webhook_handlers![scan, audit, old])
        .no_handler_timeout()
        .build()
        .unwrap();
    let scan = json!({
        "path": "/scans", "name": "scan", "events": ["file.uploaded"], "version": null,
        "secret_env": "CARGO_PKG_VERSION",
    });
    let audit = json!({"path": "/audit", "name": "keep-a-record", "events": null, "version": null, "secret_env": null});
    let old = json!({
        "path": "/", "name": "old", "events": ["file.uploaded"], "version": "0.6", "secret_env": null,
    });
    assert_eq!(
        serde_json::to_value(hooks.describe()).unwrap(),
        json!({
            "handlers": [scan, audit, old],
            "mode": "inline",
            "storage": null,
            "signing_secrets": [
                {"variable": null, "expires": false},
                {"variable": "CARGO_PKG_NAME", "expires": false},
            ],
            "accepts_unsigned": false,
            "body_limit_bytes": 262_144,
            "body_timeout_seconds": 30.0,
            "handler_timeout_seconds": null,
        })
    );
}

#[test]
fn a_description_follows_a_rotation_and_never_has_a_secret() {
    let (first, second) = ("s3cr3t-of-old", "s3cr3t-of-new");
    let hooks = WebhookRouter::builder()
        .signing_secret(SigningSecret::new(first).unwrap())
        .state(Notes::default())
        .handlers(webhook_handlers![index, scan])
        .build()
        .unwrap();
    let own = env!("CARGO_PKG_VERSION");
    let check = |expected: &str| {
        assert_eq!(row(&hooks, "signing secrets"), expected);
        let description = hooks.describe();
        let shown = format!("{description} {description:?} {}", serde_json::to_string(&description).unwrap());
        for secret in ["s3cr3t", "redacted", own] {
            assert!(!shown.contains(secret), "{shown}");
        }
    };
    check("1: given by the application");
    hooks.replace_secret(&SigningSecret::new(second).unwrap(), Duration::from_secs(60));
    check(
        "2: given by the application (the first: subscriptions are made with it), given by the application (replaced, \
           expires)",
    );
    hooks.drop_secret(&SigningSecret::new(first).unwrap());
    hooks.drop_secret(&SigningSecret::new(second).unwrap());
    check("none");
}

#[test]
fn the_source_of_a_secret_makes_no_other_secret_of_it() {
    let (read, given) = (SigningSecret::from_env("CARGO_PKG_NAME").unwrap(), SigningSecret::new("tests").unwrap());
    assert_eq!(read, given);
    assert_eq!(format!("{read:?}"), "SigningSecret(redacted)");
    let hooks = builder(&Notes::default()).signing_secrets([read, given]).handlers(webhook_handlers![index]);
    assert_eq!(hooks.build().unwrap().describe().signing_secrets.len(), 2);
}

#[test]
fn a_name_that_could_garble_a_terminal_is_escaped() {
    #[webhook_handler(event = "file.\u{202e}\"moved\\", unlisted, name = "a\u{200b}b")]
    async fn hostile(_event: UnknownEvent) {}

    let hooks = builder(&()).handlers(webhook_handlers![hostile]).build().unwrap();
    let table = hooks.describe().to_string();
    // Control characters do not even compile in these names.
    assert_eq!(
        table.lines().nth(1),
        Some(r#"/     file.\u{202e}"moved\\  a\u{200b}b  any      the router's"#),
        "{table}"
    );
}

/// Claims of an application.
struct OwnClaims;

impl DeliveryClaims for OwnClaims {
    fn claim<'a>(&'a self, _: &'a str) -> ClaimFuture<'a, Claim> {
        Box::pin(async { Ok(Claim::Completed) })
    }

    fn complete<'a>(&'a self, _: &'a str, _: &'a ClaimMark) -> ClaimFuture<'a, ()> {
        Box::pin(async { Ok(()) })
    }

    fn release<'a>(&'a self, _: &'a str, _: &'a ClaimMark) -> ClaimFuture<'a, ()> {
        Box::pin(async { Ok(()) })
    }
}

#[tokio::test]
async fn each_mode_says_where_deliveries_are_kept_and_never_a_password() {
    let builder = || builder(&Notes::default()).handlers(webhook_handlers![index]);
    let hooks = builder().deduplicate(1000, Duration::from_secs(4 * 60 * 60)).build().unwrap();
    let once =
        "deduplicate: handlers run before the answer, and not again for a delivery that is remembered as done, in";
    assert_eq!(row(&hooks, "mode"), format!("{once} memory, at most 1000 deliveries, each for 4 hours"));

    let hooks = builder().deduplicate_with(OwnClaims).build().unwrap();
    assert_eq!(row(&hooks, "mode"), format!("{once} router::describe::OwnClaims"));

    let queue = TestQueue::new(Kind::Sqlite).unwrap();
    let hooks = builder().queue(queue.open().await.unwrap().unwrap()).build().unwrap();
    let (file, name) = (queue.file(), &queue.name);
    assert_eq!(
        row(&hooks, "mode"),
        format!(
            "queue: deliveries are stored in the SQLite file {file}, queue \"{name}\", and a worker runs the handlers"
        )
    );
    assert_eq!(hooks.describe().mode, "queue");

    if let Some(url) = Kind::Redis.server() {
        let server = url.trim_start_matches("redis://");
        let claims = RedisClaims::connect(&url).await.unwrap();
        let hooks = builder().deduplicate_with(claims).build().unwrap();
        let expected = format!("{once} Redis at {server}, keys with \"uploadcare-hooks:\", each for 4 days");
        assert_eq!(row(&hooks, "mode"), expected);
    }
}
