//! All checks of the options and the signature. Every mistake is found before any is reported.

use proc_macro2::Span;
use quote::ToTokens;
use syn::{Error, FnArg, Ident, LitStr, Path, Result, ReturnType, Type, ext::IdentExt};

use crate::{
    attr::{Events, Options},
    model::Function,
};

/// The events that are known, each with its marker and its payload.
const EVENTS: &[(&str, &str, &str)] = &[
    ("file.uploaded", "Uploaded", "FileUploaded"),
    ("file.stored", "Stored", "FileStored"),
    ("file.deleted", "Deleted", "FileDeleted"),
    ("file.infected", "Infected", "FileInfected"),
    ("file.info_updated", "InfoUpdated", "FileInfoUpdated"),
];

/// The versions that are known, each with the marker of its `file.uploaded`.
const VERSIONS: &[(&str, &str)] =
    &[("0.7", "Uploaded"), ("0.6", "UploadedV06"), ("0.5", "UploadedV05"), ("", "UploadedV05")];

/// A handler without mistakes in its options and its signature.
pub(crate) struct Handler {
    pub(crate) krate: Path,
    pub(crate) name: String,
    /// `None`: every event.
    pub(crate) events: Option<Vec<String>>,
    /// The marker type in the runtime crate's `event` module.
    pub(crate) marker: &'static str,
    pub(crate) version: Option<String>,
    pub(crate) path: String,
    pub(crate) secret_env: Option<String>,
    pub(crate) parameters: Vec<Type>,
    pub(crate) output: Option<Type>,
}

/// Collects mistakes.
#[derive(Default)]
struct Mistakes(Option<Error>);

impl Mistakes {
    fn add(&mut self, error: Error) {
        match &mut self.0 {
            Some(first) => first.combine(error),
            None => self.0 = Some(error),
        }
    }

    fn at(&mut self, span: Span, message: impl std::fmt::Display) {
        self.add(Error::new(span, message));
    }

    fn on(&mut self, tokens: impl ToTokens, message: impl std::fmt::Display) {
        self.add(Error::new_spanned(tokens, message));
    }
}

pub(crate) fn check(options: &Options, function: &Function) -> Result<Handler> {
    let mut mistakes = Mistakes::default();
    let events = check_events(options, &mut mistakes);
    let marker = check_version(options, events.as_ref(), &mut mistakes);
    if let Some(path) = &options.path {
        check_path(path, &mut mistakes);
    }
    if let Some(variable) = &options.secret_env {
        check_variable(variable, &mut mistakes);
    }
    let name = check_name(options, function, &mut mistakes);
    let payload = match events.as_ref().map(|events| events.names.as_slice()) {
        Some([event]) => {
            event.as_ref().and_then(|event| known(event)).map_or("FileUploaded", |(_, _, payload)| payload)
        }
        _ => "Event",
    };
    let parameters = check_signature(function, payload, &mut mistakes);
    if let Some(error) = mistakes.0 {
        return Err(error);
    }
    let value = |option: &Option<LitStr>| option.as_ref().map(LitStr::value);
    Ok(Handler {
        krate: options.crate_path(),
        name,
        events: events.map(|events| events.names.into_iter().flatten().collect()),
        marker,
        version: value(&options.version),
        path: value(&options.path).unwrap_or_else(|| "/".to_owned()),
        secret_env: value(&options.secret_env),
        parameters,
        output: match &function.sig.output {
            ReturnType::Default => None,
            ReturnType::Type(_, output) => Some(output.as_ref().clone()),
        },
    })
}

/// The events that were listed; `None` in place of one that is not known.
struct CheckedEvents {
    names: Vec<Option<String>>,
    /// Whether they were written as `event`: then there is one, and its payload can be a parameter.
    single: bool,
}

