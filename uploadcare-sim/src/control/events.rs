//! Triggers events.

use actix_web::{
    HttpResponse,
    web::{Bytes, Data},
};
use serde_json::json;

use super::{not_sent, once_kept, read};
use crate::{
    delivery::{EventSender, SendError, Triggered},
    trigger::Trigger,
};

/// Answers when the deliveries are kept, not when they are sent.
pub(super) async fn trigger(sender: Data<EventSender>, body: Bytes) -> HttpResponse {
    let trigger = read::<Trigger>(&body).map_err(SendError::Invalid);
    match trigger.and_then(|trigger| sender.trigger(&trigger)) {
        Ok(Triggered { uuid, subscriptions, deliveries }) => {
            let answer = json!({"uuid": uuid, "subscriptions": subscriptions, "deliveries": deliveries});
            once_kept(&sender.project, HttpResponse::Accepted().json(answer)).await
        }
        Err(error) => not_sent(&error),
    }
}
