//! The form that triggers an event, with fields or with the whole payload as JSON.

use actix_web::{
    HttpRequest, HttpResponse,
    web::{Bytes, Data},
};
use maud::{Markup, html};
use uploadcare_hooks::EventKind;

use super::{
    draft::Draft,
    fields,
    form::Form,
    layout::{Page, Section},
    problem::{Labelled, Problem},
    see_other,
    text::{counted, link, plain, shown},
};
use crate::{
    delivery::EventSender,
    project::{Project, Subscription},
};

/// The event of the form when none was chosen.
const DEFAULT_EVENT: &str = "file.uploaded";

/// The versions that can be chosen: the value in the query, and its words.
const VERSIONS: [(&str, &str); 4] = [("", "the subscription's"), ("0.7", "0.7"), ("0.6", "0.6"), ("0.5", "0.5")];

// Labels that errors name.
const BURST: &str = "Number of events";
const COPIES: &str = "Copies of each";
const DELAY: &str = "Delay in milliseconds";
const PAYLOAD: &str = "Payload";
const SCAN: &str = "Virus scan";

/// `GET /trigger?event=..&version=..`, with `raw=1` for the whole payload, and `uuid` and
/// `original_filename` of a file that an event was triggered for before.
pub(super) async fn show(request: HttpRequest, project: Data<Project>) -> HttpResponse {
    let query = Form::read(request.query_string().as_bytes());
    let event = query.given("event").unwrap_or(DEFAULT_EVENT);
    let draft = Draft::fresh(&project, event, query.text("version"));
    let (mut draft, mut wrong) = match draft {
        Ok(draft) => (draft, None),
        Err(text) => match Draft::fresh(&project, event, "") {
            Ok(draft) => (draft, Some(text)),
            Err(text) => return unusable(&project, &text),
        },
    };
    for name in ["uuid", "original_filename"] {
        if let Some(value) = query.given(name) {
            fields::set(&mut draft.fields, name, value);
        }
    }
    if query.has("raw") {
        wrong = wrong.or(make_raw(&project, &mut draft).err());
    }
    page(&project, &draft, wrong.as_deref())
}

/// Triggers the event, or turns the fields into a whole payload to edit.
pub(super) async fn trigger(sender: Data<EventSender>, body: Bytes) -> HttpResponse {
    let project = &sender.project;
    let form = Form::read(&body);
    let mut draft = Draft::read(&form);
    if form.text("do") == "raw" {
        let wrong = make_raw(project, &mut draft).err();
        return page(project, &draft, wrong.as_deref());
    }
    let triggered =
        draft.trigger().and_then(|trigger| sender.trigger(&trigger).map_err(|error| error.text().to_owned()));
    match triggered.map(|triggered| triggered.deliveries) {
        Ok(deliveries) => match deliveries.as_slice() {
            [] => page(project, &draft, Some(&no_receiver(&draft.event))),
            [one] => see_other(&format!("/deliveries/{one}")),
            _ => see_other("/"),
        },
        Err(text) => page(project, &draft, Some(&text)),
    }
}

fn make_raw(project: &Project, draft: &mut Draft) -> Result<(), String> {
    draft.raw = Some(draft.payload(project)?);
    Ok(())
}

fn no_receiver(event: &str) -> String {
    format!(
        "no active subscription wants `{event}`, so nothing was sent; create or resume one, or tick subscriptions \
         below"
    )
}

/// Without an event there is no form.
fn unusable(project: &Project, text: &str) -> HttpResponse {
    let body =
        html! { h1 { "Trigger an event" } (Problem::of(text, &[]).alert()) p { a href="/trigger" { "Start again" } } };
    Page::new("Trigger an event", Section::Trigger, body).bad_if(true).answer(project)
}

