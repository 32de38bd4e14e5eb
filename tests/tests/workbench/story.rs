//! The whole story by links and forms, as a browser without a script tells it.

use uploadcare_sim::{DeliveryState, SimulatedEvent};

use super::{
    Workbench, html,
    pages::check,
    receiver::{self, SECRET},
};

/// The fields of a form with changes, to be sent.
fn changed<'a>(fields: &'a [(String, String)], changes: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let kept = fields.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let kept = kept.filter(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
    kept.chain(changes.iter().copied()).collect()
}

#[tokio::test]
async fn an_event_is_triggered_seen_replayed_and_compared_by_forms() {
    let workbench = Workbench::start();
    let (url, seen) = receiver::application().await;
    let id = workbench.subscribe("file.info_updated", &url, SECRET).await;

    let form = workbench.get("/trigger?event=file.info_updated").await;
    form.has("1 active subscription").has_not("No active subscription wants");
    let prefilled = html::fields(&form.html, "/trigger");
    let uuid = prefilled.iter().find(|(name, _)| name == "data.uuid").unwrap().1.clone();
    let changes = [
        ("data.original_filename", "holiday.jpg"),
        ("data.size", "7"),
        ("data.metadata", "pet=parrot\nmood=fine"),
        ("labels", "Cat, Sofa"),
        ("scan", "infected"),
        ("do", "trigger"),
    ];
    let answer = workbench.post("/trigger", &changed(&prefilled, &changes)).await;
    let delivery = &workbench.finished(1).await[0];
    assert_eq!((answer.status, answer.location()), (303, format!("/deliveries/{}", delivery.id).as_str()));
    assert_eq!((delivery.uuid.unwrap().to_string(), delivery.state), (uuid, DeliveryState::Acknowledged));
    for part in ["\"holiday.jpg\"", "\"size\":7", "\"pet\":\"parrot\"", "EICAR", "\"Name\":\"Sofa\""] {
        assert!(delivery.body.contains(part), "{part} is not in {}", delivery.body);
    }
    assert_eq!(seen.take(), ["file.info_updated"]);

    let page = workbench.get(answer.location()).await;
    page.has(&format!("The signature verifies with the secret of subscription {id}")).has("204");
    page.has("What changed").has("<del class=\"line\">").has("<ins class=\"line\">").has("x-uc-signature");
    page.has("curl -i 'http");
    check("delivery", &page);
    workbench.get("/?event=file.info_updated&status=204").await.has("holiday.jpg").has("data-number=\"1\"");

    let replay = format!("/deliveries/{}/replay", delivery.id);
    assert_eq!(workbench.post(&replay, &[]).await.status, 303);
    let copy = workbench.finished(2).await[0].clone();
    assert_eq!((copy.copy_of, copy.edited, &copy.body), (Some(delivery.id), false, &delivery.body));

    let edit = html::fields(&page.html, &format!("{replay}#edit"));
    let untouched = workbench.post(&replay, &changed(&edit, &[])).await;
    assert_eq!(untouched.status, 303);
    assert!(!workbench.finished(3).await[0].edited, "the form indents the payload, which is no edit");
    let body = edit[0].1.replace("holiday.jpg", "beach.jpg");
    workbench.post(&replay, &changed(&edit, &[("body", &body.replace('\n', "\r\n")), ("to", "all")])).await;
    let edited = workbench.finished(4).await[0].clone();
    assert_eq!((edited.copy_of, edited.edited, &*edited.body), (Some(delivery.id), true, body.as_str()));
    assert_eq!(edited.state, DeliveryState::Acknowledged);
    workbench.get(&format!("/deliveries/{}", edited.id)).await.has("edited copy of ").has("signature verifies");
    workbench.get(&format!("/deliveries/{}", delivery.id)).await.has("3 Copies").has(" (edited)");

    let compared = workbench.get(&format!("/compare?id={}&id={}", edited.id, delivery.id)).await;
    compared.has("− <bdi>    &quot;original_filename&quot;: &quot;holiday.jpg&quot;");
    compared.has("+ <bdi>    &quot;original_filename&quot;: &quot;beach.jpg&quot;");
    let same = workbench.get(&format!("/compare?from={}&to={}", copy.id, delivery.id)).await;
    same.has("There is no difference.").has("byte for byte");
}

