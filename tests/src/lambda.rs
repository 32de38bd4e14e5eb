//! AWS Lambda on loopback: its runtime API, from which a function's process takes events, and the
//! events that API Gateway and function URLs make of requests.

use std::{
    collections::BTreeMap,
    io,
    net::SocketAddr,
    path::Path,
    process::Stdio,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    Router,
    extract::{self, State},
    http::{HeaderMap, Request, Response, StatusCode},
    response::IntoResponse,
    routing::{get, post},
};
use bytes::Bytes;
use serde_json::{Value, json};
use tokio::{
    net::TcpListener,
    process::{Child, Command},
    sync::{mpsc, oneshot},
};

/// What the function answered: its response, or the error that it reported.
pub type Answer = Result<Value, Value>;

/// A function in a process of its own. Dropping it ends the process.
#[derive(Debug)]
pub struct Function {
    events: mpsc::Sender<Invocation>,
    _process: Child,
}

#[derive(Debug)]
struct Invocation {
    event: Value,
    answer: oneshot::Sender<Answer>,
}

/// The state of the runtime API.
struct Runtime {
    events: tokio::sync::Mutex<mpsc::Receiver<Invocation>>,
    running: Mutex<BTreeMap<String, oneshot::Sender<Answer>>>,
}

impl Function {
    /// Serves the runtime API, and starts this program with these variables as the function.
    ///
    /// # Errors
    /// When no port can be opened, or the program cannot be started.
    pub async fn start(program: impl AsRef<Path>, variables: &[(&str, &str)]) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (events, receiver) = mpsc::channel(16);
        let runtime = Runtime { events: receiver.into(), running: Mutex::default() };
        let api = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/{outcome}", post(ended))
            .with_state(Arc::new(runtime));
        tokio::spawn(async move { axum::serve(listener, api).await });
        let process = Command::new(program.as_ref())
            .env("AWS_LAMBDA_RUNTIME_API", address.to_string())
            .env("AWS_LAMBDA_FUNCTION_NAME", "webhooks")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .envs(variables.iter().copied())
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        Ok(Self { events, _process: process })
    }

    /// Sends the function an event. `None` if the function's process ended.
    pub async fn invoke(&self, event: Value) -> Option<Answer> {
        let (answer, answered) = oneshot::channel();
        self.events.send(Invocation { event, answer }).await.ok()?;
        answered.await.ok()
    }

    /// Sends the function the event of a request, and returns the response that a client gets: 502
    /// if the function reports an error.
    pub async fn call(&self, source: EventSource, request: &Request<Bytes>) -> Response<Bytes> {
        let mut response = Response::new(Bytes::new());
        let answer = self.invoke(source.event(request)).await.and_then(Result::ok).unwrap_or_default();
        let field = |name| answer.get(name).unwrap_or(&Value::Null);
        let status = field("statusCode").as_u64().and_then(|status| u16::try_from(status).ok());
        let status = status.and_then(|status| StatusCode::from_u16(status).ok());
        *response.status_mut() = status.unwrap_or(StatusCode::BAD_GATEWAY);
        add_headers(response.headers_mut(), &answer);
        *response.body_mut() = field("body").as_str().unwrap_or_default().to_owned().into();
        response
    }
}

fn add_headers(headers: &mut HeaderMap, answer: &Value) {
    let single = answer["headers"].as_object().into_iter().flatten();
    let single = single.map(|(name, value)| (name, value.clone()));
    let many = answer["multiValueHeaders"].as_object().into_iter().flatten();
    let many = many.flat_map(|(name, values)| values.as_array().into_iter().flatten().map(move |v| (name, v.clone())));
    for (name, value) in single.chain(many) {
        let name = name.parse::<axum::http::HeaderName>();
        if let (Ok(name), Some(Ok(value))) = (name, value.as_str().map(str::parse)) {
            headers.insert(name, value);
        }
    }
}

