//! One subscription: edit, pause, resume, delete.

use actix_web::{
    HttpResponse,
    web::{Bytes, Data, Path},
};
use maud::html;

use super::{
    form::Form,
    layout::{self, Page, Section},
    see_other,
    subscriptions::{Draft, fields, in_list, problem_of, state},
    text::{clock, shown},
};
use crate::project::{Fields, Project, Refusal, Subscription};

/// The label of the box that removes the secret.
const NO_SECRET: &str = "Remove the secret: do not sign deliveries any more";

pub(super) async fn show(id: Path<String>, project: Data<Project>) -> HttpResponse {
    match find(&project, &id) {
        Some(known) => {
            let draft = Draft { target_url: known.target_url.clone(), event: known.event.clone(), ..Draft::default() };
            page(&project, &known, &draft, None)
        }
        None => missing(&project),
    }
}

pub(super) async fn edit(id: Path<String>, project: Data<Project>, body: Bytes) -> HttpResponse {
    let Some(known) = find(&project, &id) else { return missing(&project) };
    let draft = Draft::read(&Form::read(&body));
    if let Some(text) = draft.contradiction() {
        return page(&project, &known, &draft, Some(text));
    }
    let fields = Fields {
        target_url: Some(draft.target_url.clone()),
        event: Some(draft.event.clone()),
        // An empty text removes the secret.
        signing_secret: Some(draft.secret.clone()).filter(|secret| draft.no_secret || !secret.is_empty()),
        any_event: true,
        ..Fields::default()
    };
    match project.change_subscriptions(|all| all.update(known.id, fields)) {
        Ok(changed) => see_other(&in_list(changed.id)),
        Err(Refusal::NotFound) => missing(&project),
        Err(refusal) => page(&project, &known, &draft, Some(&refusal.text())),
    }
}

pub(super) async fn pause(id: Path<String>, project: Data<Project>) -> HttpResponse {
    switch(&id, &project, false)
}

pub(super) async fn resume(id: Path<String>, project: Data<Project>) -> HttpResponse {
    switch(&id, &project, true)
}

fn switch(id: &str, project: &Project, is_active: bool) -> HttpResponse {
    let Some(known) = find(project, id) else { return missing(project) };
    let fields = Fields { is_active: Some(is_active), ..Fields::default() };
    match project.change_subscriptions(|all| all.update(known.id, fields)) {
        Ok(changed) => see_other(&in_list(changed.id)),
        Err(_) => missing(project),
    }
}

pub(super) async fn delete(id: Path<String>, project: Data<Project>) -> HttpResponse {
    let Some(known) = find(&project, &id) else { return missing(&project) };
    match project.change_subscriptions(|all| all.delete(known.id)) {
        Ok(()) => see_other("/subscriptions"),
        Err(_) => missing(&project),
    }
}

pub(super) fn find(project: &Project, id: &str) -> Option<Subscription> {
    project.subscription(id.parse().ok()?).ok()
}

pub(super) fn missing(project: &Project) -> HttpResponse {
    let text = html! { "It was deleted, or it never existed. " a href="/subscriptions" { "Show all subscriptions" } };
    layout::missing(project, "No such subscription", Section::Subscriptions, &text)
}

fn page(project: &Project, known: &Subscription, draft: &Draft, error: Option<&str>) -> HttpResponse {
    let problem = error.map(|error| problem_of(error, NO_SECRET)).unwrap_or_default();
    let path = format!("/subscriptions/{}", known.id);
    let placeholder = if known.signing_secret.is_some() { "unchanged" } else { "none" };
    let hint = html! { "Leave it empty to keep the secret as it is. A new one signs later events. Deliveries that are \
    here already keep the old one." };
    let body = html! {
        p.back { a href="/subscriptions" { "← Subscriptions" } }
        h1 { "Subscription " (known.id) }
        dl.summary {
            div { dt { "State" } dd { (state(known.is_active)) } }
            div { dt { "Created" } dd { (clock(known.created)) } }
            div { dt { "Changed" } dd { (clock(known.updated)) } }
            div.wide { dt { "Target URL" } dd { span.url { (shown(&known.target_url)) } } }
        }
        section aria-labelledby="edit" {
            h2 #edit { "Edit" }
            form.panel method="post" action=(path) {
                (problem.alert())
                (fields(draft, &problem, placeholder, hint, NO_SECRET))
                p { button.primary { "Save" } }
            }
        }
        section aria-labelledby="remove" {
            h2 #remove { "Delete" }
            details {
                summary { "Delete this subscription" }
                form method="post" action={ (path) "/delete" } {
                    p {
                        "It gets no more events. Its deliveries are kept and can be replayed, and those that wait for "
                        "their next try are still sent."
                    }
                    p { button.danger { "Delete subscription " (known.id) } }
                }
            }
        }
    };
    let title = format!("Subscription {}", known.id);
    Page::new(title, Section::Subscriptions, body).bad_if(problem.is_there()).answer(project)
}
