//! Switches faults of deliveries and of the REST API by hand.

use actix_web::{
    HttpResponse,
    web::{Bytes, Data, Path},
};
use maud::{Markup, html};

use super::{
    form::Form,
    layout::{self, Page, Section, percent},
    problem::{Labelled, Problem},
    see_other,
    text::counted,
};
use crate::project::{DeliveryFault, DeliveryFaultKind, Fault, FaultKind, Project};

/// How REST calls can fail: the name in the form, the kind, what it does.
const REST: [(&str, FaultKind, &str); 4] = [
    ("throttle", FaultKind::Throttle, "429, Retry-After: 1"),
    ("error", FaultKind::Error, "502, a proxy's HTML page"),
    ("slow", FaultKind::Slow, "right answer after 10 s"),
    ("cut", FaultKind::Cut, "closed in mid-answer"),
];

// Labels that errors name.
const PERCENT: &str = "Percent";
const MS: &str = "Milliseconds";
const FAULT: &str = "How calls fail";
const TIMES: &str = "Calls that fail";
const AFTER: &str = "Calls to let through first";

/// The fields of the form of REST calls.
const REST_FIELDS: [Labelled<'_>; 3] = [
    Labelled { name: "fault", label: FAULT, id: "fault" },
    Labelled { name: "times", label: TIMES, id: "times" },
    Labelled { name: "after", label: AFTER, id: "after" },
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
    let percent: f64 = text.parse().map_err(|_| format!("`percent` is {text:?}; it takes a number"))?;
    if !(0.0..=100.0).contains(&percent) {
        return Err(format!("`percent` is {text}; it must be between 0 and 100"));
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
        return Err("`times` is 0; it takes at least 1".to_owned());
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
            "Make deliveries and REST API calls fail on purpose, and see how your application copes. Changes take "
            "effect at once."
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
    let (percent_id, ms_id) = (format!("percent-{name}"), format!("ms-{name}"));
    let labelled =
        [("percent", PERCENT, &percent_id), ("ms", MS, &ms_id)].map(|(name, label, id)| Labelled { name, label, id });
    let error = wrong.filter(|(which, _)| *which == Which::Delivery(kind)).map(|(_, text)| text);
    let problem = error.map(|error| Problem::of(error, &labelled)).unwrap_or_default();
    let typed = |field, value: String| if problem.is_there() { typed.text(field).to_owned() } else { value };
    let ms = on.and_then(|fault| fault.ms).map_or_else(String::new, |ms| ms.to_string());
    html! {
        form.fault-form.on[on.is_some()] method="post" action={ "/faults/delivery/" (name) } {
            (problem.alert())
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
                    label for=(percent_id) { (PERCENT) }
                    input id=(percent_id) name="percent" inputmode="decimal" size="4" autocomplete="off"
                        aria-invalid=[problem.invalid(&percent_id)]
                        aria-describedby=[problem.described_by(&percent_id, "")]
                        value=(typed("percent", on.map_or(100.0, |fault| percent(fault.probability)).to_string()));
                }
                @if let Some(time) = kind.default_time() {
                    div.field {
                        label for=(ms_id) { (MS) }
                        input id=(ms_id) name="ms" inputmode="numeric" size="6" autocomplete="off"
                            aria-invalid=[problem.invalid(&ms_id)] aria-describedby=[problem.described_by(&ms_id, "")]
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
        DeliveryFaultKind::Duplicate => "The delivery is sent again after it was acknowledged.",
        DeliveryFaultKind::Reorder => "The attempt waits until a later delivery of the subscription was sent.",
        DeliveryFaultKind::Cut => "The connection is closed in the middle of the body.",
        DeliveryFaultKind::SlowBody => "The body is sent in pieces, with pauses.",
    }
}

fn rest_faults(project: &Project) -> Markup {
    let faults = project.faults();
    html! {
        @if faults.is_empty() {
            p.empty { "No faults are set, so REST API calls are answered as usual." }
        } @else {
            ol.rest-faults {
                @for fault in &faults {
                    li {
                        @if fault.after > 0 { "After " (counted(fault.after, "call", "calls")) ", " }
                        (counted(fault.times, "call fails", "calls fail")) ": "
                        @for (name, _, what) in REST.iter().filter(|(_, kind, _)| *kind == fault.kind) {
                            code { (name) } ", " (what)
                        }
                        @if fault.carried_out { "; the call is carried out although it fails" }
                        "."
                    }
                }
            }
            form method="post" action="/faults/rest/clear" { p { button { "Clear the list" } } }
        }
    }
}

fn rest_form(typed: &Form, wrong: Option<(Which, &str)>) -> Markup {
    let error = wrong.filter(|(which, _)| *which == Which::Rest).map(|(_, text)| text);
    let problem = error.map(|error| Problem::of(error, &REST_FIELDS)).unwrap_or_default();
    let value = |field, default| if problem.is_there() { typed.text(field).to_owned() } else { String::from(default) };
    let chosen = value("fault", "error");
    html! {
        form.panel method="post" action="/faults/rest#of-rest" {
            (problem.alert())
            div.row {
                div.field {
                    label for="fault" { (FAULT) }
                    select #fault name="fault" aria-invalid=[problem.invalid("fault")]
                        aria-describedby=[problem.described_by("fault", "")] {
                        @for (name, _, what) in REST {
                            option value=(name) selected[chosen == name] { (name) ": " (what) }
                        }
                    }
                }
                @for (name, label, default) in [("times", TIMES, "1"), ("after", AFTER, "0")] {
                    div.field {
                        label for=(name) { (label) }
                        input id=(name) name=(name) inputmode="numeric" size="6" autocomplete="off"
                            value=(value(name, default)) aria-invalid=[problem.invalid(name)]
                            aria-describedby=[problem.described_by(name, "")];
                    }
                }
            }
            div.choice {
                input #carried_out type="checkbox" name="carried_out" value="yes"
                    checked[problem.is_there() && typed.has("carried_out")];
                label for="carried_out" { "Carry out the call although its answer fails" }
            }
            p { button.primary { "Add fault" } }
        }
    }
}
