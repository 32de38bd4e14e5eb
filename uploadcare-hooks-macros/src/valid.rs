//! All checks of the options and the signature. All mistakes are collected before they are
//! reported.

mod function;
mod options;

use proc_macro2::Span;
use quote::ToTokens;
use syn::{Error, LitStr, Path, Result, ReturnType, Type};

use crate::{attr::Options, model::Function};

/// A handler without mistakes in its options and its signature.
pub(crate) struct Handler {
    pub(crate) krate: Path,
    pub(crate) name: String,
    /// `None` for every event.
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
    let events = options::check_events(options, &mut mistakes);
    let marker = options::check_version(options, events.as_ref(), &mut mistakes);
    if let Some(path) = &options.path {
        options::check_path(path, &mut mistakes);
    }
    if let Some(variable) = &options.secret_env {
        options::check_variable(variable, &mut mistakes);
    }
    let name = options::check_name(options, function, &mut mistakes);
    let payload = options::expected_payload(events.as_ref());
    // The compiler has reported the order already. Once it is right, the rest is checked.
    let parameters = match function.is_out_of_order {
        true => Vec::new(),
        false => function::check(function, payload, &mut mistakes),
    };
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
