//! What holds for every page: headers, structure, no inline code.

use std::collections::BTreeSet;

use uploadcare_sim::Simulator;

use super::{Page, Workbench, html::tags, receiver, send};

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
                      img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Fails if a page has inline code, or lacks what readers with a screen reader or a keyboard need.
#[track_caller]
pub(crate) fn check(path: &str, page: &Page) {
    assert_eq!(page.header("content-security-policy"), POLICY, "{path}");
    assert_eq!(page.header("x-content-type-options"), "nosniff", "{path}");
    assert_eq!(page.header("referrer-policy"), "same-origin", "{path}");
    assert_eq!(page.header("cache-control"), "no-store", "{path}");
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8", "{path}");
    let tags = tags(&page.html);
    for tag in &tags {
        assert!(tag.name != "style", "{path}: a style in the page");
        assert!(tag.name != "script" || tag.get("src") == Some("/_page/workbench.js"), "{path}: {tag:?}");
        for (name, value) in &tag.attributes {
            assert!(name != "style" && !name.starts_with("on"), "{path}: {tag:?}");
            if matches!(name.as_str(), "href" | "src" | "action") {
                let own = value.starts_with('/') && !value.starts_with("//");
                assert!(own || value.starts_with('#') || value == "data:,", "{path}: {tag:?}");
            }
        }
    }
    let count = |name: &str| tags.iter().filter(|tag| tag.name == name).count();
    assert_eq!((count("h1"), count("main"), count("header"), count("nav"), count("footer")), (1, 1, 1, 1, 1), "{path}");
    assert_eq!(tags.iter().find(|tag| tag.name == "a").unwrap().get("href"), Some("#main"), "{path}: the skip link");
    let labelled: BTreeSet<_> = tags.iter().filter_map(|tag| tag.get("for")).collect();
    let mut ids = BTreeSet::new();
    for tag in &tags {
        if matches!(tag.name.as_str(), "input" | "select" | "textarea") && tag.get("type") != Some("hidden") {
            let id = tag.get("id").unwrap_or_default();
            assert!(labelled.contains(id) || tag.get("aria-label").is_some(), "{path}: no label for {tag:?}");
        }
        if let Some(id) = tag.get("id") {
            assert!(ids.insert(id), "{path}: the id {id} is there twice");
        }
        let names = [tag.get("aria-labelledby"), tag.get("aria-describedby")].into_iter().flatten();
        for name in names.flat_map(|names| names.split(' ')) {
            assert!(page.html.contains(&format!("id=\"{name}\"")), "{path}: {tag:?}");
        }
    }
    assert_eq!(count("table"), count("caption"), "{path}");
}

#[tokio::test]
async fn every_page_has_strict_headers_labels_and_no_inline_code() {
    let workbench = Workbench::start();
    let empty = workbench.get("/").await;
    check("empty", &empty);
    empty.has("No deliveries yet").has("export UPLOADCARE_API_BASE=http://127.0.0.1:").has("demosecretkey");

    let url = receiver::answering(500, "a", "no").await;
    let id = workbench.subscribe("file.info_updated", &url, "one").await;
    workbench.subscribe("file.uploaded", &url, "").await;
    for event in ["file.info_updated", "file.uploaded", "file.info_updated"] {
        assert_eq!(workbench.post("/trigger", &[("event", event)]).await.status, 303);
    }
    workbench.post("/faults/delivery/cut", &[("percent", "0.5")]).await;
    workbench.post("/faults/rest", &[("fault", "slow")]).await;
    let deliveries = workbench.finished(3).await;
    let (one, two) = (deliveries[0].id, deliveries[1].id);
    for (status, path) in [
        (200, "/".to_owned()),
        (200, "/?event=file.uploaded&status=5xx&text=ananas".to_owned()),
        (200, "/?event=nothing".to_owned()),
        (200, "/?before=2".to_owned()),
        (400, "/?colour=red".to_owned()),
        (200, format!("/deliveries/{one}")),
        (200, format!("/compare?from={one}&to={two}")),
        (200, format!("/compare?id={one}&id={two}")),
        (400, "/compare".to_owned()),
        (200, "/subscriptions".to_owned()),
        (200, format!("/subscriptions/{id}")),
        (200, "/trigger".to_owned()),
        (200, "/trigger?event=file.info_updated".to_owned()),
        (200, "/trigger?event=file.uploaded&version=0.6".to_owned()),
        (200, "/trigger?event=moderation.state_changed&raw=1".to_owned()),
        (400, "/trigger?event=file.stored&version=0.5".to_owned()),
        (200, "/faults".to_owned()),
        (404, "/deliveries/575ed4e8-f4e8-4c14-a58b-1527b6d9ee46".to_owned()),
        (404, "/deliveries/cat".to_owned()),
        (404, "/deliveries/a/b/c".to_owned()),
        (404, "/subscriptions/99".to_owned()),
        (404, "/subscriptions/cat".to_owned()),
        (404, "/faults/other".to_owned()),
    ] {
        let page = workbench.get(&path).await;
        assert_eq!(page.status, status, "{path}");
        check(&path, &page);
        page.has("Faults are on: ").has("cut (0.5 %), 1 REST API call will fail");
    }
    let shown = workbench.post(&format!("/subscriptions/{id}/reveal"), &[]).await;
    check("reveal", &shown);
}