#[tokio::test]
async fn a_signature_with_an_older_secret_is_told_from_one_with_the_present_secret() {
    let workbench = Workbench::with_redelivery_after(&[]);
    let (url, _) = receiver::application().await;
    let id = workbench.subscribe("file.stored", &url, "an-old-secret").await;
    let unsigned = workbench.subscribe("file.deleted", &url, "").await;
    workbench.simulator.trigger(&SimulatedEvent::new("file.deleted"));
    let unsigned_path = format!("/deliveries/{}", workbench.finished(1).await[0].id);
    workbench.simulator.trigger(&SimulatedEvent::new("file.stored"));
    let path = format!("/deliveries/{}", workbench.finished(2).await[0].id);
    workbench.get(&path).await.has(&format!("The signature verifies with the secret of subscription {id}<"));
    workbench.get(&unsigned_path).await.has(&format!("Not signed: subscription {unsigned} has no secret<"));

    let edit = async |id: u64, event: &str, secret: (&str, &str)| {
        let fields = [("target_url", url.as_str()), ("event", event), secret];
        assert_eq!(workbench.post(&format!("/subscriptions/{id}"), &fields).await.status, 303);
    };
    edit(id, "file.stored", ("signing_secret", SECRET)).await;
    edit(unsigned, "file.deleted", ("signing_secret", SECRET)).await;
    // The copy is signed as its original was, which the application refuses.
    workbench.post(&format!("{path}/replay"), &[]).await;
    let copy = workbench.finished(3).await[0].clone();
    for path in [path.clone(), format!("/deliveries/{}", copy.id)] {
        let page = workbench.get(&path).await;
        page.has(&format!(
            "The signature verifies with an older secret of subscription {id}, which has another one now"
        ));
        page.has(&format!("replay it to subscription {id}")).has_not("the application probably has another secret");
        check("an older secret", &page);
    }
    workbench
        .get(&unsigned_path)
        .await
        .has(&format!("Not signed: subscription {unsigned} had no secret when the event was triggered"));
    let to = [("body", &*copy.body), ("to", &id.to_string())];
    workbench.post(&format!("{path}/replay"), &to).await;
    let resigned = workbench.finished(4).await[0].clone();
    assert_eq!(resigned.state, DeliveryState::Acknowledged);
    let page = workbench.get(&format!("/deliveries/{}", resigned.id)).await;
    page.has(&format!("The signature verifies with the secret of subscription {id}<"));

    edit(id, "file.stored", ("no_secret", "yes")).await;
    workbench.get(&path).await.has(&format!("an older secret of subscription {id}, which has none now"));
    assert_eq!(workbench.post(&format!("/subscriptions/{id}/delete"), &[]).await.status, 303);
    let page = workbench.get(&path).await;
    page.has(&format!("The signature verifies with the secret of subscription {id}, which was deleted"));
}

