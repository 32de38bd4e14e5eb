//! The stream of changes, as server-sent events.

use std::{convert::Infallible, time::Duration};

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{CACHE_CONTROL, HeaderValue},
    web::{Bytes, Data},
};
use futures_util::{StreamExt, stream};
use serde::Serialize;
use serde_json::json;
use tokio::time::timeout;

use super::bad;
use crate::{
    project::{Change, Missed, Project, Watcher},
    search::Search,
};

/// How often a comment is sent on a quiet stream, so that proxies do not close it and a client that
/// is gone is noticed.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// Streams what changes from now on. The filters choose the deliveries and attempts.
pub(super) async fn changes(project: Data<Project>, request: HttpRequest) -> HttpResponse {
    let search = match Search::parse(request.query_string()) {
        Ok(search) => search,
        Err(problem) => return bad(&problem),
    };
    // The stream watches before it says that it is ready.
    let changes = project.watch();
    let ready = stream::once(async { event("ready", &json!({"ready": true})) });
    let following = stream::unfold((changes, search), |(mut changes, search)| async move {
        let bytes = next(&mut changes, &search).await?;
        Some((bytes, (changes, search)))
    });
    HttpResponse::Ok()
        .content_type("text/event-stream")
        .insert_header((CACHE_CONTROL, HeaderValue::from_static("no-store")))
        .streaming(ready.chain(following).map(Ok::<_, Infallible>))
}

/// The next event of the stream; `None` at its end.
async fn next(changes: &mut Watcher, search: &Search) -> Option<Bytes> {
    loop {
        let Ok(change) = timeout(HEARTBEAT, changes.recv()).await else {
            return Some(Bytes::from_static(b": heartbeat\n\n"));
        };
        match change {
            Ok(Change::Delivery(delivery)) if search.matches(&delivery) => return Some(event("delivery", &*delivery)),
            Ok(Change::Attempt(attempt, delivery)) if search.matches(&delivery) => {
                return Some(event("attempt", &*attempt));
            }
            Ok(Change::Delivery(_) | Change::Attempt(..)) => {}
            Ok(Change::Subscriptions) => return Some(event("subscriptions", &json!({}))),
            Ok(Change::Faults) => return Some(event("faults", &json!({}))),
            Ok(Change::Reset) => return Some(event("reset", &json!({}))),
            Err(Missed::Lagged(missed)) => return Some(event("lagged", &json!({"missed": missed}))),
            Ok(Change::Stop) | Err(Missed::Closed) => return None,
        }
    }
}

fn event<T: Serialize>(name: &str, data: &T) -> Bytes {
    // JSON has no line breaks outside of strings, and in strings they are escaped.
    let data = serde_json::to_string(data).unwrap_or_default();
    Bytes::from(format!("event: {name}\ndata: {data}\n\n"))
}
