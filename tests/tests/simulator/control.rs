//! The endpoints below `/_sim`, and what they refuse.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;

use super::{Api, TARGET, detail, receiver::Receiver, simulator};

#[tokio::test]
async fn subscriptions_of_any_event_are_created_paused_edited_and_deleted() {
    let simulator = simulator();
    let api = Api::of(&simulator);
    let order = json!({"target_url": TARGET, "event": "comet.seen", "signing_secret": "s1"});
    let (status, created) = api.post("/subscriptions", order.clone()).await;
    assert_eq!((status, &created["is_active"], &created["version"]), (201, &json!(true), &json!("0.7")));
    assert_eq!((created.get("signing_secret"), &created["signed"]), (None, &json!(true)));
    let path = format!("/subscriptions/{}", created["id"]);
    assert_eq!(api.get(&path).await, (200, created.clone()));
    assert_eq!(api.get("/subscriptions").await, (200, json!([created])));
    assert_eq!(api.get("/subscriptions?secrets=true").await.1[0]["signing_secret"], "s1");
    assert_eq!(api.get(&format!("{path}?secrets=true")).await.1["signing_secret"], "s1");
    let (status, paused) = api.patch(&path, json!({"is_active": false, "event": "comet.gone"})).await;
    assert_eq!((status, &paused["is_active"], &paused["event"]), (200, &json!(false), &json!("comet.gone")));
    assert_eq!((&paused["signed"], simulator.subscriptions()[0].is_active), (&json!(true), false));
    for nothing in [json!(null), json!("")] {
        api.patch(&path, json!({"signing_secret": "s2"})).await;
        assert_eq!(api.patch(&path, json!({"signing_secret": nothing})).await.1["signed"], false);
    }
    assert_eq!(api.delete(&path).await, (204, json!(null)));
    assert!(detail(api.delete(&path).await, 404).contains("there is no subscription"));
    assert!(detail(api.patch(&path, json!({})).await, 404).contains("there is no subscription"));
    assert!(detail(api.get("/subscriptions/cat").await, 404).contains("\"cat\""));
    assert_eq!(simulator.subscriptions(), []);
}

#[tokio::test]
async fn subscriptions_that_the_rest_api_refuses_are_refused_in_words() {
    let simulator = simulator();
    let api = Api::of(&simulator);
    api.subscribe(TARGET, "file.stored").await;
    for (order, says) in [
        (json!({"target_url": TARGET, "event": "file.stored"}), "already subscribed"),
        (json!({"event": "file.stored"}), "`target_url` is missing"),
        (json!({"target_url": TARGET}), "`event`: This field is required"),
        (json!({"target_url": TARGET, "event": " "}), "`event`: This field may not be blank"),
        (json!({"target_url": "ftp://a", "event": "a"}), "`target_url`: Enter a valid URL"),
        (json!({"target_url": TARGET, "event": "a", "version": "0.6"}), "`version`: Only 0.7"),
        (json!({"target_url": TARGET, "event": "a", "signing_secret": "a".repeat(33)}), "32 characters"),
        (json!({"target_url": TARGET, "event": "a", "secret": "s"}), "unknown field `secret`, expected one of"),
        (json!([]), "the request cannot be read"),
    ] {
        let problem = detail(api.post("/subscriptions", order.clone()).await, 400);
        assert!(problem.contains(says), "{order}: {problem}");
    }
    let problem = detail(api.patch("/subscriptions/1", json!({"version": "0.6"})).await, 400);
    assert!(problem.contains("cannot be changed"), "{problem}");
    let problem = detail(api.get("/subscriptions?secrets=yes").await, 400);
    assert!(problem.contains("takes true or false"), "{problem}");
    assert_eq!(simulator.subscriptions().len(), 1);
}

