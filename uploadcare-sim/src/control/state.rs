//! The state as a whole, and the description of this API.

use actix_web::{
    HttpResponse,
    web::{Bytes, Data},
};
use serde::Deserialize;

use super::{bad, once_kept, read_or_default};
use crate::project::Project;

const OPENAPI: &str = include_str!("../../openapi.json");

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Reset {
    #[serde(default)]
    keep_subscriptions: bool,
}

pub(super) async fn reset(project: Data<Project>, body: Bytes) -> HttpResponse {
    match read_or_default::<Reset>(&body) {
        Ok(Reset { keep_subscriptions }) => {
            project.reset(keep_subscriptions);
            once_kept(&project, HttpResponse::NoContent().finish()).await
        }
        Err(problem) => bad(&problem),
    }
}

pub(super) async fn openapi() -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(OPENAPI)
}
