//! Subscriptions of events that this version does not know.

use std::time::Duration;

use tests::{deliveries::secret, log::Log, routers::deliver_signed};
use uploadcare_hooks::{
    HandlerDescriptor, SigningSecret, UnknownEvent, WebhookRouter,
    client::ClientError,
    registration::{Action, RegistrationError, Subscriptions},
    webhook_handler, webhook_handlers,
};
use uploadcare_sim::{Simulator, Subscription};

use crate::{BASE, audit, client, index, simulator, there};

const MODERATION: &str = "moderation.state_changed";
const AUDIT: &str = "https://app.example.com/hooks/audit";

#[webhook_handler(event = "moderation.state_changed", unlisted)]
async fn moderated(_event: UnknownEvent) {}

#[webhook_handler(event = "moderation.state_changed", unlisted, path = "/audit")]
async fn moderated_at_audit(_event: UnknownEvent) {}

#[webhook_handler(event = "moderation.state_changed", unlisted, path = "/audit", secret_env = "CARGO_PKG_NAME")]
async fn moderated_with_own_secret(_event: UnknownEvent) {}

fn needed(handlers: Vec<HandlerDescriptor>) -> Subscriptions {
    let hooks = WebhookRouter::builder().signing_secret(secret()).handlers(handlers).build().unwrap();
    hooks.subscriptions(BASE).unwrap()
}

#[tokio::test]
async fn a_handler_of_an_unlisted_event_gets_a_subscription_where_uploadcare_offers_the_event() {
    let builder = Simulator::builder("demopublickey", "demosecretkey").event(MODERATION);
    let simulator = builder.start("127.0.0.1:0".parse().unwrap()).unwrap();
    let client = client(&simulator);
    let plan = needed(webhook_handlers![moderated, index]).sync(&client).await.unwrap();
    assert_eq!(plan.writes(), 2);
    let made = simulator.subscriptions().into_iter().find(|made| made.event == MODERATION).unwrap();
    assert_eq!((made.target_url.as_str(), made.version.as_deref()), (BASE, Some("0.7")));
    assert_eq!(needed(webhook_handlers![moderated, index]).sync(&client).await.unwrap().writes(), 0);
}

#[tokio::test]
async fn a_long_name_of_an_event_widens_its_column_in_the_plan() {
    let plan = needed(webhook_handlers![moderated, index]).plan(&client(&simulator())).await.unwrap();
    let text = plan.to_string();
    let columns: Vec<_> = text.lines().filter_map(|line| line.find("https://")).collect();
    assert!(columns.len() == 2 && columns[0] == columns[1], "{text}");
    let alone: Vec<_> = plan.steps.iter().map(ToString::to_string).collect();
    assert!(alone.contains(&"+ create  file.uploaded      https://app.example.com/hooks".to_owned()), "{alone:?}");
}

#[tokio::test]
async fn where_uploadcare_refuses_the_event_that_step_fails_and_the_others_are_made() {
    let simulator = simulator();
    let error = needed(webhook_handlers![moderated, index]).sync(&client(&simulator)).await.unwrap_err();
    let RegistrationError::Steps { failures, writes: 2 } = &error else { panic!("{error}") };
    let [failure] = failures.as_slice() else { panic!("{error}") };
    assert!(matches!(failure.error, ClientError::UnknownEvent(_)), "{error}");
    let text = error.to_string();
    for part in [
        "1 of 2 changes to subscriptions failed, the others were made:",
        "- creating the subscription of https://app.example.com/hooks to `moderation.state_changed` failed: ",
        "Uploadcare does not accept the event for this project: status 400",
    ] {
        assert!(text.contains(part), "{text}");
    }
    let made: Vec<_> = simulator.subscriptions().into_iter().map(|made| made.event).collect();
    assert_eq!(made, ["file.uploaded"]);
}

