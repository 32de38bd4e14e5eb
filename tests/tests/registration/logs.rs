//! What a sync logs for the person who watches it.

use tests::{deliveries::secret, log::Log};
use uploadcare_hooks::{SigningSecret, WebhookRouter, client::Client, webhook_handlers};
use uploadcare_sim::Subscription;

use crate::{BASE, client, index, simulator, there, three};

#[tokio::test]
async fn a_sync_warns_of_each_secret_that_it_changes() {
    let simulator = simulator();
    let client = client(&simulator);
    simulator.subscribe(Subscription { signing_secret: Some("s3cr3t".to_owned()), ..there("file.uploaded", BASE) });
    simulator.subscribe(there("file.stored", BASE));
    let log = Log::default();
    let _guard = log.capture();
    three().sync(&client).await.unwrap();
    let text = log.text();
    let warnings: Vec<_> = text.lines().filter(|line| line.contains("WARN")).collect();
    let [warning] = warnings.as_slice() else { panic!("{text}") };
    assert!(
        warning.contains(
            "the signing secret of subscription 1 (`file.uploaded` at https://app.example.com/hooks) is now the one of \
             this router"
        ),
        "{warning}"
    );
    assert!(!text.contains("s3cr3t") && !text.contains("7kMVZivndx0ErgvhRKAr"), "{text}");
    three().sync(&client).await.unwrap();
    assert_eq!(log.text().matches("WARN").count(), 1, "nothing is left to change");

    let outdated = Some("0.6".to_owned());
    client.delete(1).await.unwrap();
    simulator.subscribe(Subscription {
        version: outdated,
        signing_secret: Some("s3cr3t".to_owned()),
        ..there("file.uploaded", BASE)
    });
    three().replace_outdated(true).sync(&client).await.unwrap();
    assert_eq!(log.text().matches("is now the one of this router").count(), 2, "the replaced one had another");
    three().rotate_secret(&client, SigningSecret::new("rotated").unwrap()).await.unwrap();
    assert_eq!(log.text().matches("WARN").count(), 2, "a rotation is no surprise");
}

#[tokio::test]
async fn a_sync_warns_of_a_base_url_that_leads_to_none_of_the_mounts() {
    let simulator = simulator();
    let client = client(&simulator);
    for (base_url, mounts, synced_first, warns) in [
        ("https://app.example.com/webhooks", vec!["/hooks"], false, true),
        ("https://app.example.com", vec!["/hooks"], false, true),
        ("https://app.example.com/webhooks", vec!["/hooks"], true, true),
        ("https://app.example.com/hooks", vec!["/hooks"], true, false),
        ("https://app.example.com/webhooks", vec![], false, false),
        ("https://app.example.com/api/hooks/", vec!["/hooks"], false, false),
        ("https://app.example.com/hooks", vec!["/other", "/hooks"], false, false),
        ("https://app.example.com/anything", vec!["/"], false, false),
        ("https://app.example.com/anything", vec!["/{tenant}/hooks"], false, false),
    ] {
        let hooks = WebhookRouter::builder().signing_secret(secret()).handlers(webhook_handlers![index]);
        let hooks = hooks.build().unwrap();
        let log = Log::default();
        let _guard = log.capture();
        let warned = |log: &Log| log.text().contains("its handlers run only if a proxy changes the path");
        let subscriptions = hooks.subscriptions(base_url).unwrap();
        if synced_first {
            subscriptions.sync(&client).await.unwrap();
            assert!(!warned(&log), "nothing is mounted yet");
        }
        for mount in &mounts {
            drop(hooks.clone().mount(mount));
        }
        if !synced_first {
            subscriptions.sync(&client).await.unwrap();
        }
        assert_eq!(warned(&log), warns, "{base_url} {}", log.text());
    }
}

#[tokio::test]
async fn exchanged_keys_are_not_shown_and_the_error_names_the_exchange() {
    let simulator = simulator();
    let builder = Client::builder("demosecretkey", "demopublickey").base_url(simulator.base_url());
    let error = three().sync(&builder.build().unwrap()).await.unwrap_err().to_string();
    assert!(error.contains("\"Public key (public key) not found.\""), "{error}");
    assert!(error.contains("and are not exchanged"), "{error}");
    assert!(!error.contains("demosecretkey"), "{error}");
}
