//! The requests: those of the REST API, checked as Uploadcare checks them, and those of the simulator itself.

use std::{io, sync::Arc, time::Duration};

use actix_web::{
    Error, HttpRequest, HttpResponse, HttpResponseBuilder,
    body::BoxBody,
    dev::{ServiceRequest, ServiceResponse},
    http::{Method, StatusCode, header},
    middleware::{Next, from_fn},
    rt::time::sleep,
    web::{self, Bytes, Data, ServiceConfig},
};
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    auth::Claim,
    delivery::{Happening, happen},
    fault::{Fault, FaultKind},
    origin::OwnAddress,
    server::State,
    store::{Fields, Refusal},
};

const ACCEPT: &str = "application/vnd.uploadcare-v0.7+json";
const SLOW: Duration = Duration::from_secs(10);

/// The routes of the server.
pub(crate) fn routes(config: &mut ServiceConfig) {
    let control = web::scope("/_sim")
        .route("/events", web::post().to(events))
        .route(
            "/deliveries",
            web::get().to(|state: Data<Arc<State>>| async move { HttpResponse::Ok().json(state.attempts(0)) }),
        )
        .route("/faults", web::post().to(faults))
        .wrap(from_fn(refuse_foreign));
    config.service(control).default_service(web::to(rest));
}

/// Refuses what a web page of another site may have sent.
async fn refuse_foreign(
    address: Data<OwnAddress>,
    request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    match address.check(request.request()) {
        Ok(()) => next.call(request).await,
        Err(problem) => Ok(request.into_response(detail(StatusCode::FORBIDDEN, &problem))),
    }
}

async fn events(state: Data<Arc<State>>, body: Bytes) -> HttpResponse {
    match own::<Happening>(&body) {
        Ok(happening) if happening.copies > Happening::MAX_COPIES => {
            let (copies, most) = (happening.copies, Happening::MAX_COPIES);
            let problem = format!("`copies` is {copies}, and the limit is {most}; send several events for more");
            detail(StatusCode::BAD_REQUEST, &problem)
        }
        Ok(happening) => {
            let (uuid, subscriptions) = happen(&state, &happening);
            HttpResponse::Accepted().json(json!({"uuid": uuid, "subscriptions": subscriptions}))
        }
        Err(problem) => detail(StatusCode::BAD_REQUEST, &problem),
    }
}

async fn faults(state: Data<Arc<State>>, body: Bytes) -> HttpResponse {
    match own::<Fault>(&body) {
        Ok(fault) => {
            state.faults().add(fault);
            HttpResponse::NoContent().finish()
        }
        Err(problem) => detail(StatusCode::BAD_REQUEST, &problem),
    }
}

/// Reads a request to the simulator itself.
fn own<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    serde_json::from_slice(body).map_err(|error| format!("the request cannot be read: {error}"))
}

/// A call of the REST API, with the fault that it runs into.
async fn rest(request: HttpRequest, state: Data<Arc<State>>, body: Bytes) -> HttpResponse {
    let fault = state.faults().next();
    let answer = match fault {
        Some(Fault { carried_out: false, kind, .. }) if kind != FaultKind::Slow => None,
        _ => Some(checked(&request, &state, &body)),
    };
    match fault.map(|fault| fault.kind) {
        None => answer.unwrap_or_else(not_found),
        Some(FaultKind::Throttle) => start(StatusCode::TOO_MANY_REQUESTS)
            .insert_header((header::RETRY_AFTER, "1"))
            .json(json!({"detail": "Request was throttled. Expected available in 1 seconds."})),
        Some(FaultKind::Error) => {
            HttpResponse::BadGateway().content_type("text/html").body("<html>502 Bad Gateway</html>")
        }
        Some(FaultKind::Slow) => {
            sleep(SLOW).await;
            answer.unwrap_or_else(not_found)
        }
        Some(FaultKind::Cut) => {
            let cut = futures_util::stream::once(async { Err::<Bytes, _>(io::Error::other("the connection is cut")) });
            HttpResponse::Ok().no_chunking(1000).streaming(cut)
        }
    }
}

fn checked(request: &HttpRequest, state: &State, body: &[u8]) -> HttpResponse {
    let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    if header("accept") != Some(ACCEPT) {
        return detail(
            StatusCode::NOT_ACCEPTABLE,
            "Incorrect Accept header provided. Make sure to specify API version. Refer to REST API docs for details.",
        );
    }
    let claim = Claim {
        authorization: header("authorization"),
        method: request.method().as_str(),
        body,
        content_type: header("content-type").unwrap_or_default(),
        date: header("date").or_else(|| header("x-uploadcare-date")),
        path_and_query: request.uri().path_and_query().map_or("/", |path| path.as_str()),
    };
    match state.keys.check(&claim, Timestamp::now()) {
        Ok(()) => call(request, state, claim.content_type, body).unwrap_or_else(|refusal| match refusal {
            Refusal::NotFound => not_found(),
            Refusal::Bad(problem) => start(StatusCode::BAD_REQUEST).json(problem),
        }),
        Err(problem) => detail(StatusCode::UNAUTHORIZED, &problem),
    }
}

/// Carries out a call of somebody who may make it.
fn call(request: &HttpRequest, state: &State, content_type: &str, body: &[u8]) -> Result<HttpResponse, Refusal> {
    let path = request.path();
    let id = || path.strip_prefix("/webhooks/")?.strip_suffix('/')?.parse::<u64>().ok();
    let mut store = state.store();
    Ok(match (request.method(), path, id()) {
        (&Method::GET, "/webhooks/", _) => start(StatusCode::OK).json(store.all()),
        (&Method::POST, "/webhooks/", _) => start(StatusCode::CREATED).json(store.create(fields(content_type, body)?)?),
        (&Method::DELETE, "/webhooks/unsubscribe/", _) => {
            store.unsubscribe(fields(content_type, body)?)?;
            start(StatusCode::NO_CONTENT).finish()
        }
        (&Method::PUT, _, Some(id)) => start(StatusCode::OK).json(store.update(id, fields(content_type, body)?)?),
        (&Method::DELETE, _, Some(id)) => {
            store.delete(id)?;
            start(StatusCode::NO_CONTENT).finish()
        }
        (method, "/webhooks/", _) => method_not_allowed(method),
        (method, _, Some(_)) => method_not_allowed(method),
        _ => return Err(Refusal::NotFound),
    })
}

/// Reads a form or a JSON object; fields that nobody knows are passed over.
fn fields(content_type: &str, body: &[u8]) -> Result<Fields, Refusal> {
    let bad = |problem: String| Refusal::Bad(json!({"detail": problem}));
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
                _ => return Err(Refusal::Bad(json!({"is_active": ["Must be a valid boolean."]}))),
            },
            _ => {}
        }
    }
    Ok(fields)
}

/// An answer with an id, as all of Uploadcare's have.
fn start(status: StatusCode) -> HttpResponseBuilder {
    let mut answer = HttpResponse::build(status);
    answer.insert_header(("X-Uploadcare-Request-Id", Uuid::new_v4().to_string()));
    answer
}

fn detail(status: StatusCode, detail: &str) -> HttpResponse {
    start(status).json(json!({"detail": detail}))
}

fn not_found() -> HttpResponse {
    detail(StatusCode::NOT_FOUND, "Not found.")
}

fn method_not_allowed(method: &Method) -> HttpResponse {
    detail(StatusCode::METHOD_NOT_ALLOWED, &format!("Method \"{method}\" not allowed."))
}
