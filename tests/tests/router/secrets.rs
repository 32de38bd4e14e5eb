//! Which secrets a path and a handler accept, and that no secret is ever shown.

use super::*;

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
        // A secret that is valid at this path, but not for the event's handler.
        ("/", &of_archive, &uploaded, 401),
        ("/", &secret(), &stored, 401),
        // No handler takes this event, so every secret of the path is fine.
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
async fn unsigned_deliveries_are_accepted_only_if_the_builder_says_so() {
    let notes = Notes::default();
    let unsigned = || Request::post("/").body(payload("file.stored").to_string().into()).unwrap();
    let hooks = builder(&notes).handlers(webhook_handlers![count]).build().unwrap();
    assert_eq!(hooks.handle(unsigned()).await.status(), 401);

    let open = || WebhookRouter::builder().state(Arc::clone(&notes)).dangerously_accept_unsigned();
    let hooks = open().handlers(webhook_handlers![count]).build().unwrap();
    assert_eq!(hooks.handle(unsigned()).await.status(), 204);
    // There is no secret to check a signature with.
    assert_eq!(deliver(&hooks, payload("file.stored")).await.status(), 204);

    let hooks = open().handlers(webhook_handlers![archive]).build().unwrap();
    assert_eq!(hooks.handle(unsigned()).await.status(), 401, "a handler with a secret of its own wants it");

    let hooks = open().signing_secret(from_cargo("CARGO_PKG_NAME")).handlers(webhook_handlers![count]).build().unwrap();
    assert_eq!(hooks.handle(unsigned()).await.status(), 204);
    assert_eq!(deliver(&hooks, payload("file.stored")).await.status(), 401, "a wrong signature is still wrong");
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
