//! Tests of the simulator, as clients, receivers and programs use it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod access;
mod changes;
mod control;
mod deliveries;
mod faults;
mod guide;
mod guide_example;
mod kept;
mod openapi;
mod receiver;
mod replay;
mod rest;
mod trigger;
mod wait;

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use uploadcare_hooks::client::{Auth, Client};
use uploadcare_sim::{Attempt, Simulator, SimulatorBuilder};

/// The text of [`tests::deliveries::secret`].
const SECRET: &str = "7kMVZivndx0ErgvhRKAr";
const TARGET: &str = "https://app.example.com/hooks";

fn builder() -> SimulatorBuilder {
    let delays = [5, 10, 20].map(Duration::from_millis);
    Simulator::builder("demopublickey", "demosecretkey").redelivery_delays(delays)
}

fn simulator() -> Simulator {
    builder().start("127.0.0.1:0".parse().unwrap()).unwrap()
}

fn client(simulator: &Simulator, auth: Auth) -> Client {
    let builder = Client::builder("demopublickey", "demosecretkey").base_url(simulator.base_url()).auth(auth);
    builder.retry_delay(Duration::from_millis(1)).timeout(Duration::from_millis(500)).build().unwrap()
}

/// Waits until the simulator has made this number of attempts to deliver.
async fn attempts(simulator: &Simulator, number: usize) -> Vec<Attempt> {
    for _ in 0..500 {
        let attempts = simulator.attempts();
        if attempts.len() >= number {
            return attempts;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the only attempts are {:?}", simulator.attempts());
}

/// Calls `/_sim` as a program does.
#[derive(Clone)]
struct Api {
    base_url: String,
    http: reqwest::Client,
}

impl Api {
    fn of(simulator: &Simulator) -> Self {
        Self::at(&simulator.base_url())
    }

    fn at(base_url: &str) -> Self {
        Self { base_url: base_url.to_owned(), http: reqwest::Client::new() }
    }

    /// The status and the JSON of an answer; `null` if it has no body.
    async fn call(&self, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
        let request = self.http.request(method, format!("{}/_sim{path}", self.base_url));
        let request = body.into_iter().fold(request, |request, body| request.body(body.to_string()));
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let text = answer.text().await.unwrap();
        let json = if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap() };
        (status, json)
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        self.call(Method::GET, path, None).await
    }

    async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        self.call(Method::POST, path, Some(body)).await
    }

    async fn patch(&self, path: &str, body: Value) -> (u16, Value) {
        self.call(Method::PATCH, path, Some(body)).await
    }

    async fn delete(&self, path: &str) -> (u16, Value) {
        self.call(Method::DELETE, path, None).await
    }

    /// Creates a subscription with the secret of the tests, and returns its id.
    async fn subscribe(&self, target_url: &str, event: &str) -> u64 {
        let order = json!({"target_url": target_url, "event": event, "signing_secret": SECRET});
        let (status, created) = self.post("/subscriptions", order).await;
        assert_eq!(status, 201, "{created}");
        created["id"].as_u64().unwrap()
    }

    /// Triggers an event, and returns the ids of its deliveries.
    async fn trigger(&self, order: Value) -> Vec<String> {
        let (status, answer) = self.post("/events", order).await;
        assert_eq!(status, 202, "{answer}");
        ids(&answer)
    }

    /// Waits until so many deliveries are acknowledged or failed.
    async fn finished(&self, number: usize) -> Value {
        let (status, counts) = self.get(&format!("/wait?finished={number}&timeout_ms=20000")).await;
        assert_eq!(status, 200, "{counts}");
        counts
    }

    async fn delivery(&self, id: &str) -> Value {
        let (status, delivery) = self.get(&format!("/deliveries/{id}")).await;
        assert_eq!(status, 200, "{delivery}");
        delivery
    }
}

fn ids(answer: &Value) -> Vec<String> {
    answer["deliveries"].as_array().unwrap().iter().map(|id| id.as_str().unwrap().to_owned()).collect()
}

/// The text of a refusal with this status.
fn detail((status, answer): (u16, Value), expected: u16) -> String {
    assert_eq!(status, expected, "{answer}");
    answer["detail"].as_str().unwrap().to_owned()
}
