//! `send`: sends one signed delivery, without a running simulator, and tells by its exit code how
//! the receiver answered.

pub(super) mod body;

use std::{error::Error, ffi::OsString, fs, io::Read, process::ExitCode, time::Duration};

use actix_web::rt::System;
use clap::{Arg, ArgAction, ArgMatches, Command, builder::NonEmptyStringValueParser, error::ErrorKind};
use reqwest::{StatusCode, Url};
use serde_json::Value;
use uploadcare_hooks::{EventKind, SIGNATURE_HEADER, SigningSecret};
use uuid::Uuid;

use super::{
    near::near,
    program::program,
    remote::{Printer, client_of, note},
};

/// The variable that holds the secret if `--secret` is not given.
const SECRET_VARIABLE: &str = "UC_SIGNING_SECRET";

/// How long a receiver may take to answer.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The most bytes of an answer that are shown.
const MOST_SHOWN: usize = 64 * 1024;

/// The answer is not 2xx.
const NOT_ACKNOWLEDGED: u8 = 1;
/// There is no whole answer.
const NO_ANSWER: u8 = 3;

pub(super) fn command() -> Command {
    let option = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(value).help(help)
    };
    let text = NonEmptyStringValueParser::new;
    Command::new("send")
        .about("Sends one signed delivery, without a running simulator")
        .after_help(format!(
            "Prints the status and the body of the answer.\n\n\
             Exit codes: 0 for an answer of 2xx, 1 for another answer, 2 for wrong use, 3 for no answer (the receiver \
             cannot be reached, takes longer than 30 seconds, or breaks off). They do not change if the output cannot \
             be written.\n\n\
             Example:\n  {} send file.uploaded --to http://127.0.0.1:8080/hooks --secret my-secret \
             --data original_filename=cat.jpg --data metadata.pet=cat",
            program()
        ))
        .arg(
            Arg::new("event")
                .value_name("EVENT")
                .value_parser(text())
                .required_unless_present("file")
                .help("The event, such as file.uploaded; names that Uploadcare does not know are allowed"),
        )
        .arg(option("to", "URL", "The URL to send to").required(true).value_parser(|text: &str| target(text)))
        .arg(option(
            "secret",
            "S",
            "The signing secret. Defaults to the environment variable UC_SIGNING_SECRET, which other users of this \
             machine do not see in its list of processes",
        ))
        .arg(
            Arg::new("wrong-secret")
                .long("wrong-secret")
                .action(ArgAction::SetTrue)
                .help("Sign with a random secret instead, which the receiver should refuse"),
        )
        .arg(
            option(
                "data",
                "K=V",
                "A field of `data`: original_filename=cat.jpg, metadata.pet=cat, or size=10. The value is JSON if it \
                 can be read as JSON, and text otherwise; may be given several times",
            )
            .action(ArgAction::Append)
            .value_parser(|text: &str| text.parse::<body::Field>()),
        )
        .arg(
            option("version", "V", "The version of the payload: the old ones have file.uploaded only")
                .value_parser(["0.7", "0.6", "0.5", ""])
                .default_value("0.7"),
        )
        .arg(
            option("file", "PATH", "Send the bytes of this file as they are; - reads standard input")
                .value_parser(clap::value_parser!(OsString))
                .conflicts_with_all(["data", "version"]),
        )
}

/// Sends the delivery that the arguments describe.
pub(super) fn run(arguments: &ArgMatches) -> ExitCode {
    let Some(url) = arguments.get_one::<Url>("to").cloned() else { wrong_use("`--to` is missing") };
    let secret = secret(arguments).unwrap_or_else(|problem| wrong_use(&problem));
    let body = body(arguments).unwrap_or_else(|problem| wrong_use(&problem));
    match System::new().block_on(send(url, &secret, body)) {
        Ok((status, body)) => {
            let mut printer = Printer::default();
            printer.print(&status.to_string());
            if !body.is_empty() {
                printer.print(&body);
            }
            if status.is_success() { ExitCode::SUCCESS } else { NOT_ACKNOWLEDGED.into() }
        }
        Err(problem) => {
            note(&format!("no answer: {problem}"));
            NO_ANSWER.into()
        }
    }
}

