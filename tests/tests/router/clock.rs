//! Time that a test moves: grace periods, remembered deliveries and time limits.

use std::time::Duration;

use actix_web::{App, dev, test, web};
use futures_util::stream;
use tests::deliveries::{payload, secret, signed_request};
use tokio::time::Instant;
use uploadcare_hooks::{FileStored, SigningSecret, WebhookRouter, testing::Clock, webhook_handler, webhook_handlers};

use super::{Notes, builder, deliver, index, take_notes};

const HOUR: Duration = Duration::from_secs(60 * 60);

#[tokio::test]
async fn a_replaced_secret_is_refused_once_the_clock_has_passed_its_grace_period() {
    let clock = Clock::new();
    let hooks = builder(&Notes::default()).handlers(webhook_handlers![index]).clock(&clock).build().unwrap();
    let new = SigningSecret::new("a new secret").unwrap();
    let status = async |hooks: &WebhookRouter, secret: &SigningSecret| {
        hooks.handle(signed_request("/", secret, payload("file.uploaded").to_string())).await.status().as_u16()
    };
    hooks.replace_secret(&new, 72 * HOUR);
    clock.advance(72 * HOUR - Duration::from_nanos(1));
    assert_eq!((status(&hooks, &secret()).await, status(&hooks, &new).await), (204, 204));
    clock.advance(Duration::from_nanos(1));
    assert_eq!((status(&hooks, &secret()).await, status(&hooks, &new).await), (401, 204));
}

#[tokio::test]
async fn the_clock_of_one_router_moves_no_other() {
    let (clock, new) = (Clock::new(), SigningSecret::new("a new secret").unwrap());
    let moved = builder(&Notes::default()).handlers(webhook_handlers![index]).clock(&clock).build().unwrap();
    let other = builder(&Notes::default()).handlers(webhook_handlers![index]).clock(&Clock::ticking()).build().unwrap();
    for hooks in [&moved, &other] {
        hooks.replace_secret(&new, HOUR);
    }
    clock.advance(Duration::MAX);
    assert_eq!(deliver(&moved, "file.uploaded").await, 401);
    assert_eq!(deliver(&other, "file.uploaded").await, 204);
}

#[tokio::test]
async fn a_delivery_is_remembered_for_as_long_by_the_clock_as_deduplicate_says() {
    // The order of the two options does not matter.
    for clock_first in [true, false] {
        let (notes, clock) = (Notes::default(), Clock::new());
        let builder = builder(&notes).handlers(webhook_handlers![index]);
        let builder = if clock_first {
            builder.clock(&clock).deduplicate(10, 72 * HOUR)
        } else {
            builder.deduplicate(10, 72 * HOUR).clock(&clock)
        };
        let hooks = builder.build().unwrap();
        for (hours, runs) in [(0, 1), (71, 0), (1, 1), (71, 0)] {
            clock.advance(hours * HOUR);
            assert_eq!(deliver(&hooks, "file.uploaded").await, 204);
            assert_eq!(take_notes(&notes).len(), runs, "after {hours} more hours");
        }
    }
}

#[webhook_handler(event = "file.stored")]
async fn wait_a_minute(_event: FileStored) {
    tokio::time::sleep(Duration::from_secs(60)).await;
}

#[tokio::test(start_paused = true)]
async fn a_handler_over_its_time_limit_ends_without_waiting_where_tokios_time_is_paused() {
    let builder = || builder(&Notes::default()).handlers(webhook_handlers![wait_a_minute]);
    let (hooks, started) = (builder().build().unwrap(), Instant::now());
    assert_eq!(deliver(&hooks, "file.stored").await, 503);
    assert_eq!(started.elapsed().as_secs(), 30);
    let hooks = builder().handler_timeout(Duration::from_secs(61)).build().unwrap();
    assert_eq!(deliver(&hooks, "file.stored").await, 204);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_come_is_answered_408_without_waiting_where_tokios_time_is_paused() {
    let hooks = builder(&Notes::default()).handlers(webhook_handlers![index]).build().unwrap();
    let app = test::init_service(App::new().service(hooks.mount("/hooks"))).await;
    let (mut request, started) = (test::TestRequest::post().uri("/hooks").to_request(), Instant::now());
    let body = stream::pending::<Result<web::Bytes, actix_web::error::PayloadError>>();
    *request.payload() = dev::Payload::Stream { payload: Box::pin(body) };
    assert_eq!(test::call_service(&app, request).await.status(), 408);
    assert_eq!(started.elapsed().as_secs(), 30);
}
