//! Who may use `/_sim`.

use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use uploadcare_hooks::{
    EventKind,
    client::{Auth, CreateWebhook},
};
use uploadcare_sim::{Fault, FaultKind, Simulator};

use super::{builder, simulator};

/// Requests an event with exactly these headers. Returns the status and the whole answer.
async fn order_with(simulator: &Simulator, headers: &str) -> (u16, String) {
    let address = simulator.base_url().replace("http://", "");
    let mut stream = TcpStream::connect(address).await.unwrap();
    let body = r#"{"event": "file.stored"}"#;
    // The server itself refuses a request of HTTP/1.1 without a `Host`.
    let version = if !headers.contains("host:") { "1.0" } else { "1.1" };
    let request = format!(
        "POST /_sim/events HTTP/{version}\r\nconnection: close\r\ncontent-length: {}\r\n{headers}\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    (answer.split(' ').nth(1).unwrap().parse().unwrap(), answer)
}

/// Headers of requests that come from the simulator's own page, or from a program, and of requests
/// that a page of another site may have sent.
fn own_and_foreign(base_url: &str) -> ([String; 6], [String; 9]) {
    let port = base_url.rsplit(':').next().unwrap();
    let own = base_url.replace("http://", "");
    let fine = [
        format!("host: {own}\r\n"),
        format!("host: 127.0.0.1:{port}\r\n"),
        format!("host: LOCALHOST:{port}\r\n"),
        format!("host: [::1]:{port}\r\n"),
        format!("host: {own}\r\norigin: {base_url}\r\n"),
        format!("host: {own}\r\norigin: http://localhost:{port}\r\n"),
    ];
    let foreign = [
        String::new(),
        "host: localhost\r\n".to_owned(),
        "host: 127.0.0.1:1\r\n".to_owned(),
        format!("host: evil.example:{port}\r\n"),
        format!("host: evil.example:{port}\r\norigin: http://evil.example:{port}\r\n"),
        format!("host: {own}\r\norigin: http://evil.example\r\n"),
        format!("host: {own}\r\norigin: http://localhost:3000\r\n"),
        format!("host: {own}\r\norigin: https://localhost:{port}\r\n"),
        format!("host: {own}\r\norigin: null\r\n"),
    ];
    (fine, foreign)
}

#[tokio::test]
async fn web_pages_of_other_sites_cannot_control_the_simulator() {
    let simulator = simulator();
    let base_url = simulator.base_url();
    let port = base_url.rsplit(':').next().unwrap();
    let (fine, foreign) = own_and_foreign(&base_url);
    for headers in fine {
        let (status, answer) = order_with(&simulator, &headers).await;
        assert_eq!(status, 202, "{headers}: {answer}");
    }
    for headers in foreign {
        let (status, answer) = order_with(&simulator, &headers).await;
        assert_eq!(status, 403, "{headers}: {answer}");
        assert!(answer.contains(&format!("http://localhost:{port}")), "{answer}");
        serde_json::from_str::<Value>(answer.split("\r\n\r\n").nth(1).unwrap()).unwrap();
    }
    // Every endpoint below `/_sim` refuses foreign requests.
    for path in ["_sim/deliveries", "_sim/faults", "_sim/"] {
        let request = reqwest::Client::new().get(format!("{base_url}/{path}"));
        let answer = request.header("Host", "evil.example").send().await.unwrap();
        assert_eq!(answer.status(), 403, "{path}");
    }
}

/// Lists the subscriptions with the REST API and this secret key, and with exactly these headers.
async fn list_with(simulator: &Simulator, secret_key: &str, headers: &str) -> (u16, String) {
    let address = simulator.base_url().replace("http://", "");
    let mut stream = TcpStream::connect(address).await.unwrap();
    let version = if !headers.contains("host:") { "1.0" } else { "1.1" };
    let request = format!(
        "GET /webhooks/ HTTP/{version}\r\nconnection: close\r\naccept: application/vnd.uploadcare-v0.7+json\r\n\
         authorization: Uploadcare.Simple demopublickey:{secret_key}\r\n{headers}\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    (answer.split(' ').nth(1).unwrap().parse().unwrap(), answer)
}

/// Everybody knows the default keys, so they do not tell a page of another site from the
/// application.
#[tokio::test]
async fn web_pages_of_other_sites_cannot_use_the_rest_api_with_the_default_keys() {
    for simulator in [simulator(), with_token().0] {
        super::client(&simulator, Auth::Signed)
            .create(&CreateWebhook::new(super::TARGET, EventKind::FileStored))
            .await
            .unwrap();
        simulator.fault(Fault::new(FaultKind::Error));
        let (fine, foreign) = own_and_foreign(&simulator.base_url());
        for headers in foreign {
            let (status, answer) = list_with(&simulator, "demosecretkey", &headers).await;
            assert_eq!(status, 403, "{headers}: {answer}");
            assert!(answer.contains("web page of another site") && answer.contains("`--secret-key`"), "{answer}");
            assert!(!answer.contains(super::TARGET), "{answer}");
        }
        // They use up no fault.
        assert_eq!(list_with(&simulator, "demosecretkey", &fine[0]).await.0, 502);
        for headers in fine {
            let (status, answer) = list_with(&simulator, "demosecretkey", &headers).await;
            assert_eq!(status, 200, "{headers}: {answer}");
        }
        // Other paths are refused as well.
        let request = reqwest::Client::new().post(format!("{}/webhooks/1/", simulator.base_url()));
        assert_eq!(request.header("Host", "evil.example").send().await.unwrap().status(), 403);
    }
}

#[tokio::test]
async fn a_simulator_with_a_token_and_an_own_secret_key_is_called_by_any_name() {
    let simulator = Simulator::builder("demopublickey", "own-secret-key").token(TOKEN);
    let simulator = simulator.start("127.0.0.1:0".parse().unwrap()).unwrap();
    let (fine, foreign) = own_and_foreign(&simulator.base_url());
    for headers in fine.into_iter().chain(foreign).chain(["host: sim:8500\r\n".to_owned()]) {
        let (status, answer) = list_with(&simulator, "own-secret-key", &headers).await;
        assert_eq!(status, 200, "{headers}: {answer}");
        assert_eq!(list_with(&simulator, "demosecretkey", &headers).await.0, 401, "{headers}");
    }
    // Without a token, an own key alone does not change who is let in.
    let simulator =
        Simulator::builder("demopublickey", "own-secret-key").start("127.0.0.1:0".parse().unwrap()).unwrap();
    assert_eq!(list_with(&simulator, "own-secret-key", "host: sim:8500\r\n").await.0, 403);
}

#[tokio::test]
async fn an_address_that_other_machines_reach_needs_a_token() {
    for listen in ["0.0.0.0:0", "[::]:0", "192.0.2.7:0"] {
        let problem = builder().start(listen.parse().unwrap()).unwrap_err().to_string();
        assert!(problem.contains(listen) && problem.contains("`SimulatorBuilder::token`"), "{problem}");
    }
    let problem = builder().token(TOKEN).start("0.0.0.0:0".parse().unwrap()).unwrap_err().to_string();
    assert!(problem.contains("everybody knows the secret key `demosecretkey`"), "{problem}");
    let simulator = Simulator::builder("demopublickey", "own-secret-key").token(TOKEN);
    let simulator = simulator.start("0.0.0.0:0".parse().unwrap()).unwrap();
    let (fine, foreign) = own_and_foreign(&simulator.base_url());
    for headers in fine.into_iter().chain(foreign) {
        let (status, answer) = order_with(&simulator, &headers).await;
        assert_eq!(status, 401, "{headers}: {answer}");
        // A request with the token is not from a page of another site, so the names do not matter:
        // a simulator in a container is reached by the container's name.
        let (status, answer) = order_with(&simulator, &format!("{headers}authorization: Bearer {TOKEN}\r\n")).await;
        assert_eq!(status, 202, "{headers}: {answer}");
    }
    let request = reqwest::Client::new().get(format!("{}/webhooks/", simulator.base_url()));
    assert_eq!(request.send().await.unwrap().status(), 406, "the REST API keeps its own keys");
}

const TOKEN: &str = "s3cret/token";

/// A simulator with a token, and a client that follows no redirects.
fn with_token() -> (Simulator, reqwest::Client) {
    let simulator = builder().token(TOKEN).start("127.0.0.1:0".parse().unwrap()).unwrap();
    let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    (simulator, http)
}

#[tokio::test]
async fn a_wrong_or_missing_token_is_refused_in_words_and_wrong_ones_late() {
    let (simulator, http) = with_token();
    for (authorization, says, late) in [
        (None, "this simulator wants its token; send it as `Authorization: Bearer TOKEN`", false),
        (Some("Bearer wrong"), "the token is wrong", true),
        (Some("Bearer"), "this simulator wants its token", false),
        (Some("Basic s3cret"), "this simulator wants its token", false),
    ] {
        for path in ["/_sim/deliveries", "/_sim/unknown"] {
            let request = http.get(format!("{}{path}", simulator.base_url()));
            let request = authorization.iter().fold(request, |request, value| request.header("Authorization", *value));
            let begun = Instant::now();
            let answer = request.send().await.unwrap();
            assert_eq!(answer.status(), 401);
            assert_eq!(answer.headers()["www-authenticate"], "Bearer");
            assert_eq!(begun.elapsed() >= Duration::from_millis(300), late, "{authorization:?}");
            let text = answer.text().await.unwrap();
            assert!(text.contains(says) && text.contains("/login"), "{text}");
        }
    }
    for scheme in ["Bearer", "bearer"] {
        let request = http.get(format!("{}/_sim/deliveries", simulator.base_url()));
        let answer = request.header("Authorization", format!("{scheme} {TOKEN}")).send().await.unwrap();
        assert_eq!(answer.status(), 200);
    }
}

#[tokio::test]
async fn a_browser_signs_in_with_the_form_and_gets_a_cookie() {
    let (simulator, http) = with_token();
    let base_url = simulator.base_url();
    let page = http.get(format!("{base_url}/login?next=/a?b=%22c")).send().await.unwrap();
    assert!(page.headers()["content-security-policy"].to_str().unwrap().starts_with("default-src 'none'"));
    let text = page.text().await.unwrap();
    assert!(text.contains("value=\"/a?b=&quot;c\"") && !text.contains(TOKEN), "{text}");
    let sign_in = async |form: &str| http.post(format!("{base_url}/login")).body(form.to_owned()).send().await.unwrap();
    let begun = Instant::now();
    let refused = sign_in("token=wrong&next=/deliveries").await;
    assert!(refused.status() == 401 && begun.elapsed() >= Duration::from_millis(300));
    assert!(refused.headers().get("set-cookie").is_none());
    assert!(refused.text().await.unwrap().contains("This token is wrong"));
    for (next, leads_to) in [("/deliveries?status=5xx", "/deliveries?status=5xx"), ("//evil.example", "/"), ("", "/")] {
        let next = next.replace('?', "%3F").replace('=', "%3D");
        let answer = sign_in(&format!("token={}&next={next}", TOKEN.replace('/', "%2F"))).await;
        assert_eq!((answer.status().as_u16(), answer.headers()["location"].to_str().unwrap()), (303, leads_to));
        let cookie = answer.headers()["set-cookie"].to_str().unwrap();
        assert!(cookie.ends_with("; HttpOnly; SameSite=Strict; Path=/") && !cookie.contains("s3cret"), "{cookie}");
    }
    // A simulator without a token needs no form.
    let open = super::simulator();
    let answer = http.get(format!("{}/login", open.base_url())).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.headers()["location"].to_str().unwrap()), (303, "/"));
}

