//! The words that the guides quote are the words that their readers see. Each test makes the
//! mistakes that a guide names. What the compiler says is compared with the files in `tests/ui`.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::Command,
    time::Duration,
};

use actix_web::{App, HttpMessage as _, dev::Service as _, rt, test::TestRequest};
use axum::body::Body;
use bytes::Bytes;
use http::{Request, StatusCode};
use serde::Deserialize;
use tests::{
    deliveries::secret,
    guides::{assert_both_say, assert_quoted},
    lambda::Function,
};
use tower_service::Service as _;
use uploadcare_hooks::{
    FileInfoUpdated, FileUploaded, HandlerDescriptor, HandlerError, Payload, SIGNATURE_HEADER, SigningSecret, State,
    WebhookRouter, WebhookRouterBuilder, client::Client, payload::v0_6, testing::Sample, webhook_handler,
    webhook_handlers,
};
use uploadcare_sim::Simulator;

use super::Log;

const ACTIX: &str = include_str!("../../../uploadcare-hooks/docs/actix.md");
const AXUM: &str = include_str!("../../../uploadcare-hooks/docs/axum.md");
const LAMBDA: &str = include_str!("../../../uploadcare-hooks/docs/lambda.md");
const DELIVERIES: &str = include_str!("../../../uploadcare-hooks/docs/deliveries.md");
const PAYLOADS: &str = include_str!("../../../uploadcare-hooks/docs/payloads.md");
const UNKNOWN_EVENTS: &str = include_str!("../../../uploadcare-hooks/docs/unknown_events.md");
const ERRORS: &str = include_str!("../../../uploadcare-hooks/docs/errors.md");

#[webhook_handler(event = "file.uploaded")]
async fn index_upload(_event: FileUploaded) {}

fn builder(handlers: Vec<HandlerDescriptor>) -> WebhookRouterBuilder {
    WebhookRouter::builder().signing_secret(secret()).handlers(handlers)
}

fn hooks() -> WebhookRouter {
    builder(webhook_handlers![index_upload]).build().unwrap()
}

/// The status and the log of a request to a router.
async fn log_of(hooks: &WebhookRouter, request: Request<Bytes>) -> (u16, String) {
    let log = Log::default();
    let guard = log.capture();
    let status = hooks.handle(request).await.status().as_u16();
    drop(guard);
    (status, log.text())
}

/// The log of a signed delivery, which must be answered with this status.
async fn delivered(hooks: &WebhookRouter, sample: Sample, status: u16) -> String {
    let (answered, log) = log_of(hooks, sample.sign(&secret())).await;
    assert_eq!(answered, status, "{log}");
    log
}

#[test]
fn guides_quote_the_compiler() {
    macro_rules! expected {
        ($file:literal) => {
            include_str!(concat!("../../", $file, ".stderr"))
        };
    }
    const FEATURES: &str = expected!("renamed/tests/ui/feature-not-enabled");
    let no_queue = "this method needs a queue: enable a feature of `uploadcare-hooks` such as `queue-sqlite`";
    assert_both_say(include_str!("../../../uploadcare-hooks/docs/queue.md"), FEATURES, no_queue);
    const NOT_BUILT: &str = "the router is not built yet: write `.build()?` in front of this method";
    assert_both_say(ACTIX, FEATURES, "`mount` needs the feature `actix-web` of `uploadcare-hooks`");
    assert_both_say(AXUM, FEATURES, "`into_service` needs the feature `tower` of `uploadcare-hooks`");
    assert_both_say(ACTIX, expected!("ui/not-built"), NOT_BUILT);
    assert_both_say(AXUM, expected!("ui/not-built"), NOT_BUILT);
    let no_method = "no method named `describe` found for struct `WebhookRouterBuilder`";
    assert_both_say(ACTIX, expected!("ui/not-built"), no_method);
    assert_both_say(AXUM, expected!("ui/not-built"), no_method);
    assert_both_say(ACTIX, expected!("ui/router-moved-into-a-closure"), "cannot move out of `hooks`");
    let route = "a webhook handler has no route of its own: leave this attribute out";
    assert_both_say(ACTIX, expected!("ui/route-of-a-framework"), route);
    let state = "is not the `State` of this crate: write `use uploadcare_hooks::State`";
    assert_both_say(AXUM, expected!("ui/state-of-another-crate"), state);

    let payload = "a handler of `file.stored` takes `FileStored`, not `uploadcare_hooks::FileUploaded`";
    assert_both_say(PAYLOADS, expected!("ui/wrong-payload"), payload);
    let version = "a handler of `file.uploaded` with `version = \"0.6\"` takes `payload::v0_6::FileUploaded`, not \
                   `uploadcare_hooks::FileUploaded`";
    assert_both_say(PAYLOADS, expected!("ui/payload-of-another-version"), version);
    let not_read = "cannot be read from JSON: add `#[derive(serde::Deserialize)]` to the type inside";
    assert_both_say(PAYLOADS, expected!("ui/payload-that-is-not-deserialize"), not_read);
    assert_both_say(UNKNOWN_EVENTS, expected!("ui/payload-that-is-not-deserialize"), not_read);

    let unknown = expected!("ui/unknown-event");
    assert_both_say(UNKNOWN_EVENTS, unknown, "unknown event `group.created`: add `unlisted` if Uploadcare sends it");
    assert_both_say(UNKNOWN_EVENTS, unknown, "did you mean `file.uploaded`?");
    let known = "event `file.stored` is known: leave out `unlisted`, and take its payload `FileStored`";
    assert_both_say(UNKNOWN_EVENTS, expected!("ui/unlisted-event-that-is-known"), known);
    let taken =
        "a handler of an unlisted event takes `UnknownEvent` or `Payload<T>`, not `uploadcare_hooks::FileStored`";
    assert_both_say(UNKNOWN_EVENTS, expected!("ui/payload-of-an-unlisted-event"), taken);
    let one = "option `unlisted` goes with one event: `event = \"moderation.state_changed\", unlisted`";
    assert_both_say(UNKNOWN_EVENTS, expected!("ui/unlisted-without-one-event"), one);

    let returned = "a webhook handler returns `()` or `Result<(), HandlerError>`, not `Result<(), Box<dyn \
                    std::error::Error>>`";
    assert_both_say(ERRORS, expected!("ui/error-of-no-error-type"), returned);
}

