//! The description of `/_sim`, compared with what the running simulator answers.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use super::{Api, detail, receiver::Receiver, simulator};

/// Calls the API, and checks each call and answer against the description.
struct Described {
    api: Api,
    document: Value,
    /// The calls so far, as `GET /_sim/search 200`.
    called: BTreeSet<String>,
}

impl Described {
    async fn new(api: Api) -> Self {
        let (status, document) = api.get("/openapi.json").await;
        assert_eq!((status, &document["openapi"]), (200, &json!("3.1.0")));
        Self { api, document, called: BTreeSet::new() }
    }

    /// Finds a part of the description, through a reference.
    fn part<'a>(&'a self, part: &'a Value) -> &'a Value {
        match part["$ref"].as_str() {
            Some(reference) => self.document.pointer(reference.strip_prefix('#').unwrap()).unwrap(),
            None => part,
        }
    }

    fn check(&self, schema: &Value, value: &Value, what: &str) {
        let mut schema = schema.clone();
        // References in the schema start at the whole document.
        schema["components"] = self.document["components"].clone();
        let validator = jsonschema::draft202012::options().should_validate_formats(true).build(&schema).unwrap();
        let problems: Vec<_> =
            validator.iter_errors(value).map(|problem| format!("{}: {problem}", problem.instance_path())).collect();
        assert!(problems.is_empty(), "{what}: {problems:?}\n{value:#}");
    }

    /// Calls an endpoint. `path` has the parameters in braces, and `filled` has their values and
    /// the query.
    async fn call(&mut self, method: Method, path: &str, filled: &str, body: Option<Value>, status: u16) -> Value {
        let what = format!("{method} /_sim{path} {status}");
        let operation = &self.document["paths"][format!("/_sim{path}")][method.as_str().to_lowercase()];
        assert!(operation.is_object(), "{what} is not described");
        if status < 400
            && let Some(body) = &body
        {
            self.check(&operation["requestBody"]["content"]["application/json"]["schema"], body, &what);
        }
        let answer = self.api.http.request(method, format!("{}/_sim{filled}", self.api.base_url));
        let answer = body.into_iter().fold(answer, |answer, body| answer.body(body.to_string())).send().await.unwrap();
        assert_eq!(answer.status(), status, "{what}");
        let content_type = answer.headers().get("content-type").map(|value| value.to_str().unwrap().to_owned());
        let text = answer.text().await.unwrap();
        let described = self.part(&operation["responses"][status.to_string()]);
        assert!(described.is_object(), "{what} is not described");
        let value = match described.get("content") {
            None => {
                assert_eq!(text, "", "{what}");
                Value::Null
            }
            Some(content) => {
                let schema = &content[content_type.as_deref().unwrap()]["schema"];
                assert!(schema.is_object(), "{what}: {content_type:?} is not described");
                let value = serde_json::from_str(&text).unwrap();
                self.check(schema, &value, &what);
                value
            }
        };
        self.called.insert(what);
        value
    }
}

