//! `serve`: runs the simulator until the process is stopped.

use std::{error::Error, net::SocketAddr, process::ExitCode, time::Duration};

use clap::{Arg, ArgAction, ArgMatches, builder::NonEmptyStringValueParser, value_parser};
use uploadcare_hooks::EventKind;
use uploadcare_sim::{Simulator, SimulatorBuilder};

pub(super) fn args() -> [Arg; 5] {
    let option = |name: &'static str, value: &'static str, default: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(value).default_value(default).help(help)
    };
    [
        option("listen", "ADDR", "127.0.0.1:8500", "The address to listen on").value_parser(value_parser!(SocketAddr)),
        option("public-key", "K", "demopublickey", "The project's public key"),
        option("secret-key", "S", "demosecretkey", "The project's secret key"),
        option(
            "redelivery-delays",
            "MS",
            "1000,5000,30000,120000,600000,3600000",
            "The delays before redeliveries, in milliseconds",
        )
        .value_delimiter(',')
        .value_parser(value_parser!(u64)),
        Arg::new("event")
            .long("event")
            .value_name("NAME")
            .action(ArgAction::Append)
            .value_parser(NonEmptyStringValueParser::new())
            .help("An event that can be subscribed to beside the documented ones; may be given several times"),
    ]
}

pub(super) fn run(arguments: &ArgMatches) -> ExitCode {
    match serve(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("uploadcare-sim: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(arguments: &ArgMatches) -> Result<(), Box<dyn Error>> {
    let text = |name: &str| arguments.get_one::<String>(name).cloned().unwrap_or_default();
    let (public_key, secret_key) = (text("public-key"), text("secret-key"));
    let listen = arguments.get_one::<SocketAddr>("listen").copied().ok_or("`--listen` is missing")?;
    let delays = arguments.get_many::<u64>("redelivery-delays").unwrap_or_default();
    let delays = delays.map(|delay| Duration::from_millis(*delay));
    let builder = Simulator::builder(&public_key, &secret_key).redelivery_delays(delays);
    let events = arguments.get_many::<String>("event").unwrap_or_default();
    for known in events.clone().filter(|event| EventKind::KNOWN.contains(&event.as_str())) {
        eprintln!("uploadcare-sim: Uploadcare documents `{known}`, so `--event {known}` changes nothing");
    }
    let simulator = events.fold(builder, SimulatorBuilder::event).start(listen)?;
    let base_url = simulator.base_url();
    println!(
        "The simulator of Uploadcare listens on {base_url}; stop it with Ctrl-C. An application that makes its client
with `Client::from_env` needs these variables

export UPLOADCARE_PUBLIC_KEY={public_key}
export UPLOADCARE_SECRET_KEY={secret_key}
export UPLOADCARE_API_BASE={base_url}

To create a subscription, trigger an event, and list the attempts to deliver it:

curl {base_url}/webhooks/ -H 'Accept: application/vnd.uploadcare-v0.7+json' \\
  -H 'Authorization: Uploadcare.Simple {public_key}:{secret_key}' \\
  -d target_url=http://127.0.0.1:8080/hooks -d event=file.uploaded -d signing_secret=quickstart

curl {base_url}/_sim/events -d '{{\"event\": \"file.uploaded\", \"data\": {{\"original_filename\": \"cat.jpg\"}}}}'
curl {base_url}/_sim/deliveries"
    );
    simulator.wait()?;
    Ok(())
}
