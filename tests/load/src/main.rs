//! Measures how many deliveries a second a server takes on one processor core, on actix-web and on
//! axum: with this crate, with nothing but the framework, and with the handler that people write by
//! hand.
//!
//! ```sh
//! cargo run --release -p load
//! ```
//!
//! The client has another core. All servers of a size take turns, several times, so that a change
//! in the speed of the machine affects all of them. Compare ratios of one run only. Needs two cores
//! and `taskset`.
#![allow(clippy::print_stdout)]

mod client;
mod receivers;

use std::{
    error::Error,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    time::Duration,
};

use bytes::Bytes;
use clap::{Arg, ArgMatches, value_parser};
use uploadcare_hooks::testing::Sample;

use crate::{
    client::Target,
    receivers::{Framework, Kind, secret},
};

/// The cores of the servers and of the client.
const SERVER_CORE: &str = "0";
const CLIENT_CORE: &str = "1";

/// The sizes of the bodies.
const KILOBYTES: [usize; 2] = [1, 6];

fn main() -> Result<(), Box<dyn Error>> {
    let number = |name: &'static str, default: &'static str| {
        Arg::new(name).long(name).default_value(default).value_parser(value_parser!(u32).range(1..))
    };
    let arguments = clap::Command::new("load")
        .about("Measures requests a second on one core, beside the bare framework and a handler written by hand")
        .arg(number("rounds", "5").help("How often each server is measured"))
        .arg(number("milliseconds", "1000").help("How long each measurement takes"))
        .arg(number("connections", "32").help("How many connections the client keeps busy"))
        .arg(Arg::new("serve").long("serve").num_args(2).hide(true))
        .arg(Arg::new("measure").long("measure").action(clap::ArgAction::SetTrue).hide(true))
        .get_matches();
    if let Some(mut serve) = arguments.get_many::<String>("serve") {
        let (framework, kind) = (serve.next().ok_or("no framework")?, serve.next().ok_or("no kind")?);
        return receivers::serve(Framework::named(framework)?, Kind::named(kind)?);
    }
    if arguments.get_flag("measure") {
        return measure(&arguments);
    }
    // The whole measurement on the client's core: the servers leave it when they start.
    let status = pinned(CLIENT_CORE)?.args(std::env::args().skip(1)).arg("--measure").status()?;
    if status.success() { Ok(()) } else { Err("the measurement failed".into()) }
}

/// This program on one core.
fn pinned(core: &str) -> Result<Command, Box<dyn Error>> {
    let mut command = Command::new("taskset");
    command.args(["--cpu-list", core]).arg(std::env::current_exe()?);
    Ok(command)
}

/// A server in a process of its own, which is ended when this is dropped.
struct Server {
    process: Child,
    target: Target,
}

impl Server {
    fn start(framework: Framework, kind: Kind, body: &Bytes) -> Result<Self, Box<dyn Error>> {
        let mut command = pinned(SERVER_CORE)?;
        command.args(["--serve", framework.name(), kind.name()]).stdout(Stdio::piped());
        let mut process = command.spawn()?;
        let mut address = String::new();
        BufReader::new(process.stdout.take().ok_or("no output")?).read_line(&mut address)?;
        Ok(Self { process, target: Target::new(address.trim().parse()?, body, &secret()?.sign(body)) })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn measure(arguments: &ArgMatches) -> Result<(), Box<dyn Error>> {
    let given = |name| arguments.get_one::<u32>(name).copied().unwrap_or(1);
    let (rounds, connections) = (given("rounds"), given("connections"));
    let time = Duration::from_millis(given("milliseconds").into());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    for kilobytes in KILOBYTES {
        let sample = Sample::of("file.uploaded");
        let body = if kilobytes == 1 { sample.body() } else { sample.grow_to(kilobytes * 1000).body() };
        println!("{} bytes, requests a second of one core, median of {rounds} rounds", body.len());
        for framework in Framework::ALL {
            let servers = Kind::ALL.map(|kind| Server::start(framework, kind, &body));
            let servers = servers.into_iter().collect::<Result<Vec<_>, _>>()?;
            let mut rates = vec![Vec::new(); servers.len()];
            for _ in 0..rounds {
                for (server, rates) in servers.iter().zip(&mut rates) {
                    rates.push(runtime.block_on(server.target.rate(connections, time))?);
                }
            }
            let rates: Vec<_> = rates.into_iter().map(median).collect();
            let [bare, ours, by_hand] = rates.as_slice() else { return Err("a server is missing".into()) };
            // Latencies of the two at half of what this crate's server can do.
            let rate = ours / 2.0;
            let slow = |place: usize| -> Result<Duration, Box<dyn Error>> {
                let server = servers.get(place).ok_or("a server is missing")?;
                Ok(runtime.block_on(server.target.slowest_percent(connections, rate, time * 3))?)
            };
            println!(
                "  {:5}  bare {bare:7.0}  ours {ours:7.0} = {:.2} of bare  by hand {by_hand:7.0} = {:.2} of bare;  \
                 ours / by hand = {:.2};  p99 at {rate:.0} a second: ours {:.2?}, bare {:.2?}",
                framework.name(),
                ours / bare,
                by_hand / bare,
                ours / by_hand,
                slow(1)?,
                slow(0)?,
            );
        }
    }
    Ok(())
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates.get(rates.len() / 2).copied().unwrap_or(f64::NAN)
}