#[tokio::test]
async fn a_paused_subscription_gets_nothing_and_an_edited_one_is_another() {
    let workbench = Workbench::start();
    let (url, seen) = receiver::application().await;
    let id = workbench.subscribe("file.uploaded", &url, SECRET).await;
    let paused = workbench.post(&format!("/subscriptions/{id}/pause"), &[]).await;
    assert_eq!(paused.location(), format!("/subscriptions#subscription-{id}"));
    workbench.get("/subscriptions").await.has("Paused").has("Resume");
    assert_eq!(workbench.post("/trigger", &[("event", "file.uploaded")]).await.status, 400);
    assert!(workbench.simulator.deliveries().is_empty());

    let chosen = [("event", "file.uploaded"), ("to", "chosen"), ("subscription", "1")];
    assert_eq!(workbench.post("/trigger", &chosen).await.status, 303);
    workbench.finished(1).await;
    workbench.post(&format!("/subscriptions/{id}/resume"), &[]).await;
    let path = format!("/subscriptions/{id}");
    let kept = [("event", "file.stored"), ("target_url", url.as_str()), ("signing_secret", "")];
    assert_eq!(workbench.post(&path, &kept).await.status, 303);
    let now = workbench.simulator.subscriptions()[0].clone();
    assert_eq!((now.event.as_str(), now.signing_secret.as_deref()), ("file.stored", Some(SECRET)));
    let removed = [("event", "file.stored"), ("target_url", url.as_str()), ("no_secret", "yes")];
    workbench.post(&path, &removed).await;
    assert_eq!(workbench.simulator.subscriptions()[0].signing_secret, None);
    workbench.post("/trigger", &[("event", "file.stored")]).await;
    let refused = workbench.finished(2).await[0].clone();
    let page = workbench.get(&format!("/deliveries/{}", refused.id)).await;
    page.has(&format!("Not signed: subscription {id} has no secret")).has("401").has("Failed");
    assert_eq!(seen.take(), ["file.uploaded"]);

    assert_eq!(workbench.post(&format!("{path}/delete"), &[]).await.location(), "/subscriptions");
    assert!(workbench.simulator.subscriptions().is_empty());
    for action in ["", "/pause", "/resume", "/delete", "/reveal"] {
        assert_eq!(workbench.post(&format!("{path}{action}"), &[]).await.status, 404, "{action}");
    }
}

#[tokio::test]
async fn a_new_subscription_without_a_secret_gets_the_one_that_the_simulator_printed() {
    let workbench = Workbench::start();
    let url = receiver::answering(204, "a", "").await;
    for (event, no_secret, secret) in
        [("file.stored", None, Some("demosigningsecret")), ("file.deleted", Some("yes"), None)]
    {
        let mut fields = vec![("event", event), ("target_url", url.as_str()), ("signing_secret", "")];
        fields.extend(no_secret.map(|ticked| ("no_secret", ticked)));
        assert_eq!(workbench.post("/subscriptions", &fields).await.status, 303);
        assert_eq!(workbench.simulator.subscriptions().last().unwrap().signing_secret.as_deref(), secret);
    }
    workbench.get("/subscriptions").await.has_not("demosigningsecret");
}

#[tokio::test]
async fn faults_are_switched_by_one_form_each_and_shown_where_they_hit() {
    let workbench = Workbench::start();
    let (url, _) = receiver::application().await;
    workbench.subscribe("file.uploaded", &url, SECRET).await;
    assert_eq!(
        workbench.post("/faults/delivery/wrong_secret", &[("percent", "100"), ("switch", "on")]).await.status,
        303
    );
    workbench.get("/").await.has("Faults are on: ").has("wrong_secret (100 %)");
    workbench.post("/trigger", &[("event", "file.uploaded")]).await;
    let refused = workbench.finished(1).await[0].id;
    let page = workbench.get(&format!("/deliveries/{refused}")).await;
    page.has("The signature is wrong: the fault wrong_secret was on").has("401").has("Attempt 3");
    page.has_not("probably");

    workbench.post("/faults/delivery/wrong_secret", &[("switch", "off")]).await;
    workbench.post("/faults/delivery/missing_signature", &[]).await;
    workbench.post(&format!("/deliveries/{refused}/replay"), &[]).await;
    let unsigned = workbench.finished(2).await[0].id;
    let page = workbench.get(&format!("/deliveries/{unsigned}")).await;
    page.has("The signature is missing: the fault missing_signature was on");

    let fields = [("fault", "throttle"), ("times", "2"), ("after", "1"), ("carried_out", "yes")];
    workbench.post("/faults/rest", &fields).await;
    let page = workbench.get("/faults").await;
    page.has("After 1 call, 2 calls fail").has("2 calls fail").has("carried out although it fails");
    assert_eq!(workbench.post("/faults/off", &[]).await.location(), "/faults");
    workbench.get("/faults").await.has_not("Faults are on").has("No faults are set");
}

