//! Deliveries with their attempts, and replays.

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Bytes, Data, Path},
};
use serde_json::json;

use super::{bad, not_sent, once_kept, read_or_default};
use crate::{
    answer::detail,
    delivery::{EventSender, SendError},
    project::Project,
    trigger::Replay,
};

/// The attempts, oldest first. A query is refused, because it would be taken for a filter.
pub(super) async fn attempts(project: Data<Project>, request: HttpRequest) -> HttpResponse {
    if !request.query_string().is_empty() {
        return bad("GET /_sim/deliveries lists all attempts and takes no query; GET /_sim/search finds deliveries");
    }
    let attempts = project.attempts().after(0);
    HttpResponse::Ok().json(attempts)
}

pub(super) async fn one(project: Data<Project>, id: Path<String>) -> HttpResponse {
    match id.parse().ok().and_then(|id| project.delivery(id)) {
        Some(delivery) => HttpResponse::Ok().json(&*delivery),
        None => no_delivery(&id),
    }
}

pub(super) async fn replay(sender: Data<EventSender>, id: Path<String>, body: Bytes) -> HttpResponse {
    let Ok(uuid) = id.parse() else { return no_delivery(&id) };
    let replay = read_or_default::<Replay>(&body).map_err(SendError::Invalid);
    match replay.and_then(|replay| sender.replay(uuid, &replay)) {
        Ok(deliveries) => {
            once_kept(&sender.project, HttpResponse::Accepted().json(json!({"deliveries": deliveries}))).await
        }
        Err(SendError::NotFound) => no_delivery(&id),
        Err(error) => not_sent(&error),
    }
}

fn no_delivery(id: &str) -> HttpResponse {
    let id = id.escape_debug();
    detail(StatusCode::NOT_FOUND, &format!("no delivery \"{id}\" is kept; GET /_sim/search finds those that are"))
}
