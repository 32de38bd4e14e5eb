//! `uploadcare-sim send`, run as a program, with a receiver that answers as each test says.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::{
    io::{Read, Write},
    net::TcpListener,
    process::{Command, Output, Stdio},
    thread::{self, JoinHandle},
};

use serde_json::Value;
use uploadcare_hooks::SigningSecret;

/// A request as the receiver read it.
struct Received {
    /// The head in lower case.
    head: String,
    body: Vec<u8>,
}

impl Received {
    fn is_signed_with(&self, secret: &str) -> bool {
        let header = self.head.lines().find_map(|line| line.strip_prefix("x-uc-signature: ")).unwrap();
        SigningSecret::new(secret).unwrap().verify(&self.body, header).is_ok()
    }
}

/// Takes one request, gives it this answer, and returns it. The first value is its URL.
fn receiver(answer: &'static str) -> (String, JoinHandle<Received>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hooks", listener.local_addr().unwrap());
    let receiver = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let (mut read, mut chunk) = (Vec::new(), [0; 4096]);
        loop {
            let length = stream.read(&mut chunk).unwrap();
            read.extend_from_slice(&chunk[..length]);
            let Some(end) = read.windows(4).position(|bytes| bytes == b"\r\n\r\n") else { continue };
            let head = String::from_utf8(read[..end].to_vec()).unwrap().to_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
            let body = &read[end + 4..];
            if body.len() >= length.parse::<usize>().unwrap() {
                stream.write_all(answer.as_bytes()).unwrap();
                return Received { head, body: body.to_vec() };
            }
        }
    });
    (url, receiver)
}

const NO_CONTENT: &str = "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n";
const REFUSED: &str =
    "HTTP/1.1 401 Unauthorized\r\nConnection: close\r\nContent-Length: 17\r\n\r\n{\"title\":\"\x1b[2J\"}\n";

/// Runs `send` with a proxy in its environment that does not exist, and with this input.
fn send_with_input(arguments: &[&str], input: &[u8]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_uploadcare-sim"));
    command.arg("send").args(arguments).env_remove("UC_SIGNING_SECRET").env("http_proxy", "http://127.0.0.1:1");
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    child.wait_with_output().unwrap()
}

fn send(arguments: &[&str]) -> Output {
    send_with_input(arguments, b"")
}

