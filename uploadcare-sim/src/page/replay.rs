//! Sends a delivery once more, as it was or edited.

use actix_web::{
    HttpResponse,
    web::{Bytes, Data, Path},
};
use maud::{Markup, html};

use super::{
    delivery::{find, missing, page},
    form::Form,
    json,
    problem::{Labelled, Problem},
    see_other,
    text::plain,
};
use crate::{
    delivery::{EventSender, SendError},
    project::{Delivery, Project},
    trigger::{All, Receivers, Replay},
};

/// The fields of the form.
const FIELDS: [Labelled<'_>; 2] =
    [Labelled { name: "body", label: "Payload", id: "body" }, Labelled { name: "to", label: "Send to", id: "to" }];

/// What is in the form of an edited replay.
#[derive(Debug)]
pub(super) struct Draft {
    body: String,
    /// `same`, `all`, or the id of a subscription.
    to: String,
}

impl Draft {
    /// The form before anything is typed.
    pub(super) fn of(delivery: &Delivery) -> Self {
        Self { body: json::editable(&delivery.body), to: "same".to_owned() }
    }

    fn replay(&self, original: &Delivery) -> Result<Replay, String> {
        // The form shows the payload indented. If only that changed, the original bytes are sent.
        let untouched = self.body == json::editable(&original.body);
        let subscriptions = match self.to.as_str() {
            "same" | "" => None,
            "all" => Some(Receivers::All(All::All)),
            id => Some(Receivers::Some(vec![
                id.parse().map_err(|_| format!("`to` is {id:?}, which is no id of a subscription"))?,
            ])),
        };
        Ok(Replay { body: (!untouched).then(|| self.body.clone()), subscriptions })
    }
}

pub(super) async fn replay(id: Path<String>, sender: Data<EventSender>, body: Bytes) -> HttpResponse {
    let project = &sender.project;
    let Some(original) = find(project, &id) else { return missing(project) };
    let form = Form::read(&body);
    let draft = if form.has("body") {
        Draft { body: form.text("body").to_owned(), to: form.text("to").to_owned() }
    } else {
        Draft::of(&original)
    };
    let replay = draft.replay(&original).map_err(SendError::Invalid);
    match replay.and_then(|replay| sender.replay(original.id, &replay)).as_deref() {
        Ok([]) => page(project, &original, &draft, Some("no subscription is active, so nothing was sent")),
        // Without a fragment of its own, the browser would go to that of the form.
        Ok([copy]) => see_other(&format!("/deliveries/{copy}#main")),
        Ok(_) => see_other("/#main"),
        Err(SendError::NotFound) => missing(project),
        Err(error) => page(project, &original, &draft, Some(error.text())),
    }
}

/// The two forms: as it was, and edited.
pub(super) fn forms(project: &Project, delivery: &Delivery, draft: &Draft, error: Option<&str>) -> Markup {
    let problem = error.map(|error| Problem::of(error, &FIELDS)).unwrap_or_default();
    let action = format!("/deliveries/{}/replay", delivery.id);
    let subscriptions = project.subscriptions();
    let active = subscriptions.iter().filter(|known| known.is_active).count();
    html! {
        section aria-labelledby="replay" {
            h2 #replay { "Replay" }
            form method="post" action=(action) {
                p { button.primary { "Replay unchanged" } }
                p.hint { "Sends the same bytes to the same target URL, as a new delivery." }
            }
            details #edit open[problem.is_there()] {
                summary { "Change the payload or who gets it" }
                form method="post" action={ (action) "#edit" } {
                    (problem.alert())
                    div.field {
                        label for="body" { "Payload" }
                        textarea #body name="body" rows="24" spellcheck="false" autocomplete="off" dir="ltr"
                            aria-invalid=[problem.invalid("body")]
                            aria-describedby=[problem.described_by("body", "body-hint")]
                            { (draft.body) }
                        p.hint #body-hint { "Sent exactly as written here, and signed again." }
                    }
                    div.field {
                        label for="to" { "Send to" }
                        select #to name="to" aria-invalid=[problem.invalid("to")]
                            aria-describedby=[problem.described_by("to", "")] {
                            option value="same" selected[draft.to == "same"] { "The same target URL" }
                            option value="all" selected[draft.to == "all"] { "All active subscriptions (" (active) ")" }
                            @for known in &subscriptions {
                                option value=(known.id) selected[draft.to == known.id.to_string()] {
                                    (known.id) ": " (plain(&known.event, 40)) " → " (plain(&known.target_url, 60))
                                    @if !known.is_active { " (paused)" }
                                }
                            }
                        }
                    }
                    p { button.primary { "Replay with changes" } }
                }
            }
        }
    }
}
