//! Checks of the options' values.

use proc_macro2::Span;
use syn::{LitStr, ext::IdentExt};

use super::Mistakes;
use crate::{
    attr::{Events, Options},
    events::{
        self, EVENT_OF_OLD_VERSIONS, EVENTS, KnownEvent, MARKER_OF_SEVERAL, MARKER_OF_UNLISTED, NEWEST_VERSION,
        OLD_VERSIONS,
    },
    model::Function,
    suggest::{is_slip, suggestion},
};

/// The listed events; `None` in place of an unknown one.
pub(super) struct CheckedEvents {
    pub(super) names: Vec<Option<String>>,
    /// Whether there is one event, written as `event`: then its payload can be a parameter.
    single: bool,
    /// Whether it is an event that this version does not know.
    unlisted: bool,
}

impl CheckedEvents {
    /// The one event, if it is known.
    fn single(&self) -> Option<&'static KnownEvent> {
        let name = self.names.first().filter(|_| self.single)?;
        events::find(name.as_ref()?)
    }
}

/// The parameter to show as an example.
pub(super) fn expected_payload(events: Option<&CheckedEvents>) -> &'static str {
    match events {
        Some(events) if events.unlisted => "UnknownEvent",
        Some(events) if events.single => events.single().map_or("FileUploaded", |event| event.payload),
        _ => "Event",
    }
}

/// Returns `None` for `any`.
pub(super) fn check_events(options: &Options, mistakes: &mut Mistakes) -> Option<CheckedEvents> {
    let mut written: Vec<(&str, Span)> = Vec::new();
    written.extend(options.event.as_ref().map(|event| ("event", event.span())));
    written.extend(options.events.as_ref().map(|events| ("events", events.span)));
    written.extend(options.any.map(|span| ("any", span)));
    match written.as_slice() {
        // The message about `unlisted` below is enough.
        [] if options.unlisted.is_some() => {}
        [] => mistakes.at(
            Span::call_site(),
            "a webhook handler must say which events it takes: `event = \"file.uploaded\"` for one event, \
             `events = [\"..\", \"..\"]` for several events, or `any` for every event",
        ),
        [_] => {}
        [(first, _), more @ ..] => {
            for (option, span) in more {
                let message = format!("options `{first}` and `{option}` exclude each other: keep one of them");
                mistakes.at(*span, message);
            }
        }
    }
    if let (Some(span), None) = (options.unlisted, &options.event) {
        mistakes.at(
            span,
            "option `unlisted` goes with one event: `event = \"moderation.state_changed\", unlisted`\n\n\
             note: handlers with `any` take unlisted events without it; write a handler for each unlisted event",
        );
    }
    if let Some(event) = &options.event {
        let name = match options.unlisted {
            Some(unlisted) => check_unlisted(event, unlisted, mistakes),
            None => check_event(event, true, mistakes),
        };
        return Some(CheckedEvents { names: vec![name], single: true, unlisted: options.unlisted.is_some() });
    }
    let Events { span, names } = options.events.as_ref()?;
    if names.is_empty() {
        mistakes.at(*span, "option `events` lists no event: list at least one, or take every event with `any`");
    }
    let mut seen: Vec<String> = Vec::new();
    for name in names {
        if seen.contains(&name.value()) {
            mistakes.on(name, format!("event `{}` is listed twice", name.value()));
        }
        seen.push(name.value());
    }
    // With `unlisted` the list is wrong as a whole, which was reported already.
    let check = |name: &LitStr| options.unlisted.is_none().then(|| check_event(name, false, mistakes)).flatten();
    let names = names.iter().map(check).collect();
    Some(CheckedEvents { names, single: false, unlisted: false })
}

/// `is_single` says whether it is written as `event`, instead of in a list.
fn check_event(event: &LitStr, is_single: bool, mistakes: &mut Mistakes) -> Option<String> {
    let name = event.value();
    if events::find(&name).is_some() {
        return Some(name);
    }
    if let Some(message) = several_in_one(&name) {
        mistakes.on(event, message);
        return None;
    }
    let names: Vec<&str> = EVENTS.iter().map(|event| event.name).collect();
    let listed = names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let meant = suggestion(&name, &names);
    let example = format!("`event = \"{name}\", unlisted`");
    let (meant, note) = match is_single {
        _ if !meant.is_empty() => {
            (meant, "; to take an event that this version does not know yet, add `unlisted`".to_owned())
        }
        true => {
            (": add `unlisted` if Uploadcare sends it".to_owned(), format!("; another event is written as {example}"))
        }
        false => (format!(": write a handler of its own, with {example}, if Uploadcare sends it"), String::new()),
    };
    mistakes.on(event, format!("unknown event `{name}`{meant}\n\nnote: known events are {listed}{note}"));
    None
}

/// What to write instead of a name that stands for several events.
fn several_in_one(name: &str) -> Option<String> {
    if name.contains('*') || ["all", "any"].contains(&name.to_lowercase().as_str()) {
        return Some(format!(
            "unknown event `{name}`: write `#[webhook_handler(any)]` for every event, or list several events with \
             `events = [\"..\", \"..\"]`"
        ));
    }
    let separators = [',', ';', '|'];
    let names = name.split(separators).map(str::trim).filter(|name| !name.is_empty()).collect::<Vec<_>>();
    (names.len() > 1).then(|| format!("unknown event `{name}`: write `events = {names:?}` for several events"))
}

