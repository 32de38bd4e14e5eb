//! Live updates, as server-sent events: rendered rows of the list, and the changing part of one
//! delivery. A watcher that missed changes is told to load the page again.

use std::time::Duration;

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Bytes, Data, Path},
};
use futures_util::stream;
use maud::Markup;
use serde_json::json;
use tokio::time::timeout;
use uuid::Uuid;

use super::{deliveries, delivery, layout};
use crate::{
    answer::detail,
    project::{Change, Delivery, Missed, Project, Watcher},
    search::Search,
};

/// How long the connection is silent at most, so that both sides notice when it broke.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// What one page watches.
enum Watched {
    Matching(Search),
    One(Uuid),
}

pub(super) async fn list(request: HttpRequest, project: Data<Project>) -> HttpResponse {
    match Search::parse(request.query_string()) {
        Ok(search) => stream_of(project, Watched::Matching(search)),
        Err(problem) => detail(StatusCode::BAD_REQUEST, &problem),
    }
}

pub(super) async fn delivery(id: Path<String>, project: Data<Project>) -> HttpResponse {
    match id.parse().ok().filter(|id| project.delivery(*id).is_some()) {
        Some(id) => stream_of(project, Watched::One(id)),
        None => detail(StatusCode::NOT_FOUND, "this delivery is not kept"),
    }
}

fn stream_of(project: Data<Project>, watched: Watched) -> HttpResponse {
    // Watching begins before the page loads its list again, so no change is lost in between.
    let changes = project.watch();
    let first = Bytes::from_static(b"retry: 1000\nevent: ready\ndata: {}\n\n");
    let state = (project, watched, changes);
    let events = stream::unfold((Some(first), state), |(first, mut state)| async {
        let message = match first {
            Some(first) => first,
            None => next(&state.0, &state.1, &mut state.2).await?,
        };
        Some((Ok::<_, actix_web::Error>(message), (None, state)))
    });
    HttpResponse::Ok().content_type("text/event-stream").insert_header(("X-Accel-Buffering", "no")).streaming(events)
}

/// Waits for the next message; `None` ends the stream.
async fn next(project: &Project, watched: &Watched, changes: &mut Watcher) -> Option<Bytes> {
    loop {
        let message = match timeout(HEARTBEAT, changes.recv()).await {
            Err(_silent) => Some(": the simulator still runs\n\n".to_owned()),
            Ok(Ok(Change::Stop) | Err(Missed::Closed)) => return None,
            Ok(Ok(change)) => message(project, watched, &change),
            Ok(Err(Missed::Lagged(_))) => Some(event("reload", &json!({}))),
        };
        if let Some(message) = message {
            return Some(Bytes::from(message));
        }
    }
}

/// What the page is told of a change, if it concerns the page.
fn message(project: &Project, watched: &Watched, change: &Change) -> Option<String> {
    match (change, watched) {
        (Change::Delivery(delivery), Watched::Matching(search)) => Some(row(project, search, delivery)),
        (Change::Delivery(changed), Watched::One(id)) if changed.id == *id => {
            Some(event("part", &html(&delivery::changing(project, changed))))
        }
        (Change::Faults, _) => Some(event("faults", &html(&layout::banner(project)))),
        (Change::Reset, _) => Some(event("reload", &json!({}))),
        (Change::Delivery(_) | Change::Attempt(..) | Change::Subscriptions | Change::Stop, _) => None,
    }
}

fn row(project: &Project, search: &Search, delivery: &Delivery) -> String {
    let id = delivery.id;
    if search.matches(delivery) {
        let html = deliveries::row(project, delivery).into_string();
        event("row", &json!({"id": id, "number": delivery.number, "html": html}))
    } else {
        event("gone", &json!({"id": id}))
    }
}

fn html(part: &Markup) -> serde_json::Value {
    json!({"html": part.0})
}

/// JSON has no line breaks, so the data is one line.
fn event(name: &str, data: &serde_json::Value) -> String {
    format!("event: {name}\ndata: {data}\n\n")
}
