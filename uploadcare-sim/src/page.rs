//! The page of the workbench: shows deliveries as they happen, and triggers, replays, pauses and
//! breaks them by hand. Server-rendered; everything works by links and forms, and the script only
//! adds live updates.
//!
//! Each file below is one part of it. The page shows texts that strangers wrote, such as file names
//! and the answers of receivers: `maud` escapes them, `text.rs` makes invisible characters visible,
//! and the headers of `headers.rs` forbid scripts and styles inside the HTML.

mod assets;
mod attempts;
mod compare;
mod deliveries;
mod delivery;
mod diff;
mod draft;
mod faults;
mod fields;
mod form;
mod headers;
mod json;
mod layout;
mod live;
mod problem;
mod replay;
mod start;
mod subscription;
mod subscriptions;
mod text;
mod trigger;

use actix_web::{
    Error, HttpResponse,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    guard::{Guard, GuardContext},
    http::{Method, header::LOCATION},
    middleware::{Next, from_fn},
    web::{self, Data, PayloadConfig, ServiceConfig},
};

use crate::{access, project::Project};

/// The most bytes of a form. A payload in a form takes up to three times its size.
const FORM_LIMIT: usize = 4 * 1024 * 1024;

/// Adds the routes. Paths of the REST API and of `/_sim` are left to others.
pub(crate) fn configure(config: &mut ServiceConfig) {
    let scope = web::scope("")
        .guard(OfThePage)
        .app_data(PayloadConfig::new(FORM_LIMIT))
        .route("/", web::get().to(deliveries::list))
        .route("/deliveries/{id}", web::get().to(delivery::show))
        .route("/deliveries/{id}/replay", web::post().to(replay::replay))
        .route("/compare", web::get().to(compare::compare))
        .route("/subscriptions", web::get().to(subscriptions::list))
        .route("/subscriptions", web::post().to(subscriptions::create))
        .route("/subscriptions/{id}", web::get().to(subscription::show))
        .route("/subscriptions/{id}", web::post().to(subscription::edit))
        .route("/subscriptions/{id}/pause", web::post().to(subscription::pause))
        .route("/subscriptions/{id}/resume", web::post().to(subscription::resume))
        .route("/subscriptions/{id}/delete", web::post().to(subscription::delete))
        .route("/subscriptions/{id}/reveal", web::post().to(subscriptions::reveal))
        .route("/trigger", web::get().to(trigger::show))
        .route("/trigger", web::post().to(trigger::trigger))
        .route("/faults", web::get().to(faults::show))
        .route("/faults/off", web::post().to(faults::switch_all_off))
        .route("/faults/rest", web::post().to(faults::add_rest_fault))
        .route("/faults/rest/clear", web::post().to(faults::clear_rest_faults))
        .route("/faults/delivery/{kind}", web::post().to(faults::switch))
        .route("/_page/live", web::get().to(live::list))
        .route("/_page/live/deliveries/{id}", web::get().to(live::delivery))
        .route("/_page/workbench.css", web::get().to(assets::stylesheet))
        .route("/_page/workbench.js", web::get().to(assets::script))
        .default_service(web::to(layout::not_found))
        .wrap(from_fn(once_kept))
        .wrap(from_fn(access::guard))
        .wrap(from_fn(headers::add));
    config.service(scope);
}

/// Answers a form once what it changed is in the store, if there is one.
async fn once_kept(
    project: Data<Project>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse, Error> {
    let changes = request.method() == Method::POST;
    let answer = next.call(request).await?.map_into_boxed_body();
    if changes && let Err(problem) = project.kept().await {
        return Ok(answer.into_response(HttpResponse::ServiceUnavailable().body(problem)));
    }
    Ok(answer)
}

/// Matches the paths of the page, and what a browser asks for that is no path of the REST API.
struct OfThePage;

impl Guard for OfThePage {
    fn check(&self, context: &GuardContext<'_>) -> bool {
        const FIRST: [&str; 7] = ["", "deliveries", "compare", "subscriptions", "trigger", "faults", "_page"];
        let head = context.head();
        let first = head.uri.path().split('/').nth(1).unwrap_or_default();
        let is_lost = || head.method == Method::GET && access::takes_html(head.headers()) && first != "webhooks";
        FIRST.contains(&first) || is_lost()
    }
}

/// Leads the browser on after a form was carried out.
fn see_other(path: &str) -> HttpResponse {
    HttpResponse::SeeOther().insert_header((LOCATION, path)).finish()
}