#[tokio::test]
async fn the_cookie_counts_only_for_requests_of_the_own_page() {
    let (simulator, http) = with_token();
    let base_url = simulator.base_url();
    let own = base_url.replace("http://", "");
    let form = format!("token={}", TOKEN.replace('/', "%2F"));
    let answer = http.post(format!("{base_url}/login")).body(form).send().await.unwrap();
    let cookie = answer.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    for (headers, status) in [
        (format!("host: {own}\r\norigin: {base_url}\r\n"), 202),
        ("host: sim:8500\r\norigin: http://sim:8500\r\n".to_owned(), 202),
        ("host: sim.example\r\norigin: https://sim.example\r\n".to_owned(), 202),
        (format!("host: {own}\r\n"), 403),
        (format!("host: {own}\r\norigin: null\r\n"), 403),
        (format!("host: {own}\r\norigin: http://evil.example\r\n"), 403),
        (format!("host: {own}\r\norigin: http://localhost:1\r\n"), 403),
    ] {
        let (answered, answer) = order_with(&simulator, &format!("{headers}cookie: a=b; {cookie}\r\n")).await;
        assert_eq!(answered, status, "{headers}: {answer}");
    }
    let headers = format!("host: {own}\r\norigin: {base_url}\r\n");
    let begun = Instant::now();
    let wrong = cookie.split('=').next().unwrap();
    assert_eq!(order_with(&simulator, &format!("{headers}cookie: {wrong}={:040}\r\n", 0)).await.0, 401);
    assert!(begun.elapsed() >= Duration::from_millis(300), "a wrong cookie is a wrong token");
    // Reading needs no `Origin`, since a page of another site does not see the answer.
    let request = http.get(format!("{base_url}/_sim/deliveries")).header("Cookie", &cookie);
    assert_eq!(request.send().await.unwrap().status(), 200);
}

