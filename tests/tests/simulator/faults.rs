//! The faults of deliveries, as a real receiver sees them.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tests::{deliveries::secret, servers::Adapter};
use uploadcare_hooks::{Event, State, WebhookRouter, webhook_handler, webhook_handlers};
use uploadcare_sim::Simulator;

use super::{Api, builder, detail, receiver::Receiver, simulator};

type Runs = Arc<AtomicUsize>;

#[webhook_handler(any)]
async fn count(_event: Event, State(runs): State<Runs>) {
    runs.fetch_add(1, Ordering::SeqCst);
}

/// A simulator that delivers `file.stored` to a real router.
struct Setup {
    api: Api,
    runs: Runs,
    _simulator: Simulator,
}

impl Setup {
    async fn new(delays: &[u64]) -> Self {
        let delays: Vec<_> = delays.iter().copied().map(Duration::from_millis).collect();
        let simulator = builder().redelivery_delays(delays).start("127.0.0.1:0".parse().unwrap()).unwrap();
        let runs = Runs::default();
        let hooks = WebhookRouter::builder().signing_secret(secret()).state(Arc::clone(&runs));
        let hooks = hooks.handlers(webhook_handlers![count]).build().unwrap();
        let address = Adapter::Actix.serve(hooks, false).await.unwrap();
        let api = Api::of(&simulator);
        api.subscribe(&format!("http://{address}/hooks"), "file.stored").await;
        Self { api, runs, _simulator: simulator }
    }

    /// Triggers an event with this fault, and returns the delivery when it is finished.
    async fn with(&self, fault: Value) -> Value {
        assert_eq!(self.api.patch("/delivery_faults", fault).await.0, 200);
        let id = self.api.trigger(json!({"event": "file.stored"})).await.remove(0);
        self.api.finished(1).await;
        self.api.delivery(&id).await
    }
}

