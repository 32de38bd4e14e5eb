//! A running simulator, as `trigger`, `replay` and `tail` call it.

use std::{
    env,
    ffi::OsString,
    fmt, fs,
    io::{self, Read, Write},
    net::IpAddr,
    process::ExitCode,
    time::Duration,
};

use actix_web::rt::System;
use clap::{Arg, ArgMatches};
use reqwest::{Client, ClientBuilder, Method, RequestBuilder, Response, StatusCode, Url, redirect::Policy};
use serde_json::Value;

use super::{
    program::program,
    send::{in_one_line, printable},
};

const SERVER: &str = "http://127.0.0.1:8500";
const SERVER_VARIABLE: &str = "UPLOADCARE_SIM_URL";
pub(super) const TOKEN_VARIABLE: &str = "UPLOADCARE_SIM_TOKEN";

/// How long the simulator may take to answer an order.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The exit codes, for the help of each command.
pub(super) const EXIT_CODES: &str = "Exit codes: 0 done (with --wait: all deliveries are acknowledged), 1 refused, \
    or the output cannot be written (with --wait: a delivery failed or was not acknowledged in time), 2 wrong use, \
    3 the simulator cannot be reached, or stopped";

/// What stands in place of a status if an attempt got no answer. The filters use the same word.
const NO_ANSWER: &str = "no_answer";

/// Why a command did not do what it was told.
#[derive(Debug)]
pub(super) enum Problem {
    /// The simulator refused, or a delivery was not acknowledged.
    Refused(String),
    /// The arguments are wrong.
    WrongUse(String),
    /// There is no answer.
    Unreachable(String),
    /// No subscription gets the event, so nothing is delivered.
    NoReceiver(String),
    /// The reader of the output is gone.
    OutputClosed,
    /// The output cannot be written.
    OutputFailed(io::Error),
}

impl Problem {
    fn code(&self) -> u8 {
        match self {
            Self::OutputClosed => 0,
            Self::Refused(_) | Self::OutputFailed(_) => 1,
            Self::WrongUse(_) => 2,
            Self::Unreachable(_) => 3,
            Self::NoReceiver(_) => 4,
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(text) | Self::WrongUse(text) | Self::Unreachable(text) | Self::NoReceiver(text) => {
                f.write_str(&printable(text))
            }
            Self::OutputFailed(error) => write!(f, "the output cannot be written: {error}"),
            Self::OutputClosed => Ok(()),
        }
    }
}

/// Runs a command that calls the simulator.
pub(super) fn run<'a, F>(arguments: &'a ArgMatches, command: impl FnOnce(Remote, &'a ArgMatches) -> F) -> ExitCode
where
    F: Future<Output = Result<(), Problem>>,
{
    let result = Remote::new(arguments).and_then(|remote| System::new().block_on(command(remote, arguments)));
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            let code = problem.code();
            if code != 0 {
                note(&problem.to_string());
            }
            code.into()
        }
    }
}

/// Writes a line to the standard error, if it has a reader: the exit code counts more.
pub(super) fn note(text: &str) {
    let _ = writeln!(io::stderr(), "uploadcare-sim: {text}");
}

/// Writes a line to the standard output.
pub(super) fn print(line: &str) -> Result<(), Problem> {
    writeln!(io::stdout(), "{line}").map_err(|error| match error.kind() {
        io::ErrorKind::BrokenPipe => Problem::OutputClosed,
        _ => Problem::OutputFailed(error),
    })
}

/// Prints the lines of a command whose exit code tells more than its output: goes on without an
/// output if it cannot be written, and says so once.
#[derive(Debug, Default)]
pub(super) struct Printer {
    failed: bool,
}

impl Printer {
    pub(super) fn print(&mut self, line: &str) {
        if self.failed {
            return;
        }
        match print(line) {
            Ok(()) => {}
            Err(problem) => {
                self.failed = true;
                if problem.code() != 0 {
                    note(&problem.to_string());
                }
            }
        }
    }
}

/// The status of an attempt, in one word.
pub(super) fn status(status: Option<&Value>) -> String {
    status.and_then(Value::as_u64).map_or_else(|| NO_ANSWER.to_owned(), |status| status.to_string())
}

