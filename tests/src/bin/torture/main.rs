//! Whether anything that was acknowledged is lost when everything goes wrong at once.
//!
//! The simulator sends events, twice or three times and out of order, to an application with a queue. That is killed with SIGKILL and started again at
//! random, its storage fails, its handlers fail, hang and panic. At the end every delivery that was answered 2xx must have been handled:
//!
//! ```sh
//! cargo run --release -p tests --bin torture -- --deliveries 10000
//! ```
//!
//! Redis and PostgreSQL are tortured where `TEST_REDIS_URL` and `TEST_POSTGRES_URL` are set.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod application;
mod controller;
mod journal;
mod report;

use std::{path::PathBuf, process::ExitCode};

use apalis_core::error::BoxDynError;
use clap::{Arg, ArgMatches, Command, value_parser};
use tests::storages::Kind;

use crate::application::Application;

/// How long and how hard.
#[derive(Debug, Clone, Copy)]
struct Plan {
    /// How many events happen; each is delivered up to three times.
    deliveries: usize,
    /// For how long they do, at the most.
    seconds: u64,
}

fn main() -> ExitCode {
    let arguments = arguments().get_matches();
    match run(&arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("torture: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Returns whether nothing was lost.
fn run(arguments: &ArgMatches) -> Result<bool, BoxDynError> {
    let text = |name: &str| arguments.get_one::<String>(name).cloned().unwrap_or_default();
    let kinds = match text("storage").as_str() {
        "all" => Kind::ALL.to_vec(),
        name => vec![kind(name)?],
    };
    if arguments.contains_id("journal") {
        let [kind] = kinds[..] else { return Err("an application has one storage".into()) };
        return Application {
            kind,
            port: *arguments.get_one("port").ok_or("no port")?,
            queue: text("queue"),
            file: text("file"),
            journal: PathBuf::from(text("journal")),
            life: *arguments.get_one("life").ok_or("no life")?,
        }
        .run()
        .map(|()| true);
    }
    let plan = Plan {
        deliveries: *arguments.get_one("deliveries").ok_or("no number of deliveries")?,
        seconds: *arguments.get_one("seconds").ok_or("no seconds")?,
    };
    let mut nothing_lost = true;
    for kind in kinds {
        let Some(report) = controller::torture(kind, plan)? else { continue };
        println!("{report}\n");
        nothing_lost &= report.is_good();
    }
    Ok(nothing_lost)
}

fn kind(name: &str) -> Result<Kind, BoxDynError> {
    let kind = Kind::ALL.into_iter().find(|kind| format!("{kind:?}").eq_ignore_ascii_case(name));
    kind.ok_or_else(|| format!("there is no storage {name:?}").into())
}

fn arguments() -> Command {
    let number = |name: &'static str, default: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name("N").default_value(default).help(help)
    };
    let hidden = |name: &'static str| Arg::new(name).long(name).hide(true);
    Command::new("torture")
        .about("Tries to make an application lose deliveries that it acknowledged")
        .arg(number("deliveries", "10000", "How many events happen").value_parser(value_parser!(usize)))
        .arg(number("seconds", "600", "For how long they do, at the most").value_parser(value_parser!(u64)))
        .arg(
            Arg::new("storage")
                .long("storage")
                .default_value("all")
                .value_parser(["all", "sqlite", "redis", "postgres"])
                .help("What the queue is stored in"),
        )
        .arg(hidden("journal"))
        .arg(hidden("queue"))
        .arg(hidden("file"))
        .arg(hidden("port").value_parser(value_parser!(u16)))
        .arg(hidden("life").value_parser(value_parser!(usize)))
}
