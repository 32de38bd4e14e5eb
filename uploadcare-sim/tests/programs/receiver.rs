//! A receiver in a thread, which answers as the test says.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

use uploadcare_hooks::SigningSecret;

#[derive(Clone)]
pub(crate) struct Receiver {
    url: String,
    state: Arc<Mutex<State>>,
}

struct State {
    status: u16,
    /// The heads in lower case, and the bodies.
    got: Vec<(String, Vec<u8>)>,
}

impl Receiver {
    /// Answers with this status until [`answer`](Self::answer) sets another.
    pub(crate) fn start(status: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/hooks", listener.local_addr().unwrap());
        let receiver = Self { url, state: Arc::new(Mutex::new(State { status, got: Vec::new() })) };
        let own = receiver.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let own = own.clone();
                // A simulator that is killed breaks off.
                thread::spawn(move || own.take(stream.unwrap()));
            }
        });
        receiver
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn answer(&self, status: u16) {
        self.state.lock().unwrap().status = status;
    }

    pub(crate) fn got(&self) -> usize {
        self.state.lock().unwrap().got.len()
    }

    /// How many requests are signed with this secret.
    pub(crate) fn signed_with(&self, secret: &str) -> usize {
        let secret = SigningSecret::new(secret).unwrap();
        let is_signed = |(head, body): &&(String, Vec<u8>)| {
            let header = head.lines().find_map(|line| line.strip_prefix("x-uc-signature: "));
            header.is_some_and(|header| secret.verify(body, header).is_ok())
        };
        self.state.lock().unwrap().got.iter().filter(is_signed).count()
    }

    fn take(&self, mut stream: TcpStream) -> Option<()> {
        let (mut read, mut chunk) = (Vec::new(), [0; 8192]);
        loop {
            let length = stream.read(&mut chunk).ok().filter(|length| *length > 0)?;
            read.extend_from_slice(&chunk[..length]);
            let Some(end) = read.windows(4).position(|bytes| bytes == b"\r\n\r\n") else { continue };
            let head = String::from_utf8(read[..end].to_vec()).unwrap().to_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
            let body = read[end + 4..].to_vec();
            if body.len() < length.parse::<usize>().unwrap() {
                continue;
            }
            let mut state = self.state.lock().unwrap();
            state.got.push((head, body));
            let answer = format!("HTTP/1.1 {} X\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", state.status);
            return stream.write_all(answer.as_bytes()).ok();
        }
    }
}
