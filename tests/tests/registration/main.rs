//! Plan and sync against the simulator.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod duplicates;
mod guide;
mod logs;
mod properties;
mod races;
mod rotation;
mod unlisted;
mod wanted;

use std::time::Duration;

use futures_util::future::join_all;
use tests::{deliveries::secret, log::Log, texts::assert_reads_as_in};
use uploadcare_hooks::{
    Event, EventKind, FileDeleted, FileStored, FileUploaded, SigningSecret, WebhookRouter,
    client::{Client, CreateWebhook, UpdateWebhook},
    payload::v0_6,
    registration::{Action, Finding, RegistrationError, Subscriptions},
    webhook_handler, webhook_handlers,
};
use uploadcare_sim::{Fault, FaultKind, Simulator, Subscription};

const BASE: &str = "https://app.example.com/hooks";

#[webhook_handler(event = "file.uploaded")]
async fn index(_event: FileUploaded) {}

#[webhook_handler(events = ["file.stored", "file.deleted"])]
async fn count(_event: Event) {}

#[webhook_handler(event = "file.deleted", path = "/scans", secret_env = "CARGO_PKG_NAME")]
async fn own_secret(_event: FileDeleted) {}

#[webhook_handler(any, path = "/audit")]
async fn audit(_event: Event) {}

#[webhook_handler(event = "file.uploaded", version = "0.6", path = "/old")]
async fn old(_event: v0_6::FileUploaded) {}

#[webhook_handler(event = "file.stored", secret_env = "CARGO_PKG_NAME")]
async fn conflicting(_event: FileStored) {}

fn simulator() -> Simulator {
    Simulator::builder("demopublickey", "demosecretkey").start("127.0.0.1:0".parse().unwrap()).unwrap()
}

fn client(simulator: &Simulator) -> Client {
    let builder = Client::builder("demopublickey", "demosecretkey").base_url(simulator.base_url());
    builder.retry_delay(Duration::from_millis(1)).timeout(Duration::from_millis(500)).build().unwrap()
}

/// The three subscriptions that two handlers at `/` need, with this secret.
fn three_with(secret: SigningSecret) -> Subscriptions {
    let hooks = WebhookRouter::builder().signing_secret(secret).handlers(webhook_handlers![index, count]);
    hooks.build().unwrap().subscriptions(BASE).unwrap()
}

fn three() -> Subscriptions {
    three_with(secret())
}

/// A subscription that exists at Uploadcare.
fn there(event: &str, target_url: &str) -> Subscription {
    Subscription {
        id: 0,
        project: 13,
        created: "2020-01-01T00:00:00Z".parse().unwrap(),
        updated: "2020-01-01T00:00:00Z".parse().unwrap(),
        event: event.to_owned(),
        target_url: target_url.to_owned(),
        is_active: true,
        version: Some("0.7".to_owned()),
        signing_secret: Some("7kMVZivndx0ErgvhRKAr".to_owned()),
    }
}

fn actions(plan: &uploadcare_hooks::registration::Plan) -> Vec<(Action, &str)> {
    plan.steps.iter().map(|step| (step.action(), step.event.as_str())).collect()
}

#[tokio::test]
async fn each_event_and_path_gets_a_subscription_and_a_second_sync_writes_nothing() {
    let simulator = simulator();
    let client = client(&simulator);
    let hooks = WebhookRouter::builder()
        .signing_secret(secret())
        .handlers(webhook_handlers![index, count, own_secret, audit, old])
        .build()
        .unwrap();
    let needed = hooks.subscriptions(&format!("{BASE}/")).unwrap();
    let plan = needed.sync(&client).await.unwrap();
    assert_eq!(plan.writes(), 3 + 1 + 5);
    let mut made: Vec<_> =
        simulator.subscriptions().into_iter().map(|made| (made.target_url, made.event, made.signing_secret)).collect();
    made.sort();
    let of =
        |path: &str, event: &str, secret: &str| (format!("{BASE}{path}"), event.to_owned(), Some(secret.to_owned()));
    let mut expected = vec![of("/scans", "file.deleted", "tests")];
    expected.extend(EventKind::KNOWN.iter().map(|event| of("/audit", event, "7kMVZivndx0ErgvhRKAr")));
    expected
        .extend(["file.uploaded", "file.stored", "file.deleted"].map(|event| of("", event, "7kMVZivndx0ErgvhRKAr")));
    expected.sort();
    assert_eq!(made, expected);
    let again = needed.sync(&client).await.unwrap();
    assert_eq!(again.writes(), 0, "{again}");
    let cannot = again.steps.iter().find(|step| step.target_url.ends_with("/old")).unwrap();
    assert_eq!(cannot.findings, [Finding::CannotBeCreated]);
}

