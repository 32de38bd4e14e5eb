//! `trigger`: triggers an event of a running simulator.

use std::{ffi::OsString, process::ExitCode};

use clap::{Arg, ArgAction, ArgMatches, Command, builder::NonEmptyStringValueParser, value_parser};
use serde_json::{Value, json};
use uploadcare_hooks::EventKind;

use super::{
    near::near,
    program::program,
    remote::{self, Problem, Remote},
    send::body::{self, Field},
    wait,
};

pub(super) fn command() -> Command {
    let option = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(value).help(help)
    };
    let flag = |name: &'static str, help: &'static str| Arg::new(name).long(name).action(ArgAction::SetTrue).help(help);
    let number = || value_parser!(u64).range(1..=1000);
    Command::new("trigger")
        .about("Triggers an event of a running simulator")
        .after_help(format!(
            "Prints the ids of the deliveries, one per line; with --wait, what became of each.\n\n{}, 4 no active \
             subscription gets the event, so nothing is delivered.\n\n\
             Example:\n  {} trigger file.uploaded --data original_filename=cat.jpg --wait=10",
            remote::EXIT_CODES,
            program()
        ))
        .arg(
            Arg::new("event")
                .value_name("EVENT")
                .value_parser(NonEmptyStringValueParser::new())
                .required_unless_present("file")
                .help("The event, such as file.uploaded; names that Uploadcare does not know are allowed"),
        )
        .arg(
            option(
                "data",
                "K=V",
                "A field of `data`: original_filename=cat.jpg, metadata.pet=cat, or size=10. The value is JSON if it \
                 can be read as JSON, and text otherwise; may be given several times",
            )
            .action(ArgAction::Append)
            .value_parser(|text: &str| text.parse::<Field>()),
        )
        .arg(
            option("file", "PATH", "Send this file as the payload; - reads standard input. It must be JSON")
                .value_parser(value_parser!(OsString))
                .conflicts_with_all(["data", "version", "infected", "clean", "label"]),
        )
        .arg(
            option("version", "V", "The version of the payload. Defaults to that of each subscription")
                .value_parser(["0.7", "0.6", "0.5", ""]),
        )
        .arg(flag("infected", "Add the result of a virus scan that found something").conflicts_with("clean"))
        .arg(flag("clean", "Add the result of a virus scan that found nothing"))
        .arg(
            option("label", "L", "Add a label of what is to be seen in the image; may be given several times")
                .action(ArgAction::Append),
        )
        .arg(option("copies", "N", "Deliver the event so many times to each subscription").value_parser(number()))
        .arg(option("burst", "N", "Trigger so many events, each for another file").value_parser(number()))
        .arg(
            option(
                "to-subscription",
                "ID",
                "Deliver to this subscription, whatever its event is and even if it is paused; may be given several \
                 times. Defaults to the active subscriptions of the event",
            )
            .action(ArgAction::Append)
            .value_parser(value_parser!(u64)),
        )
        .arg(wait::arg())
        .args(remote::args())
}

pub(super) fn run(arguments: &ArgMatches) -> ExitCode {
    remote::run(arguments, trigger)
}

async fn trigger(remote: Remote, arguments: &ArgMatches) -> Result<(), Problem> {
    let order = order(arguments)?;
    if wait::order(&remote, arguments, "/events", &order).await? > 0 {
        return Ok(());
    }
    let event = order.get("event").and_then(Value::as_str).unwrap_or_default();
    let subscriptions = remote.get("/subscriptions").await?;
    let subscriptions = subscriptions.as_array().map_or(&[][..], Vec::as_slice);
    Err(Problem::NoReceiver(no_receiver(event, subscriptions, remote.shown_url())))
}

/// Says that no active subscription gets the event, and what to do.
fn no_receiver(event: &str, subscriptions: &[Value], base_url: &str) -> String {
    let text = |subscription: &Value| subscription.get("event").and_then(Value::as_str).map(str::to_owned);
    let subscribed: Vec<_> = subscriptions.iter().filter_map(text).collect();
    let known = EventKind::KNOWN.iter().copied().chain(subscribed.iter().map(String::as_str));
    let advice = match subscriptions.iter().find(|known| text(known).as_deref() == Some(event)) {
        Some(paused) => {
            let id = paused.get("id").and_then(Value::as_u64).unwrap_or_default();
            format!(
                "subscription {id} is paused: activate it at {base_url}/subscriptions, or deliver to it all the \
                     same with `--to-subscription {id}`"
            )
        }
        None => {
            let near = near(event, known).map(|near| format!("did you mean `{near}`? Otherwise "));
            format!(
                "{}subscribe to it at {base_url}/subscriptions or as an application does, or deliver to another \
                     subscription with `--to-subscription ID`",
                near.unwrap_or_default()
            )
        }
    };
    format!("no active subscription gets `{event}`, so nothing is delivered; {advice}")
}

fn order(arguments: &ArgMatches) -> Result<Value, Problem> {
    let fields = arguments.get_many::<Field>("data").unwrap_or_default();
    let mut order = json!({"data": body::object(fields).map_err(Problem::WrongUse)?});
    let mut set = |name: &str, value: Option<Value>| {
        if let (Some(object), Some(value)) = (order.as_object_mut(), value) {
            object.insert(name.to_owned(), value);
        }
    };
    let text = |name: &str| arguments.get_one::<String>(name).map(|text| Value::from(text.as_str()));
    let number = |name: &str| arguments.get_one::<u64>(name).copied().map(Value::from);
    let payload = remote::file(arguments)?;
    let event = text("event").or_else(|| event_of(payload.as_deref()?));
    let event =
        event.ok_or_else(|| Problem::WrongUse("the file names no event in `hook.event`; give EVENT".to_owned()))?;
    set("event", Some(event));
    set("payload", payload.map(Value::from));
    set("version", text("version"));
    for (flag, infected) in [("infected", true), ("clean", false)] {
        set("infected", arguments.get_flag(flag).then_some(infected.into()));
    }
    set("copies", number("copies"));
    set("burst", number("burst"));
    set("labels", arguments.get_many::<String>("label").map(|labels| labels.cloned().collect()));
    set("subscriptions", arguments.get_many::<u64>("to-subscription").map(|ids| ids.copied().collect()));
    Ok(order)
}

fn event_of(payload: &str) -> Option<Value> {
    let payload: Value = serde_json::from_str(payload).ok()?;
    payload.pointer("/hook/event").filter(|event| event.is_string()).cloned()
}
