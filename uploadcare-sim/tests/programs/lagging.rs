//! `trigger --wait` with a stream that lags, from a server that answers as the test says: the real
//! simulator lags only if it is much faster than its reader.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    thread,
};

use serde_json::{Value, json};

use super::served::{program, texts};

/// Answers these paths below `/_sim` with this JSON, others with 404. The stream of changes says at
/// once that it lags, and then nothing.
fn serve(answers: BTreeMap<&'static str, Value>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        let mut open = Vec::new();
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let path = path_of(&stream);
            match answers.get(path.as_str()) {
                _ if path == "/changes" => {
                    let events = "event: ready\ndata: {}\n\nevent: lagged\ndata: {\"missed\": 9}\n\n";
                    write!(stream, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n{events}").unwrap();
                    open.push(stream);
                }
                Some(answer) => respond(&mut stream, "200 OK", answer),
                None => respond(&mut stream, "404 Not Found", &json!({"detail": "no such delivery is kept"})),
            }
        }
    });
    url
}

/// Reads a request. Returns its path below `/_sim`.
fn path_of(stream: &TcpStream) -> String {
    let mut reader = BufReader::new(stream);
    let (mut path, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let line = line.trim_end().to_lowercase();
        if line.is_empty() {
            reader.read_exact(&mut vec![0; length]).unwrap();
            return path;
        }
        if let Some(text) = line.strip_prefix("content-length: ") {
            length = text.parse().unwrap();
        } else if path.is_empty() {
            path = line.split(' ').nth(1).unwrap().strip_prefix("/_sim").unwrap().to_owned();
        }
    }
}

fn respond(stream: &mut TcpStream, status: &str, answer: &Value) {
    let body = answer.to_string();
    let head = format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len());
    stream.write_all((head + &body).as_bytes()).unwrap();
}

#[test]
fn what_became_of_dropped_deliveries_is_in_the_list_of_attempts() {
    let attempt = |id: &str, status: Option<u16>| json!({"delivery": id, "status": status});
    let attempts = json!([
        attempt("repeated", Some(500)),
        attempt("failed", Some(500)),
        attempt("repeated", Some(204)),
        attempt("duplicate", Some(200)),
        attempt("failed", None),
        attempt("duplicate", Some(500)),
    ]);
    let kept = json!({"id": "kept", "state": "acknowledged", "attempts": [{"answer": {"status": 201}}]});
    for (ids, code, says, printed) in [
        (
            json!(["repeated", "duplicate", "kept"]),
            0,
            "",
            vec![
                "duplicate acknowledged, attempts: 2, last status: 500",
                "kept acknowledged, attempts: 1, last status: 201",
                "repeated acknowledged, attempts: 2, last status: 204",
            ],
        ),
        (
            json!(["failed", "repeated"]),
            1,
            "deliveries that failed: 1",
            vec![
                "failed failed, attempts: 2, last status: no_answer",
                "repeated acknowledged, attempts: 2, last status: 204",
            ],
        ),
        (
            json!(["kept", "old"]),
            1,
            "deliveries of which the simulator keeps nothing any more: 1; start it with a larger `--keep`",
            vec!["kept acknowledged, attempts: 1, last status: 201", "old unknown"],
        ),
    ] {
        let order = json!({"uuid": "x", "subscriptions": 1, "deliveries": ids});
        let answers = [("/events", order), ("/deliveries", attempts.clone()), ("/deliveries/kept", kept.clone())];
        let url = serve(BTreeMap::from(answers));
        let output = program(&["trigger", "file.uploaded", "--wait=20", "--server", &url]).output().unwrap();
        let (answered, stdout, stderr) = texts(&output);
        assert!(answered == Some(code) && stderr.contains(says), "{ids}: {answered:?} {stderr}");
        let mut lines: Vec<_> = stdout.lines().collect();
        lines.sort_unstable();
        assert_eq!(lines, printed, "{ids}: {stderr}");
    }
}
