//! The list of deliveries, newest first, with its filter.

use std::{collections::BTreeSet, sync::Arc};

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header::HOST},
    web::Data,
};
use maud::{Markup, html};
use serde_json::Value;
use uploadcare_hooks::EventKind;

use super::{
    form::Form,
    layout::{Page, Section, live_state},
    problem::{Labelled, Problem},
    start::{self, Reached},
    text::{clock, due, plain, shown_cut},
};
use crate::{
    access::Access,
    project::{Delivery, DeliveryState, Exchange, Project},
    search::{Search, StatusFilter},
};

/// How many deliveries a page shows.
const SHOWN: usize = 100;
/// How many characters of a name a row shows.
const NAME: usize = 80;
/// The fields of the filter.
const FILTERS: [Labelled<'_>; 5] = [
    Labelled { name: "event", label: "Event", id: "f-event" },
    Labelled { name: "status", label: "Status", id: "f-status" },
    Labelled { name: "subscription", label: "Subscription", id: "f-subscription" },
    Labelled { name: "uuid", label: "File UUID", id: "f-uuid" },
    Labelled { name: "text", label: "Text in the payload", id: "f-text" },
];
/// For each of them the id of its suggestions, and an example of what it takes.
const HELP: [(&str, &str); 5] =
    [("events", "file.uploaded"), ("statuses", "401, 5xx, failed"), ("subscriptions", "ID"), ("", ""), ("", "")];

pub(super) async fn list(request: HttpRequest, project: Data<Project>, access: Data<Access>) -> HttpResponse {
    let query = Form::read(request.query_string().as_bytes());
    let wanted = read(&query);
    let problem = wanted.as_ref().err().map(|error| Problem::of(error, &FILTERS)).unwrap_or_default();
    let reached = Reached { address: host(&request), with_token: access.wants_token() };
    let body = html! {
            div.heading {
                h1 { "Deliveries" }
                @if !problem.is_there() {
    (live_state("Reload the page to see new deliveries"))
                }
                a.button.primary href="/trigger" { "Trigger an event" }
            }
            (filter_form(&project, &query, &problem))
            @match &wanted {
                Ok(wanted) => (part(&project, wanted, reached)),
                Err(_) => p.empty { "No deliveries are shown, because the filter cannot be applied." },
            }
        };
    let mut page = Page::new("Deliveries", Section::Deliveries, body).bad_if(wanted.is_err());
    page.live = wanted.ok().filter(|wanted| wanted.before.is_none()).map(|wanted| live_path(&wanted.search));
    page.answer(&project)
}

/// The address of the simulator, as the browser knows it.
fn host(request: &HttpRequest) -> &str {
    request.headers().get(HOST).and_then(|host| host.to_str().ok()).unwrap_or("127.0.0.1:8500")
}

/// Where the script receives the rows of this search.
fn live_path(search: &Search) -> String {
    match search.to_query() {
        query if query.is_empty() => "/_page/live".to_owned(),
        query => format!("/_page/live?{query}"),
    }
}

/// What a page of the list shows.
struct Wanted {
    search: Search,
    /// Only deliveries with lower numbers.
    before: Option<u64>,
}

fn read(query: &Form) -> Result<Wanted, String> {
    let before = query
        .given("before")
        .map(|text| text.parse().map_err(|_| format!("`before` is {text:?}; it takes the number of a delivery")));
    let rest: Vec<_> = query.iter().filter(|(name, _)| *name != "before").collect();
    let rest = serde_urlencoded::to_string(rest).map_err(|error| error.to_string())?;
    Ok(Wanted { search: Search::parse(&rest)?, before: before.transpose()? })
}