#[tokio::test]
async fn an_unlisted_event_that_a_handler_of_every_event_takes_too_is_planned_once() {
    let simulator = simulator();
    simulator.subscribe(there(MODERATION, &format!("{BASE}/audit/")));
    let plan = needed(webhook_handlers![audit, moderated_at_audit]).plan(&client(&simulator)).await.unwrap();
    let steps: Vec<_> = plan.steps.iter().filter(|step| step.event.as_str() == MODERATION).collect();
    assert!(matches!(steps.as_slice(), [step] if step.action() == Action::Keep), "{plan}");
}

#[test]
fn plain_http_to_another_machine_is_warned_of_before_anything_is_sent() {
    for (base_url, warned) in [
        ("http://app.example.com/hooks", true),
        ("https://app.example.com/hooks", false),
        ("http://127.0.0.1:8080/hooks", false),
    ] {
        let log = Log::default();
        let _guard = log.capture();
        let hooks = WebhookRouter::builder().signing_secret(secret()).handlers(webhook_handlers![index]);
        let _subscriptions = hooks.build().unwrap().subscriptions(base_url).unwrap();
        assert_eq!(log.text().contains("is plain http: everyone on the way can read its deliveries"), warned);
    }
}

#[test]
fn an_unlisted_event_with_a_secret_of_its_own_beside_a_handler_of_every_event_is_a_conflict() {
    let hooks = WebhookRouter::builder().signing_secret(secret());
    let hooks = hooks.handlers(webhook_handlers![moderated_with_own_secret, audit]).build().unwrap();
    let error = hooks.subscriptions(BASE).unwrap_err();
    assert!(matches!(&error, RegistrationError::ConflictingSecrets { event, .. } if event.as_str() == MODERATION));
}

#[tokio::test]
async fn a_rotation_ends_although_uploadcare_refuses_an_event() {
    let simulator = simulator();
    let hooks = WebhookRouter::builder().signing_secret(secret()).handlers(webhook_handlers![moderated, index]);
    let hooks = hooks.build().unwrap();
    let subscriptions = hooks.subscriptions(BASE).unwrap().grace_period(Duration::ZERO);
    let new = SigningSecret::new("the new secret").unwrap();
    assert_eq!(deliver_signed(&hooks, &secret()).await, 204);
    let error = subscriptions.rotate_secret(&client(&simulator), new.clone()).await.unwrap_err();
    assert!(error.is_only_refused_events(), "{error}");
    assert_eq!((deliver_signed(&hooks, &secret()).await, deliver_signed(&hooks, &new).await), (401, 204));
}

#[tokio::test]
async fn subscriptions_of_unlisted_events_and_of_newer_versions_are_never_replaced() {
    let simulator = simulator();
    for (event, version) in [(MODERATION, ""), (MODERATION, "0.8"), ("file.uploaded", "0.8")] {
        let base = if version == "0.8" { format!("{BASE}/") } else { BASE.to_owned() };
        simulator.subscribe(Subscription { version: Some(version.to_owned()), ..there(event, &base) });
    }
    let subscriptions = needed(webhook_handlers![moderated, index]).replace_outdated(true);
    let plan = subscriptions.plan(&client(&simulator)).await.unwrap();
    assert_eq!((plan.steps.len(), plan.writes()), (3, 0), "{plan}");
}

#[tokio::test]
async fn a_handler_of_every_event_keeps_unlisted_subscriptions_at_its_own_path_only() {
    let simulator = simulator();
    let subscriptions = needed(webhook_handlers![audit]);
    for (target_url, id, foreign) in [("https://elsewhere.example.com/hooks", None, 1), (AUDIT, Some(2), 1)] {
        simulator.subscribe(there(MODERATION, target_url));
        let plan = subscriptions.plan(&client(&simulator)).await.unwrap();
        let step = plan.steps.iter().find(|step| step.event.as_str() == MODERATION);
        assert_eq!((step.and_then(|step| step.id()), step.is_some()), (id, id.is_some()), "{plan}");
        assert_eq!(plan.foreign, foreign, "{plan}");
    }
}
