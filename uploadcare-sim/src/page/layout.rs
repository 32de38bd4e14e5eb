//! What all pages have around them: the head, the navigation, and the banner of the faults.

use actix_web::{HttpResponse, http::StatusCode, web::Data};
use maud::{DOCTYPE, Markup, html};

use super::text::{counted, shown};
use crate::project::{DeliveryFaultKind, Project};

/// The parts that the navigation leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Section {
    Deliveries,
    Subscriptions,
    Trigger,
    Faults,
}

impl Section {
    const ALL: [(Self, &'static str, &'static str); 4] = [
        (Self::Deliveries, "/", "Deliveries"),
        (Self::Trigger, "/trigger", "Trigger"),
        (Self::Subscriptions, "/subscriptions", "Subscriptions"),
        (Self::Faults, "/faults", "Faults"),
    ];
}

/// One page.
pub(super) struct Page {
    pub(super) status: StatusCode,
    pub(super) title: String,
    /// What the navigation marks as current.
    pub(super) section: Option<Section>,
    /// The path from which the script receives what changes.
    pub(super) live: Option<String>,
    pub(super) body: Markup,
}

impl Page {
    pub(super) fn new(title: impl Into<String>, section: impl Into<Option<Section>>, body: Markup) -> Self {
        Self { status: StatusCode::OK, title: title.into(), section: section.into(), live: None, body }
    }

    /// Answers 400, since the page says what is wrong with a request.
    pub(super) fn bad_if(mut self, bad: bool) -> Self {
        if bad {
            self.status = StatusCode::BAD_REQUEST;
        }
        self
    }

    pub(super) fn answer(self, project: &Project) -> HttpResponse {
        let html = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    title { (self.title) " · Uploadcare workbench" }
                    link rel="icon" href="data:,";
                    link rel="stylesheet" href="/_page/workbench.css";
                    // In the head, so that the theme is there before anything is shown.
                    script src="/_page/workbench.js" {}
                }
                body data-live=[self.live] {
                    a.skip href="#main" { "Skip to the content" }
                    (header(self.section))
                    div #banner { (banner(project)) }
                    main #main tabindex="-1" { (self.body) }
                    footer {
                        p { "A simulator of Uploadcare. It runs on your machine and sends nothing to Uploadcare." }
                        p { a href="/_sim/openapi.json" { "API description (OpenAPI)" } }
                    }
                    div #announcements .unseen role="status" aria-live="polite" {}
                }
            }
        };
        HttpResponse::build(self.status).content_type("text/html; charset=utf-8").body(html.into_string())
    }
}

fn header(section: Option<Section>) -> Markup {
    html! {
        header.top {
            a.brand href="/" { span.mark aria-hidden="true" { "⇄" } "Uploadcare workbench" }
            nav aria-label="Main" {
                ul {
                    @for (own, path, name) in Section::ALL {
                        li { a href=(path) aria-current=[(Some(own) == section).then_some("page")] { (name) } }
                    }
                }
            }
            // The script shows this and keeps the choice.
            div.theme #theme hidden {
                label for="theme-choice" { "Theme" }
                select #theme-choice {
                    option value="auto" { "Auto" }
                    option value="light" { "Light" }
                    option value="dark" { "Dark" }
                }
            }
        }
    }
}

/// Which faults are on; nothing if none is.
pub(super) fn banner(project: &Project) -> Markup {
    let faults = project.delivery_faults();
    let on = DeliveryFaultKind::ALL.into_iter().filter_map(|kind| Some((kind, faults.get(kind)?)));
    let mut words: Vec<_> =
        on.map(|(kind, fault)| format!("{} ({} %)", kind.as_str(), percent(fault.probability))).collect();
    let calls: usize = project.faults().iter().fold(0, |sum, fault| sum.saturating_add(fault.times));
    if calls > 0 {
        words.push(format!("{} will fail", counted(calls, "REST API call", "REST API calls")));
    }
    html! {
        @if !words.is_empty() {
            aside.banner aria-label="Faults" {
                p { span.symbol aria-hidden="true" { "⚠" } strong { "Faults are on: " } (words.join(", ")) "." }
                a href="/faults" { "Change" }
                form method="post" action="/faults/off" { button.small { "Switch all off" } }
            }
        }
    }
}

/// A probability in percent, without needless digits.
pub(super) fn percent(probability: f64) -> f64 {
    (probability * 10_000.0).round() / 100.0
}

/// Whether the page is updated. The script replaces the words, which are true without it.
pub(super) fn live_state(words: &str) -> Markup {
    html! {
        p.live #live data-state="off" { span.dot aria-hidden="true" {} span #live-text { (words) } }
    }
}

/// A text to be copied into a shell. The script shows the button.
pub(super) fn command(label: &str, text: &str) -> Markup {
    html! {
        div.command {
            pre role="group" tabindex="0" aria-label=(label) { code { (shown(text)) } }
            button.small type="button" data-copy hidden { "Copy" }
        }
    }
}

/// A page that says that something is not there.
pub(super) fn missing(
    project: &Project,
    title: &str,
    section: impl Into<Option<Section>>,
    text: &Markup,
) -> HttpResponse {
    let body = html! {
        h1 { (title) }
        p { (text) }
        p { a href="/" { "Show all deliveries" } }
    };
    Page { status: StatusCode::NOT_FOUND, ..Page::new(title, section, body) }.answer(project)
}

/// Answers paths that the page does not have.
pub(super) async fn not_found(project: Data<Project>) -> HttpResponse {
    let text = html! { "The workbench has no page at this address. Choose one above." };
    missing(&project, "No such page", None, &text)
}
