//! Sends the table of requests to every adapter, over HTTP/1.1 and HTTP/2.

use std::{collections::BTreeMap, convert::Infallible, time::Duration};

use reqwest::{Body, Client, Version};
use serde_json::Value;
use tests::{application::Application, servers::Adapter};

use crate::{
    Target,
    raw::{Raw, head},
    rows::{Case, Exception, Expected, Transfer, refused, rows},
};

/// What the client got.
#[derive(Debug)]
struct Got {
    status: u16,
    headers: BTreeMap<String, String>,
    body: String,
}

async fn send(client: &Client, target: &Target, case: &Case) -> Got {
    let mut request = client.request(case.method.clone(), format!("http://{}{}", target.address, case.path));
    for signature in &case.signatures {
        request = request.header("X-Uc-Signature", signature);
    }
    request = match case.transfer {
        Transfer::Chunks(size) => {
            let chunks: Vec<_> = case.body.chunks(size).map(|chunk| Ok::<_, Infallible>(chunk.to_vec())).collect();
            request.body(Body::wrap_stream(futures_util::stream::iter(chunks)))
        }
        _ => request.body(case.body.clone()),
    };
    let response =
        request.send().await.unwrap_or_else(|error| panic!("{:?}, {}: {error:?}", target.adapter, case.name));
    let headers = response.headers().iter();
    let headers = headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect();
    Got { status: response.status().as_u16(), headers, body: response.text().await.unwrap() }
}

/// Sends what an HTTP client does not.
async fn send_raw(target: &Target, case: &Case) -> Got {
    let mut connection = Raw::connect(target.address).await;
    let mut lines: Vec<_> = case.signatures.iter().map(|signature| format!("X-Uc-Signature: {signature}")).collect();
    let length = format!("Content-Length: {}", case.body.len());
    let mut answer = None;
    match case.transfer {
        Transfer::Expect => {
            lines.extend([length, "Expect: 100-continue".to_owned()]);
            connection.write(head(&lines)).await.unwrap();
            answer = connection.read().await;
            // actix-web asks for every body, so the refusal of one that is too large comes later.
            if answer.as_ref().is_some_and(|answer| answer.status == 100) {
                connection.write(&case.body).await.unwrap();
                answer = None;
            }
        }
        Transfer::Stalls => {
            lines.push(length);
            connection.write(head(&lines)).await.unwrap();
            connection.write(&case.body[..case.body.len() / 2]).await.unwrap();
        }
        Transfer::Malformed => {
            lines.push("Transfer-Encoding: chunked".to_owned());
            connection.write(head(&lines)).await.unwrap();
            // The server should be reading the body by then.
            tokio::time::sleep(Duration::from_millis(50)).await;
            connection.write("no number\r\n\r\n").await.unwrap();
        }
        Transfer::Sized | Transfer::Chunks(_) => unreachable!("an HTTP client sends these"),
    }
    let answer = match answer {
        Some(answer) => answer,
        None => connection.read().await.unwrap_or_else(|| panic!("{:?}, {}: no answer", target.adapter, case.name)),
    };
    let headers = answer.head.lines().filter_map(|line| line.split_once(": "));
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    Got { status: answer.status, headers, body: answer.body }
}

fn check(target: &Target, expected: Expected, expected_seen: &[&str], got: &Got, name: &str) {
    assert_eq!(got.status, expected.status, "{name}: {got:?}");
    let is_routers_own = expected.status < 300 || !expected.code.is_empty();
    assert_eq!(got.headers.contains_key("allow"), expected.status == 405, "{name}");
    assert_eq!(got.headers.contains_key("retry-after"), expected.status == 503, "{name}");
    if expected.code.is_empty() {
        assert!(!is_routers_own || got.body.is_empty(), "{name}: {got:?}");
    } else {
        assert_eq!(got.headers["content-type"], "application/problem+json", "{name}");
        let problem: Value = serde_json::from_str(&got.body).unwrap();
        let fields = (&problem["code"], &problem["status"]);
        assert_eq!(fields, (&expected.code.into(), &expected.status.into()), "{name}");
    }
    let mut seen = target.seen.take();
    let header = got.headers.get("x-seen").filter(|seen| !seen.is_empty());
    seen.extend(header.into_iter().flat_map(|seen| seen.split(", ").map(str::to_owned)));
    assert_eq!(seen, expected_seen, "{name}");
}

