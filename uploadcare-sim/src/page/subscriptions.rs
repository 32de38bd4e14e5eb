//! The list of subscriptions, and the form of a new one.

use actix_web::{
    HttpResponse,
    web::{Bytes, Data, Path},
};
use maud::{Markup, html};
use uploadcare_hooks::EventKind;

use super::{
    form::Form,
    layout::{Page, Section},
    problem::{Labelled, Problem},
    see_other, subscription,
    text::shown,
};
use crate::project::{Fields, Project, Subscription};

const TARGET_URL: &str = "Target URL";
const EVENT: &str = "Event";
const SECRET: &str = "Signing secret";
const NO_SECRET: &str = "No secret: do not sign deliveries";

pub(super) async fn list(project: Data<Project>) -> HttpResponse {
    page(&project, &Draft::default(), None, None)
}

/// Shows the secret of one subscription. The answer to a form, so that no link and no address in
/// the browser's history shows it.
pub(super) async fn reveal(id: Path<String>, project: Data<Project>) -> HttpResponse {
    match subscription::find(&project, &id) {
        Some(known) => page(&project, &Draft::default(), None, Some(known.id)),
        None => subscription::missing(&project),
    }
}

pub(super) async fn create(project: Data<Project>, body: Bytes) -> HttpResponse {
    let form = Form::read(&body);
    let draft = Draft::read(&form);
    if let Some(text) = draft.contradiction() {
        return page(&project, &draft, Some(text), None);
    }
    let secret = match draft.secret.as_str() {
        "" if draft.no_secret => None,
        "" => Some(project.signing_secret.clone()),
        given => Some(given.to_owned()),
    };
    let fields = Fields {
        target_url: Some(draft.target_url.clone()),
        event: Some(draft.event.clone()),
        signing_secret: secret,
        any_event: true,
        ..Fields::default()
    };
    match project.change_subscriptions(|all| all.create(fields)) {
        Ok(created) => see_other(&in_list(created.id)),
        Err(refusal) => page(&project, &draft, Some(&refusal.text()), None),
    }
}

/// The row of a subscription. Without a fragment, a browser goes to that of the form.
pub(super) fn in_list(id: u64) -> String {
    format!("/subscriptions#subscription-{id}")
}

/// What is in the form of a subscription.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub(super) target_url: String,
    pub(super) event: String,
    pub(super) secret: String,
    /// Whether there is to be no secret.
    pub(super) no_secret: bool,
}

impl Draft {
    pub(super) fn read(form: &Form) -> Self {
        let text = |name| form.text(name).trim().to_owned();
        // A secret may begin or end with a space.
        let secret = form.text("signing_secret").to_owned();
        Self { target_url: text("target_url"), event: text("event"), secret, no_secret: form.has("no_secret") }
    }

    /// What contradicts itself in the form.
    pub(super) fn contradiction(&self) -> Option<&'static str> {
        (self.no_secret && !self.secret.is_empty())
            .then_some("`signing_secret` is filled in, and `no_secret` is ticked; choose one")
    }
}

/// Ties an error to the field that it is about.
pub(super) fn problem_of(error: &str, no_secret: &str) -> Problem {
    let field = |name, label| Labelled { name, label, id: name };
    Problem::of(
        error,
        &[
            field("target_url", TARGET_URL),
            field("event", EVENT),
            field("signing_secret", SECRET),
            field("no_secret", no_secret),
        ],
    )
}

fn page(project: &Project, draft: &Draft, error: Option<&str>, revealed: Option<u64>) -> HttpResponse {
    let problem = error.map(|error| problem_of(error, NO_SECRET)).unwrap_or_default();
    let subscriptions = project.subscriptions();
    let hint =
        html! { "At most 32 characters. Leave it empty to use the secret that the simulator printed at its start." };
    let body = html! {
        h1 { "Subscriptions" }
        p.intro { "A subscription names an event and the URL that gets it. Each has a signing secret of its own." }
        @if subscriptions.is_empty() {
            p.empty {
                "There are no subscriptions, so no event is delivered. Create one below, or start an application that "
                "subscribes through the REST API."
            }
        } @else {
            (table(&subscriptions, revealed))
        }
        section aria-labelledby="create" {
            h2 #create { "New subscription" }
            form.panel method="post" action="/subscriptions#create" {
                (problem.alert())
                (fields(draft, &problem, "", hint, NO_SECRET))
                p { button.primary { "Create" } }
            }
        }
    };
    Page::new("Subscriptions", Section::Subscriptions, body).bad_if(problem.is_there()).answer(project)
}