#[webhook_handler(event = "file.uploaded", name = "index_upload")]
async fn index_with_state(_event: FileUploaded, State(_): State<u8>) {}

#[test]
fn guides_to_frameworks_quote_what_is_wrong_at_boot() {
    const VARIABLE: &str = "VARIABLE_THAT_IS_NOT_SET";
    let no_variable = SigningSecret::from_env(VARIABLE).unwrap_err().to_string();
    let no_variable = no_variable.replace(VARIABLE, "UC_SIGNING_SECRET");
    let stateless = builder(webhook_handlers![index_with_state]).build().unwrap_err().to_string();
    let stateless = stateless.replace("`u8`", "`..`");
    for guide in [ACTIX, AXUM, LAMBDA] {
        assert_quoted(guide, &no_variable, "it is not set;");
    }
    for guide in [ACTIX, AXUM] {
        let quoted = "no state of type `..` was provided, needed by `index_upload`: add `.state(..)`";
        assert_both_say(guide, &stateless, quoted);
    }
    let no_secret = WebhookRouter::builder().handlers(webhook_handlers![index_upload]).build().unwrap_err();
    let quoted = "no signing secret for `index_upload`: add `.signing_secret(";
    assert_both_say(ACTIX, &no_secret.to_string(), quoted);
}

#[tokio::test]
async fn guides_to_frameworks_quote_what_is_logged_of_requests() {
    let hooks = hooks();
    let unhandled = delivered(&hooks, Sample::of("file.stored"), 204).await;
    for guide in [ACTIX, AXUM, DELIVERIES] {
        assert_both_say(guide, &unhandled, "no handler at path \"/\" takes \"file.stored\": delivery");
    }
    assert_both_say(DELIVERIES, &unhandled, "is acknowledged and nothing runs");

    let forged = Sample::of("file.uploaded").sign(&SigningSecret::new("another").unwrap());
    let (status, log) = log_of(&hooks, forged).await;
    assert_eq!(status, 401);
    for guide in [ACTIX, AXUM, LAMBDA] {
        let quoted = "the signature does not match: the body was signed with another secret, or changed after it \
                      was signed";
        assert_both_say(guide, &log, quoted);
    }
    assert_both_say(DELIVERIES, &log, "rejected: 401 signature_mismatch at \"/\", secrets tried [0]: ");

    let (status, log) = log_of(&hooks, Sample::of("file.uploaded").unsigned()).await;
    assert_eq!(status, 401);
    assert_both_say(ACTIX, &log, "the request has no X-Uc-Signature header");

    let log = delivered(&hooks, Sample::of("file.uploaded").at("/scan"), 404).await;
    let quoted = "a request with a signature came to path \"/scan\", where no handler answers. Handlers answer at \
                  [\"/\"], relative to the mount";
    assert_both_say(ACTIX, &log, quoted);

    let large = Request::post("/").body(vec![b' '; 256 * 1024 + 1].into()).unwrap();
    let (status, log) = log_of(&hooks, large).await;
    assert_eq!(status, 413);
    for guide in [ACTIX, LAMBDA] {
        assert_both_say(guide, &log, "the body is larger than 262144 bytes");
    }
}

