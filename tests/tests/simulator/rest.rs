//! The REST API, as the client uses it, and its faults.

use serde_json::{Value, json};
use tests::deliveries::secret;
use uploadcare_hooks::{
    EventKind,
    client::{Auth, Client, ClientError, CreateWebhook, UpdateWebhook},
};
use uploadcare_sim::{Fault, FaultKind};

use super::{TARGET, client, simulator};

#[tokio::test]
async fn subscriptions_are_made_changed_and_deleted_with_both_schemes() {
    for auth in [Auth::Signed, Auth::Simple] {
        let simulator = simulator();
        let client = client(&simulator, auth);
        assert_eq!(client.list().await.unwrap(), []);
        let stored = CreateWebhook::new(TARGET, EventKind::FileStored).signing_secret(secret());
        let created = client.create(&stored).await.unwrap();
        assert_eq!((created.event.as_str(), created.is_active, created.version.as_str()), ("file.stored", true, "0.7"));
        assert_eq!(created.signing_secret, Some(secret()));
        let again = client.create(&stored).await.unwrap_err();
        assert!(matches!(&again, ClientError::AlreadySubscribed(error) if error.request_id.is_some()), "{again}");
        let paused = client.update(created.id, &UpdateWebhook::new().is_active(false)).await.unwrap();
        assert_eq!((paused.is_active, &paused.signing_secret), (false, &created.signing_secret));
        assert!(matches!(
            client.update(99, &UpdateWebhook::new().is_active(true)).await,
            Err(ClientError::NotFound(_))
        ));
        let other = client.create(&CreateWebhook::new(TARGET, EventKind::FileDeleted)).await.unwrap();
        client.delete(other.id).await.unwrap();
        assert_eq!(
            (client.list().await.unwrap(), client.get(paused.id).await.unwrap()),
            (vec![paused.clone()], paused)
        );
        assert!(matches!(client.get(other.id).await, Err(ClientError::NotFound(_))));
        client.unsubscribe(TARGET).await.unwrap();
        assert_eq!(client.list().await.unwrap(), []);
    }
}

#[tokio::test]
async fn wrong_keys_are_refused() {
    let simulator = simulator();
    for (public, secret, auth) in [
        ("demopublickey", "wrong", Auth::Signed),
        ("wrong", "demosecretkey", Auth::Signed),
        ("demopublickey", "wrong", Auth::Simple),
    ] {
        let client = Client::builder(public, secret).base_url(simulator.base_url()).auth(auth).build().unwrap();
        let error = client.list().await.unwrap_err();
        assert!(matches!(error, ClientError::Authentication(_)), "{error}");
    }
}

