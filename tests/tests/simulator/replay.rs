//! Replays of deliveries.

use reqwest::Method;
use serde_json::json;
use tests::deliveries::secret;

use super::{Api, detail, ids, receiver::Receiver, simulator};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replay_as_it_was_has_the_same_bytes_and_the_same_signature() {
    let simulator = simulator();
    let api = Api::of(&simulator);
    let receiver = Receiver::start(&[]).await;
    let subscription = api.subscribe(&receiver.url("/"), "file.stored").await;
    let original = api.trigger(json!({"event": "file.stored"})).await.remove(0);
    api.finished(1).await;
    let replay = |id: &str| format!("/deliveries/{id}/replay");
    let (status, answer) = api.call(Method::POST, &replay(&original), None).await;
    assert_eq!(status, 202);
    // A deleted subscription does not change what a replay is.
    api.delete(&format!("/subscriptions/{subscription}")).await;
    assert_eq!(api.post(&replay(&original), json!({})).await.0, 202);
    api.finished(3).await;
    let got = receiver.signed();
    assert_eq!((got.len(), &got[1], &got[2]), (3, &got[0], &got[0]));
    let copy = api.delivery(&ids(&answer)[0]).await;
    assert_eq!((&copy["copy_of"], &copy["edited"]), (&json!(original), &json!(false)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edited_replay_is_signed_again_and_goes_to_the_chosen_subscriptions() {
    let simulator = simulator();
    let api = Api::of(&simulator);
    let receiver = Receiver::start(&[]).await;
    let original = {
        api.subscribe(&receiver.url("/one"), "file.stored").await;
        api.trigger(json!({"event": "file.stored"})).await.remove(0)
    };
    let two = api.subscribe(&receiver.url("/two"), "file.deleted").await;
    api.patch(&format!("/subscriptions/{two}"), json!({"is_active": false, "signing_secret": "other"})).await;
    api.finished(1).await;
    let path = format!("/deliveries/{original}/replay");
    let body = r#"{"hook": {"event": "file.info_updated"}, "data": {}}"#;
    let (_, answer) = api.post(&path, json!({"body": body})).await;
    api.finished(2).await;
    let copy = api.delivery(&ids(&answer)[0]).await;
    assert_eq!(
        (&copy["edited"], &copy["event"], &copy["uuid"]),
        (&json!(true), &json!("file.info_updated"), &json!(null))
    );
    let (signature, got) = receiver.signed().remove(1);
    assert_eq!(got, body.as_bytes());
    assert!(secret().verify(&got, &signature).is_ok());
    // All are the active ones; a paused one must be named.
    assert_eq!(ids(&api.post(&path, json!({"subscriptions": "all"})).await.1).len(), 1);
    let (_, answer) = api.post(&path, json!({"subscriptions": [two, 1]})).await;
    api.finished(5).await;
    let targets = ids(&answer);
    let to_two = api.delivery(&targets[0]).await;
    assert_eq!((to_two["target_url"].as_str().unwrap(), targets.len()), (receiver.url("/two").as_str(), 2));
    for (order, says) in [
        (json!({"body": "cat"}), "`body` is no valid JSON"),
        (json!({"subscriptions": [99]}), "there is no subscription 99"),
        (json!({"subscriptions": []}), "names no active subscription"),
        (json!({"subscriptions": "some"}), "expected \"all\" or an array"),
        (json!({"to": "all"}), "unknown field `to`, expected `body` or `subscriptions`"),
    ] {
        let problem = detail(api.post(&path, order.clone()).await, 400);
        assert!(problem.contains(says), "{order}: {problem}");
    }
    for id in ["cat", "575ed4e8-f4e8-4c14-a58b-1527b6d9ee46"] {
        let problem = detail(api.post(&format!("/deliveries/{id}/replay"), json!({})).await, 404);
        assert!(problem.contains(&format!("no delivery \"{id}\" is kept")), "{problem}");
    }
}
