//! The guide to the simulator shows a test that runs, and quotes what the simulator says.

use reqwest::Method;
use serde_json::json;
use tests::guides::{assert_quoted, assert_shown};
use uploadcare_hooks::client::Auth;

use crate::{Api, builder, client, simulator};

const GUIDE: &str = include_str!("../../../uploadcare-hooks/docs/workbench.md");

#[test]
fn the_guide_shows_the_test() {
    assert_shown(GUIDE, include_str!("guide_example.rs"));
}

#[tokio::test]
async fn the_commands_of_the_guide_are_accepted() {
    let simulator = simulator();
    let api = Api::of(&simulator);
    let faults = json!({"duplicate": {"probability": 1}, "reorder": {"probability": 0.5}});
    for (method, path, body) in [
        (Method::PATCH, "/delivery_faults", faults),
        (Method::POST, "/faults", json!({"fault": "throttle", "times": 2})),
        (Method::POST, "/reset", json!({"keep_subscriptions": true})),
        (Method::POST, "/events", json!({"event": "file.uploaded", "burst": 20})),
    ] {
        assert!(GUIDE.contains(&format!("$sim{path}")), "{path}");
        let (status, answer) = api.call(method, path, Some(body)).await;
        assert!(status < 300, "{path}: {status} {answer}");
    }
    let (_, answer) = api.call(Method::POST, "/events", Some(json!({"event": "file.uploaded", "brust": 20}))).await;
    assert_quoted(GUIDE, answer["detail"].as_str().unwrap(), "expected one of");
}

#[tokio::test]
async fn the_guide_quotes_what_is_wrong_with_a_folder_and_a_stopped_simulator() {
    let folder = tempfile::TempDir::new().unwrap();
    let first = builder().data_dir(folder.path()).start("127.0.0.1:0".parse().unwrap()).unwrap();
    let second = builder().data_dir(folder.path()).start("127.0.0.1:0".parse().unwrap()).err().unwrap().to_string();
    assert_quoted(GUIDE, &second.replace(&folder.path().display().to_string(), "data"), "choose another folder");

    let client = client(&first, Auth::Signed);
    first.stop().await;
    assert_quoted(GUIDE, &client.list().await.unwrap_err().to_string(), "could not be reached");
}