fn filter_form(project: &Project, query: &Form, problem: &Problem) -> Markup {
    let deliveries = project.deliveries();
    let seen: BTreeSet<_> = deliveries.iter().map(|delivery| delivery.event.as_str()).collect();
    let events: BTreeSet<_> = EventKind::KNOWN.iter().copied().chain(seen).collect();
    let is_set = query.iter().any(|(_, value)| !value.is_empty());
    html! {
        search {
            // Wide windows show the form in any case.
            details.filter open[is_set] {
                summary { "Filter" }
                form method="get" action="/" aria-label="Filter" {
                    (problem.alert())
                    div.fields {
                        @for (field, (list, example)) in FILTERS.iter().zip(HELP) {
                            (filter_field(query, problem, field, list, example))
                        }
                        div.actions {
                            button { "Filter" }
                            @if is_set { a href="/" { "Clear" } }
                        }
                    }
                    datalist #events { @for event in events { option value=(event) {} } }
                    datalist #statuses { @for (word, _) in StatusFilter::WORDS { option value=(word) {} } }
                    datalist #subscriptions {
                        @for known in project.subscriptions() {
                            option value=(known.id) { (known.event) " → " (known.target_url) }
                        }
                    }
                }
            }
        }
    }
}

/// One field of the filter. `list` is the id of its suggestions.
fn filter_field(query: &Form, problem: &Problem, field: &Labelled<'_>, list: &str, example: &str) -> Markup {
    let Labelled { name, label, id } = field;
    html! {
        div.field.wide[list.is_empty()] {
            label for=(id) { (label) }
            input id=(id) name=(name) value=(query.text(name)) list=[Some(list).filter(|list| !list.is_empty())]
                placeholder=[Some(example).filter(|example| !example.is_empty())] autocomplete="off"
                spellcheck="false" aria-invalid=[problem.invalid(id)] aria-describedby=[problem.described_by(id, "")];
        }
    }
}

/// The part of the page that the script loads again when it missed changes.
fn part(project: &Project, wanted: &Wanted, reached: Reached<'_>) -> Markup {
    let deliveries = project.deliveries();
    let empty = deliveries.is_empty();
    let matching = deliveries.iter().filter(|delivery| wanted.search.matches(delivery));
    let mut rows = matching.filter(|delivery| wanted.before.is_none_or(|before| delivery.number < before));
    let shown: Vec<_> = rows.by_ref().take(SHOWN).collect();
    let (more, last) = (rows.next().is_some(), shown.last().map_or(0, |last| last.number));
    let query = wanted.search.to_query();
    let base = if query.is_empty() { "/?before=".to_owned() } else { format!("/?{query}&before=") };
    html! {
        div #live-part data-most=(SHOWN) {
            @if empty {
                (start::steps(project, reached))
            } @else if shown.is_empty() {
                p.empty { "No delivery matches. " a href="/" { "Show all deliveries" } }
            } @else {
                form method="get" action="/compare" {
                    (table(project, &shown))
                    div.below {
                        button { "Compare the two selected" }
                        @if wanted.before.is_some() { a href={ "/?" (query) } { "Newest deliveries" } }
                        a #older href={ (base) (last) } data-base=(base) hidden[!more] {
                            "Older deliveries"
                        }
                    }
                }
            }
        }
    }
}

fn table(project: &Project, deliveries: &[&Arc<Delivery>]) -> Markup {
    html! {
        div.scroll {
            table.list.deliveries {
                caption { "Deliveries, newest first" }
                thead {
                    tr {
                        th scope="col" { span.unseen { "Compare" } }
                        th scope="col" { "Event" }
                        th scope="col" { "File" }
                        th scope="col" { "State" }
                        th scope="col" { "Status" }
                        th scope="col" { "Attempts" }
                        th scope="col" { "Next try" }
                        th scope="col" { "To" }
                        th scope="col" { "Triggered" }
                    }
                }
                tbody #rows { @for delivery in deliveries { (row(project, delivery)) } }
            }
        }
    }
}

