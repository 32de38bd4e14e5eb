//! Triggers events.

use actix_web::{
    HttpResponse,
    web::{Bytes, Data},
};
use serde_json::json;

use super::{bad, once_kept, read};
use crate::{
    delivery::{EventSender, Triggered},
    trigger::Trigger,
};

/// Answers when the deliveries are kept, not when they are sent.
pub(super) async fn trigger(sender: Data<EventSender>, body: Bytes) -> HttpResponse {
    match read::<Trigger>(&body).and_then(|trigger| sender.trigger(&trigger)) {
        Ok(Triggered { uuid, subscriptions, deliveries }) => {
            let answer = json!({"uuid": uuid, "subscriptions": subscriptions, "deliveries": deliveries});
            once_kept(&sender.project, HttpResponse::Accepted().json(answer)).await
        }
        Err(problem) => bad(&problem),
    }
}
