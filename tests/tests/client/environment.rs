//! What the client takes from the environment. Each test runs itself again in a child process,
//! because the environment of this process belongs to all its tests.

use std::{ffi::OsString, os::unix::ffi::OsStringExt, process::Output, time::Duration};

use uploadcare_hooks::client::{Client, ClientBuilder};

use super::{Server, json};

/// Runs one test of this file in a child process that has these environment variables.
async fn child<V: Into<OsString>>(test: &str, variables: impl IntoIterator<Item = (&str, V)>) -> Output {
    let mut child = tokio::process::Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", &format!("environment::{test}"), "--nocapture"]);
    child.envs(variables.into_iter().map(|(name, value)| (name, value.into())));
    child.output().await.unwrap()
}

fn stdout(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The base URL that the child process of this test calls.
const CHILD_BASE_URL: &str = "TESTS_CLIENT_BASE_URL";

const NOWHERE: &str = "http://127.0.0.1:1";

#[tokio::test]
async fn requests_to_loopback_go_through_no_proxy_of_the_environment() {
    if let Ok(base_url) = std::env::var(CHILD_BASE_URL) {
        let client = Client::builder("demopublickey", "demosecretkey").base_url(base_url).retries(0);
        client.build().unwrap().list().await.unwrap();
        return;
    }
    let server = Server::start(vec![json(200, json!([]))]).await;
    let name = "requests_to_loopback_go_through_no_proxy_of_the_environment";
    // No proxy listens there, so a request through it fails.
    let proxies = ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"].map(|variable| (variable, NOWHERE));
    stdout(&child(name, proxies.into_iter().chain([(CHILD_BASE_URL, server.base_url.as_str())])).await);
    assert_eq!(server.lines(), ["GET /webhooks/"]);
}

/// Tells the child process of the next tests what it is.
const IS_CHILD: &str = "TESTS_CLIENT_IS_CHILD";

/// The keys, and the mark of a child process.
const KEYS: [(&str, &str); 3] =
    [("UPLOADCARE_PUBLIC_KEY", "demopublickey"), ("UPLOADCARE_SECRET_KEY", "demosecretkey"), (IS_CHILD, "yes")];

#[tokio::test]
async fn the_base_url_of_the_environment_is_called_and_the_builder_replaces_it() {
    if std::env::var_os(IS_CHILD).is_some() {
        Client::from_env().unwrap().list().await.unwrap();
        ClientBuilder::from_env().unwrap().build().unwrap().list().await.unwrap();
        let elsewhere = ClientBuilder::from_env().unwrap().base_url(NOWHERE).retries(0).build().unwrap();
        let error = elsewhere.list().await.unwrap_err().to_string();
        assert!(error.ends_with(", at http://127.0.0.1:1/webhooks/; is the simulator running?"), "{error}");
        return;
    }
    let server = Server::start(vec![json(200, json!([])), json(200, json!([]))]).await;
    // With a slash at its end, as in the default of the official Python client.
    let base_url = format!("{}/", server.base_url);
    let name = "the_base_url_of_the_environment_is_called_and_the_builder_replaces_it";
    stdout(&child(name, KEYS.into_iter().chain([("UPLOADCARE_API_BASE", base_url.as_str())])).await);
    assert_eq!(server.lines(), ["GET /webhooks/", "GET /webhooks/"]);
}

#[tokio::test]
async fn an_api_that_cannot_be_reached_is_named_with_the_variable_that_has_its_url() {
    if std::env::var_os(IS_CHILD).is_some() {
        let client = ClientBuilder::from_env().unwrap().retries(1).retry_delay(Duration::ZERO).build().unwrap();
        let error = client.list().await.unwrap_err().to_string();
        let place = ", at http://127.0.0.1:1/webhooks/, as the environment variable `UPLOADCARE_API_BASE` says; is the \
             simulator running?";
        assert!(error.starts_with("Uploadcare could not be reached: ") && error.ends_with(place), "{error}");
        return;
    }
    let name = "an_api_that_cannot_be_reached_is_named_with_the_variable_that_has_its_url";
    stdout(&child(name, KEYS.into_iter().chain([("UPLOADCARE_API_BASE", NOWHERE)])).await);
}

#[tokio::test]
#[allow(clippy::print_stdout)]
async fn a_bad_base_url_of_the_environment_is_an_error_that_names_the_variable_and_shows_no_password() {
    if std::env::var_os(IS_CHILD).is_some() {
        let error = Client::from_env().unwrap_err();
        println!("{error} {error:?}");
        // A good one from the application takes its place.
        if let Ok(builder) = ClientBuilder::from_env() {
            builder.base_url(NOWHERE).build().unwrap();
        }
        return;
    }
    let name = "a_bad_base_url_of_the_environment_is_an_error_that_names_the_variable_and_shows_no_password";
    for (base_url, says) in [
        ("".into(), "`UPLOADCARE_API_BASE` is empty: set it to the base URL of the API, or unset it for https://api."),
        ("127.0.0.1:8500".into(), "`UPLOADCARE_API_BASE`, \"127.0.0.1:8500\" is not an absolute URL"),
        ("ftp://127.0.0.1".into(), "`UPLOADCARE_API_BASE`, \"ftp://127.0.0.1\" is neither http nor https"),
        ("http://192.0.2.1".into(), "`UPLOADCARE_API_BASE`, \"http://192.0.2.1\" is plain http: signing secrets, and"),
        ("https://me:s3cr3t@x.example".into(), "`UPLOADCARE_API_BASE`, \"https://(hidden)@x.example\" has a user name"),
        (OsString::from_vec(vec![b'/', 0xff]), "`UPLOADCARE_API_BASE`: its value is not Unicode text"),
    ] {
        let keys = KEYS.map(|(name, value)| (name, value.into()));
        let text = stdout(&child(name, keys.into_iter().chain([("UPLOADCARE_API_BASE", base_url)])).await);
        assert!(text.contains(says) && !text.contains("s3cr3t"), "expected {says}:\n{text}");
    }
}