#[tokio::test]
async fn deliveries_are_found_by_each_filter_newest_first_in_pages() {
    let simulator = simulator();
    let api = Api::of(&simulator);
    let receiver = Receiver::start(&[401]).await;
    let target = receiver.url("/");
    let stored = api.subscribe(&target, "file.stored").await;
    api.subscribe(&target, "file.deleted").await;
    let uuid = "575ed4e8-f4e8-4c14-a58b-1527b6d9ee46";
    api.trigger(json!({"event": "file.stored", "data": {"uuid": uuid, "original_filename": "Kater.JPG"}})).await;
    api.finished(1).await;
    api.trigger(json!({"event": "file.deleted", "copies": 4})).await;
    api.finished(5).await;
    let found = async |query: &str| {
        let (status, found) = api.get(&format!("/search?{query}")).await;
        assert_eq!(status, 200, "{query}: {found}");
        let numbers: Vec<_> =
            found["deliveries"].as_array().unwrap().iter().map(|one| one["number"].as_u64().unwrap()).collect();
        (numbers, found["next_before"].as_u64())
    };
    assert_eq!(found("").await, (vec![5, 4, 3, 2, 1], None));
    assert_eq!(found("event=file.deleted&limit=2").await, (vec![5, 4], Some(4)));
    assert_eq!(found("event=file.deleted&limit=2&before=4").await, (vec![3, 2], None));
    for query in [
        format!("uuid={uuid}"),
        format!("subscription={stored}"),
        "text=kater.jpg".to_owned(),
        "event=file.stored&status=204".to_owned(),
        "event=file.stored&status=acknowledged&text=Kater".to_owned(),
    ] {
        assert_eq!(found(&query).await, (vec![1], None), "{query}");
    }
    assert_eq!(found("status=5xx").await, (vec![], None));
    let whole = &api.get("/search?event=file.stored").await.1["deliveries"][0];
    let statuses = [0, 1].map(|attempt| whole["attempts"][attempt]["answer"]["status"].as_u64().unwrap());
    assert_eq!(statuses, [401, 204]);
    for (query, says) in [
        ("colour=red", "`colour` is no filter"),
        ("colour=red", "beside limit, before"),
        ("limit=0", "`limit` is \"0\"; it takes a number from 1 to 1000"),
        ("limit=1001", "from 1 to 1000"),
        ("limit=1&limit=2", "`limit` is there twice"),
        ("before=x", "`before` is \"x\""),
        ("status=teapot", "`status` is \"teapot\""),
        ("uuid=1", "no UUID"),
    ] {
        let problem = detail(api.get(&format!("/search?{query}")).await, 400);
        assert!(problem.contains(says), "{query}: {problem}");
    }
}

#[tokio::test]
async fn a_reset_forgets_everything_or_all_but_the_subscriptions() {
    let simulator = simulator();
    let api = Api::of(&simulator);
    let receiver = Receiver::start(&[]).await;
    let set_up = async || {
        api.trigger(json!({"event": "file.stored"})).await;
        api.finished(1).await;
        api.trigger(json!({"event": "file.stored", "delay_ms": 300})).await;
        api.post("/faults", json!({"fault": "error"})).await;
        api.patch("/delivery_faults", json!({"delay": {"probability": 1, "ms": 1}})).await;
    };
    let forgotten = async || {
        assert_eq!(api.get("/deliveries").await, (200, json!([])));
        assert_eq!(api.get("/search").await.1["deliveries"], json!([]));
        assert_eq!(api.get("/faults").await, (200, json!([])));
        assert_eq!(api.get("/delivery_faults").await, (200, json!({})));
        let counts = json!({"acknowledged": 0, "failed": 0, "finished": 0, "waiting": 0, "complete": true});
        assert_eq!(api.get("/wait?finished=0").await, (200, counts));
    };
    api.subscribe(&receiver.url("/"), "file.stored").await;
    set_up().await;
    assert_eq!(api.post("/reset", json!({"keep_subscriptions": true})).await, (204, json!(null)));
    forgotten().await;
    assert_eq!(simulator.subscriptions().len(), 1);
    set_up().await;
    assert_eq!(api.call(Method::POST, "/reset", None).await, (204, json!(null)));
    forgotten().await;
    assert_eq!(simulator.subscriptions(), []);
    // The deliveries that were waiting are not sent.
    tokio::time::sleep(std::time::Duration::from_millis(400)).await;
    assert_eq!(receiver.got().len(), 2);
    let problem = detail(api.post("/reset", json!({"keep": true})).await, 400);
    assert!(problem.contains("unknown field `keep`, expected `keep_subscriptions`"), "{problem}");
}

#[tokio::test]
async fn unknown_paths_name_what_exists_and_wrong_methods_what_is_allowed() {
    let simulator = simulator();
    let api = Api::of(&simulator);
    for path in ["", "/", "/delivery", "/deliveries/", "/deliveries/a/b"] {
        let (status, answer) = api.get(path).await;
        assert_eq!(status, 404, "{path}");
        let endpoints: Vec<_> =
            answer["endpoints"].as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect();
        assert!(endpoints.contains(&"POST /_sim/deliveries/{id}/replay"), "{endpoints:?}");
    }
    for (method, path, allowed) in [
        (Method::PUT, "/subscriptions", "GET, POST"),
        (Method::POST, "/subscriptions/1", "GET, PATCH, DELETE"),
        (Method::GET, "/events", "POST"),
        (Method::POST, "/faults/", ""),
        (Method::PUT, "/faults", "GET, POST, DELETE"),
        (Method::GET, "/deliveries/1/replay", "POST"),
    ] {
        let answer = api.http.request(method, format!("{}/_sim{path}", simulator.base_url())).send().await.unwrap();
        if allowed.is_empty() {
            assert_eq!(answer.status(), 404);
            continue;
        }
        assert_eq!((answer.status().as_u16(), answer.headers()["allow"].to_str().unwrap()), (405, allowed), "{path}");
        assert!(answer.text().await.unwrap().contains(allowed), "{path}");
    }
    let problem = detail(api.get("/deliveries/cat").await, 404);
    assert!(problem.contains("no delivery \"cat\" is kept"), "{problem}");
}