/// `GET /_sim/search` and so on, from the description.
fn operations(document: &Value) -> BTreeSet<String> {
    let paths = document["paths"].as_object().unwrap();
    let of = |(path, methods): (&String, &Value)| -> Vec<_> {
        methods.as_object().unwrap().keys().map(|method| format!("{} {path}", method.to_uppercase())).collect()
    };
    paths.iter().flat_map(of).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_description_names_the_endpoints_of_the_code_and_no_others() {
    let simulator = simulator();
    let api = Api::of(&simulator);
    let (_, document) = api.get("/openapi.json").await;
    let (_, unknown) = api.get("/unknown").await;
    let endpoints: BTreeSet<_> =
        unknown["endpoints"].as_array().unwrap().iter().map(|one| one.as_str().unwrap().to_owned()).collect();
    assert_eq!(operations(&document), endpoints);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn real_answers_are_as_described() {
    use Method as M;
    let simulator = simulator();
    // One delivery is acknowledged at its second attempt, with a body in the first answer's place.
    let receiver = Receiver::start(&[500]).await;
    let mut d = Described::new(Api::of(&simulator)).await;
    let order =
        json!({"target_url": receiver.url("/"), "event": "file.stored", "signing_secret": "s", "version": "0.7"});
    d.call(M::POST, "/subscriptions", "/subscriptions", Some(order.clone()), 201).await;
    d.call(M::POST, "/subscriptions", "/subscriptions", Some(order), 400).await;
    d.call(M::GET, "/subscriptions", "/subscriptions", None, 200).await;
    d.call(M::GET, "/subscriptions", "/subscriptions?secrets=true", None, 200).await;
    d.call(M::GET, "/subscriptions", "/subscriptions?secrets=1", None, 400).await;
    d.call(M::GET, "/subscriptions/{id}", "/subscriptions/1", None, 200).await;
    d.call(M::GET, "/subscriptions/{id}", "/subscriptions/1?secret", None, 400).await;
    d.call(M::GET, "/subscriptions/{id}", "/subscriptions/9", None, 404).await;
    d.call(M::PATCH, "/subscriptions/{id}", "/subscriptions/1", Some(json!({"is_active": true})), 200).await;
    d.call(M::PATCH, "/subscriptions/{id}", "/subscriptions/1", Some(json!({"id": 2})), 400).await;
    d.call(M::PATCH, "/subscriptions/{id}", "/subscriptions/9", Some(json!({})), 404).await;
    let order = json!({
        "event": "file.stored", "data": {"size": 3}, "copies": 1, "burst": 1, "delay_ms": 0, "version": "0.7",
        "infected": true, "labels": ["Cat"], "subscriptions": [1]
    });
    let triggered = d.call(M::POST, "/events", "/events", Some(order), 202).await;
    d.call(M::POST, "/events", "/events", Some(json!({})), 400).await;
    let id = triggered["deliveries"][0].as_str().unwrap().to_owned();
    d.call(M::GET, "/wait", "/wait?finished=1", None, 200).await;
    d.call(M::GET, "/wait", "/wait?finished=2&timeout_ms=1&event=file.stored", None, 408).await;
    d.call(M::GET, "/wait", "/wait", None, 400).await;
    // These faults show up in the attempts below.
    d.call(
        M::PATCH,
        "/delivery_faults",
        "/delivery_faults",
        Some(json!({"slow_body": {"probability": 1, "ms": 1}})),
        200,
    )
    .await;
    d.call(M::PATCH, "/delivery_faults", "/delivery_faults", Some(json!({"slow": {}})), 400).await;
    d.call(M::GET, "/delivery_faults", "/delivery_faults", None, 200).await;
    let replay = |id: &str| format!("/deliveries/{id}/replay");
    let order = json!({"body": "{}", "subscriptions": "all"});
    d.call(M::POST, "/deliveries/{id}/replay", &replay(&id), Some(order), 202).await;
    d.call(M::POST, "/deliveries/{id}/replay", &replay(&id), None, 202).await;
    d.call(M::POST, "/deliveries/{id}/replay", &replay(&id), Some(json!({"body": ""})), 400).await;
    d.call(M::POST, "/deliveries/{id}/replay", &replay("x"), None, 404).await;
    d.call(M::GET, "/wait", "/wait?finished=3", None, 200).await;
    d.call(M::GET, "/deliveries", "/deliveries", None, 200).await;
    d.call(M::GET, "/deliveries", "/deliveries?status=failed", None, 400).await;
    let delivery = d.call(M::GET, "/deliveries/{id}", &format!("/deliveries/{id}"), None, 200).await;
    assert_eq!(delivery["attempts"].as_array().unwrap().len(), 2);
    d.call(M::GET, "/deliveries/{id}", "/deliveries/x", None, 404).await;
    d.call(M::GET, "/search", "/search?limit=2", None, 200).await;
    d.call(M::GET, "/search", "/search?limit=x", None, 400).await;
    d.call(M::POST, "/faults", "/faults", Some(json!({"fault": "cut", "times": 2})), 204).await;
    d.call(M::POST, "/faults", "/faults", Some(json!({"fault": "x"})), 400).await;
    d.call(M::GET, "/faults", "/faults", None, 200).await;
    d.call(M::DELETE, "/faults", "/faults", None, 204).await;
    d.call(M::GET, "/openapi.json", "/openapi.json", None, 200).await;
    d.call(M::GET, "/changes", "/changes?x=1", None, 400).await;
    d.call(M::DELETE, "/subscriptions/{id}", "/subscriptions/1", None, 204).await;
    d.call(M::DELETE, "/subscriptions/{id}", "/subscriptions/1", None, 404).await;
    d.call(M::POST, "/reset", "/reset", Some(json!({"keep_subscriptions": false})), 204).await;
    d.call(M::POST, "/reset", "/reset", Some(json!({"keep": false})), 400).await;
    // Everything that is described was seen, but for answers that every endpoint shares, too long
    // bodies and the endless stream (their own tests see them), and a full disk.
    let paths = d.document["paths"].as_object().unwrap();
    let mut described = BTreeSet::new();
    for (path, methods) in paths {
        for (method, operation) in methods.as_object().unwrap() {
            for status in operation["responses"].as_object().unwrap().keys() {
                if !["401", "403", "413", "503"].contains(&status.as_str()) {
                    described.insert(format!("{} {path} {status}", method.to_uppercase()));
                }
            }
        }
    }
    d.called.insert("GET /_sim/changes 200".to_owned());
    assert_eq!(d.called, described);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_field_that_a_body_does_not_know_and_a_long_body_are_refused_as_described() {
    let simulator = simulator();
    let d = Described::new(Api::of(&simulator)).await;
    let receiver = Receiver::start(&[]).await;
    d.api.subscribe(&receiver.url("/"), "file.stored").await;
    let id = d.api.trigger(json!({"event": "file.stored"})).await.remove(0);
    let mut seen = 0;
    for (path, methods) in d.document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let Some(body) = operation.get("requestBody") else { continue };
            let what = format!("{method} {path}");
            let schema = d.part(&body["content"]["application/json"]["schema"]);
            assert_eq!(schema["additionalProperties"], false, "{what}");
            let id = if path.contains("deliveries") { &id } else { "1" };
            let path = path.strip_prefix("/_sim").unwrap().replace("{id}", id);
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let problem = detail(d.api.call(method.clone(), &path, Some(json!({"brust": 2}))).await, 400);
            assert!(problem.contains("`brust`, expected "), "{what}: {problem}");
            for known in schema["properties"].as_object().unwrap().keys() {
                assert!(problem.contains(&format!("`{known}`")), "{what}: {known}: {problem}");
            }
            let long = json!({"brust": "r".repeat(4 * 1024 * 1024)});
            let (status, answer) = d.api.call(method, &path, Some(long)).await;
            assert_eq!(status, 413, "{what}");
            let content = &d.part(&operation["responses"]["413"])["content"];
            d.check(&content["application/vnd.uploadcare-v0.7+json"]["schema"], &answer, &what);
            seen += 1;
        }
    }
    assert!(seen >= 7, "only {seen} endpoints have a body");
}