async fn next(State(runtime): State<Arc<Runtime>>) -> impl IntoResponse {
    let Some(Invocation { event, answer }) = runtime.events.lock().await.recv().await else {
        return Err(StatusCode::GONE);
    };
    let mut running = runtime.running.lock().unwrap_or_else(PoisonError::into_inner);
    let id = running.last_key_value().map_or(0, |(id, _)| id.parse::<u64>().unwrap_or_default()) + 1;
    running.insert(id.to_string(), answer);
    let headers = [
        ("lambda-runtime-aws-request-id", id.to_string()),
        ("lambda-runtime-deadline-ms", "4102444800000".to_owned()),
        ("lambda-runtime-invoked-function-arn", "arn:aws:lambda:eu-west-1:1:function:webhooks".to_owned()),
    ];
    Ok((headers, event.to_string()))
}

async fn ended(
    State(runtime): State<Arc<Runtime>>,
    extract::Path((id, outcome)): extract::Path<(String, String)>,
    body: Bytes,
) -> StatusCode {
    let answer = runtime.running.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
    let body = serde_json::from_slice(&body).unwrap_or_default();
    if let Some(answer) = answer {
        let _ = answer.send(if outcome == "response" { Ok(body) } else { Err(body) });
    }
    StatusCode::ACCEPTED
}

/// What makes events of requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventSource {
    /// A function URL, or an HTTP API of API Gateway with the stage `$default`: format 2.0.
    FunctionUrl,
    /// An HTTP API of API Gateway with a stage `prod`: format 2.0, and the stage is in the path.
    HttpApi,
    /// A REST API of API Gateway with a stage `prod`: format 1.0, and the stage is not in the path.
    RestApi,
}

impl EventSource {
    /// The event of a request. AWS sends bodies of JSON as text, and others in base64.
    pub fn event(self, request: &Request<Bytes>) -> Value {
        let is_json = request.headers().get("content-type").is_some_and(|kind| kind == "application/json");
        let text = std::str::from_utf8(request.body()).ok().filter(|_| is_json);
        let body = text.map_or_else(|| base64(request.body()), str::to_owned);
        let body = if body.is_empty() { Value::Null } else { body.into() };
        let (method, path, query) = (request.method().as_str(), request.uri().path(), request.uri().query());
        let mut headers: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for (name, value) in request.headers().iter().filter(|(name, _)| *name != "transfer-encoding") {
            headers.entry(name.to_string()).or_default().push(value.to_str().unwrap_or_default());
        }
        if self == Self::RestApi {
            let last: BTreeMap<_, _> = headers.iter().map(|(name, values)| (name, values.last())).collect();
            return json!({
                "resource": "/{proxy+}", "path": path, "httpMethod": method, "headers": last,
                "multiValueHeaders": headers, "queryStringParameters": null, "body": body,
                "isBase64Encoded": text.is_none(),
                "requestContext": {"stage": "prod", "httpMethod": method, "path": format!("/prod{path}")},
            });
        }
        let (stage, path) = match self {
            Self::HttpApi => ("prod", format!("/prod{path}")),
            _ => ("$default", path.to_owned()),
        };
        let joined: BTreeMap<_, _> = headers.iter().map(|(name, values)| (name, values.join(","))).collect();
        json!({
            "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": query.unwrap_or_default(),
            "headers": joined, "body": body, "isBase64Encoded": text.is_none(),
            "requestContext": {
                "stage": stage, "routeKey": "$default", "domainName": "webhooks.lambda-url.eu-west-1.on.aws",
                "http": {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1"},
            },
        })
    }
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let number = (0..3).fold(0, |number, index| number << 8 | group.get(index).map_or(0, |byte| u32::from(*byte)));
        for index in 0..4 {
            let digit = DIGITS.get((number >> (18 - 6 * index) & 63) as usize);
            text.push(if index > group.len() { '=' } else { digit.map_or('=', |digit| char::from(*digit)) });
        }
    }
    text
}

/// Serves the function at a loopback port, as a function URL does.
///
/// # Errors
/// When no port can be opened.
pub async fn serve(function: Function) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let gateway = Router::new()
        .fallback(async |State(function): State<Arc<Function>>, request: extract::Request| {
            let (head, body) = request.into_parts();
            let body = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
            let response = function.call(EventSource::FunctionUrl, &Request::from_parts(head, body)).await;
            response.map(axum::body::Body::from)
        })
        .with_state(Arc::new(function));
    tokio::spawn(async move { axum::serve(listener, gateway).await });
    Ok(address)
}
