//! Rotating the signing secret while deliveries arrive.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use tests::{deliveries::secret, routers::deliver_signed, servers::Adapter};
use uploadcare_hooks::{
    Delivery, FileDeleted, FileUploaded, SigningSecret, State, WebhookRouter, client::Client,
    registration::RegistrationError, testing::Sample, webhook_handler, webhook_handlers,
};
use uploadcare_sim::{Fault, FaultKind, SimulatedEvent, Simulator};

use crate::{BASE, client, conflicting, count, index, own_secret, simulator};

fn other(text: &str) -> SigningSecret {
    SigningSecret::new(text).unwrap()
}

fn hooks() -> WebhookRouter {
    WebhookRouter::builder().signing_secret(secret()).handlers(webhook_handlers![index, count]).build().unwrap()
}

/// Waits until deliveries that are signed with this secret are refused.
async fn refused(hooks: &WebhookRouter, secret: &SigningSecret) {
    let start = Instant::now();
    while deliver_signed(hooks, secret).await != 401 {
        assert!(start.elapsed() < Duration::from_secs(20), "the old secret is still accepted");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn secrets_of(simulator: &Simulator) -> Vec<String> {
    simulator.subscriptions().into_iter().filter_map(|made| made.signing_secret).collect()
}

#[tokio::test]
async fn the_old_and_the_new_secret_are_accepted_until_the_grace_period_ends() {
    let simulator = simulator();
    let client = client(&simulator);
    let hooks = hooks();
    let subscriptions = hooks.subscriptions(BASE).unwrap();
    subscriptions.sync(&client).await.unwrap();
    let (old, new) = (secret(), other("new"));
    assert_eq!(deliver_signed(&hooks, &new).await, 401);

    let plan = subscriptions.clone().grace_period(Duration::from_secs(1)).rotate_secret(&client, new.clone()).await;
    assert_eq!(plan.unwrap().writes(), 3);
    assert_eq!(secrets_of(&simulator), ["new"; 3]);
    assert_eq!(deliver_signed(&hooks, &new).await, 204);
    assert_eq!(hooks.stats().replaced_secret, 0);
    assert_eq!(deliver_signed(&hooks, &old).await, 204);
    assert_eq!(hooks.stats().replaced_secret, 1);
    // `Subscriptions` that were made before the rotation use the new secret from then on.
    assert_eq!(subscriptions.sync(&client).await.unwrap().writes(), 0);

    refused(&hooks, &old).await;
    assert_eq!(deliver_signed(&hooks, &new).await, 204);
}

#[tokio::test]
async fn a_rotation_that_fails_halfway_keeps_both_secrets_and_the_next_call_finishes_it() {
    let simulator = simulator();
    let client = client(&simulator);
    let hooks = hooks();
    let subscriptions = hooks.subscriptions(BASE).unwrap().grace_period(Duration::ZERO);
    subscriptions.sync(&client).await.unwrap();
    // The list and one update succeed, and the next update fails.
    simulator.fault(Fault { after: 2, ..Fault::new(FaultKind::Error) });
    let impatient = Client::builder("demopublickey", "demosecretkey").base_url(simulator.base_url()).retries(0);
    let error = subscriptions.rotate_secret(&impatient.build().unwrap(), other("new")).await.unwrap_err();
    assert!(matches!(error, RegistrationError::Steps { .. }), "{error}");
    let (old, new) = (secret(), other("new"));
    assert_eq!(deliver_signed(&hooks, &old).await, 204);
    assert_eq!(deliver_signed(&hooks, &new).await, 204);
    subscriptions.rotate_secret(&client, other("new")).await.unwrap();
    assert_eq!(secrets_of(&simulator), ["new"; 3]);
    refused(&hooks, &old).await;
}

#[tokio::test]
async fn a_secret_that_is_rotated_back_in_is_not_dropped_by_the_first_rotation() {
    let simulator = simulator();
    let client = client(&simulator);
    let hooks = hooks();
    let soon = hooks.subscriptions(BASE).unwrap().grace_period(Duration::from_millis(50));
    let never = hooks.subscriptions(BASE).unwrap().grace_period(Duration::MAX);
    soon.rotate_secret(&client, other("new")).await.unwrap();
    never.rotate_secret(&client, secret()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(deliver_signed(&hooks, &secret()).await, 204);
    assert_eq!(deliver_signed(&hooks, &other("new")).await, 204);
    soon.rotate_secret(&client, other("newest")).await.unwrap();
    refused(&hooks, &secret()).await;
    refused(&hooks, &other("new")).await;
    assert_eq!(deliver_signed(&hooks, &other("newest")).await, 204);
}

#[tokio::test]
async fn a_rotation_that_cannot_work_is_refused_and_changes_nothing() {
    let simulator = simulator();
    let client = client(&simulator);
    let build = |handlers| WebhookRouter::builder().signing_secret(other("tests")).handlers(handlers).build().unwrap();

    let own = build(webhook_handlers![own_secret]).subscriptions(BASE).unwrap();
    let error = own.rotate_secret(&client, other("new")).await.unwrap_err();
    assert!(matches!(error, RegistrationError::NothingToRotate), "{error}");

    // `conflicting` has a secret of its own, which happens to be that of the router.
    let hooks = build(webhook_handlers![count, conflicting]);
    let error = hooks.subscriptions(BASE).unwrap().rotate_secret(&client, other("new")).await.unwrap_err();
    assert!(matches!(error, RegistrationError::ConflictingSecrets { .. }), "{error}");
    assert_eq!(deliver_signed(&hooks, &other("new")).await, 401);
    assert_eq!(simulator.subscriptions(), []);
}

#[tokio::test]
async fn secrets_of_handlers_stay_as_they_are() {
    let simulator = simulator();
    let client = client(&simulator);
    let handlers = webhook_handlers![index, own_secret];
    let hooks = WebhookRouter::builder().signing_secret(other("tests")).handlers(handlers).build().unwrap();
    let subscriptions = hooks.subscriptions(BASE).unwrap().grace_period(Duration::ZERO);
    subscriptions.rotate_secret(&client, other("new")).await.unwrap();
    assert_eq!(secrets_of(&simulator), ["new", "tests"]);
    refused(&hooks, &other("tests")).await;
    // The router dropped it, and the handler that has it as its own still accepts it.
    let answer = hooks.handle(Sample::of("file.deleted").at("/scans").sign(&other("tests"))).await;
    assert_eq!(answer.status(), 204);
}

/// The uploaded files, each with the position of the secret that signed its delivery.
type Seen = Arc<Mutex<BTreeSet<(String, Option<usize>)>>>;

#[webhook_handler(event = "file.uploaded")]
async fn note(event: FileUploaded, delivery: Delivery, State(seen): State<Seen>) {
    seen.lock().unwrap().insert((event.data.uuid.to_string(), delivery.secret_position()));
}

#[webhook_handler(event = "file.deleted", path = "/scans", secret_env = "CARGO_PKG_NAME")]
async fn bystander(_event: FileDeleted) {}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_delivery_is_lost_while_secrets_change() {
    let simulator = simulator();
    let client = client(&simulator);
    let seen = Seen::default();
    let handlers = webhook_handlers![note, bystander];
    let builder = WebhookRouter::builder().signing_secret(secret()).state(Arc::clone(&seen)).handlers(handlers);
    let hooks = builder.build().unwrap();
    let address = Adapter::Actix.serve(hooks.clone(), false).await.unwrap();
    let subscriptions = hooks.subscriptions(&format!("http://{address}/hooks")).unwrap();
    subscriptions.sync(&client).await.unwrap();

    let mut files = BTreeSet::new();
    let mut happen = |times: usize| {
        // Every second one is held back, so that it arrives after its secret was replaced.
        for number in 0..times {
            let delay_ms = if number % 2 == 0 { 300 } else { 0 };
            files.insert(
                simulator.trigger(&SimulatedEvent { delay_ms, ..SimulatedEvent::new("file.uploaded") }).to_string(),
            );
        }
    };
    happen(20);
    for round in 0..3 {
        subscriptions.rotate_secret(&client, other(&format!("secret {round}"))).await.unwrap();
        happen(20);
    }
    let start = Instant::now();
    while seen.lock().unwrap().len() < files.len() {
        assert!(start.elapsed() < Duration::from_secs(20), "{} of {}", seen.lock().unwrap().len(), files.len());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let (uuids, positions): (BTreeSet<_>, BTreeSet<_>) = seen.lock().unwrap().iter().cloned().unzip();
    assert_eq!(uuids, files);
    // Position 1 is the bystander's.
    assert_eq!(positions, [0, 2, 3, 4].map(Some).into());
    assert!(simulator.attempts().iter().all(|attempt| attempt.status == Some(204)), "none had to be sent again");
    assert!(hooks.stats().replaced_secret > 0);
}
