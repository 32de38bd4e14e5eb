//! The endpoints below `/_sim`, which control the simulator itself. Uploadcare has nothing like
//! them. `openapi.json` describes them; a test compares it with [`ENDPOINTS`].

mod changes;
mod deliveries;
mod events;
mod faults;
mod search;
mod state;
mod subscriptions;
mod wait;

use std::collections::BTreeMap;

use actix_web::{
    Error, HttpResponse, Resource, Route, Scope,
    body::MessageBody,
    dev::{ServiceFactory, ServiceRequest, ServiceResponse},
    http::{Method, StatusCode, header::ALLOW},
    middleware::{Next, from_fn},
    web::{self, PayloadConfig},
};
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::{
    access,
    answer::{detail, start},
    delivery::SendError,
    project::Project,
};

/// The longest body of a request, in bytes. JSON in a field takes more bytes than by itself, so the
/// longest payload ([`MAX_PAYLOAD`](crate::trigger::MAX_PAYLOAD)) is shorter.
const LONGEST_BODY: usize = 4 * 1024 * 1024;

/// What the simulator answers below `/_sim`.
struct Endpoint {
    method: Method,
    path: &'static str,
    route: fn(Route) -> Route,
}

/// All endpoints, by path.
static ENDPOINTS: [Endpoint; 19] = [
    endpoint(Method::GET, "/changes", |route| route.to(changes::changes)),
    endpoint(Method::GET, "/deliveries", |route| route.to(deliveries::attempts)),
    endpoint(Method::GET, "/deliveries/{id}", |route| route.to(deliveries::one)),
    endpoint(Method::POST, "/deliveries/{id}/replay", |route| route.to(deliveries::replay)),
    endpoint(Method::GET, "/delivery_faults", |route| route.to(faults::of_deliveries)),
    endpoint(Method::PATCH, "/delivery_faults", |route| route.to(faults::set_of_deliveries)),
    endpoint(Method::POST, "/events", |route| route.to(events::trigger)),
    endpoint(Method::GET, "/faults", |route| route.to(faults::of_rest)),
    endpoint(Method::POST, "/faults", |route| route.to(faults::add_of_rest)),
    endpoint(Method::DELETE, "/faults", |route| route.to(faults::clear_of_rest)),
    endpoint(Method::GET, "/openapi.json", |route| route.to(state::openapi)),
    endpoint(Method::POST, "/reset", |route| route.to(state::reset)),
    endpoint(Method::GET, "/search", |route| route.to(search::search)),
    endpoint(Method::GET, "/subscriptions", |route| route.to(subscriptions::list)),
    endpoint(Method::POST, "/subscriptions", |route| route.to(subscriptions::create)),
    endpoint(Method::GET, "/subscriptions/{id}", |route| route.to(subscriptions::one)),
    endpoint(Method::PATCH, "/subscriptions/{id}", |route| route.to(subscriptions::change)),
    endpoint(Method::DELETE, "/subscriptions/{id}", |route| route.to(subscriptions::delete)),
    endpoint(Method::GET, "/wait", |route| route.to(wait::wait)),
];

const fn endpoint(method: Method, path: &'static str, route: fn(Route) -> Route) -> Endpoint {
    Endpoint { method, path, route }
}

/// The routes. Only requests that [`access::guard`] lets through reach them.
pub(crate) fn routes() -> Scope<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<impl MessageBody>,
        Error = Error,
        InitError = (),
    >,
> {
    let mut resources: BTreeMap<&str, (Resource, Vec<&str>)> = BTreeMap::new();
    for Endpoint { method, path, route } in &ENDPOINTS {
        let (resource, methods) = resources.remove(path).unwrap_or_else(|| (web::resource(*path), Vec::new()));
        let methods = [methods, vec![method.as_str()]].concat();
        resources.insert(path, (resource.route(route(web::method(method.clone()))), methods));
    }
    let scope = web::scope("/_sim").app_data(PayloadConfig::new(LONGEST_BODY));
    let scope = resources.into_values().fold(scope, |scope, (resource, methods)| {
        let allowed = methods.join(", ");
        scope.service(resource.default_service(web::to(move || method_not_allowed(allowed.clone()))))
    });
    scope.default_service(web::to(unknown)).wrap(from_fn(refuse_long_bodies)).wrap(from_fn(access::guard))
}

/// Says in JSON that a body is too long: actix-web's own answer is plain text.
async fn refuse_long_bodies(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse, Error> {
    let answer = next.call(request).await?.map_into_boxed_body();
    if answer.status() != StatusCode::PAYLOAD_TOO_LARGE {
        return Ok(answer);
    }
    let mebibytes = LONGEST_BODY / 1024 / 1024;
    let words = format!("the body of the request is longer than {LONGEST_BODY} bytes ({mebibytes} MiB)");
    Ok(answer.into_response(detail(StatusCode::PAYLOAD_TOO_LARGE, &words)))
}

async fn method_not_allowed(allowed: String) -> HttpResponse {
    let mut answer = start(StatusCode::METHOD_NOT_ALLOWED);
    answer.insert_header((ALLOW, allowed.as_str()));
    answer.json(json!({"detail": format!("this path takes only {allowed}")}))
}

async fn unknown(request: actix_web::HttpRequest) -> HttpResponse {
    let endpoints: Vec<_> = ENDPOINTS.iter().map(|known| format!("{} /_sim{}", known.method, known.path)).collect();
    let words = format!(
        "there is no {}; `endpoints` lists what there is, and GET /_sim/openapi.json describes it",
        request.path().escape_debug()
    );
    start(StatusCode::NOT_FOUND).json(json!({"detail": words, "endpoints": endpoints}))
}

fn bad(problem: &str) -> HttpResponse {
    detail(StatusCode::BAD_REQUEST, problem)
}

/// Says why an order was not carried out.
fn not_sent(error: &SendError) -> HttpResponse {
    let status = match error {
        SendError::NotFound => StatusCode::NOT_FOUND,
        SendError::Invalid(_) => StatusCode::BAD_REQUEST,
        SendError::Full(_) => StatusCode::SERVICE_UNAVAILABLE,
    };
    detail(status, error.text())
}

/// Reads a body. The error names the field that is wrong.
fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    if body.trim_ascii_start().first() != Some(&b'{') {
        return Err("the request cannot be read: its body is no JSON object".to_owned());
    }
    serde_json::from_slice(body).map_err(|error| {
        // serde speaks of Rust's types.
        let problem = error.to_string().replace("usize", "a number").replace("u64", "a number");
        // The path of the error takes a second pass.
        let reader = &mut serde_json::Deserializer::from_slice(body);
        let path = serde_path_to_error::deserialize::<_, T>(reader).err().map(|error| error.path().to_string());
        match path.filter(|path| path != "." && !problem.contains(&format!("`{path}`"))) {
            Some(path) => format!("the request cannot be read: `{path}`: {problem}"),
            None => format!("the request cannot be read: {problem}"),
        }
    })
}

/// Reads a body that may be left out.
fn read_or_default<T: DeserializeOwned + Default>(body: &[u8]) -> Result<T, String> {
    if body.is_empty() { Ok(T::default()) } else { read(body) }
}

/// Answers once all changes are in the store, if there is one.
async fn once_kept(project: &Project, answer: HttpResponse) -> HttpResponse {
    match project.kept().await {
        Ok(()) => answer,
        Err(problem) => detail(StatusCode::SERVICE_UNAVAILABLE, &problem),
    }
}
