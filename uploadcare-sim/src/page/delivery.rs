//! One delivery: what was sent, what came back, and what can be done with it.

use std::sync::Arc;

use actix_web::{
    HttpResponse,
    web::{Data, Path},
};
use maud::{Markup, html};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{
    attempts, deliveries, diff, json,
    layout::{self, Page, Section, live_state},
    replay::{self, Draft},
    text::{clock, counted, due, link, shown},
};
use crate::project::{Delivery, Project};

/// How many other deliveries can be chosen to compare with.
const OTHERS: usize = 100;

pub(super) async fn show(id: Path<String>, project: Data<Project>) -> HttpResponse {
    match find(&project, &id) {
        Some(delivery) => page(&project, &delivery, &Draft::of(&delivery), None),
        None => missing(&project),
    }
}

pub(super) fn find(project: &Project, id: &str) -> Option<Arc<Delivery>> {
    project.delivery(id.parse().ok()?)
}

pub(super) fn missing(project: &Project) -> HttpResponse {
    let text = html! {
        "The simulator does not have this delivery (any more). It drops the oldest ones when there are many, and all "
        "of them when it is reset."
    };
    layout::missing(project, "No such delivery", Section::Deliveries, &text)
}

/// The page of a delivery, with what was typed into the form of the replay.
pub(super) fn page(project: &Project, delivery: &Delivery, draft: &Draft, error: Option<&str>) -> HttpResponse {
    let body = html! {
        p.back { a href="/" { "← Deliveries" } }
        div.heading {
            h1 { (shown(&delivery.event)) " " span.number { "#" (delivery.number) } }
            (live_state("Reload the page to see new attempts"))
        }
        div #live-part { (changing(project, delivery)) }
        (payload(delivery))
        (previous_values(delivery))
        (replay::forms(project, delivery, draft, error))
        (comparison(project, delivery))
    };
    let title = deliveries::title(delivery);
    let mut page = Page::new(title, Section::Deliveries, body).bad_if(error.is_some());
    page.live = Some(format!("/_page/live/deliveries/{}", delivery.id));
    page.answer(project)
}

/// The part that changes while the delivery is under way.
pub(super) fn changing(project: &Project, delivery: &Delivery) -> Markup {
    html! {
        (summary(project, delivery))
        (attempts::section(project, delivery))
    }
}

fn summary(project: &Project, delivery: &Delivery) -> Markup {
    let copies: Vec<_> = project.deliveries().into_iter().filter(|other| other.copy_of == Some(delivery.id)).collect();
    let subscribed = project.subscription(delivery.subscription).is_ok();
    html! {
        dl.summary {
            div { dt { "State" } dd { (deliveries::state(delivery.state)) } }
            div { dt { "Last status" } dd { (deliveries::status(delivery.attempts.last())) } }
            div {
                dt { "Next try" }
                dd { @if let Some(time) = delivery.next_attempt { (due(time)) } @else { "none" } }
            }
            div { dt { "Triggered" } dd { (clock(delivery.created)) } }
            @if let Some(name) = deliveries::file_name(delivery) { div.wide { dt { "File" } dd { (shown(&name)) } } }
            @if let Some(uuid) = delivery.uuid {
                div.wide {
                    dt { "File UUID" }
                    dd {
                        code { (uuid) }
                        span.links {
                            a href={ "/?uuid=" (uuid) } { "All deliveries of this file" }
                            a href=(another_event(delivery, uuid)) { "Trigger another event" }
                        }
                    }
                }
            }
            div.wide {
                dt { "To" }
                dd {
                    @if subscribed {
                        a href={ "/subscriptions/" (delivery.subscription) } { "Subscription " (delivery.subscription) }
                    } @else {
                        "Subscription " (delivery.subscription) " (deleted)"
                    }
                    " " span.url { (shown(&delivery.target_url)) }
                }
            }
            @if delivery.copy_of.is_some() {
                div.wide { dt { "Replay" } dd { (deliveries::copy_mark(project, delivery)) } }
            }
            @if !copies.is_empty() {
                div.wide {
                    dt { (counted(copies.len(), "Copy", "Copies")) }
                    dd {
                        @for copy in &copies {
                            a href={ "/deliveries/" (copy.id) } {
                                "#" (copy.number) @if copy.edited { " (edited)" }
                            }
                            " "
                        }
                    }
                }
            }
        }
    }
}

/// The form of a trigger for the same file.
fn another_event(delivery: &Delivery, uuid: Uuid) -> String {
    let next = if delivery.event == "file.uploaded" { "file.stored" } else { "file.info_updated" };
    let (uuid, name) = (uuid.to_string(), deliveries::file_name(delivery).unwrap_or_default());
    let mut query = vec![("event", next), ("uuid", &uuid)];
    if !name.is_empty() {
        query.push(("original_filename", &name));
    }
    link("/trigger", &query)
}

fn payload(delivery: &Delivery) -> Markup {
    html! {
        section aria-labelledby="payload" {
            h2 #payload { "Payload" }
            pre.payload role="group" tabindex="0" aria-label="Payload, indented" {
                code { (json::coloured(&delivery.body)) }
            }
            details #raw {
                summary { "Exactly as sent, " (counted(delivery.body.len(), "byte", "bytes")) }
                pre.payload.raw role="group" tabindex="0" aria-label="Payload, as it was sent" {
                    code { (shown(&delivery.body)) }
                }
            }
        }
    }
}

/// What the file's fields were before, and what they are.
fn previous_values(delivery: &Delivery) -> Markup {
    let payload: Value = serde_json::from_str(&delivery.body).unwrap_or_default();
    let (Some(before), data) = (payload.get("previous_values"), payload.get("data").unwrap_or(&Value::Null)) else {
        return html! {};
    };
    let now = same_keys(before, data);
    html! {
        section aria-labelledby="previous" {
            h2 #previous { "What changed" }
            p.hint {
                "From " code { "previous_values" } " (−) to the same fields of " code { "data" } " (+). "
                "A field that was " code { "null" } " before did not exist."
            }
            (diff::lines(&json::sorted(&without_nulls(before)), &json::sorted(&now)))
        }
    }
}

/// The fields of `data` that `previous_values` names, two levels deep: `metadata.pet`.
fn same_keys(before: &Value, data: &Value) -> Value {
    fn fields(before: &Value, data: &Value, depth: usize) -> Value {
        match (before, data) {
            (Value::Object(before), Value::Object(data)) if depth > 0 => {
                let both = before
                    .iter()
                    .filter_map(|(key, before)| Some((key.clone(), fields(before, data.get(key)?, depth - 1))));
                Value::Object(both.collect::<Map<_, _>>())
            }
            (_, data) => data.clone(),
        }
    }
    fields(before, data, 2)
}

fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let kept = fields.iter().filter(|(_, value)| !value.is_null());
            Value::Object(kept.map(|(key, value)| (key.clone(), without_nulls(value))).collect())
        }
        other => other.clone(),
    }
}

fn comparison(project: &Project, delivery: &Delivery) -> Markup {
    let others: Vec<_> =
        project.deliveries().into_iter().filter(|other| other.id != delivery.id).take(OTHERS).collect();
    html! {
        @if !others.is_empty() {
            section aria-labelledby="compare" {
                h2 #compare { "Compare" }
                form.line method="get" action="/compare" {
                    input type="hidden" name="to" value=(delivery.id);
                    label for="from" { "Compare the payload with that of" }
                    select #from name="from" {
                        @for other in others { option value=(other.id) { (deliveries::title(&other)) } }
                    }
                    button { "Compare" }
                }
            }
        }
    }
}