/// The options of all commands that call a simulator.
pub(super) fn args() -> [Arg; 2] {
    [
        Arg::new("server").long("server").value_name("URL").value_parser(|text: &str| server_url(text)).help(format!(
            "The URL of the running simulator. Defaults to the environment variable {SERVER_VARIABLE}, or {SERVER}"
        )),
        Arg::new("token").long("token").value_name("T").help(format!(
            "The token of the simulator, if it has one. Defaults to the environment variable {TOKEN_VARIABLE}, which \
             other users of this machine do not see in its list of processes"
        )),
    ]
}

fn server_url(text: &str) -> Result<Url, String> {
    let url = text.parse().ok().filter(|url: &Url| matches!(url.scheme(), "http" | "https"));
    url.ok_or_else(|| format!("write a URL with http:// or https://, as in {SERVER}"))
}

/// The client for this URL. It follows no redirects.
pub(super) fn client_of(url: &Url) -> ClientBuilder {
    let http = Client::builder().redirect(Policy::none());
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    if host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback()) {
        // A proxy from the environment would look for the address on its own machine.
        return http.no_proxy();
    }
    http
}

/// A text that should be a URL, without its user and password.
fn without_user(text: &str) -> String {
    let (scheme, rest) = text.split_once("://").map_or(("", text), |(scheme, rest)| (scheme, rest));
    let rest = rest.rsplit_once('@').map_or(rest, |(_, rest)| rest);
    if scheme.is_empty() { rest.to_owned() } else { format!("{scheme}://{rest}") }
}

/// The token of the environment. An empty variable counts as none.
pub(super) fn token_variable() -> Option<String> {
    env::var(TOKEN_VARIABLE).ok().filter(|token| !token.is_empty())
}

/// The text of a file that an option names; `-` reads standard input.
pub(super) fn file(arguments: &ArgMatches) -> Result<Option<String>, Problem> {
    let Some(path) = arguments.get_one::<OsString>("file") else { return Ok(None) };
    let mut bytes = Vec::new();
    let read = if path == "-" { io::stdin().read_to_end(&mut bytes).map(|_| bytes) } else { fs::read(path) };
    let problem = |text: String| Problem::WrongUse(format!("`--file {}` {text}", path.display()));
    let bytes = read.map_err(|error| problem(format!("cannot be read: {error}")))?;
    String::from_utf8(bytes).map(Some).map_err(|_| problem("is no UTF-8 text".to_owned()))
}

/// A running simulator.
pub(super) struct Remote {
    base_url: String,
    /// The same without a user and a password, for messages.
    shown_url: String,
    token: Option<String>,
    http: Client,
}

impl Remote {
    fn new(arguments: &ArgMatches) -> Result<Self, Problem> {
        let server = match arguments.get_one::<Url>("server") {
            Some(url) => url.clone(),
            None => {
                let given = env::var(SERVER_VARIABLE).ok().filter(|text| !text.is_empty());
                let text = given.unwrap_or_else(|| SERVER.to_owned());
                server_url(&text).map_err(|problem| {
                    let shown = without_user(&text);
                    Problem::WrongUse(format!("the environment variable {SERVER_VARIABLE} is {shown:?}: {problem}"))
                })?
            }
        };
        let token = arguments.get_one::<String>("token").cloned().or_else(token_variable);
        let http = client_of(&server).build().map_err(|error| Problem::Unreachable(in_one_line(&error)))?;
        let base_url = server.as_str().trim_end_matches('/').to_owned();
        Ok(Self { shown_url: without_user(&base_url), base_url, token, http })
    }

    /// The URL of the simulator, without a user and a password.
    pub(super) fn shown_url(&self) -> &str {
        &self.shown_url
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}/_sim{path}", self.base_url));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// Sends an order, and returns the JSON of the answer.
    pub(super) async fn post(&self, path: &str, order: &Value) -> Result<Value, Problem> {
        let answer = self.send(self.request(Method::POST, path).timeout(TIMEOUT).body(order.to_string())).await?;
        self.json(answer).await
    }

