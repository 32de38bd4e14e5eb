//! The webhook part of Uploadcare's REST API, with the checks that Uploadcare makes.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{Method, StatusCode},
    web::{Bytes, Data},
};
use jiff::Timestamp;
use serde_json::{Value, json};
use uploadcare_hooks::service::MEDIA_TYPE;

use crate::{
    answer::{detail, not_found, start},
    auth::{self, SignedParts},
    fault,
    project::{Fields, Project, Refusal},
};

/// Answers a call, with the fault that it runs into. A fault waits for a call of the webhook part
/// that has the right keys: what browsers and scanners ask for does not use it up.
pub(crate) async fn call(request: HttpRequest, project: Data<Project>, body: Bytes) -> HttpResponse {
    if let Err((status, problem)) = check(&request, &project, &body) {
        return detail(status, &problem);
    }
    if !request.path().starts_with("/webhooks/") {
        return not_found();
    }
    let answer = || answer(&request, &project, &body);
    let answer = match project.next_fault() {
        Some(fault) => fault::fail(fault, answer).await,
        None => answer(),
    };
    if request.method() == Method::GET {
        return answer;
    }
    match project.kept().await {
        Ok(()) => answer,
        Err(problem) => detail(StatusCode::INTERNAL_SERVER_ERROR, &problem),
    }
}

/// Checks the version that the call wants, and its keys. Returns why the call is refused.
fn check(request: &HttpRequest, project: &Project, body: &[u8]) -> Result<(), (StatusCode, String)> {
    let header = |name: &str| header(request, name);
    if header("accept") != Some(MEDIA_TYPE) {
        let problem =
            "Incorrect Accept header provided. Make sure to specify API version. Refer to REST API docs for details.";
        return Err((StatusCode::NOT_ACCEPTABLE, problem.to_owned()));
    }
    let parts = SignedParts {
        authorization: header("authorization"),
        method: request.method().as_str(),
        body,
        content_type: header("content-type").unwrap_or_default(),
        date: header("date").or_else(|| header("x-uploadcare-date")),
        path_and_query: request.uri().path_and_query().map_or("/", |path| path.as_str()),
    };
    auth::check(&project.keys, &parts, Timestamp::now()).map_err(|problem| (StatusCode::UNAUTHORIZED, problem))
}

fn header<'a>(request: &'a HttpRequest, name: &str) -> Option<&'a str> {
    request.headers().get(name).and_then(|value| value.to_str().ok())
}

fn answer(request: &HttpRequest, project: &Project, body: &[u8]) -> HttpResponse {
    let content_type = header(request, "content-type").unwrap_or_default();
    carry_out(request, project, content_type, body).unwrap_or_else(|refusal| match refusal {
        Refusal::NotFound => not_found(),
        Refusal::Invalid(problem) => start(StatusCode::BAD_REQUEST).json(problem),
    })
}

/// Carries out a call that is authenticated.
fn carry_out(
    request: &HttpRequest,
    project: &Project,
    content_type: &str,
    body: &[u8],
) -> Result<HttpResponse, Refusal> {
    let path = request.path();
    let id = || path.strip_prefix("/webhooks/")?.strip_suffix('/')?.parse::<u64>().ok();
    Ok(match (request.method(), path, id()) {
        (&Method::GET, "/webhooks/", _) => start(StatusCode::OK).json(project.subscriptions()),
        (&Method::POST, "/webhooks/", _) => {
            let fields = fields(content_type, body)?;
            start(StatusCode::CREATED).json(project.change_subscriptions(|all| all.create(fields))?)
        }
        (&Method::DELETE, "/webhooks/unsubscribe/", _) => {
            let fields = fields(content_type, body)?;
            project.change_subscriptions(|all| all.unsubscribe(fields))?;
            start(StatusCode::NO_CONTENT).finish()
        }
        (&Method::GET, _, Some(id)) => start(StatusCode::OK).json(project.subscription(id)?),
        (&Method::PUT, _, Some(id)) => {
            let fields = fields(content_type, body)?;
            start(StatusCode::OK).json(project.change_subscriptions(|all| all.update(id, fields))?)
        }
        (&Method::DELETE, _, Some(id)) => {
            project.change_subscriptions(|all| all.delete(id))?;
            start(StatusCode::NO_CONTENT).finish()
        }
        (method, "/webhooks/", _) => method_not_allowed(method),
        (method, _, Some(_)) => method_not_allowed(method),
        _ => return Err(Refusal::NotFound),
    })
}

/// Reads a form or a JSON object. Ignores unknown fields.
fn fields(content_type: &str, body: &[u8]) -> Result<Fields, Refusal> {
    let bad = |problem: String| Refusal::Invalid(json!({"detail": problem}));
    let pairs: Vec<(String, Value)> = if content_type.starts_with("application/x-www-form-urlencoded") {
        let pairs: Vec<(String, String)> =
            serde_urlencoded::from_bytes(body).map_err(|error| bad(error.to_string()))?;
        pairs.into_iter().map(|(name, value)| (name, Value::String(value))).collect()
    } else if body.is_empty() {
        Vec::new()
    } else {
        let object: serde_json::Map<String, Value> =
            serde_json::from_slice(body).map_err(|error| bad(format!("JSON parse error - {error}")))?;
        object.into_iter().collect()
    };
    let mut fields = Fields::default();
    for (name, value) in pairs {
        let text = match &value {
            Value::Null => continue,
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        match name.as_str() {
            "target_url" => fields.target_url = Some(text),
            "event" => fields.event = Some(text),
            "signing_secret" => fields.signing_secret = Some(text),
            "version" => fields.version = Some(text),
            "is_active" => match text.to_lowercase().as_str() {
                "true" | "1" => fields.is_active = Some(true),
                "false" | "0" => fields.is_active = Some(false),
                _ => return Err(Refusal::Invalid(json!({"is_active": ["Must be a valid boolean."]}))),
            },
            _ => {}
        }
    }
    Ok(fields)
}

fn method_not_allowed(method: &Method) -> HttpResponse {
    detail(StatusCode::METHOD_NOT_ALLOWED, &format!("Method \"{method}\" not allowed."))
}