async fn run_table(adapter: Adapter, version: Version) {
    let client = match version {
        Version::HTTP_2 => Client::builder().http2_prior_knowledge(),
        _ => Client::builder().http1_only(),
    };
    let client = client.build().unwrap();
    for application in Application::ALL {
        let target = Target::start(adapter, application).await;
        for case in rows().into_iter().filter(|case| case.application == application) {
            let name = format!("{adapter:?}, {version:?}, {}", case.name);
            if version == Version::HTTP_2 && !case.transfer.is_ordinary() {
                continue;
            }
            let (expected, seen) = match case.exceptions.iter().find(|exception| exception.applies(adapter, version)) {
                Some(Exception { expected: None, .. }) => continue,
                Some(Exception { expected: Some(expected), seen, .. }) => (*expected, *seen),
                None => (case.expected, case.seen),
            };
            let before = target.counted();
            let got = match case.transfer.is_ordinary() {
                true => send(&client, &target, &case).await,
                false => send_raw(&target, &case).await,
            };
            check(&target, expected, seen, &got, &name);
            let counted = target.counted().zip(before).map(|(after, before)| (after.0 - before.0, after.1 - before.1));
            match (counted, expected) {
                (None, _) | (_, Expected { status: 400 | 404 | 405, code: "" }) => {}
                (Some(counted), Expected { status: 200..300, .. }) => assert_eq!(counted, (1, 0), "{name}"),
                (Some(counted), Expected { .. }) => assert_eq!(counted, (0, 1), "{name}"),
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn actix_answers_every_row_of_the_table() {
    run_table(Adapter::Actix, Version::HTTP_11).await;
    run_table(Adapter::Actix, Version::HTTP_2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn axum_answers_every_row_of_the_table() {
    run_table(Adapter::Axum, Version::HTTP_11).await;
    run_table(Adapter::Axum, Version::HTTP_2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hyper_answers_every_row_of_the_table() {
    run_table(Adapter::Hyper, Version::HTTP_11).await;
    run_table(Adapter::Hyper, Version::HTTP_2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lambda_answers_every_row_of_the_table() {
    run_table(Adapter::Lambda, Version::HTTP_11).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn handle_answers_every_row_of_the_table() {
    run_table(Adapter::Http, Version::HTTP_11).await;
    run_table(Adapter::Http, Version::HTTP_2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_a_middleware_consumed_is_answered_500_with_its_own_code() {
    for adapter in Adapter::IN_PROCESS {
        for transfer in [Transfer::Sized, Transfer::Chunks(100)] {
            let mut target = Target::start(adapter, Application::Inline).await;
            target.address = adapter.serve(target.router.clone().unwrap(), true).await.unwrap();
            let case = Case { transfer, ..refused("consumed", 500, "body_consumed") };
            let got = send(&Client::new(), &target, &case).await;
            check(&target, case.expected, case.seen, &got, &format!("{adapter:?}"));
        }
    }
}

#[test]
fn the_table_has_every_status_that_is_documented_and_a_reason_for_each_exception() {
    let mut statuses: Vec<_> = rows().iter().map(|case| case.expected.status).collect();
    statuses.sort_unstable();
    statuses.dedup();
    assert_eq!(statuses, [202, 204, 400, 401, 404, 405, 408, 413, 422, 500, 503]);
    for case in rows() {
        for exception in case.exceptions {
            assert!(exception.because.len() > 20 && exception.expected != Some(case.expected), "{exception:?}");
        }
    }
}
