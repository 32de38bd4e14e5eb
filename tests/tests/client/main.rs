//! The REST client against a server that answers as a script says.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod environment;
mod log;

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use uploadcare_hooks::{
    EventKind, PayloadVersion, SigningSecret,
    client::{Auth, Client, ClientBuilder, ClientError, CreateWebhook, UpdateWebhook},
};

const TARGET: &str = "https://app.example.com/hooks";

/// What the server does with one request.
enum Act {
    /// Answers with a status, more header lines, and a body.
    Answer(u16, &'static str, String),
    /// Closes the connection after the request was read.
    Cut,
    /// Never answers.
    Stall,
}

fn json(status: u16, body: Value) -> Act {
    Act::Answer(status, "X-Uploadcare-Request-Id: 5f2a\r\n", body.to_string())
}

fn detail(status: u16, detail: &str) -> Act {
    json(status, json!({"detail": detail}))
}

fn webhook(id: u64, event: &str) -> Value {
    json!({
        "id": id, "project": 13, "created": "2016-04-27T11:49:54.948615Z", "updated": "2016-04-27T12:04:57.819933Z",
        "event": event, "target_url": TARGET, "is_active": true, "version": "0.7", "signing_secret": "s3cr3t-of-old",
    })
}

/// A request as the server read it: its first line, its head in lower case, its body.
#[derive(Clone, Debug)]
struct Seen {
    line: String,
    head: String,
    body: String,
}

struct Server {
    base_url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Server {
    async fn start(script: Vec<Act>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&seen);
        tokio::spawn(async move {
            for act in script {
                let (mut stream, _) = listener.accept().await.unwrap();
                let request = read(&mut stream).await;
                noted.lock().unwrap().push(request);
                match act {
                    Act::Cut => drop(stream),
                    Act::Stall => {
                        tokio::spawn(async move {
                            tokio::time::sleep(Duration::from_secs(60)).await;
                            drop(stream);
                        });
                    }
                    Act::Answer(status, headers, body) => {
                        let length = body.len();
                        let answer = format!(
                            "HTTP/1.1 {status} -\r\nConnection: close\r\nContent-Length: {length}\r\n\
                             {headers}\r\n{body}"
                        );
                        stream.write_all(answer.as_bytes()).await.unwrap();
                    }
                }
            }
        });
        Self { base_url, seen }
    }

    fn builder(&self) -> ClientBuilder {
        Client::builder("demopublickey", "demosecretkey")
            .base_url(&self.base_url)
            .timeout(Duration::from_millis(500))
            .retry_delay(Duration::from_millis(1))
    }

    fn client(&self) -> Client {
        self.builder().build().unwrap()
    }