    pub(super) async fn get(&self, path: &str) -> Result<Value, Problem> {
        let answer = self.send(self.request(Method::GET, path).timeout(TIMEOUT)).await?;
        self.json(answer).await
    }

    /// Returns what is at the path, or `None` if the simulator answers 404.
    pub(super) async fn find(&self, path: &str) -> Result<Option<Value>, Problem> {
        let request = self.request(Method::GET, path).timeout(TIMEOUT);
        let answer = request.send().await.map_err(|error| self.unreachable(error))?;
        if answer.status() == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        let answer = self.accepted(answer).await?;
        self.json(answer).await.map(Some)
    }

    /// Watches what changes. Returns when the simulator says that no later change will be missing.
    pub(super) async fn changes(&self, query: &str) -> Result<Changes, Problem> {
        let path = if query.is_empty() { "/changes".to_owned() } else { format!("/changes?{query}") };
        let answer = self.send(self.request(Method::GET, &path)).await?;
        let mut changes = Changes { answer, read: Vec::new() };
        match changes.next().await {
            Ok((name, _)) if name == "ready" => Ok(changes),
            _ => Err(self.no_simulator()),
        }
    }

    async fn send(&self, request: RequestBuilder) -> Result<Response, Problem> {
        let answer = request.send().await.map_err(|error| self.unreachable(error))?;
        self.accepted(answer).await
    }

    /// Returns an answer of 2xx, and another as what the simulator refused.
    async fn accepted(&self, answer: Response) -> Result<Response, Problem> {
        let status = answer.status();
        if status.is_success() {
            return Ok(answer);
        }
        let body = answer.bytes().await.map_err(|error| self.unreachable(error))?;
        let body: Value = serde_json::from_slice(&body).unwrap_or_default();
        let detail = body.get("detail").and_then(Value::as_str);
        Err(Problem::Refused(match detail {
            Some(detail) if status == StatusCode::UNAUTHORIZED => format!(
                "refused (401): {}; give it with `--token`, or in the environment variable {TOKEN_VARIABLE}",
                // What follows is for programs and browsers.
                detail.split(';').next().unwrap_or_default()
            ),
            Some(detail) => format!("refused ({}): {detail}", status.as_u16()),
            None => format!("{} answered {status}; is it the simulator?", self.shown_url),
        }))
    }

    async fn json(&self, answer: Response) -> Result<Value, Problem> {
        let body = answer.bytes().await.map_err(|error| self.unreachable(error))?;
        serde_json::from_slice(&body).map_err(|_| self.no_simulator())
    }

    fn no_simulator(&self) -> Problem {
        Problem::Refused(format!("what answers at {} is no simulator of this version", self.shown_url))
    }

    fn unreachable(&self, error: reqwest::Error) -> Problem {
        let reason = in_one_line(&error.without_url());
        Problem::Unreachable(format!(
            "no answer from the simulator at {}: {reason}; start it with `{}`, or name another with `--server`",
            self.shown_url,
            program()
        ))
    }
}

/// The stream of changes.
pub(super) struct Changes {
    answer: Response,
    read: Vec<u8>,
}

impl Changes {
    /// The name and the data of the next event.
    ///
    /// # Errors
    /// [`Problem::Unreachable`] if there are no more: a simulator that stops ends the stream, and
    /// one that is killed breaks the connection.
    pub(super) async fn next(&mut self) -> Result<(String, Value), Problem> {
        loop {
            if let Some(end) = self.read.windows(2).position(|bytes| bytes == b"\n\n") {
                let event: Vec<u8> = self.read.drain(..end + 2).collect();
                if let Some(event) = parse(&String::from_utf8_lossy(&event)) {
                    return Ok(event);
                }
            } else {
                match self.answer.chunk().await {
                    Ok(Some(chunk)) => self.read.extend_from_slice(&chunk),
                    Ok(None) | Err(_) => return Err(Problem::Unreachable("the simulator stopped".to_owned())),
                }
            }
        }
    }
}

/// Reads an event. A comment is none.
fn parse(event: &str) -> Option<(String, Value)> {
    let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name));
    Some((field("event: ")?.to_owned(), serde_json::from_str(field("data: ")?).ok()?))
}
