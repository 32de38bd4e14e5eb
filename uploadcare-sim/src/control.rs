//! The endpoints below `/_sim`, which control the simulator itself. Uploadcare has nothing like
//! them.

use actix_web::{
    Error, HttpResponse, Scope,
    body::MessageBody,
    dev::{ServiceFactory, ServiceRequest, ServiceResponse},
    http::StatusCode,
    middleware::{Next, from_fn},
    web::{self, Bytes, Data},
};
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::{
    answer::detail,
    delivery::EventSender,
    event::SimulatedEvent,
    origin::OwnAddress,
    project::{Fault, Project},
};

/// The routes. Unknown paths go to the server's default service.
pub(crate) fn routes()
-> Scope<impl ServiceFactory<ServiceRequest, Config = (), Response = ServiceResponse, Error = Error, InitError = ()>> {
    web::scope("/_sim")
        .route("/events", web::post().to(events))
        .route("/deliveries", web::get().to(deliveries))
        .route("/faults", web::post().to(faults))
        .wrap(from_fn(refuse_foreign))
}

/// Refuses requests that a web page of another site may have sent.
async fn refuse_foreign(
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
    let event = match read::<SimulatedEvent>(&body) {
        Ok(event) => event,
        Err(problem) => return detail(StatusCode::BAD_REQUEST, &problem),
    };
    if event.copies > SimulatedEvent::MAX_COPIES {
        let (copies, limit) = (event.copies, SimulatedEvent::MAX_COPIES);
        let problem = format!("`copies` is {copies}, and the limit is {limit}; send several events for more");
        return detail(StatusCode::BAD_REQUEST, &problem);
    }
    let (uuid, subscriptions) = sender.send(&event);
    HttpResponse::Accepted().json(json!({"uuid": uuid, "subscriptions": subscriptions}))
}

async fn deliveries(project: Data<Project>) -> HttpResponse {
    let attempts = project.attempts().after(0);
    HttpResponse::Ok().json(attempts)
}

async fn faults(project: Data<Project>, body: Bytes) -> HttpResponse {
    match read::<Fault>(&body) {
        Ok(fault) => {
            project.faults().add(fault);
            HttpResponse::NoContent().finish()
        }
        Err(problem) => detail(StatusCode::BAD_REQUEST, &problem),
    }
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    serde_json::from_slice(body).map_err(|error| format!("the request cannot be read: {error}"))
}
