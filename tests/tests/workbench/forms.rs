//! Forms with mistakes: the page says what is wrong, and keeps what was typed.

use super::{Page, Workbench, html, pages::check, receiver};

/// Fails if a page is not a refusal with these words in its alert, or if the alert names a field
/// that is not marked as invalid and described by the alert.
#[track_caller]
fn refused(page: &Page, words: &str) {
    assert_eq!(page.status, 400, "{}", page.html);
    check(words, page);
    let alert = page.html.split("role=\"alert\"").nth(1).unwrap().split("</div>").next().unwrap();
    let alert = html::text(alert);
    assert!(alert.contains(words), "{words:?} is not in {alert:?}");
    assert!(alert.ends_with(['.', '?', '!']), "{alert:?}");
    let marked: Vec<_> = html::tags(&page.html).into_iter().filter(|tag| tag.get("aria-invalid").is_some()).collect();
    let Some((label, _)) = alert.split_once('“').and_then(|(_, named)| named.split_once('”')) else {
        assert!(marked.is_empty(), "{alert:?} marks {marked:?}");
        return;
    };
    assert_eq!(marked.len(), 1, "{alert:?} marks {marked:?}");
    let (id, describes) = (marked[0].get("id").unwrap(), marked[0].get("aria-describedby").unwrap());
    let of_the_field = page.html.split(&format!("<label for=\"{id}\">")).nth(1).unwrap();
    assert_eq!(html::text(of_the_field.split("</label>").next().unwrap()), label);
    assert!(describes.split(' ').any(|id| id == "problem"), "{describes}");
}

#[tokio::test]
async fn a_filter_that_cannot_be_applied_is_an_error_and_stays_in_the_form() {
    let workbench = Workbench::start();
    workbench.subscribe("file.uploaded", &receiver::answering(204, "a", "").await, "").await;
    workbench.post("/trigger", &[("event", "file.uploaded")]).await;
    workbench.finished(1).await;
    for (query, words, kept) in [
        ("uuid=cat&event=file.stored", "“File UUID” is \"cat\", which is no UUID", "value=\"file.stored\""),
        ("status=6xx", "“Status” is \"6xx\"; it takes a number such as 401", "value=\"6xx\""),
        ("subscription=first", "“Subscription” is \"first\"", "value=\"first\""),
        ("colour=red", "colour is no filter", "name=\"text\""),
        ("event=a&event=b", "“Event” is there twice", "value=\"a\""),
        ("before=x", "before is \"x\"", "name=\"text\""),
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
        (vec![], "No active subscription wants file.info_updated, so nothing was sent"),
        (vec![("burst", "many")], "“Number of events” is \"many\"; it takes a whole number"),
        (vec![("burst", "0")], "“Number of events” is 0"),
        (vec![("copies", "1001")], "the limit is 1000"),
        (vec![("delay_ms", "-1")], "“Delay in milliseconds” is \"-1\""),
        (vec![("data.uuid", "cat")], "“uuid” is \"cat\", which is no UUID"),
        (vec![("data.size", "large")], "“size” is no valid JSON"),
        (vec![("data.metadata", "pet")], "“metadata” has the line \"pet\""),
        (vec![("data.content_info", "{")], "“content_info” is no valid JSON"),
        (vec![("previous_values", "{")], "“previous_values” is no valid JSON"),
        (vec![("to", "chosen")], "No subscription is chosen"),
        (vec![("to", "chosen"), ("subscription", "9")], "There is no subscription 9"),
        (vec![("version", "0.6")], "file.uploaded is the only event of the versions before 0.7"),
        (vec![("raw", "{\"a\":")], "“Payload” is no valid JSON"),
        (vec![("event", "")], "event is empty"),
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
        ("", url.as_str(), "", "“Event”: This field may not be blank."),
        ("file.stored", "ftp://x", "", "“Target URL”: Enter a valid URL."),
        ("file.stored", "javascript:alert(1)", "", "“Target URL”: Enter a valid URL."),
        ("file.stored", url.as_str(), long.as_str(), "“Signing secret”: Ensure this field has no more than 32"),
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
        ("{\"typed\": ", "same", "“Payload” is no valid JSON"),
        ("{\"typed\": 1}", "7", "There is no subscription 7"),
        ("{\"typed\": 1}", "cat", "“Send to” is \"cat\""),
    ] {
        let page = workbench.post(&replay, &[("body", body), ("to", to)]).await;
        refused(&page, words);
        page.has("{&quot;typed&quot;: ");
    }
    workbench.post(&format!("/subscriptions/{id}/pause"), &[]).await;
    refused(&workbench.post(&replay, &[("body", "{}"), ("to", "all")]).await, "active");

    for (path, fields, words, kept) in [
        ("/faults/delivery/cut", vec![("percent", "most")], "“Percent” is \"most\"", "value=\"most\""),
        ("/faults/delivery/cut", vec![("percent", "101")], "it must be between 0 and 100", "value=\"101\""),
        ("/faults/delivery/cut", vec![("percent", "NaN")], "it must be between 0 and 100", "value=\"NaN\""),
        ("/faults/delivery/delay", vec![("ms", "600001")], "the limit is 600000", "value=\"600001\""),
        (
            "/faults/delivery/delay",
            vec![("ms", "long")],
            "“Milliseconds” is \"long\"; it takes a whole number",
            "value=\"long\"",
        ),
        ("/faults/rest", vec![("fault", "fire")], "“How calls fail” is \"fire\"", "name=\"times\""),
        ("/faults/rest", vec![("fault", "cut"), ("times", "0")], "“Calls that fail” is 0", "value=\"0\""),
        (
            "/faults/rest",
            vec![("fault", "cut"), ("times", "x"), ("after", "7")],
            "“Calls that fail” is \"x\"",
            "value=\"7\"",
        ),
    ] {
        let page = workbench.post(path, &fields).await;
        refused(&page, words);
        page.has(kept).has_not("Faults are on");
    }
    assert_eq!(workbench.post("/faults/delivery/fire", &[]).await.status, 404);
}