#[tokio::test]
async fn a_plan_names_everything_that_is_wrong_and_hides_secrets() {
    let simulator = simulator();
    let client = client(&simulator);
    simulator.subscribe(Subscription { signing_secret: Some("s3cr3t".to_owned()), ..there("file.uploaded", BASE) });
    simulator.subscribe(Subscription { is_active: false, ..there("file.stored", &format!("{BASE}/")) });
    simulator.subscribe(Subscription { version: Some("0.6".to_owned()), ..there("file.deleted", BASE) });
    simulator.subscribe(there("file.infected", BASE));
    simulator.subscribe(there("file.moved", &format!("{BASE}/elsewhere")));
    simulator.subscribe(there("file.uploaded", "https://other.example.com/hooks"));
    simulator.subscribe(there("file.uploaded", "https://app.example.com/hookshot"));
    let before = simulator.subscriptions();
    let plan = three().plan(&client).await.unwrap();
    assert_eq!(simulator.subscriptions(), before, "a plan changes nothing");
    let text = plan.to_string();
    assert_reads_as_in("plan", &text);
    let shown = format!("{text} {plan:?} {:?}", three());
    assert!(!shown.contains("s3cr3t") && !shown.contains("7kMVZivndx0ErgvhRKAr"), "{shown}");

    three().sync(&client).await.unwrap();
    let after = simulator.subscriptions();
    assert_eq!(after[0].signing_secret.as_deref(), Some("7kMVZivndx0ErgvhRKAr"));
    assert_eq!(after[1..], before[1..], "all others are unchanged");
}