#[test]
fn guides_to_frameworks_quote_what_a_consumed_body_leads_to() {
    let log = Log::default();
    let guard = log.capture();
    let body = Sample::of("file.uploaded").body();
    let signature = (SIGNATURE_HEADER, secret().sign(&body));
    let status = rt::System::new().block_on(async {
        let app = App::new().service(hooks().mount("/hooks")).wrap_fn(|mut request, next| {
            drop(request.take_payload());
            next.call(request)
        });
        let app = actix_web::test::init_service(app).await;
        let request = TestRequest::post().uri("/hooks").insert_header(signature);
        let request = request.insert_header(("Content-Length", body.len())).set_payload(body);
        app.call(request.to_request()).await.unwrap().status().as_u16()
    });
    drop(guard);
    assert_eq!(status, 500, "{}", log.text());
    for guide in [ACTIX, AXUM] {
        let quoted = "the request announces a body, but the router found none: a middleware or an extractor before it \
                      consumed the body";
        assert_both_say(guide, &log.text(), quoted);
    }
}

/// The status and the log of a delivery to an axum application.
async fn through_axum(mut app: axum::Router, path: &str) -> (StatusCode, String) {
    let log = Log::default();
    let guard = log.capture();
    let request = Sample::of("file.uploaded").at(path).sign(&secret()).map(Body::from);
    let status = app.call(request).await.unwrap().status();
    drop(guard);
    (status, log.text())
}

#[tokio::test]
async fn the_guides_to_tower_services_quote_what_a_wrong_mount_leads_to() {
    let app = axum::Router::new().route_service("/hooks", hooks().into_service());
    let (status, log) = through_axum(app, "/hooks").await;
    assert_eq!(status, 404);
    let quoted = "a request with a signature came to path \"/hooks\", where no handler answers. Handlers answer at \
                  [\"/\"]";
    assert_both_say(AXUM, &log, quoted);

    let app = axum::Router::new().nest_service("/hooks", hooks().into_service().at("/hooks"));
    let (status, log) = through_axum(app, "/hooks").await;
    assert_eq!(status, 404);
    let quoted = "a request with a signature came to path \"/\", which is outside of \"/hooks\", the mount given with";
    assert_both_say(AXUM, &log, quoted);

    let app = axum::Router::new().fallback_service(hooks().into_service().at("/hooks"));
    let (status, log) = through_axum(app, "/prod/hooks").await;
    assert_eq!(status, 404);
    let quoted =
        "a request with a signature came to path \"/prod/hooks\", which is outside of \"/hooks\", the mount given with";
    assert_both_say(LAMBDA, &log, quoted);
}

#[tokio::test]
async fn the_guide_to_lambda_quotes_what_a_function_says() {
    let program = env!("CARGO_BIN_EXE_lambda_example");
    let mut by_itself = Command::new(program);
    by_itself.env("UC_SIGNING_SECRET", "my-secret").env_remove("AWS_LAMBDA_FUNCTION_NAME");
    let ended = by_itself.output().unwrap();
    assert!(!ended.status.success());
    assert_both_say(LAMBDA, &String::from_utf8_lossy(&ended.stderr), "Missing AWS_LAMBDA_FUNCTION_NAME env var");

    let function = Function::start(program, &[("UC_SIGNING_SECRET", "my-secret")]).await.unwrap();
    let error = function.invoke(serde_json::json!({"Records": []})).await.unwrap().unwrap_err();
    let message = error["errorMessage"].as_str().unwrap();
    assert_both_say(LAMBDA, message, "this function expects a JSON payload from Amazon API Gateway");
    assert_both_say(LAMBDA, message, "but the data doesn't match any of those services' events");
}

/// The table of rejections, from the source, because no function lists it.
#[test]
fn the_guide_to_deliveries_has_every_code_beside_its_status() {
    let source = include_str!("../../../uploadcare-hooks/src/router/rejection.rs");
    let table = source.split("\nrejections! {").nth(1).and_then(|rest| rest.split("\n}").next()).unwrap();
    let rows: Vec<_> = table.split(';').filter(|row| row.contains("=>")).collect();
    assert!(rows.len() > 10);
    for row in rows {
        let status = row.split("=>").last().and_then(|row| row.split_whitespace().next()).unwrap();
        let code = row.split('"').nth(1).unwrap();
        let mut lines = DELIVERIES.lines().filter(|line| line.starts_with(&format!("| {status} |")));
        assert!(lines.any(|line| line.contains(&format!("`{code}`"))), "no row of {status} has {code}");
    }
}

