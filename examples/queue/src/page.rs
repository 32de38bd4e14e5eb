//! A page for administrators: what waits, what fails and why, and buttons for dead jobs.
//!
//! Its address has a token, so that neither another user of this machine nor another site in the
//! browser can guess it.

use actix_web::{HttpResponse, error, http::header, web};
use serde::Deserialize;
use uploadcare_hooks::{WebhookRouter, queue::DeadJobs};

use crate::html::{SHOWN, render};

#[derive(Clone)]
pub(crate) struct Page {
    hooks: WebhookRouter,
    token: String,
}

impl Page {
    pub(crate) fn new(hooks: &WebhookRouter, token: String) -> Self {
        Self { hooks: hooks.clone(), token }
    }

    pub(crate) fn token(&self) -> &str {
        &self.token
    }
}

pub(crate) fn routes(config: &mut web::ServiceConfig) {
    config.route("/queue/{token}", web::get().to(show)).route("/queue/{token}", web::post().to(decide));
}

/// What a button says: which dead job, and what is to become of it.
#[derive(Deserialize)]
struct Decision {
    verdict: String,
    delivery: String,
    handler: String,
}

async fn show(page: web::Data<Page>, token: web::Path<String>) -> actix_web::Result<HttpResponse> {
    check(&page, &token)?;
    let html = render(&page.hooks).await.map_err(error::ErrorServiceUnavailable)?;
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'"))
        .insert_header((header::REFERRER_POLICY, "no-referrer"))
        .content_type("text/html; charset=utf-8")
        .body(html))
}

async fn decide(
    page: web::Data<Page>,
    token: web::Path<String>,
    decision: web::Form<Decision>,
) -> actix_web::Result<HttpResponse> {
    check(&page, &token)?;
    let wanted = DeadJobs::default().handler(&decision.handler);
    let dead = page.hooks.find_dead_jobs(&wanted, SHOWN).await.map_err(error::ErrorServiceUnavailable)?;
    let Some(dead) = dead.iter().find(|dead| dead.job.delivery_id().to_string() == decision.delivery) else {
        return Err(error::ErrorNotFound("this job is no longer dead"));
    };
    match decision.verdict.as_str() {
        "again" => page.hooks.run_again(dead).await,
        "discard" => page.hooks.discard_dead_job(dead, "by an administrator").await,
        _ => return Err(error::ErrorBadRequest("the verdict is again or discard")),
    }
    .map_err(error::ErrorServiceUnavailable)?;
    Ok(HttpResponse::SeeOther().insert_header((header::LOCATION, format!("/queue/{}", page.token))).finish())
}

fn check(page: &Page, token: &str) -> actix_web::Result<()> {
    if token == page.token { Ok(()) } else { Err(error::ErrorNotFound("there is no such page")) }
}