#[tokio::test]
async fn faults_of_rest_calls_are_listed_and_cleared() {
    let simulator = simulator();
    let api = Api::of(&simulator);
    api.post("/faults", json!({"fault": "error", "times": 2})).await;
    let listed = json!([{"fault": "error", "times": 2, "after": 0, "carried_out": false}]);
    assert_eq!(api.get("/faults").await, (200, listed));
    assert_eq!(api.delete("/faults").await, (204, json!(null)));
    assert_eq!(api.get("/faults").await, (200, json!([])));
}

#[tokio::test]
async fn a_body_that_cannot_be_read_is_refused_with_the_field_that_is_wrong() {
    let simulator = simulator();
    let api = Api::of(&simulator);
    for (body, says) in [
        ("", "its body is no JSON object"),
        ("event=file.uploaded", "its body is no JSON object"),
        ("[\"file.uploaded\"]", "its body is no JSON object"),
        ("{\"event\": \"a\"} {}", "trailing characters"),
        ("{\"event\": \"a\", \"burst\": \"3\"}", "`burst`: invalid type: string \"3\", expected a number at line 1"),
        ("{\"event\": \"a\", \"subscriptions\": [1, -2]}", "`subscriptions[1]`: invalid value: integer `-2`"),
        ("{\"copies\": 2}", "missing field `event`"),
        ("{\"event\": \"a\", \"copies\": 1, \"copies\": 2}", "duplicate field `copies`"),
    ] {
        let request = api.http.post(format!("{}/_sim/events", api.base_url)).body(body);
        let answer = request.send().await.unwrap();
        let (status, text) = (answer.status().as_u16(), answer.text().await.unwrap());
        let problem: serde_json::Value = serde_json::from_str(&text).unwrap();
        let problem = problem["detail"].as_str().unwrap();
        assert!(status == 400 && problem.starts_with("the request cannot be read: "), "{body}: {text}");
        assert!(problem.contains(says), "{body}: {problem}");
    }
}

#[tokio::test]
async fn a_payload_has_one_limit_and_a_longer_body_is_refused_in_words() {
    let simulator = simulator();
    let api = Api::of(&simulator);
    let id = api.subscribe(TARGET, "file.stored").await;
    let mebibyte = 1024 * 1024;
    // Quotes take two bytes in the order.
    let payload = |length: usize| format!("[{}\"\"]", "\"\",".repeat((length - 4) / 3) + &" ".repeat((length - 4) % 3));
    let order = |length| json!({"event": "file.stored", "payload": payload(length), "delay_ms": 60_000});
    let delivery = api.trigger(order(mebibyte)).await.remove(0);
    assert_eq!(api.delivery(&delivery).await["body"].as_str().unwrap().len(), mebibyte);
    let says = "has 1048577 bytes, and the limit is 1048576 (1 MiB)";
    assert_eq!(detail(api.post("/events", order(mebibyte + 1)).await, 400), format!("`payload` {says}"));
    let replay = json!({"body": payload(mebibyte + 1), "subscriptions": [id]});
    let problem = detail(api.post(&format!("/deliveries/{delivery}/replay"), replay).await, 400);
    assert_eq!(problem, format!("`body` {says}"));
    let data = json!({"event": "file.stored", "data": {"original_filename": "c".repeat(mebibyte)}});
    assert!(detail(api.post("/events", data).await, 400).starts_with("`data` has 1048"));
    for path in ["/events", "/subscriptions", "/reset"] {
        let problem = detail(api.post(path, order(3 * mebibyte)).await, 413);
        assert_eq!(problem, "the body of the request is longer than 4194304 bytes (4 MiB)", "{path}");
    }
}

/// The order of the two is open, so each round tries another moment.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reset_comes_before_or_after_all_of_a_trigger() {
    let simulator = simulator();
    let api = Api::of(&simulator);
    for round in 0..20 {
        api.subscribe(TARGET, "file.stored").await;
        let triggering = {
            let api = api.clone();
            let order = json!({"event": "file.stored", "burst": 500, "delay_ms": 3_600_000});
            tokio::spawn(async move { api.trigger(order).await.len() })
        };
        tokio::time::sleep(Duration::from_millis(2 * round)).await;
        assert_eq!(api.post("/reset", json!({})).await.0, 204);
        let triggered = triggering.await.unwrap();
        assert!([0, 500].contains(&triggered), "{triggered}");
        let waiting = simulator.deliveries().len();
        assert_eq!(waiting, 0, "round {round}: of {triggered} deliveries {waiting} are left after the reset");
    }
}