/// `None` for `any`.
fn check_events(options: &Options, mistakes: &mut Mistakes) -> Option<CheckedEvents> {
    let mut written: Vec<(&str, Span)> = Vec::new();
    written.extend(options.event.as_ref().map(|event| ("event", event.span())));
    written.extend(options.events.as_ref().map(|events| ("events", events.span)));
    written.extend(options.any.map(|span| ("any", span)));
    match written.as_slice() {
        [] => mistakes.at(
            Span::call_site(),
            "a webhook handler needs its event: `#[webhook_handler(event = \"file.uploaded\")]`, or several with `events = [\"..\", \"..\"]`, or every event with `any`",
        ),
        [_] => {}
        [(first, _), more @ ..] => {
            for (option, span) in more {
                mistakes.at(*span, format!("option `{option}` does not go with `{first}`: keep one of the two"));
            }
        }
    }
    if let Some(event) = &options.event {
        return Some(CheckedEvents { names: vec![check_event(event, mistakes)], single: true });
    }
    if let Some(Events { span, names }) = &options.events {
        if names.is_empty() {
            mistakes.at(*span, "option `events` names no event: list at least one, or take every event with `any`");
        }
        let mut seen: Vec<String> = Vec::new();
        for name in names {
            if seen.contains(&name.value()) {
                mistakes.on(name, format!("event `{}` is listed twice", name.value()));
            }
            seen.push(name.value());
        }
        let names = names.iter().map(|name| check_event(name, mistakes)).collect();
        return Some(CheckedEvents { names, single: false });
    }
    None
}

fn check_event(event: &LitStr, mistakes: &mut Mistakes) -> Option<String> {
    let name = event.value();
    if known(&name).is_some() {
        return Some(name);
    }
    let names: Vec<&str> = EVENTS.iter().map(|(name, ..)| *name).collect();
    let listed = names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let message = format!(
        "unknown event `{name}`{}\n\nnote: known events are {listed}; an event that this version does not know reaches handlers with `any`",
        suggestion(&name, &names)
    );
    mistakes.on(event, message);
    None
}

fn known(event: &str) -> Option<(&'static str, &'static str, &'static str)> {
    EVENTS.iter().copied().find(|(name, ..)| *name == event)
}

/// Returns the marker of the events, in the version that was asked for.
fn check_version(options: &Options, events: Option<&CheckedEvents>, mistakes: &mut Mistakes) -> &'static str {
    const ANY: &str = "Any";
    let event = match events {
        Some(CheckedEvents { names, single: true }) => names.first().and_then(|name| known(name.as_ref()?)),
        _ => None,
    };
    let marker = event.map_or(ANY, |(_, marker, _)| marker);
    let Some(version) = &options.version else { return marker };
    let value = version.value();
    match VERSIONS.iter().find(|(known, _)| *known == value) {
        None => {
            let message = format!(
                "unknown version `{value}`\n\nnote: known versions are `0.7`, `0.6`, `0.5` and the empty one; without `version` a handler takes all of them, in the form of 0.7"
            );
            mistakes.on(version, message);
            marker
        }
        Some(("0.7", _)) => marker,
        Some((_, old_marker)) if marker == "Uploaded" => old_marker,
        // An event that is not known was reported already.
        Some(_) if marker == ANY && options.event.is_some() => marker,
        Some(_) => {
            let message = format!(
                "version `{value}` has `file.uploaded` only\n\nnote: write `event = \"file.uploaded\"`, or leave `version` out"
            );
            mistakes.on(version, message);
            marker
        }
    }
}

fn check_path(path: &LitStr, mistakes: &mut Mistakes) {
    let value = path.value();
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-._~".contains(c);
    let problem = match value.strip_prefix('/') {
        None => "it must start with `/`",
        Some("") => return,
        Some(rest) if rest.ends_with('/') => "it must not end with `/`; with or without, requests find it",
        Some(rest) if rest.split('/').any(|segment| matches!(segment, "" | "." | "..")) => {
            "it must not have empty, `.` or `..` segments"
        }
        Some(rest) if !rest.chars().all(|c| allowed(c) || c == '/') => {
            "it may have ASCII letters, digits, `-`, `.`, `_`, `~` and `/`, and no parameters"
        }
        Some(_) => return,
    };
    mistakes.on(path, format!("path `{value}` cannot be used: {problem}\n\nnote: a path is relative to the router's mount, as in `path = \"/scans\"`"));
}

fn check_variable(variable: &LitStr, mistakes: &mut Mistakes) {
    let value = variable.value();
    let word = value.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !word || value.is_empty() || value.starts_with(|c: char| c.is_ascii_digit()) {
        mistakes.on(
            variable,
            "option `secret_env` takes the name of an environment variable, never a secret itself: `secret_env = \"SCAN_SIGNING_SECRET\"`",
        );
    }
}

