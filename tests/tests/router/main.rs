//! What a router does with a delivery, and what it finds when it is built.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod boot;
mod containment;
mod rotation;

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use tests::deliveries::{legacy_payload, payload, secret};
use uploadcare_hooks::{
    Delivery, Event, FailureKind, FileStored, FileUploaded, HandlerError, PayloadVersion, RejectionReason,
    SigningSecret, State, TriedSecrets, WebhookRouter, WebhookRouterBuilder,
    payload::{v0_5, v0_6},
    webhook_handler, webhook_handlers,
};

/// What handlers note down.
type Notes = Arc<Mutex<Vec<String>>>;

fn note(notes: &Notes, text: impl ToString) {
    notes.lock().unwrap().push(text.to_string());
}

fn taken(notes: &Notes) -> Vec<String> {
    let mut notes = std::mem::take(&mut *notes.lock().unwrap());
    notes.sort();
    notes
}

#[webhook_handler(event = "file.uploaded")]
async fn index(event: FileUploaded, State(notes): State<Notes>) {
    note(&notes, format!("index {}", event.data.uuid));
}

#[webhook_handler(event = "file.uploaded")]
async fn copy(delivery: Delivery, event: FileUploaded, whole: Event, State(notes): State<Notes>) {
    assert_eq!(delivery.event(), &whole);
    assert_eq!(whole, Event::FileUploaded(event));
    note(&notes, "copy");
}

#[webhook_handler(event = "file.uploaded")]
async fn fail(_event: FileUploaded) -> Result<(), std::io::Error> {
    Err(std::io::Error::other("the disk\nis full"))
}

#[webhook_handler(event = "file.uploaded")]
async fn panic(_event: FileUploaded) {
    panic!("an invariant is broken");
}

#[webhook_handler(event = "file.uploaded")]
async fn give_up(_event: FileUploaded) -> Result<(), HandlerError> {
    Err(HandlerError::discard("this file is not for us"))
}

#[webhook_handler(event = "file.uploaded")]
async fn hang(_event: FileUploaded) {
    std::future::pending::<()>().await;
}

#[webhook_handler(event = "file.stored")]
async fn pause(_event: FileStored) {
    tokio::time::sleep(Duration::from_millis(100)).await;
}

#[webhook_handler(events = ["file.stored", "file.deleted"])]
async fn count(event: Event, State(notes): State<Notes>) {
    note(&notes, format!("count {}", event.kind()));
}

#[webhook_handler(any)]
async fn audit(event: Event, State(notes): State<Notes>) {
    note(&notes, format!("audit {}", event.kind()));
}

#[webhook_handler(event = "file.uploaded", version = "0.6")]
async fn version_0_6(event: v0_6::FileUploaded, State(notes): State<Notes>) {
    let channels = event.data.video_info.and_then(|video| video.audio).and_then(|audio| audio.channels);
    note(&notes, format!("0.6 {channels:?} {:?}", event.data.source));
}

#[webhook_handler(event = "file.uploaded", version = "0.5")]
async fn version_0_5(event: v0_5::FileUploaded, State(notes): State<Notes>) {
    assert_eq!(event.hook.version, PayloadVersion::V0_5);
    note(&notes, "0.5");
}

#[webhook_handler(event = "file.uploaded", version = "")]
async fn unversioned(event: v0_5::FileUploaded, State(notes): State<Notes>) {
    note(&notes, format!("unversioned {:?}", event.data.image_info.and_then(|image| image.width)));
}

#[webhook_handler(event = "file.uploaded", version = "0.7")]
async fn version_0_7(_event: FileUploaded, State(notes): State<Notes>) {
    note(&notes, "0.7");
}

/// A builder with a secret and the notes.
fn builder(notes: &Notes) -> WebhookRouterBuilder {
    WebhookRouter::builder().signing_secret(secret()).state(Arc::clone(notes))
}

fn signed(path: &str, secret: &SigningSecret, body: impl Into<Bytes>) -> Request<Bytes> {
    let body = body.into();
    Request::post(path).header("X-Uc-Signature", secret.sign(&body)).body(body).unwrap()
}