fn table(subscriptions: &[Subscription], revealed: Option<u64>) -> Markup {
    html! {
        div.scroll {
            table.list.subscriptions {
                caption { "Subscriptions, in the order in which they were created" }
                thead {
                    tr {
                        th scope="col" { "ID" }
                        th scope="col" { "Event" }
                        th scope="col" { "Target URL" }
                        th scope="col" { "State" }
                        th scope="col" { "Signing secret" }
                        th scope="col" { "Actions" }
                    }
                }
                tbody {
                    @for known in subscriptions {
                        tr id={ "subscription-" (known.id) } {
                            td.half data-label="ID" { (known.id) }
                            td.half data-label="Event" {
                                a href={ "/?subscription=" (known.id) } { (shown(&known.event)) }
                                @if let Some(version) = known.version.as_deref().filter(|version| *version != "0.7") {
                                    span.number { "version " (shown(version)) }
                                }
                            }
                            td.target data-label="Target URL" { span.url { (shown(&known.target_url)) } }
                            td.half data-label="State" { (state(known.is_active)) }
                            td.half data-label="Signing secret" { (secret(known, revealed)) }
                            td.row-actions data-label="Actions" { (actions(known)) }
                        }
                    }
                }
            }
        }
    }
}

pub(super) fn state(is_active: bool) -> Markup {
    html! {
        @if is_active {
            span.state.acknowledged { span.symbol aria-hidden="true" { "✓" } "Active" }
        } @else {
            span.state.paused { span.symbol aria-hidden="true" { "‖" } "Paused" }
        }
    }
}

fn secret(known: &Subscription, revealed: Option<u64>) -> Markup {
    html! {
        @match &known.signing_secret {
            None => span.none { "none (not signed)" },
            Some(secret) if revealed == Some(known.id) => {
                code.secret { (shown(secret)) } " " a href="/subscriptions" { "Hide" }
            }
            Some(_) => form method="post" action={ "/subscriptions/" (known.id) "/reveal#subscription-" (known.id) } {
                span.none aria-hidden="true" { "••••••" }
                button.small aria-label={ "Show the secret of subscription " (known.id) } { "Show" }
            },
        }
    }
}

fn actions(known: &Subscription) -> Markup {
    let (path, id) = (format!("/subscriptions/{}", known.id), known.id);
    html! {
        @if known.is_active {
            form method="post" action={ (path) "/pause" } {
                button.small aria-label={ "Pause subscription " (id) } { "Pause" }
            }
        } @else {
            form method="post" action={ (path) "/resume" } {
                button.small aria-label={ "Resume subscription " (id) } { "Resume" }
            }
        }
        a.button.small href=(path) aria-label={ "Edit or delete subscription " (id) } { "Edit or delete" }
    }
}

/// The fields of a subscription, in the form of a new one and of one that is edited.
pub(super) fn fields(
    draft: &Draft,
    problem: &Problem,
    secret_placeholder: &str,
    secret_hint: Markup,
    no_secret: &str,
) -> Markup {
    html! {
        div.fields.subscription-fields {
            div.field {
                label for="target_url" { (TARGET_URL) }
                input #target_url name="target_url" type="text" inputmode="url" value=(draft.target_url)
                    placeholder="http://127.0.0.1:8080/hooks" autocomplete="off" spellcheck="false"
                    aria-invalid=[problem.invalid("target_url")]
                    aria-describedby=[problem.described_by("target_url", "")];
            }
            div.field {
                label for="event" { (EVENT) }
                input #event name="event" value=(draft.event) list="known-events" placeholder="file.uploaded"
                    autocomplete="off" spellcheck="false" aria-invalid=[problem.invalid("event")]
                    aria-describedby=[problem.described_by("event", "event-hint")];
                datalist #known-events { @for event in EventKind::KNOWN { option value=(event) {} } }
                p.hint #event-hint {
                    "One of this list, or the name of an event that Uploadcare does not document yet."
                }
            }
            div.field {
                label for="signing_secret" { (SECRET) }
                input #signing_secret name="signing_secret" value=(draft.secret) placeholder=(secret_placeholder)
                    autocomplete="off" spellcheck="false" aria-invalid=[problem.invalid("signing_secret")]
                    aria-describedby=[problem.described_by("signing_secret", "secret-hint")];
                p.hint #secret-hint { (secret_hint) }
            }
        }
        div.choice {
            input #no_secret type="checkbox" name="no_secret" value="yes" checked[draft.no_secret]
                aria-invalid=[problem.invalid("no_secret")]
                aria-describedby=[problem.described_by("no_secret", "")];
            label for="no_secret" { (no_secret) }
        }
    }
}