fn texts(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn a_delivery_is_sent_signed_and_its_acknowledgement_is_the_exit_code_0() {
    let (url, receiver) = receiver(NO_CONTENT);
    let output = send(&[
        "file.uploaded",
        "--to",
        &url,
        "--secret",
        "my-secret",
        "--data",
        "original_filename=cat.jpg",
        "--data",
        "metadata.pet=cat",
    ]);
    assert_eq!(texts(&output), (Some(0), "204 No Content\n".to_owned(), String::new()));
    let request = receiver.join().unwrap();
    assert!(
        request.head.starts_with("post /hooks http/1.1") && request.is_signed_with("my-secret"),
        "{}",
        request.head
    );
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    assert_eq!(
        (&body["hook"]["event"], &body["hook"]["version"], &body["hook"]["target"]),
        (&"file.uploaded".into(), &"0.7".into(), &Value::from(url))
    );
    assert_eq!(
        (&body["data"]["original_filename"], &body["data"]["metadata"]["pet"]),
        (&"cat.jpg".into(), &"cat".into())
    );
}

#[test]
fn another_answer_is_the_exit_code_1_and_its_body_cannot_control_the_terminal() {
    let (url, receiver) = receiver(REFUSED);
    let output = send(&["moderation.state_changed", "--to", &url, "--secret", "my-secret", "--wrong-secret"]);
    assert_eq!(texts(&output), (Some(1), "401 Unauthorized\n{\"title\":\"\\u{1b}[2J\"}\n".to_owned(), String::new()));
    assert!(!receiver.join().unwrap().is_signed_with("my-secret"));
}

#[test]
fn the_bytes_of_a_file_and_of_standard_input_are_sent_as_they_are() {
    let bytes = b"{\"hook\" :\n{\"event\":\"file.stored\"}, \"data\":{}}\xff\r\n";
    let path = std::env::temp_dir().join(format!("uploadcare-sim-send-{}.json", std::process::id()));
    std::fs::write(&path, bytes).unwrap();
    for (file, input) in [(path.to_str().unwrap(), b"" as &[u8]), ("-", bytes)] {
        let (url, receiver) = receiver(NO_CONTENT);
        let output = send_with_input(&["--file", file, "--to", &url, "--secret", "my-secret"], input);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        let request = receiver.join().unwrap();
        assert!(request.body == bytes && request.is_signed_with("my-secret"), "{file}");
    }
    let (url, receiver) = receiver(NO_CONTENT);
    let arguments = ["file.uploaded", "--file", path.to_str().unwrap(), "--to", &url, "--secret", "my-secret"];
    let (code, _, stderr) = texts(&send(&arguments));
    assert_eq!(code, Some(0), "{stderr}");
    assert_eq!(stderr, "", "the file is not JSON, so its event is not known");
    assert_eq!(receiver.join().unwrap().body, bytes);
    std::fs::remove_file(path).unwrap();
}

#[test]
fn a_file_of_another_event_is_sent_and_reported() {
    let (url, receiver) = receiver(NO_CONTENT);
    let body = br#"{"hook": {"event": "file.stored"}}"#;
    let output = send_with_input(&["file.uploaded", "--file", "-", "--to", &url, "--secret", "my-secret"], body);
    let (code, _, stderr) = texts(&output);
    assert_eq!(code, Some(0), "{stderr}");
    assert!(stderr.contains("the file's event is \"file.stored\" and not \"file.uploaded\""), "{stderr}");
    assert_eq!(receiver.join().unwrap().body, body);
}

#[test]
fn an_old_version_and_the_secret_of_the_environment_are_taken() {
    let (url, receiver) = receiver(NO_CONTENT);
    let mut command = Command::new(env!("CARGO_BIN_EXE_uploadcare-sim"));
    command.args(["send", "file.uploaded", "--to", &url, "--version", "0.6"]).env("UC_SIGNING_SECRET", "other-secret");
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let request = receiver.join().unwrap();
    assert!(request.is_signed_with("other-secret"));
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    assert_eq!((&body["hook"]["version"], &body["data"]["source"]), (&"0.6".into(), &"local".into()));
}

#[test]
fn wrong_use_is_the_exit_code_2_says_why_and_shows_no_secret() {
    let to = ["--to", "http://127.0.0.1:1/"];
    for (arguments, says) in [
        (vec![], "<EVENT>"),
        (vec!["file.uploaded", "--secret", "s"], "--to"),
        (vec!["file.uploaded", "--to", "127.0.0.1:8080"], "write a URL with http://"),
        (vec!["file.uploaded", "--to", "ftp://127.0.0.1/"], "write a URL with http://"),
        (
            [&["file.uploaded"], &to[..]].concat(),
            "give `--secret`, or set the environment variable `UC_SIGNING_SECRET`",
        ),
        (
            [&["file.uploaded", "--secret", "s3cr3t "], &to[..]].concat(),
            "`--secret`: the signing secret begins or ends",
        ),
        ([&["file.stored", "--secret", "s3cr3t", "--version", "0.6"], &to[..]].concat(), "has no `file.stored`"),
        ([&["file.stored", "--secret", "s3cr3t", "--version", "0.9"], &to[..]].concat(), "possible values: 0.7, 0.6"),
        ([&["file.stored", "--secret", "s3cr3t", "--data", "size"], &to[..]].concat(), "write a field and its value"),
        ([&["--file", "-", "--data", "size=1"], &to[..]].concat(), "cannot be used with"),
        ([&["--file", "-", "--version", "0.6"], &to[..]].concat(), "cannot be used with"),
        (
            [&["--file", "/no/such/file", "--secret", "s3cr3t"], &to[..]].concat(),
            "`--file /no/such/file` cannot be read",
        ),
    ] {
        let (code, stdout, stderr) = texts(&send(&arguments));
        assert_eq!((code, stdout.as_str()), (Some(2), ""), "{arguments:?}: {stderr}");
        assert!(stderr.contains(says) && !stderr.contains("s3cr3t"), "{arguments:?}: expected {says}:\n{stderr}");
    }
}

#[test]
fn no_answer_is_the_exit_code_3() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (cut, receiver) = receiver("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort");
    for url in [format!("http://{closed}/"), cut] {
        let (code, stdout, stderr) = texts(&send(&["file.uploaded", "--to", &url, "--secret", "my-secret"]));
        assert_eq!((code, stdout.as_str()), (Some(3), ""), "{stderr}");
        assert!(stderr.starts_with("uploadcare-sim: no answer: "), "{stderr}");
    }
    receiver.join().unwrap();
}

#[test]
fn an_output_that_cannot_be_written_does_not_change_the_exit_code() {
    let output = |output: Stdio, answer| {
        let (url, receiver) = receiver(answer);
        let mut command = Command::new(env!("CARGO_BIN_EXE_uploadcare-sim"));
        command.args(["send", "file.uploaded", "--to", &url, "--secret", "my-secret"]);
        let (code, _, stderr) =
            texts(&command.stdout(output).stderr(Stdio::piped()).spawn().unwrap().wait_with_output().unwrap());
        receiver.join().unwrap();
        (code, stderr)
    };
    for (answer, code) in [(NO_CONTENT, 0), (REFUSED, 1)] {
        let closed = std::io::pipe().unwrap().1;
        assert_eq!(output(closed.into(), answer), (Some(code), String::new()));
        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        let (answered, stderr) = output(full.into(), answer);
        assert!(answered == Some(code) && stderr.contains("the output cannot be written: No space left"), "{stderr}");
    }
}

#[test]
fn a_mistyped_event_is_sent_and_the_known_one_named() {
    for (event, known) in [("file.uplaoded", Some("file.uploaded")), ("file.stored", None), ("moderation.done", None)] {
        let (url, receiver) = receiver(NO_CONTENT);
        let (code, _, stderr) = texts(&send(&[event, "--to", &url, "--secret", "my-secret"]));
        assert_eq!(code, Some(0), "{stderr}");
        let body: Value = serde_json::from_slice(&receiver.join().unwrap().body).unwrap();
        assert_eq!(body["hook"]["event"], event);
        let hint = known.map(|known| format!("did you mean `{known}`?"));
        assert!(hint.as_ref().map_or(stderr.is_empty(), |hint| stderr.contains(hint)), "{stderr}");
    }
}
