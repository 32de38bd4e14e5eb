//! The facts about Uploadcare in the code, compared with those of its official OpenAPI description.
//! `fixtures/openapi_facts.py` reads them from it, and says how to do so again.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};
use tests::deliveries::UUID;
use uploadcare_hooks::{
    EventKind, FileInfoUpdated, SigningSecret,
    client::CreateWebhook,
    payload::{AddonName, ColorMode, InitiatorKind, appdata},
    service,
};
use uploadcare_sim::Simulator;

/// The fields that real deliveries have under another name than the description says.
const OTHER_NAMES: [(&str, &str); 1] = [("hook.project", "hook.project_id")];

#[derive(Deserialize)]
struct Facts {
    api_base: String,
    media_type: String,
    signature_header: String,
    calls: Vec<Call>,
    events: Vec<String>,
    callbacks: Vec<String>,
    target_url_max: usize,
    signing_secret_max: usize,
    creation_versions: Vec<String>,
    listed_versions: Vec<String>,
    subscription_fields: Vec<String>,
    /// The type of each field, by its path. `[]` stands for each item of a list.
    payload_fields: BTreeMap<String, String>,
    payload_words: BTreeMap<String, Vec<String>>,
}

#[derive(Deserialize)]
struct Call {
    method: String,
    path: String,
    fields: Vec<String>,
    statuses: Vec<u16>,
}

fn facts() -> Facts {
    serde_json::from_str(include_str!("../../fixtures/openapi_facts.json")).unwrap()
}

fn sorted<T: Ord>(items: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut items: Vec<_> = items.into_iter().collect();
    items.sort();
    items
}

fn keys(object: &Value) -> Vec<&str> {
    sorted(object.as_object().unwrap().keys().map(String::as_str))
}

/// A value of a type of the description.
fn value_of(path: &str, kind: &str) -> Value {
    match kind {
        "uuid" => json!(UUID),
        "date-time" => json!("2024-02-29T12:34:56.789012Z"),
        "integer" => json!(path.len()),
        "number" => json!(path.len() as f64 + 0.5),
        "boolean" => json!(true),
        "uri" | "string" => json!(format!("https://example.com/{path}")),
        "object" => json!({"key": UUID}),
        other => panic!("{path} has the type {other:?}"),
    }
}

/// Puts a value at a path into an object.
fn put(object: &mut Value, path: &str, value: Value) {
    let (name, rest) = path.split_once('.').map_or((path, None), |(name, rest)| (name, Some(rest)));
    let (name, is_list) = name.strip_suffix("[]").map_or((name, false), |name| (name, true));
    let object = object.as_object_mut().unwrap();
    match rest {
        None if is_list => drop(object.insert(name.to_owned(), json!([value, value]))),
        None => drop(object.insert(name.to_owned(), value)),
        Some(rest) => {
            let empty = || if is_list { json!([{}]) } else { json!({}) };
            let inner = object.entry(name).or_insert_with(empty);
            put(if is_list { &mut inner[0] } else { inner }, rest, value);
        }
    }
}

/// Everything in a value that is neither an object nor a list, by its path. Numbers are compared as
/// numbers, so that 39 is 39.0.
fn leaves(value: &Value) -> BTreeMap<String, String> {
    let below = |name: String, value: &Value| {
        leaves(value).into_iter().map(move |(path, leaf)| (format!("{name}{path}"), leaf)).collect::<Vec<_>>()
    };
    match value {
        Value::Object(fields) => fields.iter().flat_map(|(name, value)| below(format!(".{name}"), value)).collect(),
        Value::Array(items) => {
            items.iter().enumerate().flat_map(|(index, value)| below(format!("[{index}]"), value)).collect()
        }
        leaf => {
            let text = leaf.as_f64().map_or_else(|| leaf.to_string(), |number| number.to_string());
            BTreeMap::from([(String::new(), text)])
        }
    }
}

/// A payload in which every documented field has a value of its type.
fn full_payload(facts: &Facts) -> Value {
    let mut payload = json!({});
    for (path, kind) in &facts.payload_fields {
        let path = OTHER_NAMES.iter().find(|(described, _)| described == path).map_or(path.as_str(), |(_, sent)| sent);
        put(&mut payload, path, value_of(path, kind));
    }
    payload["hook"]["event"] = json!("file.info_updated");
    payload["hook"]["version"] = json!("0.7");
    payload
}

#[test]
fn the_constants_are_those_of_the_description() {
    let facts = facts();
    assert_eq!(facts.api_base, service::API_BASE);
    assert_eq!(facts.media_type, service::MEDIA_TYPE);
    assert_eq!(facts.signature_header.to_lowercase(), service::SIGNATURE_HEADER);
    assert_eq!(facts.target_url_max, service::MAX_TARGET_URL_CHARS);
    assert_eq!(facts.signing_secret_max, service::MAX_SECRET_CHARS);
    assert_eq!(facts.listed_versions, service::PAYLOAD_VERSIONS);
    assert_eq!(facts.creation_versions, [service::PAYLOAD_VERSIONS[0]]);
}

