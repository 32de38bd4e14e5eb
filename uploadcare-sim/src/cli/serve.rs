//! `serve`: runs the simulator until the process is told to stop.

use std::{error::Error, io, net::SocketAddr, path::PathBuf, pin::pin, process::ExitCode, time::Duration};

use actix_web::rt::System;
use clap::{Arg, ArgAction, ArgMatches, builder::NonEmptyStringValueParser, parser::ValueSource, value_parser};
use futures_util::future::{Either, select};
use uploadcare_hooks::EventKind;
use uploadcare_sim::{DeliveryState, Simulator, SimulatorBuilder};
use uuid::Uuid;

use super::{
    program::{program, quoted},
    remote::{Printer, TOKEN_VARIABLE, note, token_variable},
    signals,
};

/// What ends the simulator, for the help.
pub(super) const END: &str = "Ctrl-C and SIGTERM end the simulator in order, with the exit code 0. It says how many \
    deliveries were waiting; with --data-dir, they are sent after the next start. Exit code 1: it cannot start.";

pub(super) fn args() -> [Arg; 9] {
    let option = |name: &'static str, value: &'static str, default: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(value).default_value(default).help(help)
    };
    [
        option("listen", "ADDR", "127.0.0.1:8500", "The address to listen on").value_parser(|text: &str| address(text)),
        option("public-key", "K", "demopublickey", "The project's public key"),
        option(
            "secret-key",
            "S",
            "demosecretkey",
            "The project's secret key. On an address that other machines can reach, the simulator makes one if none is \
             given, since everybody knows the default one",
        ),
        option(
            "redelivery-delays",
            "MS",
            "1000,5000,30000,120000,600000,3600000",
            "The delays before redeliveries, in milliseconds",
        )
        .value_delimiter(',')
        .value_parser(|text: &str| milliseconds(text)),
        Arg::new("event")
            .long("event")
            .value_name("NAME")
            .action(ArgAction::Append)
            .value_parser(NonEmptyStringValueParser::new())
            .help("An event that can be subscribed to beside the documented ones; may be given several times"),
        option(
            "signing-secret",
            "S",
            "demosigningsecret",
            "The signing secret of the subscriptions that are made on the page",
        ),
        Arg::new("token").long("token").value_name("T").help(format!(
            "Want this token from all who use the page and /_sim. Defaults to the environment variable \
             {TOKEN_VARIABLE}, which other users of this machine do not see in its list of processes. On an address \
             that other machines can reach, the simulator makes a token if there is none"
        )),
        Arg::new("data-dir")
            .long("data-dir")
            .value_name("DIR")
            .value_parser(value_parser!(PathBuf))
            .help("Keep subscriptions and deliveries in this folder, so that a restart loses nothing"),
        option("keep", "N", "500", "How many deliveries to keep with all that was sent and answered")
            .value_parser(value_parser!(u32)),
    ]
}

pub(super) fn run(arguments: &ArgMatches) -> ExitCode {
    match System::new().block_on(serve(arguments)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            note(&error.to_string());
            ExitCode::FAILURE
        }
    }
}

