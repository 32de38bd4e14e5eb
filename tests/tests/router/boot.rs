//! Building a router: the problems it reports, and the lines it logs.

use std::{collections::HashMap, sync::Arc, time::Duration};

use tests::{deliveries::secret, texts::assert_reads_as_in};
use uploadcare_hooks::{
    BuildProblem, Event, FileUploaded, State, WebhookRouter, payload::v0_6, queue, testing::MemoryQueue,
    webhook_handler, webhook_handlers,
};

use super::{Log, Notes, builder, count, deliver, index};

#[test]
fn building_a_router_reports_all_problems_at_once() {
    mod other {
        use uploadcare_hooks::{FileUploaded, webhook_handler};

        #[webhook_handler(event = "file.uploaded")]
        pub(crate) async fn index(_event: FileUploaded) {}
    }
    #[webhook_handler(event = "file.uploaded", secret_env = "UPLOADCARE_HOOKS_NO_SUCH_VARIABLE")]
    async fn secret_is_not_set(_event: FileUploaded) {}

    let error = WebhookRouter::builder()
        .state(1_u8)
        .state(2_u8)
        .handlers(webhook_handlers![index, other::index, secret_is_not_set, count])
        .max_concurrent_handlers(1)
        .body_limit(0)
        .handler_timeout(Duration::ZERO)
        .build()
        .unwrap_err();
    assert_reads_as_in("problems_at_boot", &error.to_string());
    let error = WebhookRouter::builder().signing_secret(secret()).build().unwrap_err();
    assert!(matches!(error.problems(), [BuildProblem::NoHandlers]), "{error}");
}

#[test]
fn a_handler_that_is_listed_twice_is_named_once_and_a_number_that_no_handler_meets_is_reported() {
    let builder = || WebhookRouter::builder().signing_secret(secret()).state(Notes::default());
    let error = builder().handlers(webhook_handlers![index, index]).build().unwrap_err().to_string();
    assert!(error.contains("- the handler `router::index` (tests/tests/router/main.rs:"), "{error}");
    assert!(error.contains(") is listed or discovered 2 times: list it once, or leave it out of"), "{error}");
    assert_eq!(error.matches("router::index").count(), 1, "{error}");
    let error = builder().expect_handlers(3).build().unwrap_err().to_string();
    assert!(error.contains("- `expect_handlers` says 3, and there are none; if"), "{error}");
}

#[test]
fn a_missing_state_is_reported_beside_the_similar_one_that_was_provided() {
    #[webhook_handler(event = "file.uploaded")]
    async fn index(State(_name): State<String>) {}

    let provided = WebhookRouter::builder().signing_secret(secret()).state(Arc::new("name".to_owned()));
    let error = provided.handlers(webhook_handlers![index]).build().unwrap_err();
    assert_eq!(
        error.to_string(),
        "the webhook router cannot be built, 1 problem:\n\
         - no state of type `alloc::string::String` was provided, needed by `index`: add `.state(..)` with a value of \
         exactly this type; provided: `alloc::sync::Arc<alloc::string::String>`"
    );
}

#[tokio::test]
async fn a_queue_and_deduplication_exclude_each_other() {
    let directory = tempfile::tempdir().unwrap();
    let storage = queue::open_sqlite(directory.path().join("queue.db")).await.unwrap();
    let build = |builder: uploadcare_hooks::WebhookRouterBuilder| builder.handlers(webhook_handlers![index]).build();
    let error =
        build(builder(&Notes::default()).deduplicate(10, Duration::from_secs(1)).queue(storage.clone())).unwrap_err();
    assert!(
        matches!(error.problems(), [BuildProblem::ExclusiveOptions { options: ["deduplicate", "queue"] }]),
        "{error}"
    );
    assert!(error.to_string().contains("keep `.queue(..)` alone"), "{error}");
    // An option that is set twice keeps the second value. Queue options without a queue are
    // ignored.
    build(builder(&Notes::default()).queue(storage.clone()).queue(storage)).unwrap();
    let twice =
        builder(&Notes::default()).deduplicate(1, Duration::from_secs(1)).deduplicate(2, Duration::from_secs(1));
    build(twice.queue_attempts(3)).unwrap();
}

