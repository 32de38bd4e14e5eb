//! One request and its answer, and when to try again.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use jiff::Timestamp;
use reqwest::{Method, Response, StatusCode, Url, header};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{
    ApiError, Auth, ClientError,
    auth::{Keys, Signable, http_date},
};
use crate::{message::with_causes, payload::from_slice};

const ACCEPT: &str = "application/vnd.uploadcare-v0.7+json";
const CONTENT_TYPE: &str = "application/json";
const REQUEST_ID: &str = "x-uploadcare-request-id";
/// A project has a few subscriptions of less than a kilobyte each; what is larger is no list of them.
const MAX_ANSWER_BYTES: usize = 8 * 1024 * 1024;
const MAX_DETAIL_CHARS: usize = 300;

/// Sends requests.
#[derive(Debug, Clone)]
pub(super) struct Transport {
    pub(super) http: reqwest::Client,
    pub(super) keys: Keys,
    pub(super) base_url: Url,
    pub(super) auth: Auth,
    pub(super) retries: Retries,
}

/// When to try again.
#[derive(Debug, Clone)]
pub(super) struct Retries {
    pub(super) times: usize,
    pub(super) first_delay: Duration,
    pub(super) max_asked_delay: Duration,
}

impl Default for Retries {
    fn default() -> Self {
        let (first_delay, max_asked_delay) = (Duration::from_millis(500), Duration::from_secs(60));
        Self { times: 4, first_delay, max_asked_delay }
    }
}

/// The tries that a call has left.
pub(super) struct Tries {
    delays: ExponentialBackoff,
    max_asked_delay: Duration,
}

impl Tries {
    /// How long to wait before the next try; `None` if there is to be none.
    pub(super) fn delay_after(&mut self, error: &ClientError) -> Option<Duration> {
        if !error.is_temporary() {
            return None;
        }
        let delay = self.delays.next()?;
        match error {
            ClientError::Throttled { retry_after: Some(asked), .. } if *asked > self.max_asked_delay => None,
            ClientError::Throttled { retry_after: Some(asked), .. } => Some(delay.max(*asked)),
            _ => Some(delay),
        }
    }
}

impl Transport {
    pub(super) fn tries(&self) -> Tries {
        const LONGEST: Duration = Duration::from_secs(10);
        let Retries { times, first_delay, max_asked_delay } = self.retries;
        let delays = ExponentialBuilder::new()
            .with_min_delay(first_delay)
            .with_max_delay(LONGEST.max(first_delay))
            .with_max_times(times)
            .with_jitter()
            .build();
        Tries { delays, max_asked_delay }
    }

    /// Sends a request that may be sent twice without harm, again if need be.
    pub(super) async fn call<B: Serialize>(&self, method: Method, path: &str, body: &B) -> Result<Answer, ClientError> {
        let mut tries = self.tries();
        loop {
            match self.call_once(method.clone(), path, body).await {
                Ok(answer) => return Ok(answer),
                Err(error) => {
                    let Some(delay) = tries.delay_after(&error) else { return Err(error) };
                    tracing::debug!("{method} {path} is tried again in {delay:?}: {error}");
                    tokio::time::sleep(delay).await;
                }
            }
        }
    }

    /// Sends one request; returns what was answered if that is 2xx. A body of `()` is none.
    pub(super) async fn call_once<B: Serialize>(
        &self,
        method: Method,
        path: &str,
        body: &B,
    ) -> Result<Answer, ClientError> {
        let mut url = self.base_url.clone();
        url.set_path(&format!("{}{path}", self.base_url.path().trim_end_matches('/')));
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
            .map_err(|_| ClientError::Configuration("the keys cannot stand in a header".to_owned()))?;
        authorization.set_sensitive(true);
        let request = self
            .http
            .request(method, url)
            .header(header::ACCEPT, ACCEPT)
            .header(header::CONTENT_TYPE, CONTENT_TYPE)
            .header(header::DATE, date)
            .header(header::AUTHORIZATION, authorization)
            .body(body);
        Answer::read(request.send().await.map_err(transport)?).await
    }
}

/// A 2xx answer, read whole.
pub(super) struct Answer {
    status: StatusCode,
    request_id: Option<String>,
    body: Vec<u8>,
}

impl Answer {
    async fn read(mut response: Response) -> Result<Self, ClientError> {
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
        Err(ClientError::from_answer(answer.error(), retry_after))
    }

    pub(super) fn json<T: DeserializeOwned>(&self) -> Result<T, ClientError> {
        from_slice(&self.body).map_err(|error| self.undecodable(error.to_string()))
    }

    fn undecodable(&self, problem: String) -> ClientError {
        ClientError::Undecodable { error: ApiError { detail: String::new(), ..self.error() }, problem }
    }

    fn error(&self) -> ApiError {
        ApiError { status: self.status, detail: detail(&self.body), request_id: self.request_id.clone() }
    }
}

/// What an answer says is wrong: `{"detail": ".."}`, `{"field": ["..", ".."]}`, or whatever a proxy wrote.
fn detail(body: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Detail {
        detail: String,
    }
    let text = match serde_json::from_slice::<Detail>(body) {
        Ok(Detail { detail }) => detail,
        Err(_) => String::from_utf8_lossy(body).trim().to_owned(),
    };
    text.chars().take(MAX_DETAIL_CHARS).collect()
}

/// Without the URL, which `reqwest` would show, and with what caused it.
fn transport(error: reqwest::Error) -> ClientError {
    ClientError::Transport(with_causes(&error.without_url()))
}