/// What is behind a feature is linked here if it is compiled in, and at docs.rs if not.
#[test]
fn the_landing_page_has_both_links_of_each_name_and_a_row_for_each_feature() {
    const PAGE: &str = include_str!("../../../uploadcare-hooks/docs/crate.md");
    const ONLINE: &str = "https://docs.rs/uploadcare-hooks/latest/uploadcare_hooks/";
    let links = |text: &'static str| -> BTreeMap<_, _> {
        text.lines().map(|line| line.trim_start_matches('[').split_once("]: ").unwrap()).collect()
    };
    let here = links(include_str!("../../../uploadcare-hooks/docs/crate_links.md"));
    let online = links(include_str!("../../../uploadcare-hooks/docs/crate_links_online.md"));
    let used: BTreeSet<_> = PAGE.split("][").skip(1).map(|rest| rest.split_once(']').unwrap().0).collect();
    assert_eq!(here.keys().copied().collect::<BTreeSet<_>>(), used);
    assert_eq!(online.keys().copied().collect::<BTreeSet<_>>(), used);
    for (name, item) in here {
        let path = item.trim_start_matches("macro@").strip_prefix("crate::").unwrap();
        let url = match path.split_once("::").filter(|(first, _)| first.starts_with(char::is_uppercase)) {
            Some((structure, method)) => format!("struct.{structure}.html#method.{method}"),
            None if item.starts_with("macro@") => format!("attr.{path}.html"),
            None => format!("{}/index.html", path.replace("::", "/")),
        };
        assert_eq!(online[name], format!("{ONLINE}{url}"));
    }

    let manifest = include_str!("../../../uploadcare-hooks/Cargo.toml");
    let features = manifest.split("[features]").nth(1).and_then(|rest| rest.split("\n[").next()).unwrap();
    let features = features.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(" = "));
    for (feature, _) in features.filter(|(feature, _)| *feature != "default") {
        let mut rows = PAGE.lines().filter_map(|line| line.strip_prefix("| ")?.split_once(" | "));
        assert!(rows.any(|(names, _)| names.contains(&format!("`{feature}`"))), "no row has the feature {feature}");
    }
}

#[derive(Deserialize)]
struct Moderation {
    data: ModeratedFile,
}

#[derive(Deserialize)]
struct ModeratedFile {
    state: String,
}

#[webhook_handler(event = "moderation.state_changed", unlisted)]
async fn moderated(Payload(event): Payload<Moderation>) {
    drop(event.data.state);
}

#[webhook_handler(event = "file.info_updated")]
async fn scanned(event: FileInfoUpdated) -> Result<(), HandlerError> {
    event.data.appdata.virus_scan()?;
    Ok(())
}

#[webhook_handler(event = "file.uploaded", version = "0.6")]
async fn index_old(_event: v0_6::FileUploaded) {}

#[tokio::test]
async fn the_guides_to_payloads_and_unknown_events_quote_what_does_not_fit() {
    let log = Log::default();
    let guard = log.capture();
    let hooks = builder(webhook_handlers![moderated, scanned, index_old]).build().unwrap();
    drop(guard);
    let quoted = "handler `index_old` takes payload version \"0.6\" only: Uploadcare creates no subscriptions of it \
                  any more";
    assert_both_say(PAYLOADS, &log.text(), quoted);

    let log = delivered(&hooks, Sample::of("file.uploaded").set("data.uuid", "large"), 422).await;
    let quoted = "the body is verified, but it is not a webhook payload: at `data.uuid`: ";
    assert_both_say(PAYLOADS, &log, quoted);

    let log = delivered(&hooks, Sample::of("moderation.state_changed").set("data.state", 1), 422).await;
    assert!(log.contains("payload_mismatch"), "{log}");
    let quoted = "the payload does not fit the type that the handler takes: at `data.state`: ";
    assert_both_say(PAYLOADS, &log, quoted);
    assert_both_say(UNKNOWN_EVENTS, &log, &format!("handler `moderated` failed: \"{quoted}"));

    let scan = serde_json::json!({"infected": "perhaps"});
    let sample = Sample::of("file.info_updated").set("data.appdata.uc_clamav_virus_scan.data", scan);
    let log = delivered(&hooks, sample, 500).await;
    assert_both_say(PAYLOADS, &log, "at `appdata.uc_clamav_virus_scan.data");
}

