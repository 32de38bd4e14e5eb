//! Checks that an application loses no delivery that it acknowledged, when many things fail at
//! once.
//!
//! The simulator sends each event up to three times and out of order to an application with a
//! queue, assembled as its guide says: on PostgreSQL and Redis three processes that receive and
//! three that work, on SQLite one that does both and one that works. The torturer kills them with
//! SIGKILL at random times and starts them again, makes their storage fail, and restarts it in the
//! middle. The handlers fail, hang and panic. At the end, every delivery that was answered 2xx must
//! have been handled:
//!
//! ```sh
//! cargo run --release -p programs --bin torture -- --deliveries 10000
//! cargo run --release -p programs --bin torture -- --outage 60         # all handlers fail meanwhile
//! cargo run --release -p programs --bin torture -- --soak 300          # few events, and idle workers
//! ```
//!
//! Redis is tortured if `TEST_REDIS_URL` is set, and PostgreSQL if `TEST_POSTGRES_URL` is set.
//! `RESTART_REDIS` and `RESTART_POSTGRES` are shell commands that restart them.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod application;
mod controller;
mod journal;
mod report;
mod victims;

use std::{env, error::Error, path::PathBuf, process::ExitCode, time::Duration};

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use tests::storages::Kind;

use crate::application::Application;

/// What the torture does.
#[derive(Debug)]
struct Plan {
    /// How many events are triggered. Each is delivered up to three times.
    deliveries: usize,
    /// The longest time in which events are triggered.
    time: Duration,
    /// For how long all handlers fail, instead of kills and failures of the storage.
    outage: Option<Duration>,
    /// For how long a few events come now and then, instead of all that.
    soak: Option<Duration>,
    /// Shell commands that restart Redis and PostgreSQL.
    restart: [Option<String>; 2],
}

impl Plan {
    fn restart(&self, kind: Kind) -> Option<&str> {
        let [redis, postgres] = &self.restart;
        match kind {
            Kind::Sqlite => None,
            Kind::Redis => redis.as_deref(),
            Kind::Postgres => postgres.as_deref(),
        }
    }
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
fn run(arguments: &ArgMatches) -> Result<bool, Box<dyn Error>> {
    let text = |name: &str| arguments.get_one::<String>(name).cloned().unwrap_or_default();
    let kinds = match text("storage").as_str() {
        "all" => Kind::ALL.to_vec(),
        name => vec![kind(name)?],
    };
    if arguments.contains_id("journal") {
        let [kind] = kinds[..] else { return Err("an application has exactly one storage".into()) };
        return Application {
            kind,
            port: arguments.get_one("port").copied().filter(|port| *port != 0),
            works: arguments.get_flag("works"),
            queue: text("queue"),
            file: text("file"),
            journal: PathBuf::from(text("journal")),
            life: *arguments.get_one("life").ok_or("`--life` is missing")?,
        }
        .run()
        .map(|()| true);
    }
    let seconds = |name| arguments.get_one(name).copied().map(Duration::from_secs);
    let plan = Plan {
        deliveries: *arguments.get_one("deliveries").ok_or("`--deliveries` is missing")?,
        time: seconds("seconds").ok_or("`--seconds` is missing")?,
        outage: seconds("outage"),
        soak: seconds("soak"),
        restart: ["RESTART_REDIS", "RESTART_POSTGRES"].map(|variable| env::var(variable).ok()),
    };
    let mut all_good = true;
    for kind in kinds {
        let Some(report) = controller::torture(kind, &plan)? else { continue };
        println!("{report}\n");
        all_good &= report.is_good();
    }
    Ok(all_good)
}

fn kind(name: &str) -> Result<Kind, Box<dyn Error>> {
    let kind = Kind::ALL.into_iter().find(|kind| format!("{kind:?}").eq_ignore_ascii_case(name));
    kind.ok_or_else(|| format!("unknown storage {name:?}").into())
}

fn arguments() -> Command {
    let number = |name: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name("N").value_parser(value_parser!(u64)).help(help)
    };
    let hidden = |name: &'static str| Arg::new(name).long(name).hide(true);
    Command::new("torture")
        .about("Checks that an application loses no delivery that it acknowledged")
        .arg(
            Arg::new("deliveries")
                .long("deliveries")
                .value_name("N")
                .default_value("10000")
                .value_parser(value_parser!(usize))
                .help("How many events are triggered"),
        )
        .arg(number("seconds", "The most seconds in which events are triggered").default_value("600"))
        .arg(number("outage", "For so many seconds all handlers fail, and nothing else happens"))
        .arg(number("soak", "For so many seconds a few events come now and then, and nothing else happens"))
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
        .arg(hidden("works").action(ArgAction::SetTrue))
}
