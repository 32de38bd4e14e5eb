//! The faults of REST calls and of deliveries.

use std::collections::BTreeMap;

use actix_web::{
    HttpResponse,
    web::{Bytes, Data},
};

use super::{bad, read};
use crate::project::{DeliveryFault, DeliveryFaultKind, Fault, Project};

pub(super) async fn of_rest(project: Data<Project>) -> HttpResponse {
    HttpResponse::Ok().json(project.faults())
}

pub(super) async fn add_of_rest(project: Data<Project>, body: Bytes) -> HttpResponse {
    match read::<Fault>(&body) {
        Ok(fault) => {
            project.add_fault(fault);
            HttpResponse::NoContent().finish()
        }
        Err(problem) => bad(&problem),
    }
}

pub(super) async fn clear_of_rest(project: Data<Project>) -> HttpResponse {
    project.clear_faults();
    HttpResponse::NoContent().finish()
}

pub(super) async fn of_deliveries(project: Data<Project>) -> HttpResponse {
    HttpResponse::Ok().json(project.delivery_faults())
}

/// Sets the faults that the request names, and leaves the others as they are.
pub(super) async fn set_of_deliveries(project: Data<Project>, body: Bytes) -> HttpResponse {
    let faults = read::<BTreeMap<DeliveryFaultKind, DeliveryFault>>(&body);
    match faults.and_then(|faults| project.set_delivery_faults(faults)) {
        Ok(()) => HttpResponse::Ok().json(project.delivery_faults()),
        Err(problem) => bad(&problem),
    }
}
