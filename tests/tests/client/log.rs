//! What the client logs.

use std::time::Duration;

use tests::log::Log;

use super::{Act, Server, json, to_create, webhook};

#[tokio::test]
async fn a_warning_of_uploadcare_is_logged_once() {
    let warning = |text: &'static str| Act::Answer(200, text, "[]".to_owned());
    let old = "Warning: 199 Miscellaneous warning: this version is old\r\n";
    let server = Server::start(vec![warning(old), warning(old), warning("Warning: another\r\n"), warning(old)]).await;
    let log = Log::default();
    let _guard = log.capture();
    let client = server.client();
    for _ in 0..4 {
        client.clone().list().await.unwrap();
    }
    let text = log.text();
    let logged: Vec<_> = text.lines().filter(|line| line.contains("Uploadcare warns about its REST API")).collect();
    assert_eq!(logged.len(), 2, "{text}");
    assert!(logged[0].contains("WARN") && logged[0].contains("this version is old"), "{text}");
}

/// The lines about tries, without what stands before the message.
fn tries(log: &Log) -> Vec<String> {
    let text = log.text();
    let lines = text.lines().filter(|line| line.contains(" try "));
    lines.map(|line| line.trim_start().replace("uploadcare_hooks::client::retry: ", "")).collect()
}

#[tokio::test]
async fn each_failed_try_that_is_repeated_is_logged_and_so_is_the_success_after_it() {
    let throttled = Act::Answer(429, "Retry-After: 1\r\n", r#"{"detail": "Request was throttled."}"#.to_owned());
    let server = Server::start(vec![throttled, Act::Cut, json(200, json!([])), json(200, json!([]))]).await;
    let log = Log::default();
    let _guard = log.capture();
    let client = server.client();
    client.list().await.unwrap();
    client.list().await.unwrap();
    let (base_url, tries) = (&server.base_url, tries(&log));
    assert_eq!(tries.len(), 3, "{}", log.text());
    let call = format!("GET {base_url}/webhooks/");
    assert_eq!(
        tries[0],
        format!(
            "WARN {call} failed, try 1 of 5; the next try is in 1.0s: too many requests: status 429, \
             \"Request was throttled.\"; wait for 1 seconds"
        )
    );
    assert!(tries[1].starts_with(&format!("WARN {call} failed, try 2 of 5; the next try is in ")), "{}", tries[1]);
    assert!(tries[1].contains("ms: Uploadcare could not be reached: "), "{}", tries[1]);
    assert_eq!(tries[2], format!("INFO {call} succeeded at try 3 of 5"));
}

#[tokio::test]
async fn a_last_failed_try_is_the_callers_and_no_key_or_secret_is_logged() {
    let down = (0..2).map(|_| Act::Answer(503, "", String::new())).collect();
    let server = Server::start(down).await;
    let log = Log::default();
    let _guard = log.capture();
    server.builder().retries(1).build().unwrap().list().await.unwrap_err();
    let lines = tries(&log);
    assert_eq!(lines.len(), 1, "{}", log.text());
    assert!(lines[0].contains("failed, try 1 of 2; the next try is in "), "{}", lines[0]);

    let lost = vec![Act::Cut, json(200, json!([webhook(9, "file.stored")]))];
    let server = Server::start(lost).await;
    server.builder().retry_delay(Duration::from_millis(1)).build().unwrap().create(&to_create()).await.unwrap();
    let text = log.text();
    assert!(text.contains("/webhooks/ had succeeded at try 1 of 5, although its answer failed"), "{text}");
    assert!(!text.contains("demosecretkey") && !text.contains("s3cr3t"), "{text}");
}
