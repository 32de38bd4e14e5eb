//! Events that this version does not know, and payloads of the application's own types, in a queue.

use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use tests::storages::{RunningWorker, TestQueue};
use uploadcare_hooks::{Payload, State, UnknownEvent, queue::Storage, webhook_handler, webhook_handlers};

use crate::{Kind, Runs, over_every_storage, quick, send, wait_until};

#[derive(Deserialize)]
struct Moderation {
    state: String,
}

#[webhook_handler(event = "moderation.state_changed", unlisted)]
async fn moderated(Payload(event): Payload<Moderation>, State(runs): State<Runs>) {
    assert_eq!(event.state, "flagged");
    runs.count("moderated");
}

#[webhook_handler(event = "moderation.state_changed", unlisted)]
async fn keep(event: UnknownEvent, State(runs): State<Runs>) {
    assert!(event.as_json().contains("flagged") || event.as_json().contains("42"));
    runs.count("keep");
}

#[webhook_handler(event = "group.created", unlisted)]
async fn grouped(State(runs): State<Runs>) {
    runs.count("grouped");
}

fn moderation(state: Value) -> String {
    json!({"hook": {"event": "moderation.state_changed", "version": "0.7"}, "state": state}).to_string()
}

over_every_storage! {
    a_payload_that_does_not_fit_makes_a_dead_job_with_the_reason_and_the_other_handlers_run
}

async fn a_payload_that_does_not_fit_makes_a_dead_job_with_the_reason_and_the_other_handlers_run(storage: Storage) {
    let runs = Runs::default();
    let hooks = quick(&runs, &storage).handlers(webhook_handlers![moderated, keep, grouped]).build().unwrap();
    assert_eq!(send(&hooks, moderation(json!("flagged"))).await.status(), StatusCode::ACCEPTED);
    assert_eq!(send(&hooks, moderation(json!(42))).await.status(), StatusCode::ACCEPTED);
    let worker = RunningWorker::start(&hooks);
    wait_until("all jobs ended", async || {
        runs.of("keep") == 2 && runs.of("moderated") == 1 && hooks.dead_jobs(10).await.unwrap().len() == 1
    })
    .await;
    worker.stop().await.unwrap();
    assert_eq!(runs.of("grouped"), 0);
    let dead = hooks.dead_jobs(10).await.unwrap();
    assert_eq!((dead[0].job.handler(), dead[0].attempts), ("moderated", 1));
    let reason = dead[0].last_error();
    assert!(reason.contains("does not fit the type that the handler takes: at `state`: "), "{reason}");
}
