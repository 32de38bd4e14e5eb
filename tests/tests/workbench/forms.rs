//! Forms with mistakes: the page says what is wrong, and keeps what was typed.

use super::{Page, Workbench, html, pages::check, receiver};

/// Fails if a page is not a refusal with these words in its alert.
#[track_caller]
fn refused(page: &Page, words: &str) {
    assert_eq!(page.status, 400, "{}", page.html);
    check(words, page);
    let alert = page.html.split("role=\"alert\"").nth(1).unwrap().split("</div>").next().unwrap();
    let alert = html::unescaped(alert);
    assert!(alert.contains(words), "{words:?} is not in {alert:?}");
}

#[tokio::test]
async fn a_filter_that_cannot_be_applied_is_an_error_and_stays_in_the_form() {
    let workbench = Workbench::start();
    workbench.subscribe("file.uploaded", &receiver::answering(204, "a", "").await, "").await;
    workbench.post("/trigger", &[("event", "file.uploaded")]).await;
    workbench.finished(1).await;
    for (query, words, kept) in [
        ("uuid=cat&event=file.stored", "`uuid` is \"cat\", which is no UUID", "value=\"file.stored\""),
        ("status=6xx", "`status` is \"6xx\"; it takes a number such as 401", "value=\"6xx\""),
        ("subscription=first", "`subscription` is \"first\"", "value=\"first\""),
        ("colour=red", "`colour` is no filter", "name=\"text\""),
        ("event=a&event=b", "`event` is there twice", "value=\"a\""),
        ("before=x", "`before` is \"x\"", "name=\"text\""),
    ] {
        let page = workbench.get(&format!("/?{query}")).await;
        refused(&page, words);
        page.has(kept).has_not("<tbody").has_not("data-live");
        assert_eq!(workbench.get(&format!("/_page/live?{query}")).await.status, 400, "{query}");
    }
    workbench.get("/?text=ANANAS&status=204").await.has("data-number=\"1\"").has("value=\"ANANAS\"");
    workbench.get("/?text=banana").await.has_not("data-number").has("No delivery matches.");
}

#[tokio::test]
async fn a_trigger_with_a_mistake_keeps_what_was_typed() {
    let workbench = Workbench::start();
    workbench.subscribe("file.stored", "http://127.0.0.1:1/hooks", "").await;
    let form = workbench.get("/trigger?event=file.info_updated").await;
    form.has("No active subscription wants ");
    let prefilled = html::fields(&form.html, "/trigger");
    let with = |changes: &[(&str, &str)]| {
        let mut fields = prefilled.clone();
        for (name, value) in changes {
            fields.retain(|(known, _)| known != name);
            fields.push(((*name).to_owned(), (*value).to_owned()));
        }
        fields
    };
    for (changes, words) in [
        (vec![], "no active subscription wants `file.info_updated`, so nothing was sent"),
        (vec![("burst", "many")], "`burst` is \"many\"; it takes a whole number"),
        (vec![("burst", "0")], "`burst` is 0"),
        (vec![("copies", "1001")], "the limit is 1000"),
        (vec![("delay_ms", "-1")], "`delay` is \"-1\""),
        (vec![("data.uuid", "cat")], "`data.uuid` is \"cat\", which is no UUID"),
        (vec![("data.size", "large")], "`size` is no valid JSON"),
        (vec![("data.metadata", "pet")], "`metadata` has the line \"pet\""),
        (vec![("data.content_info", "{")], "`content_info` is no valid JSON"),
        (vec![("previous_values", "{")], "`previous_values` is no valid JSON"),
        (vec![("to", "chosen")], "no subscription is chosen"),
        (vec![("to", "chosen"), ("subscription", "9")], "there is no subscription 9"),
        (vec![("version", "0.6")], "`file.uploaded` is the only event of the versions before 0.7"),
        (vec![("raw", "{\"a\":")], "`payload` is no valid JSON"),
        (vec![("event", "")], "`event` is empty"),
    ] {
        let fields = with(&changes);
        let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let page = workbench.post("/trigger", &fields).await;
        refused(&page, words);
        let kept = html::fields(&page.html, "/trigger");
        for (name, value) in changes.iter().filter(|(name, _)| !matches!(*name, "subscription" | "version" | "event")) {
            assert!(kept.contains(&((*name).to_owned(), (*value).to_owned())), "{name} is not kept: {kept:?}");
        }
    }
    assert!(workbench.simulator.deliveries().is_empty());
}