#[test]
fn a_token_that_cannot_be_sent_is_refused() {
    for (token, says) in [("", "the token is empty"), ("two words", "not visible ASCII")] {
        let problem = builder().token(token).start("127.0.0.1:0".parse().unwrap()).unwrap_err().to_string();
        assert!(problem.contains(says), "{problem}");
    }
    let problem = builder().signing_secret("s".repeat(33)).start("127.0.0.1:0".parse().unwrap()).unwrap_err();
    assert!(problem.to_string().starts_with("the signing secret cannot be used"), "{problem}");
}

#[tokio::test]
async fn the_page_wants_the_token_and_a_link_can_have_it() {
    let (simulator, http) = with_token();
    let base_url = simulator.base_url();
    let location = |answer: &reqwest::Response| answer.headers()["location"].to_str().unwrap().to_owned();
    let open = http.get(format!("{base_url}/?status=5xx")).header("Accept", "text/html").send().await.unwrap();
    assert_eq!((open.status().as_u16(), location(&open).as_str()), (303, "/login?next=%2F%3Fstatus%3D5xx"));
    for path in ["/", "/_page/workbench.js", "/_page/live", "/deliveries/x"] {
        assert_eq!(http.get(format!("{base_url}{path}")).send().await.unwrap().status(), 401, "{path}");
    }
    let wrong = http.get(format!("{base_url}/?token=wrong")).send().await.unwrap();
    assert_eq!(wrong.status(), 401);
    assert!(wrong.text().await.unwrap().contains("This token is wrong"));
    let link = http.get(format!("{base_url}/?token=s3cret%2Ftoken&status=5xx")).send().await.unwrap();
    assert_eq!((link.status().as_u16(), location(&link).as_str()), (303, "/?status=5xx"));
    let cookie = link.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let page = http.get(format!("{base_url}/?status=5xx")).header("Cookie", &cookie).send().await.unwrap();
    assert_eq!(page.status(), 200);
    for (origin, status) in [(Some(base_url.as_str()), 303), (Some("http://evil.example"), 403), (None, 403)] {
        let request = http.post(format!("{base_url}/faults/off")).header("Cookie", &cookie).body("");
        let request = origin.iter().fold(request, |request, origin| request.header("Origin", *origin));
        assert_eq!(request.send().await.unwrap().status(), status, "{origin:?}");
    }
    // Without a token, a link that has one leads to the same page without it.
    let open = super::simulator();
    let answer = http.get(format!("{}/?token=x", open.base_url())).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), location(&answer).as_str()), (303, "/"));
}

#[tokio::test]
async fn a_link_with_a_token_leads_to_no_other_site() {
    let (with_token, http) = with_token();
    let open = super::simulator();
    let location = |answer: &reqwest::Response| answer.headers()["location"].to_str().unwrap().to_owned();
    for (simulator, token) in [(&with_token, "s3cret%2Ftoken"), (&open, "x")] {
        let address = simulator.base_url().replace("http://", "");
        // A client would make another URL of it.
        let mut stream = TcpStream::connect(&address).await.unwrap();
        let request =
            format!("GET //evil.example/x?token={token} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 303 ") && answer.contains("\r\nlocation: /\r\n"), "{answer}");
        let answer = http.get(format!("{}/compare?token={token}", simulator.base_url())).send().await.unwrap();
        assert_eq!((answer.status().as_u16(), location(&answer).as_str()), (303, "/compare"));
    }
    let link = http.get(format!("{}/?token=x", open.base_url())).header("Host", "evil.example");
    assert_eq!(link.send().await.unwrap().status(), 403, "without a token, the names count first");
}
