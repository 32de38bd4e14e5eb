//! Checks that an application loses no delivery that it acknowledged, when many things fail at
//! once.
//!
//! The simulator sends each event up to three times and out of order to an application with a
//! queue. The torturer kills the application with SIGKILL at random times and starts it again, and
//! makes its storage fail. The handlers fail, hang and panic. At the end, every delivery that was
//! answered 2xx must have been handled:
//!
//! ```sh
//! cargo run --release -p tests --bin torture -- --deliveries 10000
//! ```
//!
//! Redis is tortured if `TEST_REDIS_URL` is set, and PostgreSQL if `TEST_POSTGRES_URL` is set.
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

/// How long the torture takes.
#[derive(Debug, Clone, Copy)]
struct Plan {
    /// How many events are triggered. Each is delivered up to three times.
    deliveries: usize,
    /// The most seconds in which events are triggered.
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

/// Returns whether no delivery was lost or handled again.
fn run(arguments: &ArgMatches) -> Result<bool, BoxDynError> {
    let text = |name: &str| arguments.get_one::<String>(name).cloned().unwrap_or_default();
    let kinds = match text("storage").as_str() {
        "all" => Kind::ALL.to_vec(),
        name => vec![kind(name)?],
    };
    if arguments.contains_id("journal") {
        let [kind] = kinds[..] else { return Err("an application has exactly one storage".into()) };
        return Application {
            kind,
            port: *arguments.get_one("port").ok_or("`--port` is missing")?,
            queue: text("queue"),
            file: text("file"),
            journal: PathBuf::from(text("journal")),
            life: *arguments.get_one("life").ok_or("`--life` is missing")?,
        }
        .run()
        .map(|()| true);
    }
    let plan = Plan {
        deliveries: *arguments.get_one("deliveries").ok_or("`--deliveries` is missing")?,
        seconds: *arguments.get_one("seconds").ok_or("`--seconds` is missing")?,
    };
    let mut all_good = true;
    for kind in kinds {
        let Some(report) = controller::torture(kind, plan)? else { continue };
        println!("{report}\n");
        all_good &= report.is_good();
    }
    Ok(all_good)
}

fn kind(name: &str) -> Result<Kind, BoxDynError> {
    let kind = Kind::ALL.into_iter().find(|kind| format!("{kind:?}").eq_ignore_ascii_case(name));
    kind.ok_or_else(|| format!("unknown storage {name:?}").into())
}

fn arguments() -> Command {
    let number = |name: &'static str, default: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name("N").default_value(default).help(help)
    };
    let hidden = |name: &'static str| Arg::new(name).long(name).hide(true);
    Command::new("torture")
        .about("Checks that an application loses no delivery that it acknowledged")
        .arg(number("deliveries", "10000", "How many events are triggered").value_parser(value_parser!(usize)))
        .arg(
            number("seconds", "600", "The most seconds in which events are triggered").value_parser(value_parser!(u64)),
        )
        .arg(
            Arg::new("storage")
                .long("storage")
                .default_value("all")
                .value_parser(["all", "sqlite", "redis", "postgres"])
                .help("The storage of the queue"),
        )
        .arg(hidden("journal"))
        .arg(hidden("queue"))
        .arg(hidden("file"))
        .arg(hidden("port").value_parser(value_parser!(u16)))
        .arg(hidden("life").value_parser(value_parser!(usize)))
}
