//! Handlers that cannot get what they need: secrets that conflict, versions that no subscription
//! sends, events that come twice, target URLs that are too long.

use tests::deliveries::secret;
use uploadcare_hooks::{
    Event, FileInfected, FileUploaded, HandlerDescriptor, PayloadVersion, SigningSecret, WebhookRouter,
    payload::v0_6,
    registration::{Finding, RegistrationError, Subscriptions},
    webhook_handler, webhook_handlers,
};
use uploadcare_sim::Subscription;

use crate::{BASE, audit, client, index, simulator, there};

#[webhook_handler(any, secret_env = "CARGO_PKG_NAME")]
async fn own_audit(_event: Event) {}

#[webhook_handler(any)]
async fn audit_here(_event: Event) {}

#[webhook_handler(event = "file.infected", path = "/scans", secret_env = "CARGO_PKG_NAME")]
async fn quarantine(_event: FileInfected) {}

#[webhook_handler(event = "file.uploaded", version = "0.6")]
pub(crate) async fn index_old(_event: v0_6::FileUploaded) {}

#[webhook_handler(event = "file.uploaded", version = "0.7")]
async fn index_new(_event: FileUploaded) {}

fn subscriptions_of(handlers: Vec<HandlerDescriptor>, base_url: &str) -> Result<Subscriptions, RegistrationError> {
    WebhookRouter::builder().signing_secret(secret()).handlers(handlers).build().unwrap().subscriptions(base_url)
}

fn findings_of(plan: &uploadcare_hooks::registration::Plan, event: &str) -> Vec<Finding> {
    let steps = plan.steps.iter().filter(|step| step.event.as_str() == event);
    steps.flat_map(|step| step.findings.clone()).collect()
}

#[test]
fn a_handler_of_every_event_with_a_secret_of_its_own_beside_a_named_one_is_a_conflict() {
    let error = subscriptions_of(webhook_handlers![own_audit, index], BASE).unwrap_err();
    assert_eq!(
        error.to_string(),
        "handlers `index` and `own_audit` take `file.uploaded` at \"/\" with different signing secrets, and a \
         subscription has one: give one of them another `path`"
    );
    assert!(matches!(error, RegistrationError::ConflictingSecrets { .. }));
    assert!(subscriptions_of(webhook_handlers![audit_here, index], BASE).is_ok());
    assert!(subscriptions_of(webhook_handlers![audit, own_audit], BASE).is_ok());
}

#[webhook_handler(event = "file.infected")]
async fn alert(_event: FileInfected) {}

#[tokio::test]
async fn a_handler_of_a_version_that_no_subscription_sends_is_named() {
    let simulator = simulator();
    let client = client(&simulator);
    let both = || subscriptions_of(webhook_handlers![index, index_old, index_new], BASE).unwrap();
    let never = |handler, version| Finding::NeverRuns { handler, version };
    let (old, new) = (never("index_old", PayloadVersion::V0_6), never("index_new", PayloadVersion::V0_7));
    let plan = both().plan(&client).await.unwrap();
    assert_eq!(findings_of(&plan, "file.uploaded"), std::slice::from_ref(&old));
    assert!(plan.to_string().contains("handler `index_old` takes version \"0.6\" only"), "{plan}");

    simulator.subscribe(Subscription { version: Some("0.6".to_owned()), ..there("file.uploaded", BASE) });
    let outdated = Finding::Outdated(PayloadVersion::V0_6);
    let plan = both().plan(&client).await.unwrap();
    assert_eq!(findings_of(&plan, "file.uploaded"), [outdated.clone(), new]);
    let plan = both().replace_outdated(true).plan(&client).await.unwrap();
    assert_eq!(findings_of(&plan, "file.uploaded"), [outdated, old], "it will send 0.7");
}

