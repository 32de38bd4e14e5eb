//! Tests of the simulator's page: over HTTP, as a browser without a script sees it, and in a real
//! browser.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::print_stdout, reason = "tests")]

mod browser;
mod foreign;
mod forms;
mod hostile;
mod html;
mod live;
mod pages;
mod receiver;
mod story;
mod token;

use std::time::Duration;

use reqwest::{Client, RequestBuilder, Url, header::HeaderMap, redirect::Policy};
use uploadcare_sim::{Delivery, DeliveryState, Simulator};

/// A simulator, and a client that follows no redirects.
struct Workbench {
    simulator: Simulator,
    http: Client,
}

/// An answer of the page.
struct Page {
    status: u16,
    headers: HeaderMap,
    html: String,
}

impl Workbench {
    fn start() -> Self {
        Self::with_redelivery_after(&[20, 40])
    }

    /// The delays before redeliveries, in milliseconds.
    fn with_redelivery_after(delays: &[u64]) -> Self {
        let delays = delays.iter().copied().map(Duration::from_millis);
        let builder = Simulator::builder("demopublickey", "demosecretkey").redelivery_delays(delays);
        let simulator = builder.start("127.0.0.1:0".parse().unwrap()).unwrap();
        Self { simulator, http: Client::builder().redirect(Policy::none()).build().unwrap() }
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.simulator.base_url())
    }

    async fn get(&self, path: &str) -> Page {
        send(self.http.get(self.url(path))).await
    }

    /// Sends a form, as a browser does.
    async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Page {
        send(self.form(path, fields).header("Origin", self.simulator.base_url())).await
    }

    fn form(&self, path: &str, fields: &[(&str, &str)]) -> RequestBuilder {
        let encoded = Url::parse_with_params("http://x", fields).unwrap().query().unwrap_or_default().to_owned();
        let request = self.http.post(self.url(path)).header("Content-Type", "application/x-www-form-urlencoded");
        request.body(encoded)
    }

    /// Creates a subscription with the form, and returns its id. An empty secret is none.
    async fn subscribe(&self, event: &str, target_url: &str, secret: &str) -> u64 {
        let mut fields = vec![("event", event), ("target_url", target_url), ("signing_secret", secret)];
        if secret.is_empty() {
            fields.push(("no_secret", "yes"));
        }
        let page = self.post("/subscriptions", &fields).await;
        let id = self.simulator.subscriptions().last().unwrap().id;
        let row = format!("/subscriptions#subscription-{id}");
        assert_eq!((page.status, page.location()), (303, row.as_str()), "{}", page.html);
        id
    }

    /// Waits until there are so many deliveries and none of them is waiting. Newest first.
    async fn finished(&self, number: usize) -> Vec<std::sync::Arc<Delivery>> {
        for _ in 0..500 {
            let deliveries = self.simulator.deliveries();
            if deliveries.len() == number && deliveries.iter().all(|one| one.state != DeliveryState::Waiting) {
                return deliveries;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the deliveries are {:#?}", self.simulator.deliveries());
    }
}

async fn send(request: RequestBuilder) -> Page {
    let answer = request.send().await.unwrap();
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    Page { status, headers, html: answer.text().await.unwrap() }
}

impl Page {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    fn location(&self) -> &str {
        self.header("location")
    }

    /// Fails if the page has not this text, which is HTML.
    #[track_caller]
    fn has(&self, html: &str) -> &Self {
        assert!(self.html.contains(html), "{html:?} is not in this page:\n{}", self.html);
        self
    }

    #[track_caller]
    fn has_not(&self, html: &str) -> &Self {
        assert!(!self.html.contains(html), "{html:?} is in this page:\n{}", self.html);
        self
    }
}
