//! No span and no log event of the library has a value of a payload, a secret or a header, at any
//! level.

use std::time::Duration;

use http::Request;
use serde_json::{Value, json};
use tests::{deliveries::signed_request, spans::Spans};
use uploadcare_hooks::{
    Event, FileInfoUpdated, FileUploaded, Payload, SigningSecret, UnknownEvent, WebhookRouter, WebhookRouterBuilder,
    testing::{MemoryQueue, Sample},
    webhook_handler, webhook_handlers,
};

/// What stands in every place that is private.
const PRIVATE: &str = "PRIVATE";

#[webhook_handler(event = "file.uploaded")]
async fn fail_quietly(_event: FileUploaded) -> Result<(), &'static str> {
    Err("the disk is full")
}

#[webhook_handler(event = "file.info_updated")]
async fn take(_event: FileInfoUpdated) {}

#[webhook_handler(event = "file.deleted")]
async fn panic(_event: Event) {
    panic!("an invariant is broken");
}

#[webhook_handler(event = "group.created", unlisted)]
async fn take_number(Payload(_): Payload<u8>) {}

#[webhook_handler(event = "group.created", unlisted)]
async fn take_unlisted(_event: UnknownEvent) {}

fn secret() -> SigningSecret {
    SigningSecret::new(format!("{PRIVATE} secret")).unwrap()
}

fn builder() -> WebhookRouterBuilder {
    let builder = WebhookRouter::builder().signing_secret(secret());
    builder.handlers(webhook_handlers![fail_quietly, take, panic, take_number, take_unlisted])
}

/// The place of every value in a payload that is no object and no list.
fn leaves(value: &Value, place: &str, found: &mut Vec<String>) {
    let inside: Vec<(String, &Value)> = match value {
        Value::Object(fields) => fields.iter().map(|(key, value)| (key.clone(), value)).collect(),
        Value::Array(items) => items.iter().enumerate().map(|(index, value)| (index.to_string(), value)).collect(),
        _ => return found.push(place.to_owned()),
    };
    inside.iter().for_each(|(key, value)| leaves(value, &format!("{place}/{key}"), found));
}

/// Payloads with a private value in one place each, of every type, and one with all that a payload
/// can have and still be read.
fn payloads(event: &str) -> Vec<Value> {
    let payload = Sample::of(event).json().clone();
    let mut places = Vec::new();
    leaves(&payload, "", &mut places);
    let mut payloads = Vec::new();
    // The span has the name of the event.
    for place in places.iter().filter(|place| *place != "/hook/event") {
        for private in [json!(PRIVATE), json!({PRIVATE: PRIVATE}), json!([PRIVATE])] {
            let mut payload = payload.clone();
            *payload.pointer_mut(place).unwrap() = private;
            payloads.push(payload);
        }
    }
    let mut whole = payload;
    whole[PRIVATE] = json!(PRIVATE);
    whole["data"]["original_filename"] = json!(PRIVATE);
    whole["data"]["metadata"] = json!({PRIVATE: PRIVATE});
    whole["data"]["variations"] = json!({PRIVATE: Sample::UUID});
    whole["data"]["appdata"][PRIVATE] = json!({"data": {PRIVATE: PRIVATE}});
    let mut odd_metadata = whole.clone();
    odd_metadata["data"]["metadata"] = json!({PRIVATE: {PRIVATE: PRIVATE}});
    payloads.extend([whole, odd_metadata, json!(PRIVATE), json!([PRIVATE]), json!({"hook": {"event": event}})]);
    payloads
}

/// Fails if anything private was captured. The signature is private too: with it, a delivery could
/// be sent again.
fn check(spans: &Spans, signature: &str, name: &str) {
    let (_, second_half) = signature.split_at(signature.len() - 32);
    let all =
        spans.all().into_iter().map(|span| span.fields).chain(spans.events().into_iter().map(|event| event.fields));
    for fields in all {
        for (field, value) in &fields {
            assert!(!value.contains(PRIVATE), "{name}: {field} = {value}");
            assert!(!value.contains(second_half), "{name}: {field} = {value}");
        }
    }
}

fn requests(event: &str) -> Vec<(String, Request<bytes::Bytes>)> {
    let mut requests = Vec::new();
    for payload in payloads(event) {
        let body = payload.to_string();
        let mut request = signed_request("/?PRIVATE=PRIVATE", &secret(), body.clone());
        for name in ["authorization", "cookie", "user-agent", "x-private", "content-type"] {
            request.headers_mut().insert(name, PRIVATE.parse().unwrap());
        }
        requests.push((secret().sign(body.as_bytes()), request));
    }
    requests
}

#[tokio::test]
async fn no_span_or_event_has_a_value_of_a_payload_a_header_or_a_secret() {
    let queue = MemoryQueue::new();
    let routers = [builder(), builder().deduplicate(10_000, Duration::from_secs(60)), builder().queue(queue.storage())]
        .map(|builder| {
            let spans = Spans::default();
            let _guard = spans.capture();
            let hooks = builder.build().unwrap();
            check(&spans, &"0".repeat(64), "built");
            hooks
        });
    let mut answers = std::collections::BTreeSet::new();
    for (hooks, mode) in routers.iter().zip(["inline", "deduplicate", "queue"]) {
        for event in ["file.uploaded", "file.info_updated", "file.deleted", "file.stored", "group.created", "group.odd"]
        {
            for (signature, request) in requests(event) {
                let spans = Spans::default();
                let _guard = spans.capture();
                let name = format!("{mode}, {:?}", request.body());
                answers.insert(hooks.handle(request).await.status().as_u16());
                assert_eq!(spans.named("delivery").len(), 1);
                queue.run_due(hooks_of(&routers)).await;
                check(&spans, &signature, &name);
            }
        }
    }
    assert_eq!(answers.into_iter().collect::<Vec<_>>(), [202, 204, 422, 500], "each kind of answer is tried");
}

/// The one with the queue.
fn hooks_of(routers: &[WebhookRouter; 3]) -> &WebhookRouter {
    &routers[2]
}

#[tokio::test]
async fn no_span_or_event_of_an_unverified_request_has_anything_of_its_body_or_headers() {
    let hooks = builder().build().unwrap();
    let other = SigningSecret::new("another secret").unwrap();
    for signature in ["", "v1=PRIVATE", &other.sign(PRIVATE.as_bytes()), "PRIVATE"] {
        let spans = Spans::default();
        let _guard = spans.capture();
        let mut request = Request::post("/").header("x-private", PRIVATE);
        if !signature.is_empty() {
            request = request.header("x-uc-signature", signature);
        }
        assert_eq!(hooks.handle(request.body(PRIVATE.into()).unwrap()).await.status(), 401);
        assert_eq!(spans.named("delivery")[0].field("delivery.id"), "", "an id that was not verified says nothing");
        check(&spans, &format!("{signature:64}"), signature);
    }
}