#[tokio::test]
async fn a_handler_of_a_version_that_a_duplicate_sends_is_not_named() {
    let simulator = simulator();
    let client = client(&simulator);
    let slash = format!("{BASE}/");
    simulator.subscribe(there("file.uploaded", BASE));
    let both = || subscriptions_of(webhook_handlers![index_new, index_old], BASE).unwrap();
    let old = Finding::NeverRuns { handler: "index_old", version: PayloadVersion::V0_6 };
    let plan = both().plan(&client).await.unwrap();
    assert_eq!(findings_of(&plan, "file.uploaded"), [old], "{plan}");

    simulator.subscribe(Subscription { version: Some("0.6".to_owned()), ..there("file.uploaded", &slash) });
    // Pruning keeps that duplicate, since it cannot be created again.
    for prune in [false, true] {
        let plan = both().prune(prune).plan(&client).await.unwrap();
        let findings = [Finding::Duplicate, Finding::Outdated(PayloadVersion::V0_6)];
        assert_eq!(findings_of(&plan, "file.uploaded"), findings, "prune: {prune}\n{plan}");
    }
}

#[tokio::test]
async fn an_event_that_comes_twice_because_of_a_handler_of_every_event_is_named() {
    let simulator = simulator();
    let client = client(&simulator);
    let subscriptions = subscriptions_of(webhook_handlers![audit_here, index, quarantine], BASE).unwrap();
    let plan = subscriptions.plan(&client).await.unwrap();
    let scans = format!("{BASE}/scans");
    assert_eq!(findings_of(&plan, "file.infected"), [Finding::AlsoDeliveredTo(vec![scans.clone()])]);
    assert!(plan.to_string().contains(&format!("each of its events is also delivered to {scans}")), "{plan}");
    for event in ["file.uploaded", "file.stored"] {
        assert_eq!(findings_of(&plan, event), [], "{event} comes once");
    }
    // What two handlers name at two paths is meant so.
    let subscriptions = subscriptions_of(webhook_handlers![audit_here, alert, quarantine], BASE).unwrap();
    let plan = subscriptions.plan(&client).await.unwrap();
    assert_eq!(findings_of(&plan, "file.infected"), [], "{plan}");
}

#[test]
fn a_target_url_that_uploadcare_would_refuse_is_refused_before_anything_is_sent() {
    let base_url = format!("{BASE}/{}", "a".repeat(220));
    let error = subscriptions_of(webhook_handlers![index, quarantine], &base_url).unwrap_err();
    let text = error.to_string();
    assert!(matches!(error, RegistrationError::TargetUrl { .. }), "{text}");
    assert_eq!(
        text,
        format!(
            "the target URL \"{base_url}/scans\" of handler `quarantine` has 256 characters: Uploadcare accepts at \
             most 255"
        )
    );
    assert_eq!(text.matches(&base_url).count(), 1, "the URL is shown once");
    assert!(subscriptions_of(webhook_handlers![index], &base_url).is_ok());
}

#[tokio::test]
async fn a_subscription_of_an_unknown_event_belongs_to_the_handlers_of_every_event() {
    let simulator = simulator();
    let client = client(&simulator);
    simulator.subscribe(there("moderation.state_changed", BASE));
    let subscriptions = subscriptions_of(webhook_handlers![audit_here], BASE).unwrap().prune(true);
    subscriptions.rotate_secret(&client, SigningSecret::new("new").unwrap()).await.unwrap();
    let unknown = simulator.subscriptions().into_iter().find(|made| made.event == "moderation.state_changed").unwrap();
    assert_eq!(unknown.signing_secret.as_deref(), Some("new"), "it is kept, and rotated");
    let named = subscriptions_of(webhook_handlers![index], BASE).unwrap();
    let plan = named.plan(&client).await.unwrap();
    assert!(findings_of(&plan, "moderation.state_changed").contains(&Finding::Stale), "{plan}");
}

#[tokio::test]
async fn without_a_secret_no_subscription_is_made() {
    let simulator = simulator();
    let hooks = WebhookRouter::builder().signing_secret(secret()).handlers(webhook_handlers![index]).build().unwrap();
    let subscriptions = hooks.subscriptions(BASE).unwrap();
    hooks.drop_secret(&secret());
    let error = subscriptions.sync(&client(&simulator)).await.unwrap_err();
    assert!(matches!(error, RegistrationError::NoSecret { .. }), "{error}");
    assert_eq!(simulator.subscriptions(), []);
}
