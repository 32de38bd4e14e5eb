//! Measures how many deliveries a second a server takes on one processor core, on actix-web and on
//! axum: with this crate, with nothing but the framework, and with the handler that people write by
//! hand.
//!
//! ```sh
//! cargo run --release -p load
//! cargo run --release -p load -- --node
//! ```
//!
//! With `--node` also on Node.js 20 or newer: with nothing but Node.js, with what people write with
//! Express, and with the library that receives GitHub's webhooks, `@octokit/webhooks`. The program
//! copies the files in `node/` to `target`, and says once which `npm ci` installs what they need.
//!
//! The client has another core. For each size of body all servers take turns, several times, so
//! that a change in the speed of the machine affects all of them. Compare ratios of one run only.
//! Needs two cores and `taskset`.
//!
//! The columns `of bare` and `of ours` compare with the bare framework and with this crate on
//! actix-web: the first two by requests a second, the last by the processor time of a request, in
//! user mode and in the kernel. Linux counts it in steps of 10 ms. It leaves out the time in which
//! the core runs something else, but not what that does to the caches. `p99` is the time within
//! which 99 % of the answers come at the rate that the heading has.
//!
//! The line above each table says what cannot be avoided: how long the client's core takes to hash
//! the body, to check its signature, to find where its JSON ends with `serde_json`, and to make an
//! event of it.
#![allow(clippy::print_stdout)]

mod client;
mod limits;
mod measure;
mod node;
mod receivers;
mod report;
mod servers;

use std::{error::Error, time::Duration};

use clap::{Arg, ArgAction, ArgMatches, value_parser};
use uploadcare_hooks::testing::Sample;

use crate::{
    measure::Plan,
    receivers::{Framework, Kind},
    servers::{CLIENT_CORE, Receiver, pinned},
};

/// The sizes of the bodies.
const KILOBYTES: [usize; 2] = [1, 6];

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = command().get_matches();
    if let Some(mut serve) = arguments.get_many::<String>("serve") {
        let (framework, kind) = (serve.next().ok_or("no framework")?, serve.next().ok_or("no kind")?);
        return receivers::serve(Framework::named(framework)?, Kind::named(kind)?);
    }
    if arguments.get_flag("measure") {
        return measure_all(&arguments);
    }
    if arguments.get_flag("node") {
        println!("Node.js {}", node::prepare()?);
    }
    // The whole measurement on the client's core: the servers leave it when they start.
    let mut measurement = pinned(CLIENT_CORE, std::env::current_exe()?);
    let status = measurement.args(std::env::args().skip(1)).arg("--measure").status()?;
    if status.success() { Ok(()) } else { Err("the measurement failed".into()) }
}

fn command() -> clap::Command {
    let number = |name: &'static str, default: &'static str| {
        Arg::new(name).long(name).default_value(default).value_parser(value_parser!(u32).range(1..))
    };
    clap::Command::new("load")
        .about("Measures requests a second on one core, beside the bare framework and a handler written by hand")
        .arg(number("warm-up", "10000").help("How many requests each server gets before it is measured"))
        .arg(number("rounds", "5").help("How often each server is measured"))
        .arg(number("milliseconds", "1000").help("How long each measurement takes"))
        .arg(number("connections", "32").help("How many connections the client keeps busy"))
        .arg(Arg::new("node").long("node").action(ArgAction::SetTrue).help("Also measures receivers on Node.js"))
        .arg(Arg::new("serve").long("serve").num_args(2).hide(true))
        .arg(Arg::new("measure").long("measure").action(ArgAction::SetTrue).hide(true))
}

fn measure_all(arguments: &ArgMatches) -> Result<(), Box<dyn Error>> {
    let given = |name| arguments.get_one::<u32>(name).copied().unwrap_or(1);
    let time = Duration::from_millis(given("milliseconds").into());
    let plan = Plan { warm_up: given("warm-up"), rounds: given("rounds"), time, connections: given("connections") };
    let receivers = Receiver::all(arguments.get_flag("node"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    for kilobytes in KILOBYTES {
        let sample = Sample::of("file.uploaded");
        let body = if kilobytes == 1 { sample.body() } else { sample.grow_to(kilobytes * 1000).body() };
        let (rate, rows) = measure::measure(&receivers, &body, plan, &runtime)?;
        println!("{} bytes, one core, {} rounds of {time:?}, p99 at {rate:.0} requests/s", body.len(), plan.rounds);
        println!("{}", limits::line(&body, time)?);
        for line in report::lines(&rows) {
            println!("{line}");
        }
    }
    Ok(())
}
