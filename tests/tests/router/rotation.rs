//! Changing the signing secrets of a running router: accepted, replaced, expired and dropped
//! secrets.

use std::time::Duration;

use futures_util::future::join_all;
use tests::deliveries::{payload, secret, signed_request};
use tokio::time::advance;
use uploadcare_hooks::{SigningSecret, WebhookRouter, webhook_handlers};

use super::{Notes, builder, index, scan, secret_from_env};
use tests::routers::deliver_signed;

const HOUR: Duration = Duration::from_secs(60 * 60);

fn new_secret(number: usize) -> SigningSecret {
    SigningSecret::new(format!("new secret number {number}")).unwrap()
}

fn hooks() -> WebhookRouter {
    builder(&Notes::default()).handlers(webhook_handlers![index, scan]).build().unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_replaced_secret_is_accepted_until_the_end_of_its_grace_period_and_no_longer() {
    let hooks = hooks();
    assert_eq!(deliver_signed(&hooks, &new_secret(1)).await, 401);
    hooks.replace_secret(&new_secret(1), HOUR);
    advance(HOUR - Duration::from_secs(1)).await;
    assert_eq!((deliver_signed(&hooks, &secret()).await, deliver_signed(&hooks, &new_secret(1)).await), (204, 204));
    assert_eq!(hooks.stats().replaced_secret, 1);
    advance(Duration::from_secs(2)).await;
    assert_eq!((deliver_signed(&hooks, &secret()).await, deliver_signed(&hooks, &new_secret(1)).await), (401, 204));
}

#[tokio::test(start_paused = true)]
async fn rotations_closer_together_than_the_grace_period_do_not_extend_earlier_ones() {
    let hooks = hooks();
    for number in 1..=4 {
        hooks.replace_secret(&new_secret(number), 3 * HOUR);
        advance(HOUR).await;
    }
    // Now four hours after the first rotation, three after the second, and two after the third.
    let mut statuses = vec![deliver_signed(&hooks, &secret()).await];
    for number in 1..=4 {
        statuses.push(deliver_signed(&hooks, &new_secret(number)).await);
    }
    assert_eq!(statuses, [401, 401, 204, 204, 204]);
}

#[tokio::test(start_paused = true)]
async fn a_replaced_secret_that_becomes_current_again_does_not_expire() {
    let hooks = hooks();
    hooks.replace_secret(&new_secret(1), HOUR);
    hooks.replace_secret(&secret(), HOUR);
    advance(2 * HOUR).await;
    assert_eq!((deliver_signed(&hooks, &secret()).await, deliver_signed(&hooks, &new_secret(1)).await), (204, 401));
    let handler = hooks.handlers().next().unwrap();
    assert_eq!(hooks.signing_secret_for(handler), Some(secret()));
}

#[tokio::test(start_paused = true)]
async fn a_secret_replaced_without_an_end_stays_valid_until_a_later_call_ends_it() {
    let hooks = hooks();
    hooks.replace_secret(&new_secret(1), Duration::MAX);
    advance(1000 * HOUR).await;
    assert_eq!(deliver_signed(&hooks, &secret()).await, 204);
    hooks.replace_secret(&new_secret(1), Duration::ZERO);
    assert_eq!((deliver_signed(&hooks, &secret()).await, deliver_signed(&hooks, &new_secret(1)).await), (401, 204));
}

#[tokio::test]
async fn a_secret_can_be_accepted_beside_the_others_and_is_refused_as_soon_as_it_is_dropped() {
    let hooks = hooks();
    hooks.accept_secret(&new_secret(1));
    assert_eq!((deliver_signed(&hooks, &secret()).await, deliver_signed(&hooks, &new_secret(1)).await), (204, 204));
    let handler = hooks.handlers().next().unwrap();
    assert_eq!(hooks.signing_secret_for(handler), Some(secret()), "subscriptions keep the first secret");
    assert!(hooks.drop_secret(&secret()));
    assert!(!hooks.drop_secret(&secret()));
    assert_eq!((deliver_signed(&hooks, &secret()).await, deliver_signed(&hooks, &new_secret(1)).await), (401, 204));
    assert_eq!(hooks.signing_secret_for(handler), Some(new_secret(1)));
}

#[tokio::test]
async fn a_handler_keeps_its_own_secret_when_the_router_drops_the_same_secret() {
    let own = secret_from_env("CARGO_PKG_VERSION");
    let hooks = hooks();
    hooks.accept_secret(&own);
    assert_eq!(deliver_signed(&hooks, &own).await, 204);
    hooks.drop_secret(&own);
    assert_eq!(deliver_signed(&hooks, &own).await, 401);
    let to_the_handler = hooks.handle(signed_request("/scans", &own, payload("file.uploaded").to_string())).await;
    assert_eq!(to_the_handler.status(), 204);
}

#[tokio::test(start_paused = true)]
async fn the_secret_that_is_left_after_a_drop_does_not_expire() {
    let hooks = hooks();
    hooks.replace_secret(&new_secret(1), HOUR);
    assert!(hooks.drop_secret(&new_secret(1)), "the new one leaked, and the old one is back");
    advance(2 * HOUR).await;
    assert_eq!((deliver_signed(&hooks, &secret()).await, deliver_signed(&hooks, &new_secret(1)).await), (204, 401));
}

#[tokio::test(start_paused = true)]
async fn an_expired_secret_does_not_come_back_when_the_one_after_it_is_dropped() {
    let hooks = hooks();
    hooks.replace_secret(&new_secret(1), HOUR);
    advance(2 * HOUR).await;
    // No delivery came in the meantime.
    assert!(hooks.drop_secret(&new_secret(1)));
    assert_eq!((deliver_signed(&hooks, &secret()).await, deliver_signed(&hooks, &new_secret(1)).await), (401, 401));
    assert_eq!(hooks.signing_secret_for(hooks.handlers().next().unwrap()), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn threads_that_change_secrets_keep_no_delivery_of_another_secret_out() {
    let hooks = hooks();
    let rotate = |first: usize, replaces: bool| {
        let hooks = hooks.clone();
        tokio::spawn(async move {
            for number in first..first + 200 {
                let secret = new_secret(number);
                if replaces {
                    hooks.replace_secret(&secret, HOUR)
                } else {
                    hooks.accept_secret(&secret)
                }
                assert_eq!(deliver_signed(&hooks, &secret).await, 204, "{number} is accepted");
                hooks.drop_secret(&secret);
                assert_eq!(deliver_signed(&hooks, &secret).await, 401, "{number} is dropped");
            }
        })
    };
    let deliver = || {
        let hooks = hooks.clone();
        tokio::spawn(async move {
            for _ in 0..400 {
                assert_eq!(deliver_signed(&hooks, &secret()).await, 204);
            }
        })
    };
    for ended in join_all([rotate(1000, true), rotate(2000, false), deliver(), deliver()]).await {
        ended.unwrap();
    }
}