#[tokio::test]
async fn the_stylesheet_and_the_script_come_from_the_simulator_and_are_checked_each_time() {
    let workbench = Workbench::start();
    for (path, content_type) in
        [("/_page/workbench.css", "text/css; charset=utf-8"), ("/_page/workbench.js", "text/javascript; charset=utf-8")]
    {
        let page = workbench.get(path).await;
        assert_eq!((page.status, page.header("content-type")), (200, content_type));
        assert_eq!((page.header("cache-control"), page.header("content-security-policy")), ("no-cache", POLICY));
        page.has_not("http://").has_not("https://");
        let again = workbench.http.get(workbench.url(path)).header("If-None-Match", page.header("etag"));
        assert_eq!(super::send(again).await.status, 304);
    }
}

#[tokio::test]
async fn the_rest_api_and_the_control_endpoints_are_where_they_were() {
    let workbench = Workbench::start();
    for (path, status) in [("/webhooks/", 406), ("/elsewhere", 406), ("/_sim/deliveries", 200)] {
        let answer = workbench.get(path).await;
        assert_eq!((answer.status, answer.header("content-security-policy")), (status, ""), "{path}");
    }
}

#[tokio::test]
async fn a_browser_at_an_unknown_address_gets_a_page_and_a_program_the_answer_of_the_rest_api() {
    let workbench = Workbench::start();
    let open = |path: &str, accept: &str| send(workbench.http.get(workbench.url(path)).header("Accept", accept));
    for path in ["/elsewhere", "/files/1/"] {
        let page = open(path, "text/html,application/xhtml+xml,*/*;q=0.8").await;
        assert_eq!(page.status, 404, "{path}");
        check(path, &page);
        page.has("No such page").has("href=\"/subscriptions\"").has_not("aria-current");
    }
    for (path, accept, status) in [
        ("/elsewhere", "application/vnd.uploadcare-v0.7+json", 401),
        ("/elsewhere", "*/*", 406),
        ("/webhooks/", "text/html", 406),
    ] {
        let answer = open(path, accept).await;
        assert_eq!((answer.status, answer.header("content-security-policy")), (status, ""), "{path} {accept}");
        answer.has("{\"detail\":");
    }
}

#[tokio::test]
async fn the_list_shows_the_newest_hundred_and_leads_to_older_ones() {
    let workbench = Workbench::start();
    let url = receiver::answering(204, "a", "").await;
    workbench.subscribe("file.uploaded", &url, "").await;
    workbench.post("/trigger", &[("event", "file.uploaded"), ("burst", "103")]).await;
    workbench.finished(103).await;
    let first = workbench.get("/?event=file.uploaded").await;
    first.has("data-number=\"103\"").has("data-number=\"4\"").has_not("data-number=\"3\"");
    first.has("href=\"/?event=file.uploaded&amp;before=4\"").has("data-live=\"/_page/live?event=file.uploaded\"");
    let second = workbench.get("/?event=file.uploaded&before=4").await;
    second.has("data-number=\"3\"").has("data-number=\"1\"").has_not("data-number=\"4\"").has_not("data-live");
}

#[tokio::test]
async fn the_variables_of_the_start_page_can_be_pasted_into_a_shell_whatever_they_are() {
    let builder = Simulator::builder("it's $HOME", "my-own-secret").signing_secret("my-own-signing-secret");
    let simulator = builder.start("127.0.0.1:0".parse().unwrap()).unwrap();
    let base_url = simulator.base_url();
    let page = reqwest::get(&base_url).await.unwrap().text().await.unwrap();
    assert!(!page.contains("my-own"), "{page}");
    let start = page.find("export UPLOADCARE_API_BASE").unwrap();
    let variables = page[start..].split('<').next().unwrap().replace("&quot;", "\"").replace("&#39;", "'");
    let names = ["API_BASE", "PUBLIC_KEY", "SECRET_KEY"].map(|name| format!("\"$UPLOADCARE_{name}\""));
    let print = format!("printf '%s\\n' {} \"$UC_SIGNING_SECRET\"", names.join(" "));
    let pasted = std::process::Command::new("sh").args(["-c", &format!("{variables}\n{print}")]).output().unwrap();
    let lines = format!("{base_url}\nit's $HOME\n(what you gave the simulator)\n(what the simulator printed)\n");
    assert_eq!(String::from_utf8(pasted.stdout).unwrap(), lines, "{variables}");
}
