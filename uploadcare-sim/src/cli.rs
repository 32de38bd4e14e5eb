//! The commands: one file for each. Without a command the simulator is served.

mod near;
mod program;
mod remote;
mod replay;
mod send;
mod serve;
mod signals;
mod tail;
mod trigger;
mod wait;

use std::{env, process::ExitCode};

use clap::{Command, error::ErrorKind};

/// Parses the arguments and runs the command. Ends the process with the code 2 if it is used
/// wrongly.
pub(crate) fn run() -> ExitCode {
    let arguments: Vec<_> = env::args_os().collect();
    if let Err(problem) = wait::check_separator(&arguments) {
        command().error(ErrorKind::ValueValidation, problem).exit();
    }
    let arguments = command().get_matches_from(arguments);
    match arguments.subcommand() {
        Some(("send", arguments)) => send::run(arguments),
        Some(("trigger", arguments)) => trigger::run(arguments),
        Some(("replay", arguments)) => replay::run(arguments),
        Some(("tail", arguments)) => tail::run(arguments),
        Some((_, arguments)) => serve::run(arguments),
        None => serve::run(&arguments),
    }
}

fn command() -> Command {
    Command::new("uploadcare-sim")
        .about("Simulates Uploadcare on this machine: its webhook REST API, signed deliveries and redelivery")
        .version(env!("CARGO_PKG_VERSION"))
        .after_help(serve::END)
        .args(serve::args())
        .args_conflicts_with_subcommands(true)
        .subcommand(
            Command::new("serve")
                .about("Serves the simulator, as without a command")
                .after_help(serve::END)
                .args(serve::args()),
        )
        .subcommand(send::command())
        .subcommand(trigger::command())
        .subcommand(replay::command())
        .subcommand(tail::command())
}

#[cfg(test)]
mod tests {
    #[test]
    fn an_event_without_a_name_is_refused() {
        let parse = |event| super::command().try_get_matches_from(["uploadcare-sim", "--event", event]);
        assert!(parse("").is_err());
        assert!(parse("moderation.state_changed").is_ok());
    }

    #[test]
    fn the_commands_are_consistent_and_the_options_of_serve_need_no_command() {
        super::command().debug_assert();
        let options = [
            ["--listen", "127.0.0.1:0"],
            ["--public-key", "k"],
            ["--secret-key", "s"],
            ["--redelivery-delays", "1,2"],
            ["--event", "file.moved"],
            ["--signing-secret", "s"],
            ["--token", "t"],
            ["--data-dir", "data"],
            ["--keep", "5"],
        ];
        let options = options.concat();
        for command in [&["uploadcare-sim"] as &[_], &["uploadcare-sim", "serve"]] {
            assert!(super::command().try_get_matches_from([command, &options].concat()).is_ok(), "{command:?}");
        }
    }
}