fn check_name(options: &Options, function: &Function, mistakes: &mut Mistakes) -> String {
    let Some(name) = &options.name else { return function.sig.ident.unraw().to_string() };
    let value = name.value();
    if value.is_empty() || value.chars().any(|c| c.is_whitespace() || c.is_control()) {
        mistakes.on(name, "a handler's name must not be empty or have white space");
    }
    value
}

/// Returns the types of the parameters.
fn check_signature(function: &Function, payload: &str, mistakes: &mut Mistakes) -> Vec<Type> {
    let sig = &function.sig;
    let mut expected = Expected { name: &sig.ident, payload, told: false };
    if sig.asyncness.is_none() {
        mistakes.on(sig.fn_token, expected.after("a webhook handler is an `async fn`"));
    }
    if let Some(constness) = &sig.constness {
        mistakes.on(constness, expected.after("a webhook handler cannot be `const`"));
    }
    if !sig.safety.to_token_stream().is_empty() {
        mistakes.on(
            &sig.safety,
            expected.after("a webhook handler is called by safe code: it cannot be `unsafe` or `safe`"),
        );
    }
    if let Some(abi) = &sig.abi {
        mistakes.on(abi, expected.after("a webhook handler cannot be `extern`"));
    }
    if !sig.generics.params.is_empty() {
        mistakes.on(
            &sig.generics.params,
            expected.after("a webhook handler cannot be generic: nobody could say for which types it is to be called"),
        );
    } else if let Some(clause) = &sig.generics.where_clause {
        mistakes.on(clause, expected.after("a webhook handler cannot have a `where` clause"));
    }
    if let Some(variadic) = &sig.variadic {
        mistakes.on(variadic, expected.after("a webhook handler cannot be variadic"));
    }
    if let ReturnType::Type(_, output) = &sig.output
        && let Type::ImplTrait(output) = output.as_ref()
    {
        mistakes.on(output, expected.after("a webhook handler cannot return `impl Trait`: name the type"));
    }
    let mut types = Vec::new();
    for input in &sig.inputs {
        match input {
            FnArg::Receiver(receiver) => mistakes.on(
                receiver,
                expected.after(
                    "a webhook handler is a free function: it cannot take `self`; share what it needs as `State<T>`",
                ),
            ),
            FnArg::Typed(input) => match input.ty.as_ref() {
                Type::Reference(ty) => {
                    let owned = ty.elem.to_token_stream().to_string();
                    mistakes.on(
                        ty,
                        expected
                            .after(&format!("a webhook handler owns what it takes: write `{owned}` without the `&`")),
                    );
                }
                Type::ImplTrait(ty) => {
                    mistakes.on(ty, expected.after("a webhook handler cannot take `impl Trait`: name the type"));
                }
                ty => types.push(ty.clone()),
            },
        }
    }
    types
}

/// The signature that would have been right: told with the first mistake only.
struct Expected<'a> {
    name: &'a Ident,
    payload: &'a str,
    told: bool,
}

impl Expected<'_> {
    fn after(&mut self, message: &str) -> String {
        if std::mem::replace(&mut self.told, true) {
            return message.to_owned();
        }
        let Self { name, payload, .. } = self;
        format!(
            "{message}\n\nnote: expected `async fn {name}(event: {payload}) -> Result<(), Error>`; more parameters may be `State<T>`, `Event`, `Delivery`, and it may return nothing"
        )
    }
}

/// `: did you mean ..?`, if something known is close enough to be meant.
pub(crate) fn suggestion(written: &str, known: &[&str]) -> String {
    const CLOSE_ENOUGH: f64 = 0.7;
    let closest = known
        .iter()
        .map(|word| (strsim::normalized_damerau_levenshtein(&written.to_lowercase(), word), word))
        .filter(|(likeness, _)| *likeness >= CLOSE_ENOUGH)
        .max_by(|(one, _), (other, _)| one.total_cmp(other));
    closest.map_or_else(String::new, |(_, word)| format!(": did you mean `{word}`?"))
}