async fn deliver(hooks: &WebhookRouter, body: impl ToString) -> Response<Bytes> {
    hooks.handle(signed("/", &secret(), body.to_string())).await
}

#[tokio::test]
async fn all_handlers_of_an_event_run_and_each_gets_the_payload() {
    let notes = Notes::default();
    let hooks = builder(&notes).handlers(webhook_handlers![index, copy, audit, count]).build().unwrap();
    assert_eq!(deliver(&hooks, payload("file.uploaded")).await.status(), StatusCode::NO_CONTENT);
    assert_eq!(taken(&notes), ["audit file.uploaded", "copy", "index 575ed4e8-f4e8-4c14-a58b-1527b6d9ee46"]);
    deliver(&hooks, payload("file.deleted")).await;
    assert_eq!(taken(&notes), ["audit file.deleted", "count file.deleted"]);
}

#[tokio::test]
async fn an_event_without_a_handler_is_acknowledged_and_counted() {
    let notes = Notes::default();
    let hooks = builder(&notes).handlers(webhook_handlers![index]).build().unwrap();
    assert_eq!(deliver(&hooks, payload("file.deleted")).await.status(), StatusCode::NO_CONTENT);
    assert_eq!(deliver(&hooks, r#"{"hook": {"event": "group.created"}, "data": [1]}"#).await.status(), 204);
    let stats = hooks.stats();
    assert_eq!((stats.acknowledged, stats.unhandled, stats.unknown_events, stats.rejected), (2, 2, 1, 0));
}

#[tokio::test]
async fn one_failing_handler_fails_the_delivery_and_the_others_still_run() {
    let notes = Notes::default();
    let rejected = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&rejected);
    let hooks = builder(&notes)
        .handlers(webhook_handlers![fail, panic, index, give_up])
        .on_rejection(move |rejection| {
            let RejectionReason::HandlersFailed(failures) = rejection.reason() else { panic!("{rejection}") };
            let kinds: Vec<_> = failures.iter().map(|failure| (failure.handler, failure.kind.to_string())).collect();
            seen.lock().unwrap().push((rejection.to_string(), kinds, rejection.secrets().clone()));
        })
        .build()
        .unwrap();
    let response = deliver(&hooks, payload("file.uploaded")).await;
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(
        response.body(),
        r#"{"type":"about:blank","status":500,"code":"handler_failed","title":"a handler failed"}"#
    );
    assert_eq!(taken(&notes).len(), 1);
    let rejected = rejected.lock().unwrap();
    let [(text, kinds, secrets)] = rejected.as_slice() else { panic!("{rejected:?}") };
    assert_eq!(
        kinds,
        &[
            ("fail", r#"failed: "the disk\nis full""#.to_owned()),
            ("panic", r#"panicked: "an invariant is broken""#.to_owned())
        ]
    );
    assert_eq!(secrets, &TriedSecrets::Matched(0));
    assert!(text.contains("\"file.uploaded\"") && !text.contains('\n'), "{text}");
    assert_eq!(hooks.stats().discarded, 1);
}

#[tokio::test]
async fn a_discarded_delivery_is_acknowledged() {
    let notes = Notes::default();
    let hooks = builder(&notes).handlers(webhook_handlers![give_up]).build().unwrap();
    assert_eq!(deliver(&hooks, payload("file.uploaded")).await.status(), StatusCode::NO_CONTENT);
    assert_eq!(hooks.stats().discarded, 1);
}

#[tokio::test]
async fn a_handler_that_runs_out_of_time_is_stopped_and_the_delivery_is_to_come_again() {
    let notes = Notes::default();
    let hooks = builder(&notes)
        .handlers(webhook_handlers![hang, index])
        .handler_timeout(Duration::from_millis(20))
        .on_rejection(|rejection| match rejection.reason() {
            RejectionReason::HandlersFailed(failures) => {
                assert!(matches!(failures.as_slice(), [failure] if matches!(failure.kind, FailureKind::TimedOut(_))));
            }
            _ => panic!("{rejection}"),
        })
        .build()
        .unwrap();
    let response = deliver(&hooks, payload("file.uploaded")).await;
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(response.headers().contains_key("retry-after"));
    assert_eq!(taken(&notes).len(), 1);
}

#[tokio::test]
async fn a_delivery_that_finds_no_room_is_to_come_again_and_runs_nothing() {
    let notes = Notes::default();
    let hooks = builder(&notes).handlers(webhook_handlers![pause, count]).max_concurrent_handlers(3).build().unwrap();
    let (first, second) =
        tokio::join!(deliver(&hooks, payload("file.stored")), deliver(&hooks, payload("file.stored")));
    assert_eq!((first.status().as_u16(), second.status().as_u16()), (204, 503));
    assert!(second.headers().contains_key("retry-after"));
    assert_eq!(taken(&notes), ["count file.stored"]);
    assert_eq!(deliver(&hooks, payload("file.stored")).await.status(), 204);
}

#[tokio::test]
async fn an_old_version_reaches_the_handlers_that_ask_for_it_and_lifted_those_that_do_not() {
    let notes = Notes::default();
    let hooks = builder(&notes)
        .handlers(webhook_handlers![index, version_0_6, version_0_5, unversioned, version_0_7])
        .build()
        .unwrap();
    let index = "index 575ed4e8-f4e8-4c14-a58b-1527b6d9ee46";
    deliver(&hooks, legacy_payload("0.6")).await;
    assert_eq!(taken(&notes), [r#"0.6 Some("2") Some("local")"#, index]);
    deliver(&hooks, legacy_payload("0.5")).await;
    assert_eq!(taken(&notes), ["0.5", index]);
    deliver(&hooks, legacy_payload("")).await;
    assert_eq!(taken(&notes), [index, "unversioned Some(300)"]);
    deliver(&hooks, payload("file.uploaded")).await;
    assert_eq!(taken(&notes), ["0.7", index]);
}

#[webhook_handler(event = "file.uploaded", path = "/scans", secret_env = "CARGO_PKG_VERSION")]
async fn scan(_event: FileUploaded, State(notes): State<Notes>) {
    note(&notes, "scan");
}

#[webhook_handler(event = "file.stored", secret_env = "CARGO_PKG_NAME")]
async fn archive(_event: FileStored, State(notes): State<Notes>) {
    note(&notes, "archive");
}

/// The secret that cargo has put into a variable.
fn from_cargo(variable: &str) -> SigningSecret {
    SigningSecret::from_env(variable).unwrap()
}

#[tokio::test]
async fn each_path_and_each_handler_has_its_own_secret() {
    let notes = Notes::default();
    let tried = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&tried);
    let hooks = builder(&notes)
        .handlers(webhook_handlers![index, scan, archive])
        .on_rejection(move |rejection| seen.lock().unwrap().push(rejection.secrets().clone()))
        .build()
        .unwrap();
    let uploaded = payload("file.uploaded").to_string();
    let stored = payload("file.stored").to_string();
    let (of_scans, of_archive) = (from_cargo("CARGO_PKG_VERSION"), from_cargo("CARGO_PKG_NAME"));
    let all: [(&str, &SigningSecret, &str, u16); 8] = [
        ("/", &secret(), &uploaded, 204),
        ("/scans", &of_scans, &uploaded, 204),
        ("/", &of_archive, &stored, 204),
        ("/scans", &secret(), &uploaded, 401),
        ("/", &of_scans, &uploaded, 401),
        // A good secret of this path, which is not the one of the event's handler.
        ("/", &of_archive, &uploaded, 401),
        ("/", &secret(), &stored, 401),
        // Nobody wants this event, so that nobody's secret is wrong for it.
        ("/", &of_archive, &payload("file.deleted").to_string(), 204),
    ];
    for (path, secret, body, status) in all {
        let response = hooks.handle(signed(path, secret, body.to_owned())).await;
        assert_eq!(response.status().as_u16(), status, "{path} {body}");
    }
    assert_eq!(taken(&notes), ["archive", "index 575ed4e8-f4e8-4c14-a58b-1527b6d9ee46", "scan"]);
    assert_eq!(
        *tried.lock().unwrap(),
        [
            TriedSecrets::Failed(vec![1]),
            TriedSecrets::Failed(vec![0, 2]),
            TriedSecrets::Matched(2),
            TriedSecrets::Matched(0)
        ]
    );
}

#[tokio::test]
async fn several_secrets_are_valid_at_once_and_the_one_that_matched_is_known() {
    #[webhook_handler(event = "file.stored")]
    async fn which(delivery: Delivery, State(notes): State<Notes>) {
        note(&notes, format!("{:?}", delivery.secret_position()));
    }
    let notes = Notes::default();
    let (old, new) = (SigningSecret::new("old").unwrap(), SigningSecret::new("new").unwrap());
    let hooks = WebhookRouter::builder()
        .signing_secrets([old.clone(), new.clone(), old.clone()])
        .state(Arc::clone(&notes))
        .handlers(webhook_handlers![which])
        .build()
        .unwrap();
    for secret in [&old, &new] {
        hooks.handle(signed("/", secret, payload("file.stored").to_string())).await;
    }
    assert_eq!(taken(&notes), ["Some(0)", "Some(1)"]);
}

#[tokio::test]
async fn unsigned_deliveries_are_taken_only_when_asked_for() {
    let notes = Notes::default();
    let unsigned = || Request::post("/").body(payload("file.stored").to_string().into()).unwrap();
    let hooks = builder(&notes).handlers(webhook_handlers![count]).build().unwrap();
    assert_eq!(hooks.handle(unsigned()).await.status(), 401);

    let open = || WebhookRouter::builder().state(Arc::clone(&notes)).dangerously_accept_unsigned();
    let hooks = open().handlers(webhook_handlers![count]).build().unwrap();
    assert_eq!(hooks.handle(unsigned()).await.status(), 204);
    // There is nothing to check a signature with.
    assert_eq!(deliver(&hooks, payload("file.stored")).await.status(), 204);

    let hooks = open().handlers(webhook_handlers![archive]).build().unwrap();
    assert_eq!(hooks.handle(unsigned()).await.status(), 401, "a handler with a secret of its own wants it");

    let hooks = open().signing_secret(from_cargo("CARGO_PKG_NAME")).handlers(webhook_handlers![count]).build().unwrap();
    assert_eq!(hooks.handle(unsigned()).await.status(), 204);
    assert_eq!(deliver(&hooks, payload("file.stored")).await.status(), 401, "a wrong signature is still wrong");
}

#[tokio::test]
async fn every_request_that_is_not_acknowledged_is_reported() {
    let notes = Notes::default();
    let seen = Arc::clone(&notes);
    let hooks = builder(&notes)
        .handlers(webhook_handlers![index])
        .body_limit(2000)
        .on_rejection(move |rejection| note(&seen, format!("{} {}", rejection.path(), rejection.code())))
        .build()
        .unwrap();
    let body = Bytes::from(payload("file.uploaded").to_string());
    let request = |builder: http::request::Builder, body: &Bytes| builder.body(body.clone()).unwrap();
    hooks.handle(request(Request::post("/"), &body)).await;
    hooks.handle(request(Request::post("/nowhere"), &body)).await;
    hooks.handle(request(Request::get("/"), &Bytes::new())).await;
    hooks.handle(request(Request::post("/"), &vec![b' '; 2001].into())).await;
    hooks.handle(request(Request::post("/").header("X-Uc-Signature", "v2=00"), &body)).await;
    hooks.handle(request(Request::post("/").header("Content-Length", "5"), &Bytes::new())).await;
    deliver(&hooks, "{}").await;
    let expected = [
        "/ body_consumed",
        "/ body_too_large",
        "/ method_not_allowed",
        "/ not_a_payload",
        "/ signature_malformed",
        "/ signature_missing",
        "/nowhere unknown_path",
    ];
    assert_eq!(taken(&notes), expected);
    assert_eq!(hooks.stats().rejected, 7);
}

#[tokio::test]
async fn a_panicking_report_does_no_harm() {
    let hooks = builder(&Notes::default())
        .handlers(webhook_handlers![index])
        .on_rejection(|_| panic!("the report is broken"))
        .build()
        .unwrap();
    assert_eq!(deliver(&hooks, "{}").await.status(), 422);
}

#[test]
fn without_a_time_limit_any_executor_will_do_and_with_one_the_error_says_what_is_missing() {
    let notes = Notes::default();
    let request = || signed("/", &secret(), payload("file.uploaded").to_string());
    let block_on = futures_util::FutureExt::now_or_never;
    let hooks = builder(&notes).handlers(webhook_handlers![index]).no_handler_timeout().build().unwrap();
    assert_eq!(block_on(hooks.handle(request())).unwrap().status(), 204);

    let seen = Arc::clone(&notes);
    let hooks = builder(&notes)
        .handlers(webhook_handlers![hang])
        .on_rejection(move |rejection| note(&seen, rejection))
        .build()
        .unwrap();
    taken(&notes);
    assert_eq!(block_on(hooks.handle(request())).unwrap().status(), 500);
    let reports = taken(&notes);
    assert!(matches!(reports.as_slice(), [report] if report.contains("needs a Tokio runtime")), "{reports:?}");
}

#[test]
fn a_dropped_request_drops_its_handlers() {
    static DROPPED: AtomicUsize = AtomicUsize::new(0);
    struct Guard;
    impl Drop for Guard {
        fn drop(&mut self) {
            DROPPED.fetch_add(1, Ordering::Relaxed);
        }
    }
    #[webhook_handler(event = "file.stored")]
    async fn wait(_event: FileStored) {
        let _guard = Guard;
        std::future::pending::<()>().await;
    }
    let hooks = WebhookRouter::builder()
        .signing_secret(secret())
        .handlers(webhook_handlers![wait])
        .no_handler_timeout()
        .max_concurrent_handlers(1)
        .build()
        .unwrap();
    for run in 1..=2 {
        let request = signed("/", &secret(), payload("file.stored").to_string());
        assert!(futures_util::FutureExt::now_or_never(hooks.handle(request)).is_none(), "there is room again");
        assert_eq!(DROPPED.load(Ordering::Relaxed), run);
    }
}

/// Collects all that is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// Collects what this thread logs, until the guard is dropped.
    fn capture(&self) -> tracing::subscriber::DefaultGuard {
        let writer = self.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_ansi(false)
            .without_time()
            .with_writer(move || writer.clone())
            .finish();
        tracing::subscriber::set_default(subscriber)
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_secret_shows_in_no_log_no_response_and_no_debug() {
    const SECRETS: [&str; 2] = ["7kMVZivndx0ErgvhRKAr", env!("CARGO_PKG_VERSION")];
    let log = Log::default();
    let _guard = log.capture();

    let notes = Notes::default();
    let mut shown = vec![format!("{:?}", builder(&notes).handlers(webhook_handlers![fail, scan]))];
    let hooks = builder(&notes)
        .handlers(webhook_handlers![fail, scan])
        .on_rejection({
            let notes = Arc::clone(&notes);
            move |rejection| note(&notes, format!("{rejection} {rejection:?}"))
        })
        .build()
        .unwrap();
    shown.push(format!("{hooks:?} {:?}", secret()));
    let body = payload("file.uploaded").to_string();
    let requests = [
        signed("/", &secret(), body.clone()),
        signed("/scans", &secret(), body.clone()),
        signed("/scans", &from_cargo("CARGO_PKG_VERSION"), body.clone()),
        signed("/", &secret(), "{}"),
        Request::post("/").body(body.clone().into()).unwrap(),
        signed("/", &secret(), r#"{"hook": {"event": "group.created"}}"#),
    ];
    let mut signatures = Vec::new();
    for request in requests {
        signatures.extend(request.headers().get("X-Uc-Signature").map(|value| value.to_str().unwrap().to_owned()));
        shown.push(format!("{:?}", hooks.handle(request).await));
    }
    let log = log.text();
    for expected in ["handler_failed", "signature_mismatch", "not_a_payload", "signature_missing", "group.created"] {
        assert!(log.contains(expected), "{expected} was not logged:\n{log}");
    }
    shown.push(log);
    shown.extend(taken(&notes));
    for text in &shown {
        for secret in SECRETS.iter().copied().chain(signatures.iter().map(|signature| &signature[3..])) {
            assert!(!text.contains(secret), "`{secret}` shows in:\n{text}");
        }
    }
}