#[test]
fn a_memory_of_nothing_is_a_problem_and_one_of_less_than_the_redeliveries_is_warned_of() {
    let day = Duration::from_secs(24 * 60 * 60);
    let build = |capacity, ttl| {
        let log = Log::default();
        let _guard = log.capture();
        let builder = builder(&Notes::default()).handlers(webhook_handlers![index]);
        let built = builder.deduplicate(capacity, ttl).build();
        (built.map_err(|error| error.problems().len()), log.text())
    };
    for (capacity, ttl) in [(0, 4 * day), (10, Duration::ZERO)] {
        assert_eq!(build(capacity, ttl).0.map(|_| ()), Err(1), "{capacity} {ttl:?}");
    }
    let (built, log) = build(10, day);
    assert!(built.is_ok() && log.contains("remembered for 1 day, and Uploadcare repeats them for 3 days"), "{log}");
    let (built, log) = build(10, 3 * day);
    assert!(built.is_ok() && !log.contains("WARN"), "{log}");

    let says_short = |storage: Option<queue::Storage>, retention| {
        let log = Log::default();
        let _guard = log.capture();
        let builder = builder(&Notes::default()).handlers(webhook_handlers![index]).queue_retention(retention);
        match storage {
            Some(storage) => builder.queue(storage).build().unwrap(),
            None => builder.build().unwrap(),
        };
        log.text().contains("jobs that are done are remembered for 1 day")
    };
    let storage = || Some(MemoryQueue::new().storage());
    assert!(says_short(storage(), day) && !says_short(storage(), 3 * day) && !says_short(None, day));
}

#[tokio::test]
async fn the_handlers_of_each_path_are_logged_at_boot_and_an_unhandled_event_at_its_first_delivery() {
    #[webhook_handler(event = "file.uploaded", version = "0.6")]
    async fn index_old(_event: v0_6::FileUploaded) {}
    #[webhook_handler(any, path = "/audit")]
    async fn audit_all(_event: Event) {}
    #[webhook_handler(event = "file.infected", path = "/scans")]
    async fn quarantine() {}
    #[webhook_handler(event = "moderation.state_changed", unlisted, path = "/scans")]
    async fn moderated() {}

    let log = Log::default();
    let _guard = log.capture();
    let handlers = webhook_handlers![index, index_old, audit_all, quarantine, moderated];
    let hooks = builder(&Notes::default()).handlers(handlers).build().unwrap();
    let boot = log.text();
    let infos: Vec<_> = boot.lines().filter(|line| line.contains("INFO")).collect();
    for part in [
        "webhooks at path \"/\" below the mount: file.uploaded: index, index_old; acknowledged without a handler: \
         file.stored, file.deleted, file.infected, file.info_updated",
        "webhooks at path \"/audit\" below the mount: file.uploaded: audit_all; file.stored: audit_all;",
        "webhooks at path \"/scans\" below the mount: file.infected: quarantine; moderation.state_changed: moderated;",
        "handler `quarantine` takes `file.infected`, which Uploadcare plans to drop in a later version of its API: \
         `file.info_updated` replaces it",
        "handler `index_old` takes payload version \"0.6\" only",
    ] {
        assert_eq!(
            infos.iter().filter(|line| line.contains(part)).count(),
            1,
            "not logged exactly once:\n{part}\nthe log is:\n{boot}"
        );
    }
    for _ in 0..3 {
        assert_eq!(deliver(&hooks, "file.deleted").await, 204);
        assert_eq!(deliver(&hooks, "file.stored").await, 204);
    }
    // By whether the line has the level INFO, and whether it is about `file.deleted`.
    let mut lines = HashMap::new();
    for line in log.text().lines().filter(|line| line.contains("no handler at path \"/\" takes")) {
        *lines.entry((line.contains("INFO"), line.contains("file.deleted"))).or_insert(0) += 1;
    }
    assert_eq!(lines, HashMap::from([((true, true), 1), ((true, false), 1), ((false, true), 2), ((false, false), 2)]));
    assert_eq!(hooks.stats().unhandled, 6);
}

#[tokio::test]
async fn mounting_the_router_in_several_server_workers_is_logged_once_for_each_path() {
    let log = Log::default();
    let _guard = log.capture();
    let hooks = builder(&Notes::default()).handlers(webhook_handlers![index]).build().unwrap();
    for _ in 0..3 {
        drop(hooks.clone().mount("/hooks/"));
    }
    drop(hooks.clone().mount("/other"));
    drop(hooks.mount("h3"));
    let log = log.text();
    let mounts: Vec<_> = log.lines().filter(|line| line.contains("webhook router mounted")).collect();
    assert!(
        matches!(mounts.as_slice(), [one, other, _] if one.contains("\"/hooks\"") && other.contains("\"/other\"")),
        "{log}"
    );
    assert!(mounts[2].contains("mounted at \"/h3\"") && mounts[2].contains("answered at {\"/h3\"}"), "{log}");
}
