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
    layout::problem,
    see_other,
    text::plain,
};
use crate::{
    delivery::{EventSender, SendError},
    project::{Delivery, Project},
    trigger::{All, Receivers, Replay},
};

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
            id => Some(Receivers::Some(vec![id.parse().map_err(|_| format!("{id:?} is no id of a subscription"))?])),
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
        Ok([]) => page(project, &original, &draft, Some("no subscription is active, so there is no one to send it to")),
        Ok([copy]) => see_other(&format!("/deliveries/{copy}")),
        Ok(_) => see_other("/"),
        Err(SendError::NotFound) => missing(project),
        Err(error) => page(project, &original, &draft, Some(error.text())),
    }
}

/// The two forms: as it was, and edited.
pub(super) fn forms(project: &Project, delivery: &Delivery, draft: &Draft, problem_text: Option<&str>) -> Markup {
    let action = format!("/deliveries/{}/replay", delivery.id);
    let subscriptions = project.subscriptions();
    let active = subscriptions.iter().filter(|known| known.is_active).count();
    html! {
        section aria-labelledby="replay" {
            h2 #replay { "Replay" }
            form method="post" action=(action) {
                p { button.primary { "Replay as it was" } }
                p.hint { "Sends the same bytes to the same target URL, as a new delivery." }
            }
            details #edit open[problem_text.is_some()] {
                summary { "Edit the payload, or choose who gets it" }
                form method="post" action={ (action) "#edit" } {
                    (problem(problem_text))
                    div.field {
                        label for="body" { "Payload" }
                        textarea #body name="body" rows="24" spellcheck="false" autocomplete="off" dir="ltr" {
                            (draft.body)
                        }
                        p.hint { "It is sent exactly as it is written here, and signed again." }
                    }
                    div.field {
                        label for="to" { "Send to" }
                        select #to name="to" {
                            option value="same" selected[draft.to == "same"] {
                                "The same target URL: " (plain(&delivery.target_url, 60))
                            }
                            option value="all" selected[draft.to == "all"] { "All active subscriptions (" (active) ")" }
                            @for known in &subscriptions {
                                option value=(known.id) selected[draft.to == known.id.to_string()] {
                                    (known.id) ": " (plain(&known.event, 40)) " → " (plain(&known.target_url, 60))
                                    @if !known.is_active { " (paused)" }
                                }
                            }
                        }
                    }
                    p { button.primary { "Replay edited" } }
                }
            }
        }
    }
}
