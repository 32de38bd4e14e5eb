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
    layout::{Page, Section, problem},
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
const VERSIONS: [(&str, &str); 4] = [("", "of the subscription"), ("0.7", "0.7"), ("0.6", "0.6"), ("0.5", "0.5")];

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
        "no active subscription wants `{event}`, so nothing was sent; create or resume one, or choose subscriptions \
         below"
    )
}

/// Without an event there is no form.
fn unusable(project: &Project, text: &str) -> HttpResponse {
    let body = html! { h1 { "Trigger an event" } (problem(Some(text))) p { a href="/trigger" { "Start again" } } };
    Page::new("Trigger an event", Section::Trigger, body).bad_if(true).answer(project)
}

fn page(project: &Project, draft: &Draft, problem_text: Option<&str>) -> HttpResponse {
    let body = html! {
        h1 { "Trigger an event" }
        (picker(draft))
        form.panel method="post" action="/trigger" {
            (problem(problem_text))
            input type="hidden" name="event" value=(draft.event);
            input type="hidden" name="version" value=(draft.version);
            @match &draft.raw {
                Some(raw) => (raw_payload(draft, raw)),
                None => (event_fields(draft)),
            }
            (receivers(project, draft))
            (repetitions(draft))
            div.below {
                button.primary name="do" value="trigger" { "Trigger " (plain(&draft.event, 60)) }
                @if draft.raw.is_none() { button name="do" value="raw" { "Edit the whole payload" } }
            }
        }
    };
    Page::new("Trigger an event", Section::Trigger, body).bad_if(problem_text.is_some()).answer(project)
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
                label for="other" { "Another event" }
                input #other name="event" value=(if is_known { "" } else { draft.event.as_str() })
                    placeholder="moderation.state_changed" autocomplete="off" spellcheck="false";
                button { "Show its form" }
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

fn event_fields(draft: &Draft) -> Markup {
    let usual_scan = if draft.event == "file.infected" { "Infected, as usual" } else { "None" };
    let is_old = !matches!(draft.version.as_str(), "" | "0.7");
    html! {
        fieldset {
            legend { "The file" }
            (fields::inputs(&draft.fields))
        }
        fieldset {
            legend { "What is known about it" }
            div.fields {
                @if !is_old {
                    div.field {
                        label for="scan" { "Virus scan" }
                        select #scan name="scan" {
                            @for (value, words) in
                                [("sample", usual_scan), ("clean", "Clean"), ("infected", "Infected")]
                            {
                                option value=(value) selected[draft.scan == value] { (words) }
                            }
                        }
                    }
                }
                div.field {
                    label for="labels" { "Labels of the image" }
                    input #labels name="labels" value=(draft.labels) placeholder="Cat, Sofa" autocomplete="off";
                }
                @if draft.event == "file.info_updated" || !EventKind::KNOWN.contains(&draft.event.as_str()) {
                    div.field.wide {
                        label for="previous_values" { code { "previous_values" } }
                        textarea #previous_values name="previous_values" rows="5" spellcheck="false" dir="ltr" {
                            (draft.previous_values)
                        }
                        p.hint { "JSON: the values before the change." }
                    }
                }
            }
        }
    }
}

fn raw_payload(draft: &Draft, raw: &str) -> Markup {
    html! {
        div.field {
            label for="raw" { "Payload" }
            textarea #raw name="raw" rows="26" spellcheck="false" dir="ltr" { (raw) }
            p.hint {
                "It is sent exactly as it is written here, to each receiver. "
                a href=(link("/trigger", &[("event", &draft.event)])) { "Back to the fields" }
            }
        }
    }
}

fn receivers(project: &Project, draft: &Draft) -> Markup {
    let subscriptions = project.subscriptions();
    let wanting = subscriptions.iter().filter(|known| known.is_active && known.event == draft.event).count();
    html! {
        fieldset {
            legend { "Who gets it" }
            @if wanting == 0 {
                div.warning role="note" {
                    span.symbol aria-hidden="true" { "⚠" }
                    p {
                        "No active subscription wants " code { (shown(&draft.event)) } ". "
                        a href="/subscriptions" { "Create or resume one" }
                        @if !subscriptions.is_empty() { ", or choose subscriptions here" }
                        "."
                    }
                }
            }
            div.choice {
                input #to-subscribed type="radio" name="to" value="subscribed" checked[!draft.to_chosen];
                label for="to-subscribed" {
                    "Those that are subscribed to it: "
                    (counted(wanting, "active subscription", "active subscriptions"))
                }
            }
            @if !subscriptions.is_empty() {
                div.choice {
                    input #to-chosen type="radio" name="to" value="chosen" checked[draft.to_chosen];
                    label for="to-chosen" { "Only these, whatever they are subscribed to:" }
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

fn repetitions(draft: &Draft) -> Markup {
    html! {
        fieldset {
            legend { "How often" }
            div.fields {
                div.field {
                    label for="burst" { "Burst: events" }
                    input #burst name="burst" inputmode="numeric" value=(draft.burst) autocomplete="off"
                        aria-describedby="burst-hint";
                    p.hint #burst-hint { "Each is about a new file, if the UUID is left as it is." }
                }
                div.field {
                    label for="copies" { "Copies of each" }
                    input #copies name="copies" inputmode="numeric" value=(draft.copies) autocomplete="off"
                        aria-describedby="copies-hint";
                    p.hint #copies-hint { "The same event, delivered several times." }
                }
                div.field {
                    label for="delay_ms" { "Delay, milliseconds" }
                    input #delay_ms name="delay_ms" inputmode="numeric" value=(draft.delay_ms) autocomplete="off";
                }
            }
        }
    }
}
