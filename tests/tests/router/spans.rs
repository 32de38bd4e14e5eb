//! The spans of deliveries and of handlers' runs: which there are, and what their fields say.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::poll;
use http::{Method, Request};
use http_body_util::Full;
use tests::{
    deliveries::{payload, secret, signed_request},
    spans::{Span, Spans},
};
use tower_service::Service;
use tracing::Level;
use uploadcare_hooks::{
    Delivery, Event, FileDeleted, FileInfected, FileStored, HandlerError, SigningSecret, State, WebhookRouter,
    testing::{MemoryQueue, Sample},
    webhook_handler, webhook_handlers,
};

use super::{Notes, builder, deliver, fail, index, note, send, take_notes};

#[webhook_handler(event = "file.stored")]
async fn log_something(_event: FileStored) {
    tokio::task::yield_now().await;
    tracing::info!(target: "uploadcare_hooks_tests", "in the handler");
}

#[webhook_handler(event = "file.stored")]
async fn discard(_event: FileStored) -> Result<(), HandlerError> {
    Err(HandlerError::discard("no"))
}

#[webhook_handler(event = "file.deleted")]
async fn panic(_event: FileDeleted) {
    panic!("an invariant is broken");
}

#[webhook_handler(event = "file.infected")]
async fn hang(_event: FileInfected) {
    std::future::pending::<()>().await;
}

#[webhook_handler(event = "group.created", unlisted)]
async fn take_unlisted(_event: uploadcare_hooks::UnknownEvent) {}

#[webhook_handler(any, path = "/id")]
async fn tell_id(_event: Event, delivery: Delivery) -> Result<(), String> {
    Err(delivery.id().to_string())
}

fn all_handlers() -> WebhookRouter {
    let builder = builder(&Notes::default()).handler_timeout(Duration::from_millis(20));
    builder.handlers(webhook_handlers![index, log_something, discard, panic, hang, take_unlisted]).build().unwrap()
}

/// The values of these fields.
fn values<'a, const N: usize>(span: &'a Span, fields: [&str; N]) -> [&'a str; N] {
    fields.map(|field| span.field(field))
}

/// The only span with this name, which is closed.
fn only(spans: &Spans, name: &str) -> Span {
    let [span] = &spans.named(name)[..] else { panic!("{:?}", spans.all()) };
    assert!(span.is_closed(), "{span:?}");
    span.clone()
}

#[tokio::test]
async fn a_delivery_has_a_span_and_each_run_of_a_handler_one_inside_it() {
    let spans = Spans::default();
    let hooks = all_handlers();
    let _guard = spans.capture();
    let body = Sample::of("file.stored").body();
    assert_eq!(send(&hooks, body.clone()).await.status(), 204);
    let delivery = only(&spans, "delivery");
    assert_eq!((delivery.level, delivery.parent), (Level::INFO, None));
    assert_eq!(
        values(&delivery, ["event", "path", "secret", "status", "code", "otel.kind", "http.response.status_code"]),
        ["file.stored", "/", "0", "204", "handled", "server", "204"]
    );
    assert_eq!(delivery.field("http.request.body.size"), body.len().to_string());
    assert_eq!(delivery.field("delivery.id").len(), 32);
    assert_eq!(values(&delivery, ["otel.status_code", "error.type"]), ["", ""]);
    let runs = spans.named("handler");
    assert_eq!(
        runs.iter().map(|run| values(run, ["handler", "outcome"])).collect::<Vec<_>>(),
        [["log_something", "ok"], ["discard", "discarded"]]
    );
    for run in &runs {
        assert!(run.is_closed() && run.level == Level::INFO && run.parent == Some(0), "{run:?}");
        assert!((0.0..5.0).contains(&run.field("duration").parse::<f64>().unwrap()), "{run:?}");
        assert_eq!(values(run, ["otel.status_code", "error.type"]), ["", ""]);
    }
    let logged = spans.events().into_iter().find(|event| event.fields["message"].contains("in the handler")).unwrap();
    assert_eq!(logged.span, Some(1), "what a handler logs is inside the span of its run");
    assert_eq!(spans.entered(), None);
}

