//! Switches faults of deliveries and of the REST API by hand.

use actix_web::{
    HttpResponse,
    web::{Bytes, Data, Path},
};
use maud::{Markup, html};

use super::{
    form::Form,
    layout::{self, Page, Section, percent, problem},
    see_other,
    text::counted,
};
use crate::project::{DeliveryFault, DeliveryFaultKind, Fault, FaultKind, Project};

/// How REST calls can fail: the name in the form, the kind, what it does.
const REST: [(&str, FaultKind, &str); 4] = [
    ("throttle", FaultKind::Throttle, "429 with Retry-After: 1"),
    ("error", FaultKind::Error, "502 with the HTML page of a proxy"),
    ("slow", FaultKind::Slow, "the right answer, ten seconds late"),
    ("cut", FaultKind::Cut, "the connection is closed in the middle of the answer"),
];

pub(super) async fn show(project: Data<Project>) -> HttpResponse {
    page(&project, &Form::default(), None)
}

/// Switches one fault of deliveries on or off.
pub(super) async fn switch(kind: Path<String>, project: Data<Project>, body: Bytes) -> HttpResponse {
    let Some(kind) = DeliveryFaultKind::ALL.into_iter().find(|known| known.as_str() == kind.as_str()) else {
        let text = html! { "There is no such fault. " a href="/faults" { "Show all faults" } };
        return layout::missing(&project, "No such fault", Section::Faults, &text);
    };
    let form = Form::read(&body);
    let fault =
        if form.text("switch") == "off" { Ok(DeliveryFault { probability: 0.0, ms: None }) } else { read(&form) };
    match fault.and_then(|fault| project.set_delivery_faults([(kind, fault)])) {
        Ok(()) => see_other("/faults"),
        Err(text) => page(&project, &form, Some((Which::Delivery(kind), &text))),
    }
}

fn read(form: &Form) -> Result<DeliveryFault, String> {
    let text = form.given("percent").unwrap_or("100");
    let percent: f64 =
        text.parse().map_err(|_| format!("the probability is {text:?}; it takes a number of percent"))?;
    if !(0.0..=100.0).contains(&percent) {
        return Err(format!("the probability is {text} %; it must be between 0 and 100"));
    }
    let ms = match form.given("ms") {
        None => None,
        Some(_) => Some(form.number("ms", 0)?),
    };
    Ok(DeliveryFault { probability: percent / 100.0, ms })
}

pub(super) async fn add_rest_fault(project: Data<Project>, body: Bytes) -> HttpResponse {
    let form = Form::read(&body);
    match rest_fault(&form) {
        Ok(fault) => {
            project.add_fault(fault);
            see_other("/faults")
        }
        Err(text) => page(&project, &form, Some((Which::Rest, &text))),
    }
}

fn rest_fault(form: &Form) -> Result<Fault, String> {
    let name = form.text("fault");
    let kind = REST.iter().find(|(known, ..)| *known == name).map(|(_, kind, _)| *kind);
    let kind = kind.ok_or_else(|| format!("`fault` is {name:?}; it takes throttle, error, slow or cut"))?;
    let times = form.number("times", 1)?;
    if times == 0 {
        return Err("`times` is 0; at least one call must fail".to_owned());
    }
    Ok(Fault { kind, times, after: form.number("after", 0)?, carried_out: form.has("carried_out") })
}

pub(super) async fn clear_rest_faults(project: Data<Project>) -> HttpResponse {
    project.clear_faults();
    see_other("/faults")
}

/// Switches everything off, on every page by the banner.
pub(super) async fn switch_all_off(project: Data<Project>) -> HttpResponse {
    let off = DeliveryFault { probability: 0.0, ms: None };
    match project.set_delivery_faults(DeliveryFaultKind::ALL.map(|kind| (kind, off))) {
        Ok(()) => {
            project.clear_faults();
            see_other("/faults")
        }
        Err(text) => page(&project, &Form::default(), Some((Which::Rest, &text))),
    }
}

/// The form that a problem belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Which {
    Delivery(DeliveryFaultKind),
    Rest,
}

fn page(project: &Project, typed: &Form, wrong: Option<(Which, &str)>) -> HttpResponse {
    let body = html! {
        h1 { "Faults" }
        p.intro {
            "Break deliveries and REST calls, and see how your application copes. Changes take effect at once."
        }
        section aria-labelledby="of-deliveries" {
            h2 #of-deliveries { "Deliveries" }
            div.faults {
                @for kind in DeliveryFaultKind::ALL { (delivery_fault(project, kind, typed, wrong)) }
            }
        }
        section aria-labelledby="of-rest" {
            h2 #of-rest { "REST API" }
            (rest_faults(project))
            (rest_form(typed, wrong))
        }
    };
    Page::new("Faults", Section::Faults, body).bad_if(wrong.is_some()).answer(project)
}