async fn serve(arguments: &ArgMatches) -> Result<(), Box<dyn Error>> {
    let text = |name: &str| arguments.get_one::<String>(name).cloned().unwrap_or_default();
    let (public_key, mut secret_key, signing_secret) = (text("public-key"), text("secret-key"), text("signing-secret"));
    let listen = arguments.get_one::<SocketAddr>("listen").copied().ok_or("`--listen` is missing")?;
    let is_local = listen.ip().to_canonical().is_loopback();
    if !is_local && arguments.value_source("secret-key") == Some(ValueSource::DefaultValue) {
        secret_key = Uuid::new_v4().simple().to_string();
    }
    let delays = arguments.get_many::<u64>("redelivery-delays").unwrap_or_default();
    let delays = delays.map(|delay| Duration::from_millis(*delay));
    let builder = Simulator::builder(&public_key, &secret_key).redelivery_delays(delays);
    let events = arguments.get_many::<String>("event").unwrap_or_default();
    for known in events.clone().filter(|event| EventKind::KNOWN.contains(&event.as_str())) {
        note(&format!("Uploadcare documents `{known}`, so `--event {known}` changes nothing"));
    }
    let mut builder = events.fold(builder, SimulatorBuilder::event).signing_secret(&signing_secret);
    let given = arguments.get_one::<String>("token").cloned().or_else(token_variable);
    let is_given = given.is_some();
    let made = || (!is_local).then(|| Uuid::new_v4().simple().to_string());
    let token = given.or_else(made);
    if let Some(token) = &token {
        builder = builder.token(token);
    }
    if let Some(folder) = arguments.get_one::<PathBuf>("data-dir") {
        builder = builder.data_dir(folder);
    }
    if let Some(keep) = arguments.get_one::<u32>("keep") {
        builder = builder.kept_deliveries(usize::try_from(*keep)?);
    }
    let stop = signals::stop()?;
    let mut simulator = builder.start(listen).map_err(|error| explained(&error, listen))?;
    let base_url = reachable(&simulator.base_url());
    let (link, about_token, header) = match token.filter(|_| !is_given) {
        // A token that was given is known, and may be in a file of its own.
        Some(token) => (
            format!("{base_url}/?token={token}"),
            format!("The page and /_sim want this token\n\nexport {TOKEN_VARIABLE}={token}\n\n"),
            format!(" -H \"Authorization: Bearer ${TOKEN_VARIABLE}\""),
        ),
        None if is_given => (
            format!("{base_url}/"),
            format!(
                "The page and /_sim want the token that was given with `--token` or {TOKEN_VARIABLE}. The commands \
                     below take it from {TOKEN_VARIABLE}.\n\n"
            ),
            format!(" -H \"Authorization: Bearer ${TOKEN_VARIABLE}\""),
        ),
        None => (format!("{base_url}/"), String::new(), String::new()),
    };
    let lines = lines_to_paste([&public_key, &secret_key, &signing_secret], &base_url, &header);
    let mut printer = Printer::default();
    printer.print(&format!(
        "{link} is the page of this simulator of Uploadcare; stop it with Ctrl-C.\n\n{about_token}{lines}"
    ));
    let failed = matches!(select(pin!(stop), pin!(simulator.ended())).await, Either::Right(_));
    if failed {
        return Ok(simulator.wait()?);
    }
    let waiting = simulator.deliveries().iter().filter(|known| known.state == DeliveryState::Waiting).count();
    simulator.stop().await;
    // The reader of the output may be gone, as Ctrl-C reaches it as well.
    printer.print(&goodbye(waiting, arguments.get_one::<PathBuf>("data-dir")));
    Ok(())
}

/// What an application needs, and the commands for the first delivery. A shell reads them as they
/// are meant, whatever the options are.
fn lines_to_paste(keys_and_secret: [&str; 3], base_url: &str, header: &str) -> String {
    let [public_key, secret_key, _] = keys_and_secret;
    let keys = quoted(&format!("Authorization: Uploadcare.Simple {public_key}:{secret_key}"));
    let [public_key, secret_key, signing_secret] = keys_and_secret.map(quoted);
    let [api, webhooks, deliveries] =
        ["", "/webhooks/", "/_sim/deliveries"].map(|path| quoted(&format!("{base_url}{path}")));
    let program = program();
    format!(
        "An application that makes its client with `Client::from_env` needs these variables

export UPLOADCARE_PUBLIC_KEY={public_key}
export UPLOADCARE_SECRET_KEY={secret_key}
export UPLOADCARE_API_BASE={api}
export UC_SIGNING_SECRET={signing_secret}

To create a subscription, trigger an event, and list the attempts to deliver it:

curl {webhooks} -H 'Accept: application/vnd.uploadcare-v0.7+json' \\
  -H {keys} \\
  -d target_url=http://127.0.0.1:8080/hooks -d event=file.uploaded --data-urlencode signing_secret={signing_secret}

{program} trigger file.uploaded --server {api} --data original_filename=cat.jpg
curl{header} {deliveries}

{base_url}/_sim/openapi.json describes all that a program can do here."
    )
}

fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| "write an IP address and a port, as in 127.0.0.1:8500".to_owned())
}

fn milliseconds(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| "write numbers of milliseconds, as in 1000,5000".to_owned())
}

fn goodbye(waiting: usize, folder: Option<&PathBuf>) -> String {
    match (waiting, folder) {
        (0, _) => "\nThe simulator stopped.".to_owned(),
        (_, Some(folder)) => format!(
            "\nThe simulator stopped. Deliveries that are sent after the next start with `--data-dir {}`: {waiting}",
            folder.display()
        ),
        (_, None) => {
            format!("\nThe simulator stopped. Waiting deliveries that are lost without `--data-dir`: {waiting}")
        }
    }
}

/// Says what to do if the simulator cannot start.
fn explained(error: &io::Error, listen: SocketAddr) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => format!(
            "{error}; a simulator may be running there already: look at {}/, or choose another address with \
             `--listen`, such as `--listen 127.0.0.1:0` for any free port",
            reachable(&format!("http://{listen}"))
        ),
        io::ErrorKind::AddrNotAvailable => format!("{error}; choose an address of this machine with `--listen`"),
        _ => error.to_string(),
    }
}

/// The URL with an address that a browser on this machine can open.
fn reachable(base_url: &str) -> String {
    base_url.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:")
}