#[tokio::test]
async fn the_delivery_id_of_the_span_is_the_one_that_handlers_and_rejections_see() {
    let spans = Spans::default();
    let hooks = builder(&Notes::default()).handlers(webhook_handlers![tell_id]).build().unwrap();
    let _guard = spans.capture();
    let request = signed_request("/id", &secret(), payload("file.stored").to_string());
    assert_eq!(hooks.handle(request).await.status(), 500);
    let id = only(&spans, "delivery").field("delivery.id").to_owned();
    let rejected = spans.events().into_iter().find(|event| event.fields.contains_key("code")).unwrap();
    assert_eq!(rejected.span, Some(0));
    let field = |name: &str| rejected.fields[name].clone();
    assert_eq!(
        (field("delivery.id"), field("status"), field("code")),
        (id.clone(), "500".into(), "handler_failed".into())
    );
    assert!(rejected.fields["message"].contains(&format!("failed: {id:?}")), "{rejected:?}");
}

#[tokio::test]
async fn the_span_of_a_run_says_how_it_failed() {
    let hooks = all_handlers();
    for (event, outcome, code) in
        [("file.deleted", "panicked", "handler_failed"), ("file.infected", "timed_out", "handler_timeout")]
    {
        let spans = Spans::default();
        let _guard = spans.capture();
        let status = deliver(&hooks, event).await;
        let (delivery, run) = (only(&spans, "delivery"), only(&spans, "handler"));
        assert_eq!(values(&run, ["outcome", "otel.status_code", "error.type"]), [outcome, "ERROR", outcome]);
        assert_eq!(values(&delivery, ["code", "otel.status_code", "error.type"]), [code, "ERROR", code]);
        assert_eq!(delivery.field("status"), status.as_u16().to_string());
    }
    let spans = Spans::default();
    let hooks = builder(&Notes::default()).handlers(webhook_handlers![fail]).build().unwrap();
    let _guard = spans.capture();
    deliver(&hooks, "file.uploaded").await;
    assert_eq!(values(&only(&spans, "handler"), ["handler", "outcome", "error.type"]), ["fail", "failed", "failed"]);
}

#[tokio::test]
async fn a_run_without_timers_and_a_run_that_is_dropped_end_their_spans() {
    let hooks = all_handlers();
    let spans = Spans::default();
    let _guard = spans.capture();
    let mut request = Box::pin(deliver(&hooks, "file.infected"));
    assert!(poll!(&mut request).is_pending());
    assert_eq!(spans.entered(), None, "a request that waits is in no span");
    assert!(!spans.named("handler")[0].is_closed());
    drop(request);
    assert_eq!(values(&only(&spans, "handler"), ["outcome", "error.type"]), ["dropped", "dropped"]);
    let delivery = only(&spans, "delivery");
    assert_eq!(values(&delivery, ["event", "status", "code"]), ["file.infected", "", ""]);
    let dropped = spans.events().into_iter().find(|event| event.fields["message"].contains("was dropped")).unwrap();
    assert_eq!((dropped.span, dropped.fields["handler"].as_str()), (Some(1), "hang"));

    let spans = Spans::default();
    let _guard = spans.capture();
    let answered = std::thread::scope(|scope| {
        let spans = spans.clone();
        let hooks = &hooks;
        let without_runtime = move || {
            let _guard = spans.capture();
            futures_util::future::FutureExt::now_or_never(deliver(hooks, "file.infected"))
        };
        scope.spawn(without_runtime).join().unwrap()
    });
    assert_eq!(answered.unwrap(), 500);
    assert_eq!(only(&spans, "handler").field("outcome"), "no_timer");
}

#[webhook_handler(event = "file.stored")]
async fn count_runs(_event: FileStored, State((spans, runs)): State<(Spans, Notes)>) {
    note(&runs, spans.named("handler").len());
}

#[webhook_handler(event = "file.stored")]
async fn count_runs_too(_event: FileStored, State((spans, runs)): State<(Spans, Notes)>) {
    note(&runs, spans.named("handler").len());
}