#[tokio::test]
async fn pruning_activating_and_replacing_happen_only_when_switched_on() {
    let simulator = simulator();
    let client = client(&simulator);
    simulator.subscribe(Subscription { version: None, ..there("file.uploaded", BASE) });
    simulator.subscribe(Subscription { is_active: false, ..there("file.stored", BASE) });
    simulator.subscribe(Subscription {
        is_active: false,
        version: Some("0.5".to_owned()),
        ..there("file.deleted", BASE)
    });
    simulator.subscribe(there("file.infected", BASE));
    simulator.subscribe(there("file.infected", "https://other.example.com"));

    let replaced = three().replace_outdated(true).sync(&client).await.unwrap();
    let (deleted, stored, uploaded) = ("file.deleted", "file.stored", "file.uploaded");
    let keep = |event| (Action::Keep, event);
    // A paused one is not replaced: its successor would be active.
    assert_eq!(actions(&replaced), [keep(deleted), keep(stored), (Action::Replace, uploaded), keep("file.infected")]);
    let activated = three().activate(true).sync(&client).await.unwrap();
    let update = |event| (Action::Update, event);
    assert_eq!(actions(&activated), [update(deleted), update(stored), keep(uploaded), keep("file.infected")]);
    let pruned = three().prune(true).replace_outdated(true).sync(&client).await.unwrap();
    let delete = (Action::Delete, "file.infected");
    assert_eq!(actions(&pruned), [(Action::Replace, deleted), keep(stored), keep(uploaded), delete]);

    let mut left: Vec<_> =
        simulator.subscriptions().into_iter().map(|left| (left.event, left.is_active, left.version.unwrap())).collect();
    left.sort();
    let active = |event: &str| (event.to_owned(), true, "0.7".to_owned());
    assert_eq!(left, [active(deleted), active("file.infected"), active(stored), active(uploaded)]);
    assert_eq!(three().sync(&client).await.unwrap().writes(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_replicas_that_boot_at_once_end_with_one_subscription_each() {
    for round in 0..5 {
        let simulator = simulator();
        if round > 0 {
            simulator.subscribe(Subscription { version: Some("0.6".to_owned()), ..there("file.stored", BASE) });
        }
        let replicas = (0..10).map(|_| {
            let client = client(&simulator);
            async move { three().replace_outdated(true).sync(&client).await }
        });
        for done in join_all(replicas).await {
            done.unwrap();
        }
        let mut events: Vec<_> = simulator.subscriptions().into_iter().map(|made| made.event).collect();
        events.sort();
        assert_eq!(events, ["file.deleted", "file.stored", "file.uploaded"]);
        assert_eq!(three().plan(&client(&simulator)).await.unwrap().writes(), 0);
    }
}

#[tokio::test]
async fn a_second_sync_with_another_secret_sets_that_secret() {
    let simulator = simulator();
    let client = client(&simulator);
    let (old, new) = (three(), three_with(SigningSecret::new("new").unwrap()));
    old.sync(&client).await.unwrap();
    let plan = new.sync(&client).await.unwrap();
    assert!(plan.steps.iter().all(|step| step.findings == [Finding::SecretDiffers]));
    assert!(simulator.subscriptions().iter().all(|made| made.signing_secret.as_deref() == Some("new")));
}

/// After `calls` good calls one call fails. Then `sync` either succeeds, or fails and a second
/// `sync` repairs everything.
async fn fail_after(calls: usize, kind: FaultKind, carried_out: bool) {
    let simulator = simulator();
    let client = client(&simulator);
    simulator.subscribe(Subscription { signing_secret: None, ..there("file.uploaded", BASE) });
    simulator.subscribe(Subscription { version: Some("0.6".to_owned()), ..there("file.stored", BASE) });
    simulator.subscribe(there("file.infected", BASE));
    simulator.fault(Fault { after: calls, carried_out, ..Fault::new(kind) });
    let needed = three().replace_outdated(true).prune(true);
    let context = format!("{kind:?} after {calls}, carried out: {carried_out}");
    if let Err(error) = needed.sync(&client).await {
        let listed_or_written = matches!(&error, RegistrationError::Client { .. } | RegistrationError::Steps { .. });
        assert!(listed_or_written, "{context}: {error}");
        needed.sync(&client).await.unwrap_or_else(|error| panic!("{context}: {error}"));
    }
    let mut events: Vec<_> = simulator.subscriptions().into_iter().map(|made| made.event).collect();
    events.sort();
    assert_eq!(events, ["file.deleted", "file.stored", "file.uploaded"], "{context}");
    assert_eq!(needed.plan(&client).await.unwrap().writes(), 0, "{context}");
}

#[tokio::test]
async fn a_fault_at_any_step_leaves_no_duplicate_and_no_gap() {
    let kinds = [FaultKind::Throttle, FaultKind::Error, FaultKind::Cut, FaultKind::Slow];
    let all =
        kinds.into_iter().flat_map(|kind| (0..7).flat_map(move |calls| [(calls, kind, false), (calls, kind, true)]));
    join_all(all.map(|(calls, kind, carried_out)| fail_after(calls, kind, carried_out))).await;
}

#[tokio::test]
async fn a_base_url_that_cannot_work_and_secrets_that_conflict_are_refused_at_boot() {
    let hooks =
        WebhookRouter::builder().signing_secret(secret()).handlers(webhook_handlers![index, count]).build().unwrap();
    for base_url in [
        "",
        "/hooks",
        "app.example.com",
        "ftp://app.example.com",
        "https://app.example.com/?a=b",
        "https://user:s3cr3t@app.example.com",
        "ftp://user:s3cr3t@app.example.com",
    ] {
        let error = hooks.subscriptions(base_url).unwrap_err();
        assert!(matches!(error, RegistrationError::BaseUrl { .. }), "{error}");
        assert!(!format!("{error} {error:?}").contains("s3cr3t"), "{error}");
    }
    let hooks = WebhookRouter::builder().signing_secret(secret()).handlers(webhook_handlers![count, conflicting]);
    let error = hooks.build().unwrap().subscriptions(BASE).unwrap_err();
    assert_eq!(
        error.to_string(),
        "handlers `count` and `conflicting` take `file.stored` at \"/\" with different signing secrets, and a \
         subscription has one: give one of them another `path`"
    );
    let simulator = simulator();
    let wrong = Client::builder("demopublickey", "wrong").base_url(simulator.base_url()).build().unwrap();
    let error = three().sync(&wrong).await.unwrap_err().to_string();
    assert!(error.starts_with("listing the subscriptions failed: Uploadcare does not accept the keys"), "{error}");
}

#[tokio::test]
async fn one_refused_subscription_does_not_keep_the_others_from_being_made() {
    let simulator = simulator();
    let client = client(&simulator);
    for event in ["file.uploaded", "file.stored", "file.deleted"] {
        simulator.subscribe(Subscription { signing_secret: None, ..there(event, BASE) });
    }
    simulator.fault(Fault { after: 1, times: 2, ..Fault::new(FaultKind::Error) });
    let impatient = Client::builder("demopublickey", "demosecretkey").base_url(simulator.base_url()).retries(0);
    let error = three().sync(&impatient.build().unwrap()).await.unwrap_err();
    let text = error.to_string();
    let RegistrationError::Steps { failures, writes: 3 } = error else { panic!("{text}") };
    assert_eq!(failures.len(), 2);
    assert_reads_as_in("failed_sync", &text);
    let secrets: Vec<_> = simulator.subscriptions().into_iter().map(|made| made.signing_secret.is_some()).collect();
    assert_eq!(secrets, [true, false, false], "the third step was carried out");
    three().sync(&client).await.unwrap();
    assert_eq!(three().plan(&client).await.unwrap().writes(), 0);
}

#[tokio::test]
async fn targets_that_are_not_encrypted_are_named_and_a_simulator_reaches_those_of_its_machine() {
    let simulator = simulator();
    let client = client(&simulator);
    let hooks = WebhookRouter::builder().signing_secret(secret()).handlers(webhook_handlers![index]).build().unwrap();
    for (base_url, findings) in [
        ("http://localhost:8080/hooks", vec![]),
        ("https://127.0.0.1", vec![]),
        ("http://[::1]:1", vec![]),
        ("http://app.example.com", vec![Finding::TargetIsNotEncrypted]),
        ("https://app.example.com", vec![]),
    ] {
        let plan = hooks.subscriptions(base_url).unwrap().plan(&client).await.unwrap();
        assert_eq!(plan.steps[0].findings, findings, "{base_url}");
    }
}

#[tokio::test]
async fn a_paused_subscription_stays_paused() {
    let simulator = simulator();
    let client = client(&simulator);
    let webhook = CreateWebhook::new(BASE, EventKind::FileUploaded).signing_secret(secret());
    let made = client.create(&webhook).await.unwrap();
    client.update(made.id, &UpdateWebhook::new().is_active(false)).await.unwrap();
    three().sync(&client).await.unwrap();
    assert!(!simulator.subscriptions()[0].is_active);
    assert_eq!(simulator.subscriptions().len(), 3);
}

#[tokio::test]
async fn a_sync_in_the_background_goes_on_until_it_succeeds_and_logs_each_failure() {
    let simulator = simulator();
    let client = Client::builder("demopublickey", "demosecretkey").base_url(simulator.base_url()).retries(0);
    simulator.fault(Fault::new(FaultKind::Error));
    let log = Log::default();
    let _guard = log.capture();
    let plan = three().sync_in_background(client.build().unwrap()).await.unwrap();
    assert_eq!(plan.writes(), 3);
    assert_eq!(simulator.subscriptions().len(), 3);
    let text = log.text();
    // A second, and up to another one.
    let delay = |text: &str| {
        let (_, after) = text.split_once("not in place yet, failed syncs: 1; the next sync is in ")?;
        after.split_once('s')?.0.parse().ok()
    };
    assert!(delay(&text).is_some_and(|delay: f64| (1.0..=2.0).contains(&delay)), "{text}");
    assert!(text.contains("listing the subscriptions failed: Uploadcare failed: status 502"), "{text}");
    assert_eq!(text.matches("the subscriptions were synced; failed syncs before that: 1").count(), 1, "{text}");

    let log = Log::default();
    let _guard = log.capture();
    three().sync_in_background(self::client(&simulator)).await.unwrap();
    let text = log.text();
    assert!(text.contains("subscriptions are in place") && !text.contains("failed syncs"), "{text}");
}

#[tokio::test]
async fn a_sync_logs_each_try_while_uploadcare_cannot_be_reached() {
    let simulator = simulator();
    simulator.fault(Fault { times: 2, ..Fault::new(FaultKind::Cut) });
    let log = Log::default();
    let _guard = log.capture();
    let builder = Client::builder("demopublickey", "demosecretkey").base_url(simulator.base_url());
    three().sync(&builder.retry_delay(Duration::from_millis(1)).build().unwrap()).await.unwrap();
    let text = log.text();
    for line in [" failed, try 1 of 5; the next try is in ", " failed, try 2 of 5; ", " succeeded at try 3 of 5"] {
        assert_eq!(text.matches(line).count(), 1, "{line}\n{text}");
    }
}

/// Waits until the condition holds, at most a minute.
async fn wait_until(what: &str, holds: impl Fn() -> bool) {
    let start = std::time::Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_secs(60), "not yet: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