    fn lines(&self) -> Vec<String> {
        self.seen.lock().unwrap().iter().map(|request| request.line.clone()).collect()
    }
}

async fn read(stream: &mut TcpStream) -> Seen {
    let mut bytes = Vec::new();
    loop {
        let mut chunk = [0; 4096];
        let read = stream.read(&mut chunk).await.unwrap();
        bytes.extend_from_slice(&chunk[..read]);
        let text = String::from_utf8(bytes.clone()).unwrap();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let lower = head.to_lowercase();
        let length = lower.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap_or("0");
        if body.len() >= length.parse::<usize>().unwrap() {
            let line = head.lines().next().unwrap().trim_end_matches(" HTTP/1.1").to_owned();
            return Seen { line, head: lower, body: body.to_owned() };
        }
    }
}

fn to_create() -> CreateWebhook {
    CreateWebhook::new(TARGET, EventKind::FileStored).signing_secret(SigningSecret::new("s3cr3t-of-old").unwrap())
}

#[tokio::test]
async fn each_call_is_sent_as_the_api_wants_it() {
    let unversioned = json!({"id": 2, "event": "file.moved", "target_url": "https://x.example", "version": null});
    let server = Server::start(vec![
        json(200, json!([webhook(1, "file.stored"), unversioned])),
        json(201, webhook(3, "file.stored")),
        json(200, webhook(3, "file.stored")),
        json(200, webhook(3, "file.stored")),
        Act::Answer(204, "", String::new()),
        Act::Answer(204, "", String::new()),
    ])
    .await;
    let client = server.client();
    let list = client.list().await.unwrap();
    assert_eq!((list[0].id, &list[0].version), (1, &PayloadVersion::V0_7));
    assert_eq!(list[0].signing_secret, Some(SigningSecret::new("s3cr3t-of-old").unwrap()));
    assert_eq!(
        (list[1].event.as_str(), &list[1].version, list[1].is_active),
        ("file.moved", &PayloadVersion::Unversioned, true)
    );
    assert_eq!(client.create(&to_create()).await.unwrap().id, 3);
    assert_eq!(client.get(3).await.unwrap().event, EventKind::FileStored);
    client.update(3, &UpdateWebhook::new().is_active(false)).await.unwrap();
    client.unsubscribe(TARGET).await.unwrap();
    client.delete(3).await.unwrap();

    let seen = server.seen.lock().unwrap().clone();
    let sent: Vec<_> = seen.iter().map(|request| (request.line.as_str(), request.body.as_str())).collect();
    assert_eq!(
        sent,
        [
            ("GET /webhooks/", ""),
            (
                "POST /webhooks/",
                concat!(
                    r#"{"target_url":"https://app.example.com/hooks","event":"file.stored","is_active":true,"#,
                    r#""signing_secret":"s3cr3t-of-old","version":"0.7"}"#
                )
            ),
            ("GET /webhooks/3/", ""),
            ("PUT /webhooks/3/", r#"{"is_active":false}"#),
            ("DELETE /webhooks/unsubscribe/", r#"{"target_url":"https://app.example.com/hooks"}"#),
            ("DELETE /webhooks/3/", ""),
        ]
    );
    for request in &seen {
        for line in [
            "accept: application/vnd.uploadcare-v0.7+json",
            "content-type: application/json",
            "date: ",
            "authorization: uploadcare demopublickey:",
        ] {
            assert!(request.head.contains(line), "{line} is not in {}", request.head);
        }
    }
}

#[tokio::test]
async fn the_base_url_may_have_a_path_and_a_slash_at_the_end() {
    let server = Server::start(vec![json(200, json!([])), json(200, json!([]))]).await;
    for end in ["/", "/uploadcare/api/"] {
        let base_url = format!("{}{end}", server.base_url);
        server.builder().base_url(base_url).build().unwrap().list().await.unwrap();
    }
    assert_eq!(server.lines(), ["GET /webhooks/", "GET /uploadcare/api/webhooks/"]);
}

#[tokio::test]
async fn plain_http_to_another_machine_is_refused_with_either_scheme_before_anything_is_sent() {
    for auth in [Auth::Simple, Auth::Signed] {
        let build = |base_url: &str| Client::builder("demo", "s3cr3t").base_url(base_url).auth(auth).build();
        for refused in ["http://api.uploadcare.com", "http://192.0.2.1", "http://localhost.example.com"] {
            let error = build(refused).unwrap_err();
            assert!(matches!(error, ClientError::Configuration(_)) && !error.to_string().contains("s3cr3t"), "{error}");
            assert!(error.to_string().contains("use https"), "{error}");
        }
        for accepted in ["https://api.uploadcare.com", "http://127.0.0.1:1", "http://localhost:1", "http://[::1]:1"] {
            build(accepted).unwrap();
        }
    }
    let server = Server::start(vec![json(200, json!([]))]).await;
    server.builder().auth(Auth::Simple).build().unwrap().list().await.unwrap();
    assert!(
        server.seen.lock().unwrap()[0].head.contains("authorization: uploadcare.simple demopublickey:demosecretkey")
    );
}

#[tokio::test]
async fn input_that_uploadcare_would_refuse_is_not_sent() {
    let server = Server::start(vec![]).await;
    let client = server.client();
    let long = format!("https://app.example.com/{}", "a".repeat(232));
    for target in ["", "/hooks", "app.example.com/hooks", "ftp://app.example.com", "mailto:me@example.com", &long] {
        let created = client.create(&CreateWebhook::new(target, EventKind::FileStored)).await.unwrap_err();
        let updated = client.update(1, &UpdateWebhook::new().target_url(target)).await.unwrap_err();
        let unsubscribed = client.unsubscribe(target).await.unwrap_err();
        for error in [created, updated, unsubscribed] {
            assert!(matches!(error, ClientError::Input(_)), "{target}: {error}");
        }
    }
    let nothing = client.update(1, &UpdateWebhook::new()).await.unwrap_err();
    assert!(matches!(nothing, ClientError::Input(_)));
    for base_url in
        ["", "api.uploadcare.com", "ftp://x.example", "https://x.example/?a=b", "https://me:s3cr3t@x.example"]
    {
        let error = Client::builder("demo", "demo").base_url(base_url).build().unwrap_err();
        assert!(matches!(error, ClientError::Configuration(_)) && !error.to_string().contains("s3cr3t"), "{error}");
    }
    assert!(server.lines().is_empty());
}

#[tokio::test]
async fn each_kind_of_refusal_is_told_apart_and_says_what_to_do() {
    type Kind = fn(&ClientError) -> bool;
    let already = json!({"non_field_errors": ["This project is already subscribed on this event"]});
    let all: [(Act, Kind, &str); 9] = [
        (
            detail(401, "Invalid signature. Please check your Secret key."),
            |e| matches!(e, ClientError::Authentication(_)),
            "clock",
        ),
        (detail(406, "Incorrect Accept header provided."), |e| matches!(e, ClientError::WrongApiVersion(_)), "0.7"),
        (json(400, already), |e| matches!(e, ClientError::AlreadySubscribed(_)), "update"),
        (detail(400, "`target_url` is missing."), |e| matches!(e, ClientError::BadTargetUrl(_)), "target_url"),
        (detail(400, "You can't use webhooks"), |e| matches!(e, ClientError::NotAllowed(_)), "plan"),
        (detail(404, "Not found."), |e| matches!(e, ClientError::NotFound(_)), "no such subscription"),
        (detail(403, "No."), |e| matches!(e, ClientError::Refused(_)), "refused"),
        (
            Act::Answer(302, "Location: http://portal.example/\r\n", String::new()),
            |e| matches!(e, ClientError::Refused(_)),
            "302",
        ),
        (
            Act::Answer(200, "", "<html>Welcome to the hotel</html>".to_owned()),
            |e| matches!(e, ClientError::Undecodable { .. }),
            "captive portal",
        ),
    ];
    for (act, is_kind, hint) in all {
        let expects_id = matches!(&act, Act::Answer(_, headers, _) if headers.contains("Request-Id"));
        let server = Server::start(vec![act]).await;
        let error = server.client().create(&to_create()).await.unwrap_err();
        assert!(is_kind(&error), "{error:?}");
        assert!(error.to_string().contains(hint), "{hint} is not in: {error}");
        assert!(!format!("{error} {error:?}").contains("s3cr3t"));
        assert_eq!(error.answer().unwrap().request_id.as_deref(), expects_id.then_some("5f2a"));
        assert_eq!(server.lines().len(), 1);
    }
    // The subscription was made, and the answer to that got lost on the way.
    let unreadable = Act::Answer(201, "", "{".to_owned());
    let server = Server::start(vec![unreadable, json(200, json!([webhook(9, "file.stored")]))]).await;
    assert_eq!(server.client().create(&to_create()).await.unwrap().id, 9);
}

#[tokio::test]
async fn a_list_that_is_cut_short_or_is_no_list_is_an_error() {
    let cut = json!([webhook(1, "file.stored")]).to_string();
    for body in
        [cut[..cut.len() - 20].to_owned(), "{}".to_owned(), "[{}]".to_owned(), String::new(), "[".repeat(100_000)]
    {
        let server = Server::start(vec![Act::Answer(200, "", body)]).await;
        let error = server.client().list().await.unwrap_err();
        assert!(matches!(error, ClientError::Undecodable { .. }), "{error}");
        assert!(!format!("{error} {error:?}").contains("s3cr3t"), "{error}");
    }
}

#[tokio::test]
async fn temporary_failures_are_tried_again() {
    let throttled = || Act::Answer(429, "Retry-After: 1\r\n", r#"{"detail": "Request was throttled."}"#.to_owned());
    let page = Act::Answer(502, "", "<html>Bad gateway</html>".to_owned());
    let server = Server::start(vec![throttled(), page, Act::Cut, Act::Stall, json(200, json!([]))]).await;
    let start = Instant::now();
    assert_eq!(server.client().list().await.unwrap(), []);
    assert_eq!(server.lines().len(), 5);
    assert!(start.elapsed() >= Duration::from_millis(1000), "Retry-After was not heeded");

    let server = Server::start(vec![throttled()]).await;
    let client = server.builder().max_retry_after(Duration::ZERO).build().unwrap();
    let error = client.list().await.unwrap_err();
    assert!(
        matches!(error, ClientError::Throttled { retry_after: Some(delay), .. } if delay.as_secs() == 1),
        "{error}"
    );

    let server = Server::start((0..5).map(|_| Act::Answer(503, "", String::new())).collect()).await;
    let error = server.client().list().await.unwrap_err();
    assert!(matches!(&error, ClientError::Server(answer) if answer.status == 503), "{error}");
    assert_eq!(server.lines().len(), 5);

    let gone = Server::start(vec![]).await;
    tokio::time::sleep(Duration::from_millis(20)).await;
    let error = gone.client().list().await.unwrap_err();
    let place = format!(", at {}/webhooks/; is the simulator running?", gone.base_url);
    assert!(matches!(&error, ClientError::Transport(_)) && error.to_string().ends_with(&place), "{error}");
    let error = gone.client().create(&to_create()).await.unwrap_err().to_string();
    assert!(error.ends_with(&place) && error.matches(", at http://").count() == 1, "{error}");
}

#[tokio::test]
async fn a_create_of_unknown_outcome_is_settled_by_listing() {
    let done = || json(200, json!([webhook(7, "file.deleted"), webhook(9, "file.stored")]));
    // The try succeeded.
    let server = Server::start(vec![Act::Cut, done()]).await;
    assert_eq!(server.client().create(&to_create()).await.unwrap().id, 9);
    assert_eq!(server.lines(), ["POST /webhooks/", "GET /webhooks/"]);
    // The try failed.
    let server = Server::start(vec![detail(500, ""), json(200, json!([])), json(201, webhook(9, "file.stored"))]).await;
    assert_eq!(server.client().create(&to_create()).await.unwrap().id, 9);
    assert_eq!(server.lines(), ["POST /webhooks/", "GET /webhooks/", "POST /webhooks/"]);
    // The try succeeds after the list.
    let already = json(400, json!({"non_field_errors": ["This project is already subscribed on this event"]}));
    let server = Server::start(vec![Act::Cut, json(200, json!([])), already, done()]).await;
    assert_eq!(server.client().create(&to_create()).await.unwrap().id, 9);
    // Another subscription exists in its place.
    let server = Server::start(vec![Act::Cut, done()]).await;
    let other = CreateWebhook::new(TARGET, EventKind::FileStored);
    assert!(matches!(server.client().create(&other).await.unwrap_err(), ClientError::AlreadySubscribed(_)));
    // The outcome cannot be known, so nothing is sent again.
    let down = (0..5).map(|_| Act::Answer(500, "", String::new()));
    let server = Server::start([Act::Cut].into_iter().chain(down).collect()).await;
    server.client().create(&to_create()).await.unwrap_err();
    assert_eq!(server.lines().iter().filter(|line| line.starts_with("POST")).count(), 1);
    // A throttled request did nothing, so it is sent again.
    let server = Server::start(vec![detail(429, ""), json(201, webhook(9, "file.stored"))]).await;
    assert_eq!(server.client().create(&to_create()).await.unwrap().id, 9);
}

#[tokio::test]
async fn a_404_after_a_delete_of_unknown_outcome_means_deleted() {
    let server = Server::start(vec![Act::Cut, detail(404, "Not found.")]).await;
    server.client().delete(3).await.unwrap();
    let server = Server::start(vec![detail(404, "Not found.")]).await;
    assert!(matches!(server.client().delete(3).await.unwrap_err(), ClientError::NotFound(_)));
}

#[tokio::test]
async fn keys_and_secrets_show_in_no_debug() {
    let server = Server::start(vec![]).await;
    let shown = format!("{:?} {:?} {:?}", server.builder(), server.client(), to_create());
    assert!(shown.contains("demopublickey"));
    assert!(!shown.contains("demosecretkey") && !shown.contains("s3cr3t"), "{shown}");
}
