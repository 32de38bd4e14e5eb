//! Answers in Uploadcare's form.

use actix_web::{HttpResponse, HttpResponseBuilder, http::StatusCode};
use serde_json::json;
use uploadcare_hooks::service::MEDIA_TYPE;
use uuid::Uuid;

/// Starts an answer with a request id, which all of Uploadcare's answers have.
pub(crate) fn start(status: StatusCode) -> HttpResponseBuilder {
    let mut answer = HttpResponse::build(status);
    answer.insert_header(("X-Uploadcare-Request-Id", Uuid::new_v4().to_string()));
    answer.content_type(MEDIA_TYPE);
    answer
}

pub(crate) fn detail(status: StatusCode, detail: &str) -> HttpResponse {
    start(status).json(json!({"detail": detail}))
}

pub(crate) fn not_found() -> HttpResponse {
    detail(StatusCode::NOT_FOUND, "Not found.")
}