#[test]
fn every_event_of_the_description_is_known_and_no_other() {
    let facts = facts();
    let known = sorted(EventKind::KNOWN.iter().map(ToString::to_string));
    assert_eq!(sorted(facts.events), known);
    let callbacks = known.iter().map(|event| event.replace(['.', '_'], "-"));
    assert_eq!(facts.callbacks, sorted(callbacks));
}

#[test]
fn every_field_of_the_description_is_read_and_written_again() {
    let payload = full_payload(&facts());
    let read: FileInfoUpdated = serde_json::from_value(payload.clone()).unwrap();
    assert_eq!(leaves(&serde_json::to_value(&read).unwrap()), leaves(&payload));
}

/// Whether the type that reads the result of an application keeps all of its fields.
fn reads_all<T: Serialize + DeserializeOwned>(result: &Value) {
    let read: appdata::Application<T> = serde_json::from_value(result.clone()).unwrap();
    assert_eq!(leaves(&serde_json::to_value(&read).unwrap()), leaves(result));
}

#[test]
fn every_application_of_the_description_has_a_type_that_reads_all_of_its_result() {
    let payload = full_payload(&facts());
    let results = &payload["data"]["appdata"];
    use service::application::{LABELS, MODERATION_LABELS, REMOVE_BG, VIRUS_SCAN};
    assert_eq!(keys(results), sorted([LABELS, MODERATION_LABELS, REMOVE_BG, VIRUS_SCAN]));
    reads_all::<appdata::Labels>(&results[LABELS]);
    reads_all::<appdata::ModerationLabels>(&results[MODERATION_LABELS]);
    reads_all::<appdata::RemoveBg>(&results[REMOVE_BG]);
    reads_all::<appdata::VirusScan>(&results[VIRUS_SCAN]);
}

#[test]
fn every_word_of_the_description_is_known() {
    let mut words = facts().payload_words;
    words.retain(|path, _| !path.contains("appdata."));
    let known: BTreeMap<String, Vec<String>> = [
        ("data.content_info.image.color_mode", ColorMode::KNOWN),
        ("hook.event", EventKind::KNOWN),
        ("hook.version", &service::PAYLOAD_VERSIONS[..1]),
        ("initiator.detail.addon_name", AddonName::KNOWN),
        ("initiator.type", InitiatorKind::KNOWN),
    ]
    .into_iter()
    .map(|(path, words)| (path.to_owned(), sorted(words.iter().map(ToString::to_string))))
    .collect();
    let described = words.into_iter().map(|(path, words)| (path, sorted(words)));
    assert_eq!(described.collect::<BTreeMap<_, _>>(), known);
}

#[test]
fn a_subscription_is_created_with_the_fields_of_the_description() {
    let secret = SigningSecret::new("secret").unwrap();
    let creation = CreateWebhook::new("https://example.com/hooks", EventKind::FileStored).signing_secret(secret);
    let facts = facts();
    let call = facts.calls.iter().find(|call| call.method == "POST").unwrap();
    assert_eq!(keys(&serde_json::to_value(creation).unwrap()), call.fields);
}

#[tokio::test]
async fn the_simulator_has_the_calls_and_the_objects_of_the_description() {
    let facts = facts();
    let simulator = Simulator::builder("demopublickey", "demosecretkey").start(([127, 0, 0, 1], 0).into()).unwrap();
    let http = reqwest::Client::new();
    for call in &facts.calls {
        let url = format!("{}{}", simulator.base_url(), call.path.replace("{id}", "1"));
        let request = |authorization: &str, accept: &str| {
            let request = http.request(call.method.parse().unwrap(), &url).header("Accept", accept);
            let request = request.header("Authorization", authorization).header("Content-Type", "application/json");
            request.body(r#"{"target_url": "http://127.0.0.1:1/"}"#).send()
        };
        let authorization = "Uploadcare.Simple demopublickey:demosecretkey";
        for (authorization, accept, status) in
            [("Uploadcare.Simple a:b", service::MEDIA_TYPE, 401), (authorization, "application/json", 406)]
        {
            let answer = request(authorization, accept).await.unwrap();
            assert_eq!(answer.status(), status, "{} {url}", call.method);
        }
        let answer = request(authorization, service::MEDIA_TYPE).await.unwrap();
        let status = answer.status().as_u16();
        assert!(call.statuses.contains(&status), "{} {url} is answered {status}", call.method);
    }
    let client = uploadcare_hooks::client::Client::builder("demopublickey", "demosecretkey");
    let client = client.base_url(simulator.base_url()).build().unwrap();
    client.create(&CreateWebhook::new("https://example.com/hooks", EventKind::FileStored)).await.unwrap();
    let created = serde_json::to_value(simulator.subscriptions()).unwrap();
    assert_eq!(keys(&created[0]), facts.subscription_fields);
    simulator.stop().await;
}

#[test]
fn a_path_that_is_put_into_an_object_makes_what_is_around_it() {
    let mut object = Value::Object(Map::new());
    put(&mut object, "a.b[].c", json!(1));
    put(&mut object, "a.b[].d[]", json!(2));
    assert_eq!(object, json!({"a": {"b": [{"c": 1, "d": [2, 2]}]}}));
}
