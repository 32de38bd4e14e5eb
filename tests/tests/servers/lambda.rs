//! `examples/lambda` as a function of AWS Lambda: events of API Gateway and of function URLs, and
//! events that are no requests. The table of requests runs over a function as well.

use bytes::Bytes;
use http::Request;
use serde_json::{Value, json};
use tests::{
    application::BODY_LIMIT,
    deliveries::{legacy_payload, payload, secret},
    lambda::{EventSource, Function},
};

async fn start(variables: &[(&str, &str)]) -> Function {
    let secret = [("UC_SIGNING_SECRET", "7kMVZivndx0ErgvhRKAr")];
    Function::start(env!("CARGO_BIN_EXE_lambda_example"), &[&secret, variables].concat()).await.unwrap()
}

/// A delivery. AWS sends JSON as text, and everything else in base64.
fn delivery(path: &str, content_type: &str, body: impl Into<Bytes>) -> Request<Bytes> {
    let body = body.into();
    let request = Request::post(path).header("X-Uc-Signature", secret().sign(&body));
    request.header("content-type", content_type).header("content-length", body.len()).body(body).unwrap()
}

const CONTENT_TYPES: [&str; 2] = ["application/json", "application/octet-stream"];

#[tokio::test]
async fn events_of_every_source_are_verified_over_the_bytes_that_were_sent() {
    const IGNORE_STAGE: (&str, &str) = ("AWS_LAMBDA_HTTP_IGNORE_STAGE_IN_PATH", "1");
    for (source, variables) in [
        (EventSource::FunctionUrl, vec![]),
        (EventSource::HttpApi, vec![("WEBHOOK_PATH", "/prod/hooks")]),
        (EventSource::RestApi, vec![("WEBHOOK_PATH", "/prod/hooks")]),
        (EventSource::RestApi, vec![("WEBHOOK_PATH", "/hooks"), IGNORE_STAGE]),
    ] {
        let function = start(&variables).await;
        let name = format!("{source:?}, {variables:?}");
        for content_type in CONTENT_TYPES {
            for body in [payload("file.uploaded").to_string(), legacy_payload("0.6").to_string()] {
                // Pretty-printed and with letters beyond ASCII, so that a change of the bytes
                // shows.
                let body = serde_json::to_string_pretty(&body.parse::<Value>().unwrap()).unwrap();
                let request = delivery("/hooks", content_type, body.replace("ananas", "アナナス"));
                assert_eq!(function.call(source, &request).await.status(), 204, "{name}, {content_type}");
                let forged = request.map(|body| [&body[..], b" "].concat().into());
                let refused = function.call(source, &forged).await;
                assert_eq!(refused.status(), 401, "{name}, {content_type}");
                assert_eq!(refused.headers()["content-type"], "application/problem+json", "{name}");
                assert!(String::from_utf8_lossy(refused.body()).contains("signature_mismatch"), "{name}");
            }
            let elsewhere = delivery("/elsewhere", content_type, payload("file.uploaded").to_string());
            assert_eq!(function.call(source, &elsewhere).await.status(), 404, "{name}");
        }
    }
}

#[tokio::test]
async fn a_body_that_is_no_text_is_verified_and_an_empty_one_too() {
    let function = start(&[]).await;
    for body in [&b"\xff\xfe\x00\x80"[..], b""] {
        for content_type in CONTENT_TYPES {
            let request = delivery("/hooks", content_type, body.to_vec());
            let answer = function.call(EventSource::FunctionUrl, &request).await;
            assert_eq!(answer.status(), 422, "{body:?}, {content_type}: {:?}", answer.body());
        }
    }
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused() {
    let function = start(&[]).await;
    let request = delivery("/hooks", "application/json", vec![b' '; BODY_LIMIT * 5]);
    assert_eq!(function.call(EventSource::FunctionUrl, &request).await.status(), 413);
    let (mut head, body) = request.into_parts();
    head.headers.remove("content-length");
    let request = Request::from_parts(head, body);
    assert_eq!(function.call(EventSource::FunctionUrl, &request).await.status(), 413);
}

#[tokio::test]
async fn an_event_that_is_no_request_is_a_clear_error_and_the_next_request_is_answered() {
    let function = start(&[]).await;
    let uploaded_to_s3 = json!({"Records": [{"eventSource": "aws:s3", "s3": {"object": {"key": "a"}}}]});
    let scheduled = json!({"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}});
    for event in [uploaded_to_s3, scheduled, json!({}), json!([]), json!("text"), json!(null), json!(1)] {
        let error = function.invoke(event.clone()).await.unwrap().unwrap_err();
        let message = error["errorMessage"].as_str().unwrap();
        assert!(message.contains("Amazon API Gateway") && message.contains("Function URLs"), "{event}: {error}");
        let request = delivery("/hooks", "application/json", payload("file.uploaded").to_string());
        assert_eq!(function.call(EventSource::FunctionUrl, &request).await.status(), 204, "after {event}");
    }
}

#[tokio::test]
async fn an_answer_has_its_headers_in_the_form_of_its_source() {
    let function = start(&[("WEBHOOK_PATH", "/hooks"), ("AWS_LAMBDA_HTTP_IGNORE_STAGE_IN_PATH", "1")]).await;
    for source in [EventSource::FunctionUrl, EventSource::RestApi] {
        let request = Request::get("/hooks").body(Bytes::new()).unwrap();
        let answer = function.call(source, &request).await;
        assert_eq!((answer.status().as_u16(), answer.headers()["allow"].to_str().unwrap()), (405, "POST"));
    }
}
