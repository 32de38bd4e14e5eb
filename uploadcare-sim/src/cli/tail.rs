//! `tail`: prints the attempts of a running simulator as they happen.

use std::process::ExitCode;

use clap::{Arg, ArgAction, ArgMatches, Command};
use serde_json::{Value, json};

use super::{
    remote::{self, Problem, Remote, note, print, status},
    send::printable,
};

/// The filters of the simulator, with what each takes.
const FILTERS: [(&str, &str, &str); 5] = [
    ("event", "NAME", "Only attempts for this event"),
    ("uuid", "UUID", "Only attempts for this file"),
    ("status", "S", "Only attempts answered with this status, such as 401, 5xx or no_answer"),
    ("subscription", "ID", "Only attempts for this subscription"),
    ("text", "TEXT", "Only attempts with this text in the payload"),
];

pub(super) fn command() -> Command {
    let filter = |(name, value, help): (&'static str, &'static str, &'static str)| {
        Arg::new(name).long(name).value_name(value).help(help)
    };
    Command::new("tail")
        .about("Prints the attempts of a running simulator to deliver, as they happen")
        .after_help(
            "Attempts are printed in the order in which they ended: answered, or without an answer, which is \
             `no_answer` in place of the status, and null in JSON. An attempt that began earlier may end later.\n\n\
             With --json, the first line is {\"ready\":true,..}: from then on no attempt is missed. Each further line \
             is an attempt, as GET /_sim/deliveries lists them. If so many attempts happen at once that some are \
             missed, a line on the standard error says how many.\n\n\
             Exit codes: 0 the reader of the output closed it, 1 refused, or the output cannot be written, 2 wrong \
             use, 3 the simulator cannot be reached, or stopped.",
        )
        .arg(Arg::new("json").long("json").action(ArgAction::SetTrue).help("Print JSON, an object per line"))
        .args(FILTERS.map(filter))
        .args(remote::args())
}

pub(super) fn run(arguments: &ArgMatches) -> ExitCode {
    remote::run(arguments, tail)
}

async fn tail(remote: Remote, arguments: &ArgMatches) -> Result<(), Problem> {
    let value = |name| Some((name, arguments.get_one::<String>(name)?));
    let filters: Vec<_> = FILTERS.into_iter().filter_map(|(name, ..)| value(name)).collect();
    let query = serde_urlencoded::to_string(filters).map_err(|error| Problem::WrongUse(error.to_string()))?;
    let json = arguments.get_flag("json");
    let mut changes = remote.changes(&query).await?;
    if json {
        print(&json!({"ready": true, "server": remote.shown_url()}).to_string())?;
    } else {
        note(&format!("watching {}; Ctrl-C ends this", remote.shown_url()));
    }
    loop {
        let (event, data) = changes.next().await?;
        match event.as_str() {
            "attempt" if json => print(&data.to_string())?,
            "attempt" => print(&line(&data))?,
            "lagged" => {
                let missed = data.get("missed").and_then(Value::as_u64).unwrap_or_default();
                note(&format!("changes that were missed: {missed}"));
            }
            _ => {}
        }
    }
}

/// An attempt in one line.
fn line(attempt: &Value) -> String {
    let text = |name: &str| match attempt.get(name) {
        Some(Value::String(text)) => printable(&text.replace('\n', " ")),
        Some(Value::Null) | None => "-".to_owned(),
        Some(other) => other.to_string(),
    };
    let has_error = attempt.get("error").is_some_and(Value::is_string);
    let error = if has_error { format!(" ({})", text("error")) } else { String::new() };
    let (at, event, target, number) = (text("at"), text("event"), text("target_url"), text("attempt"));
    let status = status(attempt.get("status"));
    format!("{at} {status} {event} {target} attempt {number} of {}{error}", text("delivery"))
}