fn page(project: &Project, draft: &Draft, error: Option<&str>) -> HttpResponse {
    let problem = error.map(|error| problem_of(draft, error)).unwrap_or_default();
    let body = html! {
        h1 { "Trigger an event" }
        (picker(draft))
        form.panel method="post" action="/trigger" {
            (problem.alert())
            input type="hidden" name="event" value=(draft.event);
            input type="hidden" name="version" value=(draft.version);
            @match &draft.raw {
                Some(raw) => (raw_payload(draft, raw, &problem)),
                None => (event_fields(draft, &problem)),
            }
            (receivers(project, draft))
            (repetitions(draft, &problem))
            div.below {
                button.primary name="do" value="trigger" { "Trigger " (plain(&draft.event, 60)) }
                @if draft.raw.is_none() { button name="do" value="raw" { "Edit as JSON" } }
            }
        }
    };
    Page::new("Trigger an event", Section::Trigger, body).bad_if(problem.is_there()).answer(project)
}

/// Ties an error to the field that it is about.
fn problem_of(draft: &Draft, error: &str) -> Problem {
    let own = [
        Labelled { name: "burst", label: BURST, id: "burst" },
        Labelled { name: "copies", label: COPIES, id: "copies" },
        Labelled { name: "delay_ms", label: DELAY, id: "delay_ms" },
        Labelled { name: "payload", label: PAYLOAD, id: "raw" },
        Labelled { name: "previous_values", label: "previous_values", id: "previous_values" },
        Labelled { name: "infected", label: SCAN, id: "scan" },
        Labelled { name: "data.uuid", label: "uuid", id: "data-uuid" },
    ];
    let ids: Vec<_> = draft.fields.iter().map(|field| (field.name(), field.id())).collect();
    let of_the_file = ids.iter().map(|(name, id)| Labelled { name, label: name, id });
    Problem::of(error, &own.into_iter().chain(of_the_file).collect::<Vec<_>>())
}

/// Chooses the event: links for known ones, a text for others.
fn picker(draft: &Draft) -> Markup {
    let is_known = EventKind::KNOWN.contains(&draft.event.as_str());
    html! {
        section.picker aria-label="Event" {
            ul.pills {
                @for event in EventKind::KNOWN {
                    li {
                        a href=(link("/trigger", &[("event", event)]))
                            aria-current=[(draft.event == *event).then_some("true")] { (event) }
                    }
                }
                @if !is_known { li { a href="#main" aria-current="true" { (shown(&draft.event)) } } }
            }
            form.line method="get" action="/trigger" {
                label for="other" { "Other event" }
                input #other name="event" value=(if is_known { "" } else { draft.event.as_str() })
                    placeholder="moderation.state_changed" autocomplete="off" spellcheck="false";
                button { "Use this event" }
            }
            @if draft.event == DEFAULT_EVENT {
                p.versions #versions { "Payload version" }
                ul.pills aria-labelledby="versions" {
                    @for (version, words) in VERSIONS {
                        li {
                            a href=(link("/trigger", &[("event", DEFAULT_EVENT), ("version", version)]))
                                aria-current=[(draft.version == version).then_some("true")] { (words) }
                        }
                    }
                }
            }
        }
    }
}

fn event_fields(draft: &Draft, problem: &Problem) -> Markup {
    let usual_scan = if draft.event == "file.infected" { "Infected (default)" } else { "None" };
    let is_old = !matches!(draft.version.as_str(), "" | "0.7");
    html! {
        fieldset {
            legend { "File" }
            (fields::inputs(&draft.fields, problem))
        }
        fieldset {
            legend { "Virus scan and labels" }
            div.fields {
                @if !is_old {
                    div.field {
                        label for="scan" { (SCAN) }
                        select #scan name="scan" aria-invalid=[problem.invalid("scan")]
                            aria-describedby=[problem.described_by("scan", "")] {
                            @for (value, words) in
                                [("sample", usual_scan), ("clean", "Clean"), ("infected", "Infected")]
                            {
                                option value=(value) selected[draft.scan == value] { (words) }
                            }
                        }
                    }
                }
                div.field {
                    label for="labels" { "Image labels" }
                    input #labels name="labels" value=(draft.labels) placeholder="Cat, Sofa" autocomplete="off";
                }
            }
        }
        @if draft.event == "file.info_updated" || !EventKind::KNOWN.contains(&draft.event.as_str()) {
            fieldset {
                legend { "Values before the change" }
                div.field {
                    label for="previous_values" { code { "previous_values" } }
                    textarea #previous_values name="previous_values" rows="5" spellcheck="false" dir="ltr"
                        aria-invalid=[problem.invalid("previous_values")]
                        aria-describedby=[problem.described_by("previous_values", "previous-hint")]
                        { (draft.previous_values) }
                    p.hint #previous-hint { "As JSON." }
                }
            }
        }
    }
}