fn delivery_fault(project: &Project, kind: DeliveryFaultKind, typed: &Form, wrong: Option<(Which, &str)>) -> Markup {
    let name = kind.as_str();
    let on = project.delivery_faults().get(kind);
    let problem_text = wrong.filter(|(which, _)| *which == Which::Delivery(kind)).map(|(_, text)| text);
    let typed = |field, value: String| if problem_text.is_some() { typed.text(field).to_owned() } else { value };
    let ms = on.and_then(|fault| fault.ms).map_or_else(String::new, |ms| ms.to_string());
    html! {
        form.fault-form.on[on.is_some()] method="post" action={ "/faults/delivery/" (name) } {
            (problem(problem_text))
            h3 {
                (title(kind)) " "
                @if on.is_some() {
                    span.state.failed { span.symbol aria-hidden="true" { "⚠" } "On" }
                } @else {
                    span.state.off { span.symbol aria-hidden="true" { "○" } "Off" }
                }
            }
            p.hint { (what(kind)) }
            div.row {
                div.field {
                    label for={ "percent-" (name) } { "Percent" }
                    input id={ "percent-" (name) } name="percent" inputmode="decimal" size="4" autocomplete="off"
                        value=(typed("percent", on.map_or(100.0, |fault| percent(fault.probability)).to_string()));
                }
                @if let Some(time) = kind.default_time() {
                    div.field {
                        label for={ "ms-" (name) } { "Milliseconds" }
                        input id={ "ms-" (name) } name="ms" inputmode="numeric" size="6" autocomplete="off"
                            value=(typed("ms", ms)) placeholder=(time.as_millis());
                    }
                }
                @if on.is_some() {
                    button name="switch" value="on" aria-label={ "Change " (name) } { "Change" }
                    button.primary name="switch" value="off" aria-label={ "Switch " (name) " off" } { "Switch off" }
                } @else {
                    button name="switch" value="on" aria-label={ "Switch " (name) " on" } { "Switch on" }
                }
            }
        }
    }
}

fn title(kind: DeliveryFaultKind) -> Markup {
    html! { code { (kind.as_str()) } }
}

fn what(kind: DeliveryFaultKind) -> &'static str {
    match kind {
        DeliveryFaultKind::WrongSecret => "The attempt is signed with another secret. A receiver must refuse it.",
        DeliveryFaultKind::MissingSignature => "The attempt has no signature. A receiver must refuse it.",
        DeliveryFaultKind::Delay => "The attempt is made late.",
        DeliveryFaultKind::Duplicate => "The delivery is sent once more after it was acknowledged.",
        DeliveryFaultKind::Reorder => "The attempt waits until a later delivery of the subscription was sent.",
        DeliveryFaultKind::Cut => "The connection is closed in the middle of the body.",
        DeliveryFaultKind::SlowBody => "The body is sent in pieces, with pauses.",
    }
}

fn rest_faults(project: &Project) -> Markup {
    let faults = project.faults();
    html! {
        @if faults.is_empty() {
            p.empty { "No call will fail." }
        } @else {
            ol.rest-faults {
                @for fault in &faults {
                    li {
                        @if fault.after > 0 { "After " (counted(fault.after, "call", "calls")) " that succeed, " }
                        (counted(fault.times, "call fails", "calls fail")) ": "
                        @for (name, _, what) in REST.iter().filter(|(_, kind, _)| *kind == fault.kind) {
                            code { (name) } ", " (what)
                        }
                        @if fault.carried_out { "; the call takes effect all the same" }
                        "."
                    }
                }
            }
            form method="post" action="/faults/rest/clear" { p { button { "Clear the list" } } }
        }
    }
}

fn rest_form(typed: &Form, wrong: Option<(Which, &str)>) -> Markup {
    let problem_text = wrong.filter(|(which, _)| *which == Which::Rest).map(|(_, text)| text);
    let value =
        |field, default| if problem_text.is_some() { typed.text(field).to_owned() } else { String::from(default) };
    let chosen = value("fault", "error");
    html! {
        form.panel method="post" action="/faults/rest#of-rest" {
            (problem(problem_text))
            div.row {
                div.field {
                    label for="fault" { "How calls fail" }
                    select #fault name="fault" {
                        @for (name, _, what) in REST {
                            option value=(name) selected[chosen == name] { (name) ": " (what) }
                        }
                    }
                }
                div.field {
                    label for="times" { "Calls that fail" }
                    input #times name="times" inputmode="numeric" size="6" autocomplete="off"
                        value=(value("times", "1"));
                }
                div.field {
                    label for="after" { "After so many calls" }
                    input #after name="after" inputmode="numeric" size="6" autocomplete="off"
                        value=(value("after", "0"));
                }
            }
            div.choice {
                input #carried_out type="checkbox" name="carried_out" value="yes"
                    checked[problem_text.is_some() && typed.has("carried_out")];
                label for="carried_out" { "A failing call takes effect all the same" }
            }
            p { button.primary { "Let calls fail" } }
        }
    }
}