#[tokio::test]
async fn the_guide_to_unknown_events_quotes_what_a_refused_event_leads_to() {
    let simulator = Simulator::builder("demopublickey", "demosecretkey").start("127.0.0.1:0".parse().unwrap());
    let simulator = simulator.unwrap();
    let client = Client::builder("demopublickey", "demosecretkey").base_url(simulator.base_url()).build().unwrap();
    let hooks = builder(webhook_handlers![moderated]).build().unwrap();
    let error = hooks.subscriptions("https://app.example.com/hooks").unwrap().sync(&client).await.unwrap_err();
    assert!(error.is_only_refused_events());
    let error = error.to_string();
    assert_both_say(UNKNOWN_EVENTS, &error, "Uploadcare does not accept the event for this project: ");
    assert_both_say(UNKNOWN_EVENTS, &error, "check its name, or wait until Uploadcare offers it");
}

/// What a handler does, by the name of the file.
#[webhook_handler(event = "file.uploaded", name = "index_upload")]
async fn index_as_told(event: FileUploaded) -> Result<(), HandlerError> {
    match event.data.original_filename.as_deref() {
        Some("fail") => return Err("the disk is full".into()),
        Some("discard") => return Err(HandlerError::discard("never")),
        Some("block") => std::thread::sleep(Duration::from_millis(50)),
        Some("hang") => std::future::pending().await,
        _ => panic!("no name"),
    }
    Ok(())
}

#[tokio::test]
async fn the_guide_to_errors_quotes_how_handlers_end() {
    let hooks = builder(webhook_handlers![index_as_told]).build().unwrap();
    let named = |name: &str| Sample::of("file.uploaded").set("data.original_filename", name);
    for (name, quoted) in [
        ("fail", "handler `index_upload` failed: \"the disk is full\""),
        ("panic", "handler `index_upload` panicked: \"no name\""),
    ] {
        let log = delivered(&hooks, named(name), 500).await;
        assert_both_say(ERRORS, &log, "rejected: 500 handler_failed at \"/\", delivery");
        assert_both_say(ERRORS, &log, quoted);
    }
    let log = delivered(&hooks, named("discard"), 204).await;
    assert_both_say(ERRORS, &log, "handler `index_upload` discarded delivery");

    let short = builder(webhook_handlers![index_as_told]).handler_timeout(Duration::from_millis(5)).build().unwrap();
    let log = delivered(&short, named("block"), 204).await;
    assert_both_say(ERRORS, &log, "handler `index_upload` blocked its thread for");
    assert_both_say(ERRORS, &log, "so it could not be stopped; move blocking work to `tokio::task::spawn_blocking`");

    let full = builder(webhook_handlers![index_as_told]).max_concurrent_handlers(1).build().unwrap();
    let running = full.clone();
    let request = named("hang").sign(&secret());
    let running = tokio::spawn(async move { running.handle(request).await });
    tokio::task::yield_now().await;
    let log = delivered(&full, named("fail"), 503).await;
    let quoted = "handlers may run at once, and there is no room for 1 more; see `.max_concurrent_handlers(n)`";
    assert_both_say(ERRORS, &log, quoted);

    let log = Log::default();
    let guard = log.capture();
    running.abort();
    assert!(running.await.unwrap_err().is_cancelled());
    drop(guard);
    assert_both_say(ERRORS, &log.text(), "handler `index_upload` was dropped before it ended, so delivery");
    assert_both_say(ERRORS, &log.text(), "is not acknowledged");
}

#[tokio::test(start_paused = true)]
async fn guides_quote_what_a_handler_that_is_too_slow_leads_to() {
    let slow = || Sample::of("file.uploaded").set("data.original_filename", "hang");
    let hooks = builder(webhook_handlers![index_as_told]).build().unwrap();
    let log = delivered(&hooks, slow(), 503).await;
    assert_both_say(ERRORS, &log, "handler `index_upload` did not finish within 30s");
    let hooks = builder(webhook_handlers![index_as_told]).handler_timeout(Duration::from_secs(10)).build().unwrap();
    let log = delivered(&hooks, slow(), 503).await;
    assert_both_say(LAMBDA, &log, "handler `index_upload` did not finish within 10s");
}

#[test]
fn the_guide_to_errors_quotes_what_is_said_where_there_is_no_timer() {
    let hooks = builder(webhook_handlers![index_as_told]).build().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let slow = Sample::of("file.uploaded").set("data.original_filename", "hang");
    let log = runtime.block_on(delivered(&hooks, slow, 500));
    let quoted = "handler `index_upload` was stopped at its first `.await`: its time limit needs a Tokio runtime with \
                  time enabled";
    assert_both_say(ERRORS, &log, quoted);
}