#[tokio::test]
async fn the_run_of_a_handler_begins_when_it_is_its_turn() {
    let (spans, runs) = (Spans::default(), Notes::default());
    let _guard = spans.capture();
    let state = (spans.clone(), Arc::clone(&runs));
    let hooks = builder(&state).handlers(webhook_handlers![count_runs, count_runs_too]).build().unwrap();
    assert_eq!(deliver(&hooks, "file.stored").await, 204);
    assert_eq!(take_notes(&runs), ["1", "2"]);
}

#[tokio::test]
async fn the_future_of_a_delivery_is_small() {
    let hooks = all_handlers();
    let future = hooks.handle(signed_request("/", &secret(), payload("file.stored").to_string()));
    // Servers box it with futures of their own, and the C library is slower from 1,032 bytes on.
    assert!(size_of_val(&future) <= 1300, "{} bytes", size_of_val(&future));
}

/// One request for each way to be answered, with what its span says.
fn requests() -> Vec<(Request<Bytes>, [&'static str; 5], Level)> {
    let wrong = SigningSecret::new("another secret").unwrap();
    let of = |path: &str, event: &str| signed_request(path, &secret(), payload(event).to_string());
    let unsigned = Request::post("/").body(Bytes::from_static(b"{}")).unwrap();
    let mut get = of("/", "file.stored");
    *get.method_mut() = Method::GET;
    let mut large = of("/", "file.stored");
    large.headers_mut().insert("content-length", "300000".parse().unwrap());
    let bad = signed_request("/", &secret(), "{}");
    let (info, debug) = (Level::INFO, Level::DEBUG);
    vec![
        // status, code, event, secret, whether there is an id
        (of("/", "file.stored"), ["204", "handled", "file.stored", "0", "id"], info),
        (of("/", "file.info_updated"), ["204", "unhandled", "file.info_updated", "0", "id"], info),
        (of("/", "group.created"), ["204", "handled", "group.created", "0", "id"], info),
        (of("/", "group.deleted"), ["204", "unhandled", "group.deleted", "0", "id"], info),
        (unsigned, ["401", "signature_missing", "", "", ""], info),
        (Sample::of("file.stored").sign(&wrong), ["401", "signature_mismatch", "", "", ""], info),
        (bad, ["422", "not_a_payload", "", "0", "id"], info),
        (large, ["413", "body_too_large", "", "", ""], info),
        (of("/wp-login.php", "file.stored"), ["404", "unknown_path", "", "", ""], debug),
        (get, ["405", "method_not_allowed", "", "", ""], debug),
    ]
}

fn check(spans: &Spans, expected: [&str; 5], level: Level, name: &str) {
    let delivery = only(spans, "delivery");
    let [status, code, event, secret, id] = expected;
    assert_eq!(values(&delivery, ["status", "code", "event", "secret"]), [status, code, event, secret], "{name}");
    assert_eq!(delivery.field("delivery.id").is_empty(), id.is_empty(), "{name}");
    assert_eq!((delivery.level, delivery.parent), (level, None), "{name}");
    assert_eq!(values(&delivery, ["otel.status_code", "error.type"]), ["", ""], "{name}: 4xx is the client's error");
    assert_eq!(spans.entered(), None, "{name}");
}

#[tokio::test]
async fn every_answer_of_handle_has_a_span() {
    let hooks = all_handlers();
    for (request, expected, level) in requests() {
        let spans = Spans::default();
        let _guard = spans.capture();
        hooks.handle(request).await;
        check(&spans, expected, level, expected[1]);
    }
}

#[tokio::test]
async fn every_answer_of_the_tower_service_has_the_same_span() {
    let mut service = all_handlers().into_service();
    for (request, expected, level) in requests() {
        let spans = Spans::default();
        let _guard = spans.capture();
        service.call(request.map(Full::new)).await.unwrap();
        check(&spans, expected, level, expected[1]);
    }
}

#[actix_web::test]
async fn every_answer_of_actix_web_has_the_same_span() {
    use actix_web::{App, http::Method, test};

    let app = test::init_service(App::new().service(all_handlers().mount("/hooks"))).await;
    for (request, expected, level) in requests() {
        let spans = Spans::default();
        let _guard = spans.capture();
        let (head, body) = request.into_parts();
        let mut request = test::TestRequest::with_uri(&format!("/hooks{}", head.uri))
            .method(Method::from_bytes(head.method.as_str().as_bytes()).unwrap())
            .set_payload(body);
        for (name, value) in &head.headers {
            request = request.insert_header((name.as_str(), value.as_bytes()));
        }
        test::call_service(&app, request.to_request()).await;
        check(&spans, expected, level, expected[1]);
    }
}

#[tokio::test]
async fn requests_of_scanners_have_no_span_at_the_level_info() {
    let hooks = all_handlers();
    let spans = Spans::up_to(Level::INFO);
    let _guard = spans.capture();
    for (request, ..) in requests() {
        hooks.handle(request).await;
    }
    let levels: Vec<_> = requests().iter().map(|(_, _, level)| *level).filter(|level| *level == Level::INFO).collect();
    assert_eq!(spans.named("delivery").len(), levels.len());
    assert!(spans.all().iter().all(|span| !matches!(span.field("status"), "404" | "405")));
}

#[tokio::test]
async fn texts_from_outside_are_cut_off() {
    let hooks = all_handlers();
    let spans = Spans::default();
    let _guard = spans.capture();
    deliver(&hooks, &"e".repeat(10_000)).await;
    hooks.handle(signed_request(&format!("/{}", "p".repeat(10_000)), &secret(), "{}")).await;
    let [event, path] = &spans.named("delivery")[..] else { panic!() };
    assert_eq!((event.field("event").chars().count(), path.field("path").chars().count()), (101, 101));
}

#[tokio::test]
async fn the_spans_of_duplicates_and_of_stored_deliveries_say_what_they_are() {
    let notes = Notes::default();
    let spans = Spans::default();
    let _guard = spans.capture();
    let once = builder(&notes).handlers(webhook_handlers![index]).deduplicate(10, Duration::from_secs(60));
    let once = once.build().unwrap();
    for code in ["handled", "duplicate"] {
        deliver(&once, "file.uploaded").await;
        let delivery = spans.named("delivery").pop().unwrap();
        assert_eq!(values(&delivery, ["status", "code", "event"]), ["204", code, "file.uploaded"]);
    }
    assert_eq!(spans.named("handler").len(), 1);

    let spans = Spans::default();
    let _guard = spans.capture();
    let queue = MemoryQueue::new();
    let stored = builder(&notes).handlers(webhook_handlers![index]).queue(queue.storage()).build().unwrap();
    deliver(&stored, "file.uploaded").await;
    deliver(&stored, "file.stored").await;
    let deliveries = spans.named("delivery");
    let told: Vec<_> = deliveries.iter().map(|span| values(span, ["status", "code", "event"])).collect();
    assert_eq!(told, [["202", "stored", "file.uploaded"], ["204", "unhandled", "file.stored"]]);
    assert_eq!(spans.all().len(), 2, "nothing ran");
}

#[tokio::test]
async fn the_span_of_a_delivery_names_the_secret_that_signed_it() {
    let [first, second] = ["first secret", "second secret"].map(|text| SigningSecret::new(text).unwrap());
    let builder = WebhookRouter::builder().signing_secrets([first.clone(), second.clone()]);
    let hooks = builder.state(Arc::new(Notes::default())).handlers(webhook_handlers![log_something]).build().unwrap();
    for (secret, position) in [(first, "0"), (second, "1")] {
        let spans = Spans::default();
        let _guard = spans.capture();
        hooks.handle(Sample::of("file.stored").sign(&secret)).await;
        assert_eq!(only(&spans, "delivery").field("secret"), position);
    }
    let unsigned = WebhookRouter::builder().dangerously_accept_unsigned().handlers(webhook_handlers![log_something]);
    let unsigned = unsigned.build().unwrap();
    let spans = Spans::default();
    let _guard = spans.capture();
    let body = Sample::of("file.stored").body();
    assert_eq!(unsigned.handle(Request::post("/").body(body).unwrap()).await.status(), 204);
    assert_eq!(values(&only(&spans, "delivery"), ["secret", "code"]), ["", "handled"]);
}
