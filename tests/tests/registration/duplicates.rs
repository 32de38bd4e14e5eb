//! Subscriptions that lead to the same path under other spellings.

use uploadcare_hooks::{
    SigningSecret, WebhookRouter,
    client::Client,
    registration::{Action, Finding, RegistrationError, Subscriptions},
    webhook_handlers,
};
use uploadcare_sim::{Fault, FaultKind, Subscription};

use crate::{BASE, client, index, simulator, there, three, wanted::index_old};

#[tokio::test]
async fn each_subscription_that_differs_by_a_final_slash_is_listed_rotated_and_pruned() {
    let simulator = simulator();
    let client = client(&simulator);
    simulator.subscribe(there("file.uploaded", &format!("{BASE}/")));
    simulator.subscribe(there("file.uploaded", BASE));
    three().sync(&client).await.unwrap();
    let plan = three().plan(&client).await.unwrap();
    let uploaded: Vec<_> = plan.steps.iter().filter(|step| step.event.as_str() == "file.uploaded").collect();
    assert_eq!(uploaded.iter().map(|step| step.id()).collect::<Vec<_>>(), [Some(2), Some(1)], "{plan}");
    assert_eq!((uploaded[0].findings.len(), uploaded[1].findings.as_slice()), (0, &[Finding::Duplicate][..]));
    assert_eq!((plan.writes(), plan.foreign), (0, 0), "{plan}");
    assert!(plan.to_string().contains("https://app.example.com/hooks/ (id 1); a duplicate:"), "{plan}");

    // A duplicate that stays is rotated too: its deliveries would be refused after the grace
    // period.
    three().rotate_secret(&client, SigningSecret::new("new").unwrap()).await.unwrap();
    let secrets: Vec<_> = simulator.subscriptions().into_iter().filter_map(|made| made.signing_secret).collect();
    assert_eq!(secrets, ["new"; 4]);

    let pruned = three().prune(true).sync(&client).await.unwrap();
    let deleted: Vec<_> =
        pruned.steps.iter().filter(|step| step.action() == Action::Delete).map(|step| step.id()).collect();
    assert_eq!(deleted, [Some(1)]);
    assert_eq!(simulator.subscriptions().len(), 3);
}

#[tokio::test]
async fn pruning_duplicates_keeps_the_one_that_delivers() {
    let simulator = simulator();
    let client = client(&simulator);
    simulator.subscribe(Subscription { is_active: false, ..there("file.uploaded", BASE) });
    simulator.subscribe(there("file.uploaded", &format!("{BASE}/")));
    simulator.subscribe(Subscription {
        version: Some("0.6".to_owned()),
        ..there("file.uploaded", "HTTPS://app.example.com/hooks")
    });
    let plan = index_at(BASE).prune(true).sync(&client).await.unwrap();
    assert_eq!(plan.steps[0].id(), Some(2), "{plan}");
    let left = simulator.subscriptions();
    assert!(matches!(left.as_slice(), [left] if left.is_active && left.id == 2), "{left:?}");
}

#[tokio::test]
async fn a_duplicate_is_neither_activated_nor_replaced() {
    let simulator = simulator();
    let client = client(&simulator);
    simulator.subscribe(there("file.uploaded", BASE));
    let slash = format!("{BASE}/");
    let outdated = Some("0.6".to_owned());
    simulator.subscribe(Subscription { is_active: false, version: outdated, ..there("file.uploaded", &slash) });
    let spelled = "HTTPS://app.example.com/hooks";
    simulator.subscribe(Subscription { version: Some("0.5".to_owned()), ..there("file.uploaded", spelled) });
    let before = simulator.subscriptions();
    let plan = index_at(BASE).activate(true).replace_outdated(true).sync(&client).await.unwrap();
    assert_eq!(plan.writes(), 0, "it would deliver everything twice for longer\n{plan}");
    assert_eq!(simulator.subscriptions(), before);
}

fn index_at(base_url: &str) -> Subscriptions {
    let secret = tests::deliveries::secret();
    let hooks = WebhookRouter::builder().signing_secret(secret).handlers(webhook_handlers![index]).build().unwrap();
    hooks.subscriptions(base_url).unwrap()
}