/// Checks an event that the attribute says is not known.
fn check_unlisted(event: &LitStr, unlisted: Span, mistakes: &mut Mistakes) -> Option<String> {
    let name = event.value();
    if let Some(known) = events::find(&name) {
        let message =
            format!("event `{name}` is known: leave out `unlisted`, and take its payload `{}`", known.payload);
        mistakes.at(unlisted, message);
        return None;
    }
    if let Some(message) = several_in_one(&name) {
        mistakes.on(event, message);
        return None;
    }
    if let Some(known) = EVENTS.iter().find(|known| is_slip(&name, known.name)) {
        let message = format!(
            "unknown event `{name}`: did you mean `{}`?\n\n\
             note: leave out `unlisted` then, and take its payload `{}`",
            known.name, known.payload
        );
        mistakes.on(event, message);
        return None;
    }
    if name.is_empty() || name.chars().any(|c| c.is_whitespace() || c.is_control()) {
        mistakes.on(
            event,
            "an event's name must not be empty, and must not contain white space or control characters: write it as \
             Uploadcare's documentation does, such as `moderation.state_changed`",
        );
        return None;
    }
    Some(name)
}

/// Returns the marker of the events, in the version that the attribute names.
pub(super) fn check_version(
    options: &Options,
    events: Option<&CheckedEvents>,
    mistakes: &mut Mistakes,
) -> &'static str {
    let event = events.and_then(CheckedEvents::single);
    let marker = match events {
        Some(events) if events.unlisted => MARKER_OF_UNLISTED,
        _ => event.map_or(MARKER_OF_SEVERAL, |event| event.marker),
    };
    let Some(version) = &options.version else { return marker };
    let value = version.value();
    if value == NEWEST_VERSION {
        return marker;
    }
    let Some((_, old_marker)) = OLD_VERSIONS.iter().find(|(known, _)| *known == value) else {
        mistakes.on(version, unknown_version(&value));
        return marker;
    };
    match event {
        Some(event) if event.name == EVENT_OF_OLD_VERSIONS => return old_marker,
        // The event is unknown, which was reported already.
        None if options.event.is_some() && options.unlisted.is_none() => {}
        _ => {
            let message = format!(
                "version `{value}` sends `{EVENT_OF_OLD_VERSIONS}` only\n\n\
                 note: write `event = \"{EVENT_OF_OLD_VERSIONS}\"`, or leave `version` out"
            );
            mistakes.on(version, message);
        }
    }
    marker
}

fn unknown_version(value: &str) -> String {
    let old = OLD_VERSIONS.iter().map(|(version, _)| *version);
    let listed: Vec<_> = [NEWEST_VERSION].into_iter().chain(old).map(|version| format!("`\"{version}\"`")).collect();
    format!(
        "unknown version `{value}`\n\n\
         note: known versions are {}; without `version` a handler takes all of them, in the form of {NEWEST_VERSION}",
        listed.join(", ")
    )
}

pub(super) fn check_path(path: &LitStr, mistakes: &mut Mistakes) {
    let value = path.value();
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-._~".contains(c);
    let problem = match value.strip_prefix('/') {
        None => "it must start with `/`",
        Some("") => return,
        Some(rest) if rest.ends_with('/') => {
            "it must not end with `/`; requests are found with and without a final `/`"
        }
        Some(rest) if rest.split('/').any(|segment| matches!(segment, "" | "." | "..")) => {
            "it must not have empty, `.` or `..` segments"
        }
        Some(rest) if !rest.chars().all(|c| allowed(c) || c == '/') => {
            "it may contain ASCII letters, digits, `-`, `.`, `_`, `~` and `/`, and no parameters"
        }
        Some(_) => return,
    };
    let message = format!(
        "path `{value}` cannot be used: {problem}\n\n\
         note: a path is relative to the router's mount, as in `path = \"/scans\"`"
    );
    mistakes.on(path, message);
}

pub(super) fn check_variable(variable: &LitStr, mistakes: &mut Mistakes) {
    let value = variable.value();
    let word = value.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !word || value.is_empty() || value.starts_with(|c: char| c.is_ascii_digit()) {
        mistakes.on(
            variable,
            "option `secret_env` takes the name of an environment variable, never a secret itself: \
             `secret_env = \"SCAN_SIGNING_SECRET\"`",
        );
    }
}

pub(super) fn check_name(options: &Options, function: &Function, mistakes: &mut Mistakes) -> String {
    let Some(name) = &options.name else { return function.sig.ident.unraw().to_string() };
    let value = name.value();
    if value.is_empty() || value.chars().any(|c| c.is_whitespace() || c.is_control()) {
        mistakes.on(name, "a handler's name must not be empty, and must not contain white space or control characters");
    } else if value.contains('#') {
        mistakes.on(
            name,
            "a handler's name must not contain `#`: in the keys of a queue's jobs, `#` and a number follow the name",
        );
    }
    value
}