fn statuses(delivery: &Value) -> Vec<Option<u64>> {
    let attempts = delivery["attempts"].as_array().unwrap();
    attempts.iter().map(|attempt| attempt["answer"]["status"].as_u64()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_secret_and_a_missing_signature_are_refused_by_the_router() {
    for (fault, check) in [("wrong_secret", "wrong"), ("missing_signature", "missing")] {
        let setup = Setup::new(&[1]).await;
        let delivery = setup.with(json!({fault: {"probability": 1}})).await;
        assert_eq!((statuses(&delivery), &delivery["state"]), (vec![Some(401); 2], &json!("failed")), "{fault}");
        let attempt = &delivery["attempts"][0];
        assert_eq!((&attempt["signature"], &attempt["faults"]), (&json!(check), &json!([fault])));
        assert_eq!(setup.runs.load(Ordering::SeqCst), 0);
    }
}

#[tokio::test]
async fn the_longest_secrets_can_be_wrong_too() {
    let simulator = simulator();
    let api = Api::of(&simulator);
    let receiver = Receiver::start(&[]).await;
    let order = json!({"target_url": receiver.url("/"), "event": "file.stored", "signing_secret": "s".repeat(32)});
    api.post("/subscriptions", order).await;
    api.patch("/delivery_faults", json!({"wrong_secret": {"probability": 1}})).await;
    let id = api.trigger(json!({"event": "file.stored"})).await.remove(0);
    api.finished(1).await;
    assert_eq!(api.delivery(&id).await["attempts"][0]["signature"], "wrong");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_delay_makes_the_attempt_late() {
    let setup = Setup::new(&[]).await;
    let start = Instant::now();
    let delivery = setup.with(json!({"delay": {"probability": 1, "ms": 300}})).await;
    assert!(start.elapsed() >= Duration::from_millis(300));
    assert_eq!(statuses(&delivery), [Some(204)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_duplicate_is_one_delivery_with_two_attempts() {
    let setup = Setup::new(&[1, 1]).await;
    let delivery = setup.with(json!({"duplicate": {"probability": 1}})).await;
    assert_eq!((statuses(&delivery), &delivery["state"]), (vec![Some(204); 2], &json!("acknowledged")));
    let faults = [0, 1].map(|attempt| delivery["attempts"][attempt]["faults"].clone());
    assert_eq!(faults, [json!(["duplicate"]), json!([])]);
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(setup.runs.load(Ordering::SeqCst), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reordered_delivery_comes_after_a_later_one() {
    let setup = Setup::new(&[]).await;
    let api = &setup.api;
    api.patch("/delivery_faults", json!({"reorder": {"probability": 1, "ms": 20_000}})).await;
    let first = api.trigger(json!({"event": "file.stored"})).await.remove(0);
    tokio::time::sleep(Duration::from_millis(200)).await;
    api.patch("/delivery_faults", json!({"reorder": {"probability": 0}})).await;
    let second = api.trigger(json!({"event": "file.stored"})).await.remove(0);
    api.finished(2).await;
    let (_, attempts) = api.get("/deliveries").await;
    let order: Vec<_> = attempts.as_array().unwrap().iter().map(|one| one["delivery"].as_str().unwrap()).collect();
    assert_eq!(order, [second.as_str(), first.as_str()]);
    assert_eq!(api.delivery(&first).await["attempts"][0]["faults"], json!(["reorder"]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_delivery_that_is_cut_reaches_no_handler_and_is_repeated() {
    let setup = Setup::new(&[300]).await;
    let api = &setup.api;
    api.patch("/delivery_faults", json!({"cut": {"probability": 1}})).await;
    let id = api.trigger(json!({"event": "file.stored"})).await.remove(0);
    for _ in 0..500 {
        if !api.delivery(&id).await["attempts"].as_array().unwrap().is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(setup.runs.load(Ordering::SeqCst), 0);
    api.patch("/delivery_faults", json!({"cut": {"probability": 0}})).await;
    api.finished(1).await;
    let delivery = api.delivery(&id).await;
    assert_eq!((statuses(&delivery), setup.runs.load(Ordering::SeqCst)), (vec![None, Some(204)], 1));
    let error = delivery["attempts"][0]["error"].as_str().unwrap();
    assert!(error.contains("the simulator cut the connection"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_body_arrives_whole() {
    let setup = Setup::new(&[]).await;
    let start = Instant::now();
    let delivery = setup.with(json!({"slow_body": {"probability": 1, "ms": 400}})).await;
    assert!(start.elapsed() >= Duration::from_millis(400));
    assert_eq!((statuses(&delivery), setup.runs.load(Ordering::SeqCst)), (vec![Some(204)], 1));
}

#[tokio::test]
async fn an_attempt_lists_only_the_faults_that_it_ran_into() {
    let all = json!(["wrong_secret", "missing_signature", "duplicate", "cut", "slow_body"]);
    for (on, secret, answers, listed) in [
        (all.clone(), None, vec![], vec![vec!["cut"]; 4]),
        (all, Some("s"), vec![], vec![vec!["missing_signature", "cut"]; 4]),
        (json!(["wrong_secret", "missing_signature", "duplicate"]), None, vec![], vec![vec!["duplicate"], vec![]]),
        (
            json!(["wrong_secret", "duplicate"]),
            Some("s"),
            vec![500],
            vec![vec!["wrong_secret"], vec!["wrong_secret", "duplicate"], vec!["wrong_secret"]],
        ),
    ] {
        let simulator = simulator();
        let api = Api::of(&simulator);
        let receiver = Receiver::start(&answers).await;
        let order = json!({"target_url": receiver.url("/"), "event": "file.stored", "signing_secret": secret});
        assert_eq!(api.post("/subscriptions", order).await.0, 201);
        let faults: serde_json::Map<_, _> = on
            .as_array()
            .unwrap()
            .iter()
            .map(|fault| (fault.as_str().unwrap().to_owned(), json!({"probability": 1})))
            .collect();
        api.patch("/delivery_faults", faults.into()).await;
        let id = api.trigger(json!({"event": "file.stored"})).await.remove(0);
        api.finished(1).await;
        let delivery = api.delivery(&id).await;
        let attempts = delivery["attempts"].as_array().unwrap();
        let found: Vec<_> = attempts.iter().map(|attempt| attempt["faults"].clone()).collect();
        assert_eq!(Value::from(found), json!(listed), "{on} {secret:?}");
    }
}

#[tokio::test]
async fn wrong_faults_are_refused_and_change_nothing() {
    let simulator = simulator();
    let api = Api::of(&simulator);
    let (_, set) = api.patch("/delivery_faults", json!({"cut": {"probability": 0.5}})).await;
    assert_eq!(set, json!({"cut": {"probability": 0.5}}));
    for (order, says) in [
        (json!({"boredom": {"probability": 1}}), "unknown variant `boredom`, expected one of `wrong_secret`"),
        (json!({"delay": {"probability": 1, "seconds": 1}}), "unknown field `seconds`"),
        (json!({"delay": {"probability": 1}, "cut": {"probability": 2}}), "`cut`: the probability is 2"),
        (json!({"delay": {}}), "missing field `probability`"),
    ] {
        let problem = detail(api.patch("/delivery_faults", order.clone()).await, 400);
        assert!(problem.contains(says), "{order}: {problem}");
        assert_eq!(api.get("/delivery_faults").await, (200, set.clone()));
    }
}