/// Ends the process as clap does.
fn wrong_use(problem: &str) -> ! {
    command().bin_name("uploadcare-sim send").error(ErrorKind::ValueValidation, problem).exit()
}

fn target(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    url.ok_or_else(|| "write a URL with http:// or https://, as in http://127.0.0.1:8080/hooks".to_owned())
}

/// The secret to sign with. Its problems never show its text, as clap's own would.
fn secret(arguments: &ArgMatches) -> Result<SigningSecret, String> {
    if arguments.get_flag("wrong-secret") {
        return SigningSecret::new(Uuid::new_v4().simple().to_string()).map_err(|error| error.to_string());
    }
    match arguments.get_one::<String>("secret") {
        Some(text) => SigningSecret::new(text.as_str()).map_err(|error| format!("`--secret`: {error}")),
        None => SigningSecret::from_env(SECRET_VARIABLE)
            .map_err(|error| format!("give `--secret`, or set the environment variable `{SECRET_VARIABLE}`: {error}")),
    }
}

fn body(arguments: &ArgMatches) -> Result<Vec<u8>, String> {
    if let Some(path) = arguments.get_one::<OsString>("file") {
        let mut bytes = Vec::new();
        let read = if path == "-" { std::io::stdin().read_to_end(&mut bytes).map(|_| bytes) } else { fs::read(path) };
        let bytes = read.map_err(|error| format!("`--file {}` cannot be read: {error}", path.display()))?;
        warn_of_another_event(&bytes, arguments.get_one::<String>("event"));
        return Ok(bytes);
    }
    let text = |name: &str| arguments.get_one::<String>(name).map(String::as_str).unwrap_or_default();
    if let Some(known) = near(text("event"), EventKind::KNOWN.iter().copied()) {
        note(&format!("no such event is known: {:?}; did you mean `{known}`?", text("event")));
    }
    let target = arguments.get_one::<Url>("to").map(Url::as_str).unwrap_or_default();
    let fields = arguments.get_many::<body::Field>("data").unwrap_or_default();
    body::of(text("event"), text("version"), target, fields).map(|payload| payload.to_string().into_bytes())
}

/// The bytes are sent as they are, so the event of the command line changes nothing.
fn warn_of_another_event(bytes: &[u8], event: Option<&String>) {
    let payload = serde_json::from_slice::<Value>(bytes).unwrap_or_default();
    if let (Some(found), Some(event)) = (payload.pointer("/hook/event").and_then(Value::as_str), event)
        && found != event
    {
        note(&format!("the file's event is {found:?} and not {event:?}; the file is sent as it is"));
    }
}

/// Sends the delivery once. Returns the status and the body of the answer, or why there is none.
async fn send(url: Url, secret: &SigningSecret, body: Vec<u8>) -> Result<(StatusCode, String), String> {
    let http = client_of(&url).timeout(TIMEOUT).build().map_err(|error| in_one_line(&error))?;
    let request = http.post(url);
    let request = request.header("Content-Type", "application/json").header(SIGNATURE_HEADER, secret.sign(&body));
    let mut answer = request.body(body).send().await.map_err(|error| in_one_line(&error.without_url()))?;
    let (status, mut shown) = (answer.status(), Vec::new());
    while let Some(chunk) = answer.chunk().await.map_err(|error| in_one_line(&error.without_url()))? {
        shown.extend_from_slice(&chunk);
        if shown.len() > MOST_SHOWN {
            shown.truncate(MOST_SHOWN);
            shown.extend_from_slice("… (cut off)".as_bytes());
            break;
        }
    }
    Ok((status, printable(&String::from_utf8_lossy(&shown))))
}

/// The text with control characters escaped, except for line breaks and tabs: an answer must not
/// control the terminal.
pub(super) fn printable(text: &str) -> String {
    let keep = |c: &char| matches!(c, '\n' | '\t') || !c.is_control();
    text.trim_end().chars().map(|c| if keep(&c) { c.to_string() } else { c.escape_debug().to_string() }).collect()
}

/// The error and its causes.
pub(super) fn in_one_line(error: &dyn Error) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {}", in_one_line(cause)),
        None => error.to_string(),
    }
}