#[tokio::test]
async fn another_spelling_of_the_base_url_plans_no_other_subscription() {
    let simulator = simulator();
    let client = client(&simulator);
    index_at(BASE).sync(&client).await.unwrap();
    for base_url in [
        "https://app.example.com/hooks/",
        "https://APP.example.com/hooks",
        "https://app.example.com:443/hooks",
        "https:app.example.com/hooks",
        " https://app.example.com/hooks\n",
        "https://app.exam\nple.com/hooks",
        "https://app.example.com/other/../hooks",
    ] {
        let plan = index_at(base_url).plan(&client).await.unwrap();
        assert_eq!((plan.writes(), plan.steps.len()), (0, 1), "{base_url:?}: {plan}");
        assert_eq!(plan.steps[0].target_url, BASE, "{base_url:?}");
    }
}

#[tokio::test]
async fn an_existing_subscription_in_another_spelling_is_recognised() {
    let simulator = simulator();
    let client = client(&simulator);
    simulator.subscribe(there("file.uploaded", "https://App.Example.com:443/hooks"));
    simulator.subscribe(Subscription { is_active: false, ..there("file.moved", "https://APP.example.com/hooks/old") });
    // A URL with a query or a fragment is another URL, and is never touched.
    for other in ["?tenant=1", "/?tenant=1", "/scans?tenant=1", "/scans#part"] {
        simulator.subscribe(there("file.stored", &format!("{BASE}{other}")));
    }
    let plan = index_at(BASE).prune(true).plan(&client).await.unwrap();
    assert_eq!((plan.writes(), plan.foreign), (1, 4), "{plan}");
    assert_eq!(plan.steps.iter().map(|step| step.id()).collect::<Vec<_>>(), [Some(1), Some(2)]);
    assert_eq!(plan.steps[1].findings, [Finding::Stale]);
}

#[tokio::test]
async fn a_duplicate_stays_if_the_subscription_that_should_stay_could_not_be_updated() {
    let simulator = simulator();
    simulator.subscribe(Subscription { signing_secret: None, ..there("file.uploaded", BASE) });
    simulator.subscribe(there("file.uploaded", &format!("{BASE}/")));
    simulator.fault(Fault { after: 1, ..Fault::new(FaultKind::Error) });
    let impatient = Client::builder("demopublickey", "demosecretkey").base_url(simulator.base_url()).retries(0);
    let error = index_at(BASE).prune(true).sync(&impatient.build().unwrap()).await.unwrap_err();
    assert!(matches!(error, RegistrationError::Steps { .. }), "{error}");
    assert_eq!(simulator.subscriptions().len(), 2, "the one with the right secret still delivers");
    assert_eq!(simulator.subscriptions()[0].signing_secret, None, "the update comes before the deletion");
    index_at(BASE).prune(true).sync(&client(&simulator)).await.unwrap();
    let left = simulator.subscriptions();
    assert!(matches!(left.as_slice(), [left] if left.target_url == BASE && left.signing_secret.is_some()), "{left:?}");
}

#[tokio::test]
async fn a_duplicate_of_an_old_version_that_a_handler_takes_is_not_pruned() {
    let simulator = simulator();
    let client = client(&simulator);
    simulator.subscribe(there("file.uploaded", BASE));
    let old = Subscription { version: Some("0.6".to_owned()), ..there("file.uploaded", &format!("{BASE}/")) };
    simulator.subscribe(old);
    let hooks = WebhookRouter::builder().signing_secret(tests::deliveries::secret());
    let hooks = hooks.handlers(webhook_handlers![index, index_old]).build().unwrap();
    let plan = hooks.subscriptions(BASE).unwrap().prune(true).sync(&client).await.unwrap();
    assert_eq!(simulator.subscriptions().len(), 2, "{plan}");
}

#[tokio::test]
async fn one_that_is_replaced_is_not_mistaken_for_its_duplicate_of_another_spelling() {
    let simulator = simulator();
    let client = client(&simulator);
    let url = format!("{BASE}/");
    simulator.subscribe(Subscription { version: Some("0.6".to_owned()), ..there("file.uploaded", &url) });
    simulator.subscribe(Subscription { is_active: false, ..there("file.uploaded", BASE) });
    three().prune(true).replace_outdated(true).sync(&client).await.unwrap();
    let left = simulator.subscriptions();
    let left: Vec<_> = left.iter().filter(|left| left.event == "file.uploaded").collect();
    let [left] = left[..] else { panic!("{left:#?}") };
    assert_eq!((left.target_url.as_str(), left.version.as_deref(), left.is_active), (url.as_str(), Some("0.7"), true));
}
