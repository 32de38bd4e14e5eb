//! The guides to modes, deployment, security and upgrades quote what their readers see.

use std::time::Duration;

use http::Request;
use tests::{
    deliveries::{secret, signed_request},
    guides::assert_quoted,
    log::Log,
    routers::builder,
};
use uploadcare_hooks::{
    FileStored, FileUploaded, SigningSecret, WebhookRouter,
    claims::{Claim, ClaimFuture, ClaimMark, DeliveryClaims, RedisClaims},
    payload::v0_6,
    testing::{MemoryQueue, Sample, deliver},
    webhook_handler, webhook_handlers,
};

const MODES: &str = include_str!("../../../uploadcare-hooks/docs/modes.md");
const DEPLOYMENT: &str = include_str!("../../../uploadcare-hooks/docs/deployment.md");
const SECURITY: &str = include_str!("../../../uploadcare-hooks/docs/security.md");
const UPGRADING: &str = include_str!("../../../uploadcare-hooks/docs/upgrading.md");

#[webhook_handler(event = "file.uploaded")]
async fn index_upload(_event: FileUploaded) {}

#[webhook_handler(event = "file.uploaded", name = "index_upload")]
async fn never_ends(_event: FileUploaded) {
    std::future::pending().await
}

#[webhook_handler(event = "file.stored", path = "/scans")]
async fn scan(_event: FileStored) {}

#[webhook_handler(event = "file.uploaded", version = "0.6")]
async fn index_old(_event: v0_6::FileUploaded) {}

/// Claims that answer always the same, and may end after five minutes.
struct Always(Option<Claim>);

impl DeliveryClaims for Always {
    fn claim<'a>(&'a self, _: &'a str) -> ClaimFuture<'a, Claim> {
        Box::pin(std::future::ready(self.0.clone().ok_or_else(|| "the server is down".into())))
    }

    fn complete<'a>(&'a self, _: &'a str, _: &'a ClaimMark) -> ClaimFuture<'a, ()> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn release<'a>(&'a self, _: &'a str, _: &'a ClaimMark) -> ClaimFuture<'a, ()> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn lease_time(&self) -> Option<Duration> {
        Some(Duration::from_secs(300))
    }
}

/// The text of a rejection behind its code, which both must be in the guide.
#[track_caller]
fn is_answered(guide: &str, rejection: &uploadcare_hooks::Rejection, end: &str) {
    let (status, code) = (rejection.status().as_u16(), rejection.code());
    assert!(guide.contains(&format!("**{status} `{code}`**")), "{status} {code}");
    assert_quoted(guide, &rejection.reason().to_string(), end);
}

#[tokio::test]
async fn the_guide_to_modes_quotes_what_goes_wrong_at_boot() {
    let of = || builder(&()).handlers(webhook_handlers![index_upload]);
    let both = of().deduplicate(1, Duration::MAX).queue(MemoryQueue::new().storage()).build().unwrap_err();
    assert_quoted(MODES, &both.problems()[0].to_string(), "or remove it");
    let short = of().handler_timeout(Duration::from_secs(300)).deduplicate_with(Always(None)).build().unwrap_err();
    assert_quoted(MODES, &short.problems()[0].to_string(), ".handler_timeout(..)`");
    let Err(unreachable) = RedisClaims::connect("redis://127.0.0.1:1").await else { panic!("a server is there") };
    assert_quoted(MODES, &unreachable.to_string(), "Redis at 127.0.0.1:");
}

#[tokio::test(start_paused = true)]
async fn the_guide_to_modes_quotes_what_is_answered() {
    let of = || builder(&()).handlers(webhook_handlers![index_upload]);
    let upload = || Sample::of("file.uploaded").sign(&secret());
    let running = of().deduplicate_with(Always(Some(Claim::Running))).build().unwrap();
    is_answered(MODES, deliver(&running, upload()).await.rejection().unwrap(), "same delivery");
    let down = of().deduplicate_with(Always(None)).build().unwrap();
    is_answered(MODES, deliver(&down, upload()).await.rejection().unwrap(), "done before: ");
    let slow = builder(&()).handlers(webhook_handlers![never_ends]).max_concurrent_handlers(1).build().unwrap();
    let first = tokio::spawn({
        let (slow, upload) = (slow.clone(), upload());
        async move { deliver(&slow, upload).await }
    });
    tokio::task::yield_now().await;
    is_answered(MODES, deliver(&slow, upload()).await.rejection().unwrap(), "(n)`");
    is_answered(MODES, first.await.unwrap().rejection().unwrap(), "within 30s");
    assert!(MODES.contains("**503 `queue_failed`**"));
}

