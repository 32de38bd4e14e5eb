//! Which signing secrets the router checks a delivery with, and that it never shows a secret.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use http::Request;
use tests::deliveries::{payload, secret, signed_request};
use uploadcare_hooks::{
    Delivery, FileStored, SigningSecret, State, TriedSecrets, WebhookRouter, testing::Clock, webhook_handler,
    webhook_handlers,
};

use super::{Log, Notes, builder, count, deliver, fail, index, note, scan, secret_from_env, take_notes};

#[webhook_handler(event = "file.stored", secret_env = "CARGO_PKG_NAME")]
async fn archive(_event: FileStored, State(notes): State<Notes>) {
    note(&notes, "archive");
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
    let (secret_of_scan, secret_of_archive) = (secret_from_env("CARGO_PKG_VERSION"), secret_from_env("CARGO_PKG_NAME"));
    let expected_statuses: [(&str, &SigningSecret, &str, u16); 8] = [
        ("/", &secret(), &uploaded, 204),
        ("/scans", &secret_of_scan, &uploaded, 204),
        ("/", &secret_of_archive, &stored, 204),
        ("/scans", &secret(), &uploaded, 401),
        ("/", &secret_of_scan, &uploaded, 401),
        // `archive` has this secret on the same path, but does not handle this event.
        ("/", &secret_of_archive, &uploaded, 401),
        ("/", &secret(), &stored, 401),
        // No handler takes this event, so every secret of this path is accepted.
        ("/", &secret_of_archive, &payload("file.deleted").to_string(), 204),
    ];
    for (path, secret, body, status) in expected_statuses {
        let response = hooks.handle(signed_request(path, secret, body.to_owned())).await;
        assert_eq!(response.status().as_u16(), status, "{path} {body}");
        let says_mismatch = String::from_utf8_lossy(response.body()).contains("signature_mismatch");
        assert_eq!(says_mismatch, status == 401, "{path} {body}");
    }
    assert_eq!(take_notes(&notes), ["archive", "index 575ed4e8-f4e8-4c14-a58b-1527b6d9ee46", "scan"]);
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
async fn several_secrets_are_valid_at_once_and_a_delivery_knows_which_one_matched() {
    #[webhook_handler(event = "file.stored")]
    async fn note_secret_position(delivery: Delivery, State(notes): State<Notes>) {
        note(&notes, format!("{:?}", delivery.secret_position()));
    }
    let notes = Notes::default();
    let (old, new) = (SigningSecret::new("old").unwrap(), SigningSecret::new("new").unwrap());
    let hooks = WebhookRouter::builder()
        .signing_secrets([old.clone(), new.clone(), old.clone()])
        .state(Arc::clone(&notes))
        .handlers(webhook_handlers![note_secret_position])
        .build()
        .unwrap();
    for secret in [&old, &new] {
        hooks.handle(signed_request("/", secret, payload("file.stored").to_string())).await;
    }
    assert_eq!(take_notes(&notes), ["Some(0)", "Some(1)"]);
}

#[tokio::test]
async fn unsigned_deliveries_are_accepted_only_after_dangerously_accept_unsigned() {
    let notes = Notes::default();
    let unsigned = || Request::post("/").body(payload("file.stored").to_string().into()).unwrap();
    let log = Log::default();
    let _guard = log.capture();
    let warning = "accepts deliveries without a signature";
    let hooks = builder(&notes).handlers(webhook_handlers![count]).build().unwrap();
    assert_eq!(hooks.handle(unsigned()).await.status(), 401);
    assert!(!log.text().contains(warning), "{}", log.text());

    let accepting_unsigned = || WebhookRouter::builder().state(Arc::clone(&notes)).dangerously_accept_unsigned();
    let hooks = accepting_unsigned().handlers(webhook_handlers![count]).build().unwrap();
    assert!(log.text().contains(warning), "{}", log.text());
    assert_eq!(hooks.handle(unsigned()).await.status(), 204);
    // The router has no secret, so it cannot check a signature.
    assert_eq!(deliver(&hooks, "file.stored").await, 204);

    let hooks = accepting_unsigned().handlers(webhook_handlers![archive]).build().unwrap();
    assert_eq!(
        hooks.handle(unsigned()).await.status(),
        401,
        "the handler has a secret of its own, which needs a signature"
    );

    let hooks = accepting_unsigned()
        .signing_secret(secret_from_env("CARGO_PKG_NAME"))
        .handlers(webhook_handlers![count])
        .build()
        .unwrap();
    assert_eq!(hooks.handle(unsigned()).await.status(), 204);
    assert_eq!(
        deliver(&hooks, "file.stored").await,
        401,
        "a wrong signature is refused even where no signature is needed"
    );
}

#[tokio::test]
async fn no_log_line_response_or_debug_output_shows_a_secret() {
    const SECRET_TEXTS: [&str; 2] = ["7kMVZivndx0ErgvhRKAr", env!("CARGO_PKG_VERSION")];
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
    for (shown, says) in shown.iter().zip(["WebhookRouterBuilder", "WebhookRouter"]) {
        assert!(shown.starts_with(says) && shown.contains("/scans") && shown.contains("scan"), "{shown}");
    }
    let body = payload("file.uploaded").to_string();
    let requests = [
        signed_request("/", &secret(), body.clone()),
        signed_request("/scans", &secret(), body.clone()),
        signed_request("/scans", &secret_from_env("CARGO_PKG_VERSION"), body.clone()),
        signed_request("/", &secret(), "{}"),
        Request::post("/").body(body.clone().into()).unwrap(),
        signed_request("/", &secret(), r#"{"hook": {"event": "group.created"}}"#),
    ];
    let mut signatures = Vec::new();
    for request in requests {
        signatures.extend(request.headers().get("X-Uc-Signature").map(|value| value.to_str().unwrap().to_owned()));
        shown.push(format!("{:?}", hooks.handle(request).await));
    }
    let log = log.text();
    for expected in ["handler_failed", "signature_mismatch", "not_a_payload", "signature_missing", "group.created"] {
        assert!(log.contains(expected), "the log lacks {expected}:\n{log}");
    }
    shown.push(log);
    shown.extend(take_notes(&notes));
    for text in &shown {
        for secret in SECRET_TEXTS.iter().copied().chain(signatures.iter().map(|signature| &signature[3..])) {
            assert!(!text.contains(secret), "this shows `{secret}`:\n{text}");
        }
    }
}

#[tokio::test]
async fn a_replaced_secret_is_logged_with_the_time_that_it_is_still_accepted() {
    let log = Log::default();
    let _guard = log.capture();
    let lines = |about: &str| log.text().lines().filter(|line| line.contains(about)).count();
    let replaced = || lines("were replaced and");
    let clock = Clock::new();
    let hooks = builder(&Notes::default()).handlers(webhook_handlers![index]).clock(&clock).build().unwrap();
    let new = |number: u32| SigningSecret::new(format!("new {number}")).unwrap();
    hooks.replace_secret(&new(1), Duration::MAX);
    assert_eq!(replaced(), 0, "it has no end yet: {}", log.text());
    hooks.replace_secret(&new(2), Duration::from_secs(60));
    assert!(log.text().contains("were replaced and are accepted for at most another 1 minute"), "{}", log.text());
    assert_eq!((replaced(), lines("are not accepted any more")), (1, 0));
    clock.advance(Duration::from_secs(61));
    deliver(&hooks, "file.uploaded").await;
    assert_eq!(lines("which were replaced, are not accepted any more"), 1, "{}", log.text());

    let alone = WebhookRouter::builder().state(Notes::default()).handlers(webhook_handlers![scan]).build().unwrap();
    alone.replace_secret(&new(1), Duration::from_secs(60));
    assert_eq!(replaced(), 1, "there was none to replace: {}", log.text());
}
