//! The endpoints below `/_sim`, which control the simulator itself. Uploadcare has nothing like
//! them.

use std::collections::BTreeMap;

use actix_web::{
    Error, HttpResponse, Scope,
    body::MessageBody,
    dev::{ServiceFactory, ServiceRequest, ServiceResponse},
    http::StatusCode,
    middleware::{Next, from_fn},
    web::{self, Bytes, Data, Path},
};
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::{
    answer::detail,
    delivery::{EventSender, ReplayError, Triggered},
    origin::OwnAddress,
    project::{DeliveryFault, DeliveryFaultKind, Fault, Project},
    trigger::{Replay, Trigger},
};

/// The routes. Unknown paths go to the server's default service.
pub(crate) fn routes()
-> Scope<impl ServiceFactory<ServiceRequest, Config = (), Response = ServiceResponse, Error = Error, InitError = ()>> {
    web::scope("/_sim")
        .route("/events", web::post().to(events))
        .route("/deliveries", web::get().to(deliveries))
        .route("/deliveries/{id}", web::get().to(delivery))
        .route("/deliveries/{id}/replay", web::post().to(replay))
        .route("/faults", web::get().to(faults))
        .route("/faults", web::post().to(add_fault))
        .route("/faults", web::delete().to(clear_faults))
        .route("/delivery_faults", web::get().to(delivery_faults))
        .route("/delivery_faults", web::patch().to(set_delivery_faults))
        .route("/reset", web::post().to(reset))
        .wrap(from_fn(refuse_foreign))
}

/// Refuses requests that a web page of another site may have sent.
pub(crate) async fn refuse_foreign(
    address: Data<OwnAddress>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse, Error> {
    match address.check(request.request()) {
        Ok(()) => Ok(next.call(request).await?.map_into_boxed_body()),
        Err(problem) => Ok(request.into_response(detail(StatusCode::FORBIDDEN, &problem))),
    }
}

async fn events(sender: Data<EventSender>, body: Bytes) -> HttpResponse {
    match read::<Trigger>(&body).and_then(|trigger| sender.trigger(&trigger)) {
        Ok(Triggered { uuid, subscriptions, deliveries }) => HttpResponse::Accepted()
            .json(json!({"uuid": uuid, "subscriptions": subscriptions, "deliveries": deliveries})),
        Err(problem) => detail(StatusCode::BAD_REQUEST, &problem),
    }
}

async fn deliveries(project: Data<Project>) -> HttpResponse {
    let attempts = project.attempts().after(0);
    HttpResponse::Ok().json(attempts)
}

async fn delivery(project: Data<Project>, id: Path<String>) -> HttpResponse {
    match id.parse().ok().and_then(|id| project.delivery(id)) {
        Some(delivery) => HttpResponse::Ok().json(&*delivery),
        None => no_delivery(&id),
    }
}

async fn replay(sender: Data<EventSender>, id: Path<String>, body: Bytes) -> HttpResponse {
    let Ok(uuid) = id.parse() else { return no_delivery(&id) };
    let replay = if body.is_empty() { Ok(Replay::default()) } else { read::<Replay>(&body) };
    match replay.map_err(ReplayError::Invalid).and_then(|replay| sender.replay(uuid, &replay)) {
        Ok(deliveries) => HttpResponse::Accepted().json(json!({"deliveries": deliveries})),
        Err(ReplayError::NotFound) => no_delivery(&id),
        Err(ReplayError::Invalid(problem)) => detail(StatusCode::BAD_REQUEST, &problem),
    }
}

fn no_delivery(id: &str) -> HttpResponse {
    let id = id.escape_debug();
    detail(
        StatusCode::NOT_FOUND,
        &format!("no delivery \"{id}\" is kept; GET /_sim/deliveries lists attempts with ids"),
    )
}

async fn reset(project: Data<Project>) -> HttpResponse {
    project.reset();
    HttpResponse::NoContent().finish()
}

async fn faults(project: Data<Project>) -> HttpResponse {
    HttpResponse::Ok().json(project.faults())
}

async fn clear_faults(project: Data<Project>) -> HttpResponse {
    project.clear_faults();
    HttpResponse::NoContent().finish()
}

async fn delivery_faults(project: Data<Project>) -> HttpResponse {
    HttpResponse::Ok().json(project.delivery_faults())
}

async fn set_delivery_faults(project: Data<Project>, body: Bytes) -> HttpResponse {
    let faults = read::<BTreeMap<DeliveryFaultKind, DeliveryFault>>(&body);
    match faults.and_then(|faults| project.set_delivery_faults(faults)) {
        Ok(()) => HttpResponse::Ok().json(project.delivery_faults()),
        Err(problem) => detail(StatusCode::BAD_REQUEST, &problem),
    }
}

async fn add_fault(project: Data<Project>, body: Bytes) -> HttpResponse {
    match read::<Fault>(&body) {
        Ok(fault) => {
            project.add_fault(fault);
            HttpResponse::NoContent().finish()
        }
        Err(problem) => detail(StatusCode::BAD_REQUEST, &problem),
    }
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    serde_json::from_slice(body).map_err(|error| format!("the request cannot be read: {error}"))
}
