//! The difference between the payloads of two deliveries.

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, web::Data};
use maud::{Markup, html};
use serde_json::Value;

use super::{
    deliveries::{self, file_name},
    diff,
    form::Form,
    json,
    layout::{Page, Section},
    problem::Problem,
    text::shown,
};
use crate::project::{Delivery, Project};

pub(super) async fn compare(request: HttpRequest, project: Data<Project>) -> HttpResponse {
    let query = Form::read(request.query_string().as_bytes());
    let chosen = chosen(&project, &query);
    let body = html! {
        p.back { a href="/" { "← Deliveries" } }
        h1 { "Compare payloads" }
        @match &chosen {
            Err(text) => {
                (Problem::of(text, &[]).alert())
                p { a href="/" { "Show the list" } }
            }
            Ok((from, to)) => {
                dl.summary {
                    div.wide { dt { "From (−)" } dd { (named(from)) } }
                    div.wide { dt { "To (+)" } dd { (named(to)) } }
                }
                p.hint {
                    "Both are indented and their keys are sorted. "
                    @if from.body == to.body { "The payloads are the same, byte for byte. " }
                    a href={ "/compare?from=" (to.id) "&to=" (from.id) } { "Swap the two" }
                }
                (diff::lines(&text(from), &text(to)))
            }
        }
    };
    Page::new("Compare payloads", Section::Deliveries, body).bad_if(chosen.is_err()).answer(&project)
}

type Pair = (Arc<Delivery>, Arc<Delivery>);

/// The two deliveries: `from` and `to`, or the two that were chosen in the list, the older one
/// first.
fn chosen(project: &Project, query: &Form) -> Result<Pair, String> {
    let find = |id: &str| {
        let found = id.trim().parse().ok().and_then(|id| project.delivery(id));
        found.ok_or_else(|| format!("no delivery {id:?} is kept"))
    };
    let ids: Vec<_> = query.all("id").collect();
    match (ids.as_slice(), query.given("from"), query.given("to")) {
        ([], Some(from), Some(to)) => Ok((find(from)?, find(to)?)),
        ([one, other], None, None) => {
            let (one, other) = (find(one)?, find(other)?);
            Ok(if one.number < other.number { (one, other) } else { (other, one) })
        }
        (ids, ..) => Err(format!("tick two deliveries in the list to compare them; {} are ticked", ids.len())),
    }
}

fn named(delivery: &Delivery) -> Markup {
    html! {
        a href={ "/deliveries/" (delivery.id) } { "#" (delivery.number) " " (shown(&delivery.event)) }
        @if let Some(name) = file_name(delivery) { " " (shown(&name)) }
        " " (deliveries::state(delivery.state))
    }
}

fn text(delivery: &Delivery) -> String {
    serde_json::from_str::<Value>(&delivery.body)
        .map_or_else(|_| delivery.body.to_string(), |value| json::sorted(&value))
}
