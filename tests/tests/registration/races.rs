//! Another process deletes a subscription after it was listed and before it is updated.

use std::time::Duration;

use tests::deliveries::secret;
use uploadcare_hooks::{HandlerDescriptor, SigningSecret, WebhookRouter, webhook_handlers};
use uploadcare_sim::{Fault, FaultKind, Simulator, Subscription};

use crate::{BASE, audit, client, index, old, simulator, there, three};

/// Syncs, deletes the subscription `deleted` before its update takes effect, and returns what is
/// left: id, target URL, version.
async fn sync_while_one_is_deleted(
    simulator: &Simulator,
    handlers: Vec<HandlerDescriptor>,
    deleted: u64,
) -> Vec<(u64, String, Option<String>)> {
    let client = client(simulator);
    let hooks = WebhookRouter::builder().signing_secret(secret()).handlers(handlers).build().unwrap();
    let subscriptions = hooks.subscriptions(BASE).unwrap();
    // The listing succeeds. The update is throttled, and sent again a second later.
    simulator.fault(Fault { after: 1, ..Fault::new(FaultKind::Throttle) });
    let delete = async {
        tokio::time::sleep(Duration::from_millis(400)).await;
        client.delete(deleted).await.unwrap();
    };
    let (synced, ()) = tokio::join!(subscriptions.sync(&client), delete);
    synced.unwrap();
    simulator.subscriptions().into_iter().map(|left| (left.id, left.target_url, left.version)).collect()
}

fn unsigned(target_url: &str) -> Subscription {
    Subscription { signing_secret: None, ..there("file.uploaded", target_url) }
}

#[tokio::test]
async fn a_subscription_that_is_deleted_meanwhile_is_made_again() {
    let simulator = simulator();
    simulator.subscribe(unsigned(BASE));
    let left = sync_while_one_is_deleted(&simulator, webhook_handlers![index], 1).await;
    assert_eq!(left, [(2, BASE.to_owned(), Some("0.7".to_owned()))]);
    assert!(simulator.subscriptions()[0].is_active, "it was active before");
}

#[tokio::test]
async fn a_duplicate_that_is_deleted_meanwhile_is_not_made_again() {
    let slash = format!("{BASE}/");
    // The duplicate is the paused one. It is spelled as a new subscription would be, or otherwise.
    for (duplicate, other) in [(BASE, slash.as_str()), (slash.as_str(), BASE)] {
        let simulator = simulator();
        simulator.subscribe(Subscription { is_active: false, ..unsigned(duplicate) });
        simulator.subscribe(there("file.uploaded", other));
        let left = sync_while_one_is_deleted(&simulator, webhook_handlers![index], 1).await;
        assert_eq!(left, [(2, other.to_owned(), Some("0.7".to_owned()))]);
    }
}

#[tokio::test]
async fn a_subscription_of_an_old_version_that_is_deleted_meanwhile_is_not_made_in_another() {
    let simulator = simulator();
    simulator.subscribe(Subscription { version: Some("0.6".to_owned()), ..unsigned(&format!("{BASE}/old")) });
    let left = sync_while_one_is_deleted(&simulator, webhook_handlers![old], 1).await;
    assert_eq!(left, [], "its handler takes 0.6 only");
}

#[tokio::test]
async fn a_subscription_of_an_unlisted_event_that_is_deleted_meanwhile_is_not_made_again() {
    let simulator = simulator();
    let event = "moderation.state_changed".to_owned();
    simulator.subscribe(Subscription { event, ..unsigned(&format!("{BASE}/audit")) });
    let left = sync_while_one_is_deleted(&simulator, webhook_handlers![audit], 1).await;
    assert_eq!(left.len(), 5, "one for each event that this version knows: {left:?}");
}

#[tokio::test]
async fn one_that_another_process_makes_meanwhile_gets_the_secret_of_this_router() {
    let simulator = simulator();
    // The listing and the first subscription succeed. The second is throttled, and sent again a
    // second later.
    simulator.fault(Fault { after: 2, ..Fault::new(FaultKind::Throttle) });
    let others = async {
        tokio::time::sleep(Duration::from_millis(400)).await;
        let made = simulator.subscriptions();
        assert_eq!(made.len(), 1, "{made:?}");
        for event in ["file.stored", "file.deleted"] {
            simulator.subscribe(Subscription { event: event.to_owned(), ..unsigned(BASE) });
        }
    };
    let subscriptions = three();
    let client = client(&simulator);
    let (synced, ()) = tokio::join!(subscriptions.sync(&client), others);
    synced.unwrap();
    let secrets: Vec<_> = simulator.subscriptions().into_iter().filter_map(|made| made.signing_secret).collect();
    assert_eq!(secrets.len(), 3);
    assert!(secrets.iter().all(|made| SigningSecret::new(made).unwrap() == secret()), "{secrets:?}");
}
