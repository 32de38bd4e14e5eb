//! Texts that strangers wrote are shown as texts.

use serde_json::{Value, json};
use uploadcare_sim::{SimulatedEvent, Subscription};

use super::{Workbench, html::tags, pages::check, receiver};

/// Closes what it may be in, and opens an element that can be found.
const MARKUP: &str = "'\"></textarea></title><x-evil onclick=\"a\">&amp;";
/// Turns the rest of the line around.
const TURNED: &str = "cat\u{202E}gpj.exe";

#[tokio::test]
async fn markup_in_every_field_is_shown_as_text() {
    let workbench = Workbench::start();
    let url = receiver::answering(500, MARKUP, MARKUP).await;
    let subscription = Subscription {
        id: 0,
        project: 1,
        created: "2026-01-01T00:00:00Z".parse().unwrap(),
        updated: "2026-01-01T00:00:00Z".parse().unwrap(),
        event: MARKUP.to_owned(),
        target_url: format!("{url}?{MARKUP}"),
        is_active: true,
        version: Some("0.7".to_owned()),
        signing_secret: Some("<x-evil>".to_owned()),
    };
    let id = workbench.simulator.subscribe(subscription.clone()).id;
    let (event, version) = ("other".to_owned(), Some(MARKUP.to_owned()));
    workbench.simulator.subscribe(Subscription { event, version, ..subscription });
    let mut event = SimulatedEvent::new(MARKUP);
    event.data = serde_json::from_value(json!({
        "original_filename": MARKUP, "mime_type": MARKUP, "metadata": {MARKUP: MARKUP}, "appdata": {MARKUP: [MARKUP]},
        MARKUP: MARKUP, "url": "javascript:alert(1)",
    }))
    .unwrap();
    event.previous_values = Some(json!({MARKUP: MARKUP, "metadata": {MARKUP: "before"}}));
    workbench.simulator.trigger(&event);
    event.data.insert("original_filename".to_owned(), Value::from(TURNED));
    workbench.simulator.trigger(&event);
    let deliveries = workbench.finished(2).await;
    let (one, two) = (deliveries[0].id, deliveries[1].id);
    let encoded = reqwest::Url::parse_with_params("http://x", [("m", MARKUP)]).unwrap();
    let encoded = encoded.query().unwrap().strip_prefix("m=").unwrap();
    for path in [
        "/".to_owned(),
        format!("/deliveries/{one}"),
        format!("/deliveries/{two}"),
        format!("/compare?from={one}&to={two}"),
        "/subscriptions".to_owned(),
        format!("/subscriptions/{id}"),
        format!("/trigger?event={encoded}"),
        format!("/trigger?event={encoded}&raw=1&uuid={encoded}"),
        format!("/?event={encoded}&text={encoded}"),
        format!("/?uuid={encoded}"),
        format!("/?{encoded}={encoded}"),
        format!("/compare?from={encoded}&to={encoded}"),
    ] {
        let page = workbench.get(&path).await;
        check(&path, &page);
        page.has("&lt;x-evil").has_not("<x-evil").has_not("\u{202E}");
        assert!(tags(&page.html).iter().all(|tag| tag.name != "x-evil"), "{path}");
    }
    let delivery = workbench.get(&format!("/deliveries/{one}")).await;
    delivery.has("cat<span class=\"code-point\">U+202E</span>gpj.exe").has("500").has("x-note");
    for path in
        ["/trigger", &format!("/deliveries/{one}/replay"), "/subscriptions", "/faults/rest", "/faults/delivery/delay"]
    {
        let names = [
            "event",
            "body",
            "to",
            "raw",
            "target_url",
            "signing_secret",
            "fault",
            "times",
            "percent",
            "ms",
            "labels",
            "previous_values",
            "copies",
            "was.original_filename",
            "data.original_filename",
            "was.x",
            "subscription",
        ];
        let fields: Vec<_> = names.into_iter().map(|name| (name, MARKUP)).collect();
        let page = workbench.post(path, &fields).await;
        assert_eq!(page.status, 400, "{path}");
        check(path, &page);
        page.has_not("<x-evil");
    }
}

#[tokio::test]
async fn long_texts_are_cut_in_the_list_and_whole_on_the_page_of_the_delivery() {
    let workbench = Workbench::start();
    workbench.subscribe("file.uploaded", &receiver::answering(204, "a", &"b".repeat(20_000)).await, "").await;
    let mut event = SimulatedEvent::new("file.uploaded");
    event.data.insert("original_filename".to_owned(), Value::from("n".repeat(3000)));
    workbench.simulator.trigger(&event);
    let delivery = workbench.finished(1).await[0].id;
    let list = workbench.get("/").await;
    list.has(&"n".repeat(80)).has_not(&"n".repeat(81)).has("title=\"3000 characters\"");
    workbench.get(&format!("/deliveries/{delivery}")).await.has(&"n".repeat(3000));
}

#[tokio::test]
async fn a_secret_is_in_no_page_until_it_is_asked_for() {
    let workbench = Workbench::start();
    let url = receiver::answering(204, "a", "").await;
    let id = workbench.subscribe("file.uploaded", &url, "hidden-until-asked").await;
    workbench.post("/trigger", &[("event", "file.uploaded")]).await;
    let delivery = workbench.finished(1).await[0].id;
    for path in ["/", "/subscriptions", &format!("/subscriptions/{id}"), "/trigger", &format!("/deliveries/{delivery}")]
    {
        workbench.get(path).await.has_not("hidden-until-asked");
    }
    let page = workbench.post(&format!("/subscriptions/{id}/reveal"), &[]).await;
    assert_eq!(page.status, 200);
    page.has("hidden-until-asked");
}