fn raw_payload(draft: &Draft, raw: &str, problem: &Problem) -> Markup {
    html! {
        div.field {
            label for="raw" { (PAYLOAD) }
            textarea #raw name="raw" rows="26" spellcheck="false" dir="ltr" aria-invalid=[problem.invalid("raw")]
                aria-describedby=[problem.described_by("raw", "raw-hint")]
                { (raw) }
            p.hint #raw-hint {
                "Sent to each subscription exactly as written here. "
                a href=(link("/trigger", &[("event", &draft.event)])) { "Back to the form" }
            }
        }
    }
}

fn receivers(project: &Project, draft: &Draft) -> Markup {
    let subscriptions = project.subscriptions();
    let wanting = subscriptions.iter().filter(|known| known.is_active && known.event == draft.event).count();
    html! {
        fieldset {
            legend { "Send to" }
            @if wanting == 0 {
                div.warning role="note" {
                    span.symbol aria-hidden="true" { "⚠" }
                    p {
                        "No active subscription wants " code { (shown(&draft.event)) } ". "
                        a href="/subscriptions" { "Create or resume one" }
                        @if !subscriptions.is_empty() { ", or tick subscriptions here" }
                        "."
                    }
                }
            }
            div.choice {
                input #to-subscribed type="radio" name="to" value="subscribed" checked[!draft.to_chosen];
                label for="to-subscribed" {
                    "All that are subscribed to this event ("
                    (counted(wanting, "active subscription", "active subscriptions"))
                    ")"
                }
            }
            @if !subscriptions.is_empty() {
                div.choice {
                    input #to-chosen type="radio" name="to" value="chosen" checked[draft.to_chosen];
                    label for="to-chosen" {
                        "Only the ones ticked below, even if they are paused or subscribed to another event:"
                    }
                }
                ul.choices { @for known in &subscriptions { (receiver(draft, known)) } }
            }
        }
    }
}

fn receiver(draft: &Draft, known: &Subscription) -> Markup {
    let id = format!("subscription-{}", known.id);
    html! {
        li.choice {
            input id=(id) type="checkbox" name="subscription" value=(known.id)
                checked[draft.chosen.contains(&known.id.to_string())];
            label for=(id) {
                (known.id) ": " (shown(&known.event)) " → " span.url { (shown(&known.target_url)) }
                @if !known.is_active { " (paused)" }
            }
        }
    }
}

fn repetitions(draft: &Draft, problem: &Problem) -> Markup {
    let each = match draft.raw {
        Some(_) => "All have this payload.",
        None => "Each gets a new UUID, unless you set one above.",
    };
    html! {
        fieldset {
            legend { "Repeat and delay" }
            div.fields {
                (number(problem, "burst", BURST, &draft.burst, each))
                (number(problem, "copies", COPIES, &draft.copies, "The same event, delivered several times."))
                (number(problem, "delay_ms", DELAY, &draft.delay_ms, "Before the first attempt."))
            }
        }
    }
}

fn number(problem: &Problem, name: &str, label: &str, value: &str, hint: &str) -> Markup {
    let hint_id = format!("{name}-hint");
    html! {
        div.field {
            label for=(name) { (label) }
            input id=(name) name=(name) inputmode="numeric" value=(value) autocomplete="off"
                aria-invalid=[problem.invalid(name)] aria-describedby=[problem.described_by(name, &hint_id)];
            p.hint id=(hint_id) { (hint) }
        }
    }
}
