//! `replay`: sends a delivery of a running simulator once more.

use std::{ffi::OsString, process::ExitCode};

use clap::{Arg, ArgMatches, Command, value_parser};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{
    remote::{self, Problem, Remote},
    wait,
};

pub(super) fn command() -> Command {
    Command::new("replay")
        .about("Sends a delivery of a running simulator once more")
        .after_help(format!(
            "Without options, the copy has the same bytes and the same signature, and goes to the same URL. Prints \
             the ids of the copies, one per line; with --wait, what became of each.\n\n{}.",
            remote::EXIT_CODES
        ))
        .arg(
            Arg::new("id")
                .value_name("ID")
                .value_parser(|text: &str| id(text))
                .required(true)
                .help("The id of the delivery, as `tail` and the page show it"),
        )
        .arg(
            Arg::new("file")
                .long("file")
                .value_name("PATH")
                .value_parser(value_parser!(OsString))
                .help("Send this payload instead, signed again; - reads standard input. It must be JSON"),
        )
        .arg(
            Arg::new("to")
                .long("to")
                .value_name("all|ID,..")
                .value_parser(|text: &str| receivers(text))
                .help("Send it to all active subscriptions, or to those with these ids"),
        )
        .arg(wait::arg())
        .args(remote::args())
}

pub(super) fn run(arguments: &ArgMatches) -> ExitCode {
    remote::run(arguments, replay)
}

async fn replay(remote: Remote, arguments: &ArgMatches) -> Result<(), Problem> {
    let id = arguments.get_one::<Uuid>("id").copied().unwrap_or_default();
    let body = remote::file(arguments)?.map(Value::from);
    let to = arguments.get_one::<Value>("to").cloned();
    let fields = [("body", body), ("subscriptions", to)];
    let order: Map<_, _> = fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect();
    // The simulator refuses a replay that goes to no subscription.
    wait::order(&remote, arguments, &format!("/deliveries/{id}/replay"), &order.into()).await.map(drop)
}

fn id(text: &str) -> Result<Uuid, String> {
    text.parse().map_err(|_| "write the id of a delivery, which is a UUID, as `tail` prints it".to_owned())
}

fn receivers(text: &str) -> Result<Value, String> {
    if text == "all" {
        return Ok("all".into());
    }
    let ids: Result<Vec<u64>, _> = text.split(',').map(str::parse).collect();
    ids.map(Value::from).map_err(|_| "write `all`, or the ids of subscriptions as in 1,2".to_owned())
}
