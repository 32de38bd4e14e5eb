//! Finds deliveries.

use actix_web::{HttpRequest, HttpResponse, web::Data};
use serde::Serialize;

use super::bad;
use crate::{
    project::{Delivery, Project},
    search::{Search, number},
};

const DEFAULT_LIMIT: usize = 100;
const MOST: usize = 1000;

#[derive(Serialize)]
struct Found<'a> {
    /// Newest first.
    deliveries: Vec<&'a Delivery>,
    /// The value of `before` that finds the next ones; `null` if there are no more.
    next_before: Option<u64>,
}

pub(super) async fn search(project: Data<Project>, request: HttpRequest) -> HttpResponse {
    let read = Search::parse_with(request.query_string(), &["limit", "before"]).and_then(|(search, more)| {
        let limit = more.get("limit").map_or(Ok(DEFAULT_LIMIT), |limit| number("limit", limit, 1, MOST))?;
        let before = more.get("before").map(|before| number("before", before, 0, u64::MAX)).transpose()?;
        Ok((search, limit, before))
    });
    let (search, limit, before) = match read {
        Ok(read) => read,
        Err(problem) => return bad(&problem),
    };
    let deliveries = project.deliveries();
    let is_before = |delivery: &&Delivery| before.is_none_or(|before| delivery.number < before);
    let wanted = deliveries.iter().map(|delivery| &**delivery).filter(is_before);
    let mut found: Vec<_> = wanted.filter(|delivery| search.matches(delivery)).take(limit + 1).collect();
    let more = found.len() > limit;
    found.truncate(limit);
    let next_before = found.last().filter(|_| more).map(|last| last.number);
    HttpResponse::Ok().json(Found { deliveries: found, next_before })
}