#[tokio::test]
async fn subscriptions_replays_and_faults_with_mistakes_are_refused() {
    let workbench = Workbench::start();
    let url = receiver::answering(204, "a", "").await;
    let id = workbench.subscribe("file.uploaded", &url, "secret").await;
    let long = "s".repeat(33);
    for (event, target, secret, words) in [
        ("file.uploaded", url.as_str(), "", "This project is already subscribed on this event"),
        ("file.exploded", url.as_str(), "", "`event`: \"file.exploded\" is not a valid choice."),
        ("file.stored", "ftp://x", "", "`target_url`: Enter a valid URL."),
        ("file.stored", "javascript:alert(1)", "", "`target_url`: Enter a valid URL."),
        ("file.stored", url.as_str(), long.as_str(), "`signing_secret`: Ensure this field has no more than 32"),
    ] {
        let fields = [("event", event), ("target_url", target), ("signing_secret", secret)];
        let page = workbench.post("/subscriptions", &fields).await;
        refused(&page, words);
        page.has(&format!("value=\"{event}\"")).has(&format!("value=\"{target}\""));
    }
    let both = [("event", "file.stored"), ("target_url", &url), ("signing_secret", "new"), ("no_secret", "yes")];
    refused(&workbench.post("/subscriptions", &both).await, "choose one");
    let page = workbench
        .post(
            &format!("/subscriptions/{id}"),
            &[("event", "file.stored"), ("target_url", &url), ("signing_secret", "new"), ("no_secret", "yes")],
        )
        .await;
    refused(&page, "choose one");
    assert_eq!(workbench.simulator.subscriptions()[0].event, "file.uploaded");

    workbench.post("/trigger", &[("event", "file.uploaded")]).await;
    let replay = format!("/deliveries/{}/replay", workbench.finished(1).await[0].id);
    for (body, to, words) in [
        ("{\"typed\": ", "same", "`body` is no valid JSON"),
        ("{\"typed\": 1}", "7", "there is no subscription 7"),
        ("{\"typed\": 1}", "cat", "\"cat\" is no id of a subscription"),
    ] {
        let page = workbench.post(&replay, &[("body", body), ("to", to)]).await;
        refused(&page, words);
        page.has("{&quot;typed&quot;: ");
    }
    workbench.post(&format!("/subscriptions/{id}/pause"), &[]).await;
    refused(&workbench.post(&replay, &[("body", "{}"), ("to", "all")]).await, "active");

    for (path, fields, words, kept) in [
        ("/faults/delivery/cut", vec![("percent", "most")], "the probability is \"most\"", "value=\"most\""),
        ("/faults/delivery/cut", vec![("percent", "101")], "it must be between 0 and 100", "value=\"101\""),
        ("/faults/delivery/cut", vec![("percent", "NaN")], "it must be between 0 and 100", "value=\"NaN\""),
        ("/faults/delivery/delay", vec![("ms", "600001")], "the limit is 600000", "value=\"600001\""),
        ("/faults/delivery/delay", vec![("ms", "long")], "`ms` is \"long\"; it takes a whole number", "value=\"long\""),
        ("/faults/rest", vec![("fault", "fire")], "`fault` is \"fire\"", "name=\"times\""),
        ("/faults/rest", vec![("fault", "cut"), ("times", "0")], "`times` is 0", "value=\"0\""),
        ("/faults/rest", vec![("fault", "cut"), ("times", "x"), ("after", "7")], "`times` is \"x\"", "value=\"7\""),
    ] {
        let page = workbench.post(path, &fields).await;
        refused(&page, words);
        page.has(kept).has_not("Faults are on");
    }
    assert_eq!(workbench.post("/faults/delivery/fire", &[]).await.status, 404);
}