#[tokio::test]
async fn an_answer_that_does_not_fit_the_signature_is_explained() {
    let workbench = Workbench::start();
    let (url, _) = receiver::application().await;
    let id = workbench.subscribe("file.uploaded", &url, "not the application's").await;
    workbench.post("/trigger", &[("event", "file.uploaded")]).await;
    let refused = format!("/deliveries/{}", workbench.finished(1).await[0].id);
    let page = workbench.get(&refused).await;
    page.has("The signature is right, so the application probably has another secret.");
    page.has(&format!("href=\"/subscriptions#subscription-{id}\""));
    workbench.post(&format!("/subscriptions/{id}/delete"), &[]).await;
    workbench.get(&refused).await.has(&format!("Subscription {id} was deleted")).has_not("Show the secret");

    // A receiver that checks no signatures, and one that does not run.
    for url in [receiver::answering(204, "a", "").await.as_str(), "http://127.0.0.1:1/hooks"] {
        workbench.subscribe("file.stored", url, SECRET).await;
    }
    workbench.post("/faults/delivery/wrong_secret", &[]).await;
    workbench.post("/trigger", &[("event", "file.stored")]).await;
    let deliveries = workbench.finished(3).await;
    let unheard = deliveries.iter().find(|one| one.target_url.contains(":1/")).unwrap().id;
    let page = workbench.get(&format!("/deliveries/{unheard}")).await;
    page.has("Connection refused").has("Nothing listens at this address.").has("In full: ");
    let accepted = deliveries.iter().find(|one| one.state == DeliveryState::Acknowledged).unwrap().id;
    let page = workbench.get(&format!("/deliveries/{accepted}")).await;
    page.has("The application accepted this without a right signature").has_not("another secret");
}

#[tokio::test]
async fn after_a_form_the_browser_is_led_to_what_the_form_changed() {
    let workbench = Workbench::start();
    let url = receiver::answering(204, "a", "").await;
    // The page takes events that Uploadcare does not document.
    let id = workbench.subscribe("moderation.state_changed", &url, SECRET).await;
    let fields = [("event", "moderation.state_changed"), ("target_url", url.as_str())];
    let edited = workbench.post(&format!("/subscriptions/{id}"), &fields).await;
    assert_eq!(edited.location(), format!("/subscriptions#subscription-{id}"));
    workbench.post("/trigger", &[("event", "moderation.state_changed")]).await;
    let original = workbench.finished(1).await[0].id;
    let replayed = workbench.post(&format!("/deliveries/{original}/replay"), &[]).await;
    let copy = workbench.finished(2).await[0].id;
    assert_eq!(replayed.location(), format!("/deliveries/{copy}#main"));
}

#[tokio::test]
async fn the_whole_payload_can_be_edited_and_is_sent_as_it_was_typed() {
    let workbench = Workbench::start();
    let (url, _) = receiver::application().await;
    let id = workbench.subscribe("file.uploaded", &url, SECRET).await;
    let form = workbench.get("/trigger").await;
    let prefilled = html::fields(&form.html, "/trigger");
    let raw = workbench
        .post("/trigger", &changed(&prefilled, &[("data.original_filename", "typed.jpg"), ("do", "raw")]))
        .await;
    assert_eq!(raw.status, 200);
    let fields = html::fields(&raw.html, "/trigger");
    let body = &fields.iter().find(|(name, _)| name == "raw").unwrap().1;
    assert!(body.contains("\"original_filename\": \"typed.jpg\"") && body.contains(&url), "{body}");
    let typed = format!("{}  ", body.replace("typed.jpg", "typed twice.jpg"));
    workbench.post("/trigger", &changed(&fields, &[("raw", &typed), ("do", "trigger")])).await;
    let sent = workbench.finished(1).await[0].clone();
    assert_eq!((&*sent.body, sent.subscription, sent.state), (typed.as_str(), id, DeliveryState::Acknowledged));

    let old = workbench.get("/trigger?event=file.uploaded&version=0.6").await;
    let fields = html::fields(&old.html, "/trigger");
    workbench.post("/trigger", &changed(&fields, &[("burst", "2"), ("do", "trigger")])).await;
    let sent = workbench.finished(3).await;
    assert!(sent[0].body.contains("rekognition_info") && sent[0].body.contains("\"version\":\"0.6\""));
    assert_ne!(sent[0].uuid, sent[1].uuid, "each event of a burst is about a file of its own");
}