/// The row of a delivery.
pub(super) fn row(project: &Project, delivery: &Delivery) -> Markup {
    let number = delivery.number;
    html! {
        tr id={ "delivery-" (delivery.id) } data-number=(number) {
            td.choice {
                input type="checkbox" name="id" value=(delivery.id) aria-label={ "Compare delivery " (number) };
            }
            td.event data-label="Event" {
                div {
                    a href={ "/deliveries/" (delivery.id) } { (shown_cut(&delivery.event, NAME)) }
                    span.number { "#" (number) }
                }
                (copy_mark(project, delivery))
            }
            td.file data-label="File" {
                @if let Some(name) = file_name(delivery) { span.name { (shown_cut(&name, NAME)) } }
                @if let Some(uuid) = delivery.uuid { code.uuid { (uuid) } } @else { span.none { "no file" } }
            }
            td.half data-label="State" { (state(delivery.state)) }
            td.half data-label="Status" { (status(delivery.attempts.last())) (earlier_statuses(&delivery.attempts)) }
            td.half data-label="Attempts" { (delivery.attempts.len()) }
            td.half data-label="Next try" {
                @if let Some(time) = delivery.next_attempt { (due(time)) } @else { span.none { "–" } }
            }
            td.target data-label="To" {
                span.subscription { "Subscription " (delivery.subscription) }
                span.url { (shown_cut(&delivery.target_url, NAME)) }
            }
            td.when data-label="Triggered" { (clock(delivery.created)) }
        }
    }
}

/// Says what a delivery is a copy of.
pub(super) fn copy_mark(project: &Project, delivery: &Delivery) -> Markup {
    html! {
        @if let Some(original) = delivery.copy_of {
            span.copy {
                @if delivery.edited { "edited copy of " } @else { "copy of " }
                @match project.delivery(original) {
                    Some(kept) => a href={ "/deliveries/" (original) } { "#" (kept.number) },
                    None => "a delivery that is no longer kept",
                }
            }
        }
    }
}

/// The state in words, with a symbol.
pub(super) fn state(state: DeliveryState) -> Markup {
    let (class, symbol, words) = match state {
        DeliveryState::Waiting => ("waiting", "◔", "Waiting"),
        DeliveryState::Acknowledged => ("acknowledged", "✓", "Acknowledged"),
        DeliveryState::Failed => ("failed", "✕", "Failed"),
    };
    html! { span class={ "state " (class) } { span.symbol aria-hidden="true" { (symbol) } (words) } }
}

/// The status of an attempt.
pub(super) fn status(attempt: Option<&Exchange>) -> Markup {
    html! {
        @match attempt.map(|attempt| attempt.answer.as_ref()) {
            None => span.none { "not sent yet" },
            Some(None) => span.status.bad { "no answer" },
            Some(Some(answer)) => span.status.good[is_success(answer.status)].bad[!is_success(answer.status)] {
                (answer.status) " " span.reason { (reason(answer.status)) }
            },
        }
    }
}

/// What the attempts before the last one were answered, as far as there is room.
fn earlier_statuses(attempts: &[Exchange]) -> Markup {
    const SHOWN: usize = 3;
    let earlier = attempts.split_last().map_or(attempts, |(_, earlier)| earlier);
    let statuses = earlier.iter().rev().take(SHOWN).rev().map(|attempt| {
        attempt.answer.as_ref().map_or_else(|| "no answer".to_owned(), |answer| answer.status.to_string())
    });
    let cut = if earlier.len() > SHOWN { "… " } else { "" };
    html! {
        @if !earlier.is_empty() {
            span.earlier { "after " (cut) (statuses.collect::<Vec<_>>().join(", ")) }
        }
    }
}

fn is_success(status: u16) -> bool {
    (200..300).contains(&status)
}

fn reason(status: u16) -> &'static str {
    StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or_default()
}

/// The name of the file in the payload.
pub(super) fn file_name(delivery: &Delivery) -> Option<String> {
    let payload: Value = serde_json::from_str(&delivery.body).ok()?;
    Some(payload.pointer("/data/original_filename")?.as_str()?.to_owned())
}

/// A delivery in plain words, as a choice in a form has them.
pub(super) fn title(delivery: &Delivery) -> String {
    let event = plain(&delivery.event, NAME);
    match file_name(delivery) {
        Some(name) => format!("#{} {event} · {}", delivery.number, plain(&name, NAME)),
        None => format!("#{} {event}", delivery.number),
    }
}