#[tokio::test]
async fn the_guide_to_deployment_quotes_what_is_answered_and_logged() {
    let log = Log::default();
    let _guard = log.capture();
    let scans = builder(&()).handlers(webhook_handlers![scan]).build().unwrap();
    let hooks = builder(&()).handlers(webhook_handlers![index_upload]).build().unwrap();
    let lost = deliver(&scans, Sample::of("file.stored").sign(&secret())).await;
    assert_eq!(lost.rejection().unwrap().code(), "unknown_path");
    let text = log.text();
    assert_quoted(DEPLOYMENT, &text[text.find("a request with a signature").unwrap()..], "of the subscription");

    let get = Request::get("/").body(bytes::Bytes::new()).unwrap();
    is_answered(DEPLOYMENT, deliver(&hooks, get).await.rejection().unwrap(), "are POST");
    let large = signed_request("/", &secret(), vec![b' '; 262_145]);
    is_answered(DEPLOYMENT, deliver(&hooks, large).await.rejection().unwrap(), "is a delivery");
    let unsigned = deliver(&hooks, Sample::of("file.uploaded").unsigned()).await;
    is_answered(DEPLOYMENT, unsigned.rejection().unwrap(), "no signing secret");
    for code in ["401 `signature_mismatch`", "408 `body_too_slow`", "500 `body_consumed`"] {
        assert!(DEPLOYMENT.contains(code), "{code}");
    }
    let unset = SigningSecret::from_env("NO_SUCH_VARIABLE").unwrap_err().to_string();
    assert_quoted(DEPLOYMENT, &unset.replace("NO_SUCH_VARIABLE", "UC_SIGNING_SECRET"), "at Uploadcare");

    let slow = builder(&()).handlers(webhook_handlers![never_ends]).build().unwrap();
    let request = slow.handle(Sample::of("file.uploaded").sign(&secret()));
    assert!(tokio::time::timeout(Duration::from_millis(10), request).await.is_err());
    let text = log.text();
    let dropped = &text[text.find("handler `index_upload` was dropped").unwrap()..];
    assert_quoted(DEPLOYMENT, dropped, "so delivery ");
    assert_quoted(DEPLOYMENT, &dropped[dropped.find("is not acknowledged").unwrap()..], "was stopped");
}

#[tokio::test]
async fn the_guide_to_security_quotes_what_is_refused() {
    let undecided = WebhookRouter::builder().handlers(webhook_handlers![index_upload]).build().unwrap_err();
    assert_quoted(SECURITY, &undecided.problems()[0].to_string(), "send deliveries");
    let hooks = builder(&()).handlers(webhook_handlers![index_upload]).build().unwrap();
    let mut malformed = Sample::of("file.uploaded").unsigned();
    malformed.headers_mut().insert("x-uc-signature", "v1=no".parse().unwrap());
    is_answered(SECURITY, deliver(&hooks, malformed).await.rejection().unwrap(), "digits");
    let other = SigningSecret::new("another").unwrap();
    let mismatch = deliver(&hooks, Sample::of("file.uploaded").sign(&other)).await;
    is_answered(SECURITY, mismatch.rejection().unwrap(), "parses them)");
    let tried = mismatch.rejection().unwrap().to_string();
    assert_quoted(SECURITY, &tried[tried.find("secrets tried").unwrap()..], "[0]");
    assert!(SECURITY.contains("**401 `signature_missing`**"));
    assert_quoted(SECURITY, &SigningSecret::new("x".repeat(36)).unwrap_err().to_string(), "at most 32");
    assert_quoted(SECURITY, &SigningSecret::new("s3cr3t\n").unwrap_err().to_string(), "remove it");

    let log = Log::default();
    let _guard = log.capture();
    let both = builder(&()).signing_secret(other.clone()).handlers(webhook_handlers![index_upload]).build().unwrap();
    deliver(&both, Sample::of("file.uploaded").sign(&other)).await.assert_ok();
    let text = log.text();
    assert_quoted(SECURITY, &text[text.find("is signed with secret").unwrap()..], "is another one");
}

#[tokio::test]
async fn the_guide_to_upgrades_quotes_what_a_deploy_shows() {
    let log = Log::default();
    let _guard = log.capture();
    let queue = MemoryQueue::new();
    let old = builder(&()).handlers(webhook_handlers![index_upload]).queue(queue.storage()).build().unwrap();
    let new = builder(&()).handlers(webhook_handlers![scan]).queue(queue.storage()).build().unwrap();
    old.handle(Sample::of("file.uploaded").sign(&secret())).await;
    queue.run_due(&new).await;
    let failing = new.failing_jobs(1).await.unwrap();
    assert_quoted(UPGRADING, failing[0].last_error(), "= \"index_upload\"`");

    let hooks = builder(&()).handlers(webhook_handlers![index_upload, index_old]).build().unwrap();
    deliver(&hooks, Sample::of("file.stored").sign(&secret())).await;
    let text = log.text();
    assert_quoted(UPGRADING, &text[text.find("no handler at path").unwrap()..], "takes \"file.stored\": delivery");
    assert_quoted(UPGRADING, &text[text.find("is acknowledged and nothing").unwrap()..], "debug level");
    assert_quoted(UPGRADING, &text[text.find("handler `index_old` takes").unwrap()..], "sends that version");
    // A version that this crate does not know is read as the newest.
    let unknown = Sample::of("file.uploaded").set("hook.version", "0.8").sign(&secret());
    assert!(!deliver(&hooks, unknown).await.assert_ok().handlers().is_empty());
}
