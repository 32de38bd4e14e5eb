//! Sends one signed request and reads its answer. Knows nothing of subscriptions.

use std::{
    future::{Future, ready},
    sync::Arc,
    time::Duration,
};

use jiff::Timestamp;
use reqwest::{Method, Response, StatusCode, Url, header};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{
    ApiError, Auth, ClientError,
    auth::{Keys, Signable, http_date},
    retry::{Retries, Settled},
    web_url,
};
use crate::{
    message::{Firsts, with_causes},
    payload::from_slice,
    service::MEDIA_TYPE,
};

const CONTENT_TYPE: &str = "application/json";
const REQUEST_ID: &str = "x-uploadcare-request-id";
/// A project has a few subscriptions of less than a kilobyte each, so a larger answer is no list of
/// them.
const MAX_ANSWER_BYTES: usize = 8 * 1024 * 1024;
const MAX_DETAIL_CHARS: usize = 300;
/// How many different warnings are logged.
const MAX_WARNINGS: usize = 20;

/// Sends requests.
#[derive(Debug, Clone)]
pub(super) struct Transport {
    pub(super) http: reqwest::Client,
    pub(super) keys: Keys,
    pub(super) base_url: Url,
    /// The environment variable that has the base URL, if one has.
    pub(super) base_url_variable: Option<&'static str>,
    pub(super) auth: Auth,
    pub(super) retries: Retries,
    pub(super) warnings: Warnings,
}

/// The warnings of Uploadcare that were logged already, by any clone of the client.
#[derive(Debug, Clone, Default)]
pub(super) struct Warnings(Arc<Firsts<String>>);

impl Warnings {
    /// Logs the `Warning` headers of an answer, each text once.
    fn log(&self, headers: &header::HeaderMap) {
        for warning in headers.get_all(header::WARNING) {
            let text: String = String::from_utf8_lossy(warning.as_bytes()).chars().take(MAX_DETAIL_CHARS).collect();
            if self.0.is_first(text.clone(), MAX_WARNINGS) {
                tracing::warn!("Uploadcare warns about its REST API: {text:?} (logged once)");
            }
        }
    }
}

impl Transport {
    /// Sends a request that does no harm if it is sent twice, and sends it again after temporary
    /// failures.
    pub(super) async fn call<B: Serialize>(&self, method: Method, path: &str, body: &B) -> Result<Answer, ClientError> {
        let attempt = || self.call_once(method.clone(), path, body);
        self.repeat(&method, path, attempt, |_| ready(Settled::NotDone)).await
    }

    /// Runs `attempt` as [`Retries::run`] does. The log and the error of the last try name the URL:
    /// it has no user name and no password.
    pub(super) async fn repeat<T, A, S>(
        &self,
        method: &Method,
        path: &str,
        attempt: impl FnMut() -> A,
        settle: impl FnMut(&ClientError) -> S,
    ) -> Result<T, ClientError>
    where
        A: Future<Output = Result<T, ClientError>>,
        S: Future<Output = Settled<T>>,
    {
        let url = self.url(path);
        let place = match self.base_url_variable {
            Some(variable) => format!("{url}, as the environment variable `{variable}` says"),
            None => url.to_string(),
        };
        let is_local = web_url::is_loopback(&url);
        let place = if is_local { format!("{place}; is the simulator running?") } else { place };
        self.retries.run(&format!("{method} {url}"), &place, attempt, settle).await
    }

    fn url(&self, path: &str) -> Url {
        let mut url = self.base_url.clone();
        url.set_path(&format!("{}{path}", self.base_url.path().trim_end_matches('/')));
        url
    }

    /// Sends one request; returns the answer if it is 2xx. A body of `()` is sent as none.
    pub(super) async fn call_once<B: Serialize>(
        &self,
        method: Method,
        path: &str,
        body: &B,
    ) -> Result<Answer, ClientError> {
        let url = self.url(path);
        let body = serde_json::to_vec(body).map_err(|error| ClientError::Input(error.to_string()))?;
        let body = if body == b"null" { Vec::new() } else { body };
        let date = http_date(Timestamp::now())?;
        let authorization = match self.auth {
            Auth::Simple => self.keys.simple().to_string(),
            Auth::Signed => self.keys.signed(&Signable {
                method: method.as_str(),
                body: &body,
                content_type: CONTENT_TYPE,
                date: &date,
                path_and_query: url.path(),
            }),
        };
        let mut authorization = header::HeaderValue::from_str(&authorization)
            .map_err(|_| ClientError::Configuration("a header cannot hold the keys".to_owned()))?;
        authorization.set_sensitive(true);
        let request = self
            .http
            .request(method, url)
            .header(header::ACCEPT, MEDIA_TYPE)
            .header(header::CONTENT_TYPE, CONTENT_TYPE)
            .header(header::DATE, date)
            .header(header::AUTHORIZATION, authorization)
            .body(body);
        let response = request.send().await.map_err(transport)?;
        self.warnings.log(response.headers());
        Answer::read(response, &self.keys).await
    }
}

/// A 2xx answer, read whole.
pub(super) struct Answer {
    status: StatusCode,
    request_id: Option<String>,
    body: Vec<u8>,
}

impl Answer {
    async fn read(mut response: Response, keys: &Keys) -> Result<Self, ClientError> {
        let text = |name: &str| Some(response.headers().get(name)?.to_str().ok()?.to_owned());
        let (request_id, retry_after) = (text(REQUEST_ID), text("retry-after"));
        let mut answer = Self { status: response.status(), request_id, body: Vec::new() };
        while let Some(chunk) = response.chunk().await.map_err(transport)? {
            if chunk.len() > MAX_ANSWER_BYTES - answer.body.len() {
                return Err(answer.undecodable(format!("it is larger than {MAX_ANSWER_BYTES} bytes")));
            }
            answer.body.extend_from_slice(&chunk);
        }
        if answer.status.is_success() {
            return Ok(answer);
        }
        let retry_after = retry_after.and_then(|seconds| seconds.trim().parse().ok()).map(Duration::from_secs);
        let said = detail(&answer.body);
        let shown = shortened(&keys.hidden_in(&said));
        Err(ClientError::from_answer(&said, answer.error(shown), retry_after))
    }

    pub(super) fn json<T: DeserializeOwned>(&self) -> Result<T, ClientError> {
        from_slice(&self.body).map_err(|error| self.undecodable(error.to_string()))
    }

    fn undecodable(&self, problem: String) -> ClientError {
        ClientError::Undecodable { error: self.error(String::new()), problem }
    }

    fn error(&self, detail: String) -> ApiError {
        ApiError { status: self.status, detail, request_id: self.request_id.clone() }
    }
}

/// What an answer says is wrong: `{"detail": ".."}`, `{"field": ["..", ".."]}`, or the page of a
/// proxy.
fn detail(body: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Detail {
        detail: String,
    }
    match serde_json::from_slice::<Detail>(body) {
        Ok(Detail { detail }) => detail,
        Err(_) => String::from_utf8_lossy(body).trim().to_owned(),
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(MAX_DETAIL_CHARS).collect()
}

/// The error with its causes, and without the URL, which `reqwest` would show.
fn transport(error: reqwest::Error) -> ClientError {
    ClientError::Transport(with_causes(&error.without_url()))
}
