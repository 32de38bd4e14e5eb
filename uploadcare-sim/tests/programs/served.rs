//! A simulator in a process of its own.

use std::{
    io::{BufRead, BufReader, Read},
    process::{Child, Command, Output, Stdio},
    thread::{self, JoinHandle},
};

use actix_web::rt::System;
use reqwest::Method;
use serde_json::Value;

/// A command of the program, in an environment without its variables and with a proxy that does not
/// exist.
pub(crate) fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_uploadcare-sim"));
    for variable in ["UPLOADCARE_SIM_URL", "UPLOADCARE_SIM_TOKEN", "UC_SIGNING_SECRET"] {
        command.env_remove(variable);
    }
    command.args(arguments).env("http_proxy", "http://127.0.0.1:1");
    command
}

/// The exit code, the standard output, and the standard error.
pub(crate) fn texts(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

/// Is killed when it is dropped.
pub(crate) struct Served {
    child: Child,
    /// The rest of the output, when the process ends.
    output: Option<JoinHandle<String>>,
    /// The link to the page, from the first line of the output.
    pub(crate) link: String,
    pub(crate) base_url: String,
}

impl Served {
    /// Starts the simulator at any port.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self::spawn(program(&[&["--listen", "127.0.0.1:0"], arguments].concat()))
    }

    pub(crate) fn spawn(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut first = String::new();
        output.read_line(&mut first).unwrap();
        let output = thread::spawn(move || {
            let mut text = String::new();
            output.read_to_string(&mut text).unwrap();
            text
        });
        let link = first.split(' ').next().unwrap().to_owned();
        assert!(link.starts_with("http://"), "{first:?}");
        let base_url = link.split("/?").next().unwrap().trim_end_matches('/').to_owned();
        Self { child, output: Some(output), link, base_url }
    }

    /// Kills the process, which gets no chance to clean up.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Sends a signal, and waits for the process. Returns its exit code and its output.
    pub(crate) fn end(mut self, signal: &str) -> (Option<i32>, String) {
        let kill = Command::new("kill").args(["-s", signal, &self.child.id().to_string()]).status().unwrap();
        assert!(kill.success(), "{signal}");
        let code = self.child.wait().unwrap().code();
        (code, self.output.take().unwrap().join().unwrap())
    }

    /// The id of the process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Calls `/_sim`, and returns the JSON of the answer.
    pub(crate) fn call(&self, method: Method, path: &str, body: Option<Value>) -> Value {
        let (status, text) = self.answer(method, path, body);
        assert!((200..300).contains(&status), "{status}: {text}");
        if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap() }
    }

    /// Calls `/_sim`, and returns the status and the text of the answer.
    pub(crate) fn answer(&self, method: Method, path: &str, body: Option<Value>) -> (u16, String) {
        let url = format!("{}/_sim{path}", self.base_url);
        System::new().block_on(async move {
            let request = reqwest::Client::builder().no_proxy().build().unwrap().request(method, url);
            let request = body.into_iter().fold(request, |request, body| request.body(body.to_string()));
            let answer = request.send().await.unwrap();
            (answer.status().as_u16(), answer.text().await.unwrap())
        })
    }

    pub(crate) fn get(&self, path: &str) -> Value {
        self.call(Method::GET, path, None)
    }

    pub(crate) fn post(&self, path: &str, body: Value) -> Value {
        self.call(Method::POST, path, Some(body))
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