#[tokio::test]
async fn forms_and_json_are_read_and_checked_alike() {
    let simulator = simulator();
    let http = reqwest::Client::new();
    let send = async |content_type: &str, body: String| {
        let request = http
            .post(format!("{}/webhooks/", simulator.base_url()))
            .header("Accept", "application/vnd.uploadcare-v0.7+json")
            .header("Authorization", "Uploadcare.Simple demopublickey:demosecretkey")
            .header("Content-Type", content_type.to_owned());
        let answer = request.body(body).send().await.unwrap();
        assert_eq!(answer.headers()["content-type"], "application/vnd.uploadcare-v0.7+json");
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    let form = "application/x-www-form-urlencoded";
    let json = "application/json";
    let long = "a".repeat(33);
    for (content_type, body, status, says) in [
        (
            form,
            "target_url=http%3A%2F%2Fx.example&event=file.stored&is_active=False".to_owned(),
            201,
            r#""is_active":false"#,
        ),
        (
            json,
            json!({"target_url": "http://x.example", "event": "file.stored"}).to_string(),
            400,
            "already subscribed",
        ),
        (form, "event=file.stored".to_owned(), 400, "`target_url` is missing."),
        (form, "target_url=nowhere&event=file.stored".to_owned(), 400, "valid URL"),
        (json, json!({"target_url": "http://x.example", "event": "file.moved"}).to_string(), 400, "not a valid choice"),
        (json, json!({"target_url": "http://x.example"}).to_string(), 400, "required"),
        (
            json,
            json!({"target_url": "http://y.example", "event": "file.stored", "signing_secret": long}).to_string(),
            400,
            "32 characters",
        ),
        (json, "{".to_owned(), 400, "JSON parse error"),
    ] {
        let (answered, text) = send(content_type, body.clone()).await;
        assert_eq!(answered, status, "{body}: {text}");
        assert!(text.contains(says), "{body}: {text}");
    }
    let url = format!("{}/webhooks/", simulator.base_url());
    assert_eq!(http.get(&url).send().await.unwrap().status(), 406);
}

#[tokio::test]
async fn faults_are_ordered_over_http_and_begin_after_good_calls() {
    let simulator = simulator();
    let client = Client::builder("demopublickey", "demosecretkey").base_url(simulator.base_url()).retries(0);
    let client = client.build().unwrap();
    let order = async |body: Value| {
        let request = reqwest::Client::new().post(format!("{}/_sim/faults", simulator.base_url()));
        request.body(body.to_string()).send().await.unwrap().status().as_u16()
    };
    assert_eq!(order(json!({"fault": "throttle", "after": 1, "times": 2})).await, 204);
    assert_eq!(order(json!({"fault": "error", "after": 1})).await, 204);
    assert_eq!(order(json!({"fault": "boredom"})).await, 400);
    let mut outcomes = Vec::new();
    for _ in 0..6 {
        outcomes.push(match client.list().await {
            Ok(_) => "ok",
            Err(ClientError::Throttled { .. }) => "throttled",
            Err(ClientError::Server(_)) => "server",
            Err(_) => "other",
        });
    }
    assert_eq!(outcomes, ["ok", "throttled", "throttled", "ok", "server", "ok"]);
}

#[tokio::test]
async fn a_fault_waits_for_a_call_of_the_rest_api_with_the_right_keys() {
    let simulator = simulator();
    let http = reqwest::Client::new();
    let get = async |path: &str, accept: &str, keys: &str| {
        let request = http.get(format!("{}{path}", simulator.base_url())).header("Accept", accept);
        let request = request.header("Authorization", format!("Uploadcare.Simple {keys}"));
        request.send().await.unwrap().status().as_u16()
    };
    let (accept, keys) = ("application/vnd.uploadcare-v0.7+json", "demopublickey:demosecretkey");
    simulator.fault(Fault::new(FaultKind::Error));
    for (path, accept, keys, status) in [
        ("/.well-known/appspecific/com.chrome.devtools.json", "*/*", "", 406),
        ("/favicon.ico", accept, keys, 404),
        ("/webhooks/", "*/*", keys, 406),
        ("/webhooks/", accept, "demopublickey:wrong", 401),
    ] {
        assert_eq!(get(path, accept, keys).await, status, "{path} {accept} {keys}");
    }
    assert_eq!([get("/webhooks/", accept, keys).await, get("/webhooks/", accept, keys).await], [502, 200]);
}

#[tokio::test]
async fn the_client_gets_over_every_fault_and_makes_nothing_twice() {
    let kinds = [FaultKind::Throttle, FaultKind::Error, FaultKind::Cut, FaultKind::Slow];
    let all = kinds.into_iter().flat_map(|kind| [(kind, false), (kind, true)]);
    futures_util::future::join_all(all.map(|(kind, carried_out)| get_over(kind, carried_out))).await;
}

/// Makes each call of the client fail once with this fault.
async fn get_over(kind: FaultKind, carried_out: bool) {
    // Uploadcare does not carry out a call that it throttles. If it did, the client could not know,
    // and an error about the second call would be right.
    let odd = (kind, carried_out) == (FaultKind::Throttle, true);
    let simulator = simulator();
    let client = client(&simulator, Auth::Signed);
    let fault = || simulator.fault(Fault { carried_out, ..Fault::new(kind) });
    fault();
    let webhook = CreateWebhook::new(TARGET, EventKind::FileStored).signing_secret(secret());
    match client.create(&webhook).await {
        Err(ClientError::AlreadySubscribed(_)) if odd => {}
        created => assert!(created.is_ok(), "{kind:?} {carried_out}: {created:?}"),
    }
    assert_eq!(simulator.subscriptions().len(), 1, "{kind:?} {carried_out}");
    fault();
    let list = client.list().await.unwrap();
    fault();
    let update = UpdateWebhook::new().is_active(false);
    assert!(!client.update(list[0].id, &update).await.unwrap().is_active, "{kind:?} {carried_out}");
    fault();
    let deleted = client.delete(list[0].id).await;
    assert!(deleted.is_ok() || odd, "{kind:?} {carried_out}: {deleted:?}");
    assert!(simulator.subscriptions().is_empty());
}
