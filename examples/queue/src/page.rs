//! A page for administrators: what waits, what fails and why, and buttons for dead jobs.
//!
//! Its address has a token, so that neither another user of this machine nor another site in the
//! browser can guess it.

use std::fmt::Write;

use actix_web::{HttpResponse, error, http::header, web};
use serde::Deserialize;
use uploadcare_hooks::{
    WebhookRouter,
    queue::{DeadJobs, Failure, Job, QueueError},
};

/// How many jobs of each kind the page shows.
const SHOWN: u32 = 50;

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

async fn render(hooks: &WebhookRouter) -> Result<String, QueueError> {
    let stats = hooks.queue_stats().await?;
    let (dead, failing) = (hooks.dead_jobs(SHOWN).await?, hooks.failing_jobs(SHOWN).await?);
    let oldest = stats.oldest_due.map_or_else(|| "none".to_owned(), |oldest| format!("{oldest:.1?}"));
    let mut html = format!(
        "<!doctype html><html lang=en><meta charset=utf-8><title>Queue</title>\
         <style>body{{font:16px system-ui;margin:2em;color-scheme:light dark}}td,th{{padding:.3em 1em .3em 0;\
         text-align:left;vertical-align:top}}form{{display:inline}}</style><h1>Queue</h1>\
         <p>{} waiting (oldest: {oldest}), {} running, {} scheduled, {} dead</p>",
        stats.waiting, stats.running, stats.scheduled, stats.dead
    );
    html.push_str("<h2>Dead</h2><table><tr><th>job<th>attempts<th>died<th>why<th>");
    for dead in &dead {
        row(&mut html, &dead.job, dead.attempts, &dead.died_at.to_string(), &dead.failures);
        let (handler, delivery) = (escaped(dead.job.handler()), dead.job.delivery_id());
        for (verdict, label) in [("again", "Run again"), ("discard", "Discard")] {
            let _ = write!(
                html,
                "<form method=post><input type=hidden name=handler value=\"{handler}\"><input type=hidden \
                 name=delivery value={delivery}><button name=verdict value={verdict}>{label}</button></form> "
            );
        }
    }
    html.push_str("</table><h2>Tried again</h2><table><tr><th>job<th>attempts<th>next<th>why");
    for failing in &failing {
        row(&mut html, &failing.job, failing.attempts, &failing.next_attempt.to_string(), &failing.failures);
    }
    html.push_str("</table>");
    Ok(html)
}

fn row(html: &mut String, job: &Job, attempts: u32, at: &str, failures: &[Failure]) {
    let (handler, event) = (escaped(job.handler()), escaped(job.event().as_str()));
    let _ = write!(html, "<tr><td>{handler}<br>{event}<br>{}<td>{attempts}<td>{at}<td>", job.delivery_id());
    for Failure { attempt, at, error, .. } in failures {
        let _ = write!(html, "{attempt}. {at}: {}<br>", escaped(error));
    }
    html.push_str("<td>");
}

/// Errors may quote a payload, and a payload is text of strangers.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
