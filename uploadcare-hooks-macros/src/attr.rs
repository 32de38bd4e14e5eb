//! The options of the attribute, each with its span. Knows their form, not which values are valid.

use proc_macro2::{Span, TokenTree};
use syn::{
    Error, Ident, LitStr, Path, Result, Token, bracketed,
    ext::IdentExt,
    parse::{Lookahead1, Parse, ParseStream},
    parse_quote,
    punctuated::Punctuated,
    token::{Bracket, Paren},
};

use crate::{
    events::{EVENTS, KnownEvent},
    suggest::suggestion,
};

mod keyword {
    syn::custom_keyword!(event);
    syn::custom_keyword!(events);
    syn::custom_keyword!(any);
    syn::custom_keyword!(unlisted);
    syn::custom_keyword!(version);
    syn::custom_keyword!(path);
    syn::custom_keyword!(secret_env);
    syn::custom_keyword!(name);
}

/// The names of all options, to suggest one for an unknown word.
pub(crate) const NAMES: &[&str] =
    &["event", "events", "any", "unlisted", "version", "path", "secret_env", "name", "crate"];

/// Words that users may try, with the option that does what they want.
const OTHER_NAMES: &[(&str, &str)] = &[
    ("secret", "secret_env"),
    ("secrets", "secret_env"),
    ("signing_secret", "secret_env"),
    ("all", "any"),
    ("route", "path"),
];

/// The options as they were written.
#[derive(Default)]
pub(crate) struct Options {
    pub(crate) event: Option<LitStr>,
    pub(crate) events: Option<Events>,
    pub(crate) any: Option<Span>,
    pub(crate) unlisted: Option<Span>,
    pub(crate) version: Option<LitStr>,
    pub(crate) path: Option<LitStr>,
    pub(crate) secret_env: Option<LitStr>,
    pub(crate) name: Option<LitStr>,
    krate: Option<Path>,
}

/// `events = ["..", ".."]`
pub(crate) struct Events {
    pub(crate) span: Span,
    pub(crate) names: Vec<LitStr>,
}

impl Options {
    /// The path to the runtime crate.
    pub(crate) fn crate_path(&self) -> Path {
        self.krate.clone().unwrap_or_else(default_crate_path)
    }
}

pub(crate) fn default_crate_path() -> Path {
    parse_quote!(::uploadcare_hooks)
}

impl Parse for Options {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let mut options = Self::default();
        while !input.is_empty() {
            options.parse_one(input)?;
            if input.is_empty() {
                break;
            }
            comma(input)?;
        }
        Ok(options)
    }
}

impl Options {
    fn parse_one(&mut self, input: ParseStream<'_>) -> Result<()> {
        let option = input.lookahead1();
        let span = input.span();
        if option.peek(keyword::event) {
            input.parse::<keyword::event>()?;
            self.set_event(span, event(input, span)?)
        } else if option.peek(keyword::events) {
            input.parse::<keyword::events>()?;
            set(&mut self.events, "events", span, Events { span, names: events(input)? })
        } else if option.peek(keyword::any) {
            input.parse::<keyword::any>()?;
            no_value(input, "any")?;
            set(&mut self.any, "any", span, span)
        } else if option.peek(keyword::unlisted) {
            input.parse::<keyword::unlisted>()?;
            no_value(input, "unlisted")?;
            set(&mut self.unlisted, "unlisted", span, span)
        } else if option.peek(keyword::version) {
            input.parse::<keyword::version>()?;
            set(&mut self.version, "version", span, text(input, "version", "0.6")?)
        } else if option.peek(keyword::path) {
            input.parse::<keyword::path>()?;
            set(&mut self.path, "path", span, text(input, "path", "/scans")?)
        } else if option.peek(keyword::secret_env) {
            input.parse::<keyword::secret_env>()?;
            set(&mut self.secret_env, "secret_env", span, text(input, "secret_env", "SCAN_SIGNING_SECRET")?)
        } else if option.peek(keyword::name) {
            input.parse::<keyword::name>()?;
            set(&mut self.name, "name", span, text(input, "name", "index_upload")?)
        } else if option.peek(Token![crate]) {
            input.parse::<Token![crate]>()?;
            set(&mut self.krate, "crate", span, path(input)?)
        } else {
            Err(unknown(input, option))
        }
    }
}

impl Options {
    /// Sets the option `event` once.
    fn set_event(&mut self, span: Span, event: LitStr) -> Result<()> {
        match self.event.replace(event.clone()) {
            None => Ok(()),
            Some(first) if first.value() == event.value() => {
                Err(Error::new(span, "option `event` is given twice: keep one of them"))
            }
            Some(first) => {
                let message = format!(
                    "option `event` is given twice: write `{}` for several events\n\n\
                     note: a handler of several events takes `Event`",
                    events_option(&[first, event])
                );
                Err(Error::new(span, message))
            }
        }
    }
}

/// Sets an option once.
fn set<T>(slot: &mut Option<T>, option: &str, span: Span, value: T) -> Result<()> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(Error::new(span, format!("option `{option}` is given twice: keep one of them"))),
    }
}

/// The `,` between two options.
fn comma(input: ParseStream<'_>) -> Result<()> {
    if input.peek(Token![,]) {
        return input.parse::<Token![,]>().map(drop);
    }
    let message = match input.fork().parse::<TokenTree>()? {
        TokenTree::Ident(word) => format!("a `,` is missing in front of `{word}`"),
        TokenTree::Punct(sign) if sign.as_char() == '|' => "options are separated by `,`, not by `|`; several events \
            are written as `events = [\"..\", \"..\"]`"
            .to_owned(),
        TokenTree::Punct(sign) => format!("options are separated by `,`, not by `{sign}`"),
        _ => "options are separated by `,`: a `,` is missing here".to_owned(),
    };
    Err(input.error(message))
}

/// Nothing after an option that is a word of its own.
fn no_value(input: ParseStream<'_>, option: &str) -> Result<()> {
    let value = input.fork();
    if !input.peek(Token![=]) && !input.peek(Paren) {
        return Ok(());
    }
    let event = value.parse::<Token![=]>().and_then(|_| value.parse::<LitStr>());
    let instead = match event {
        Ok(event) if option == "unlisted" => format!("event = {:?}, unlisted", event.value()),
        _ => option.to_owned(),
    };
    Err(input.error(format!("option `{option}` takes no value: write `{instead}`")))
}

/// `= ".."`
fn text(input: ParseStream<'_>, option: &str, example: &str) -> Result<LitStr> {
    let expected = |span| Error::new(span, format!("option `{option}` takes a string: `{option} = \"{example}\"`"));
    if !input.peek(Token![=]) {
        return Err(expected(input.span()));
    }
    input.parse::<Token![=]>()?;
    let span = input.span();
    input.parse().map_err(|_| expected(span))
}

/// `= ".."` after `event`, whose span is `option`.
fn event(input: ParseStream<'_>, option: Span) -> Result<LitStr> {
    let value = input.fork();
    if value.parse::<Token![=]>().is_ok() && value.peek(Bracket) {
        let names = list(&value).unwrap_or_default();
        let message = format!(
            "option `event` takes one event: write `{}` for several events\n\n\
             note: a handler of several events takes `Event`",
            events_option(&names)
        );
        return Err(Error::new(option, message));
    }
    text(input, "event", "file.uploaded")
}

/// `= ["..", ".."]` after `events`.
fn events(input: ParseStream<'_>) -> Result<Vec<LitStr>> {
    let expected = |span, names: &[LitStr]| {
        Error::new(span, format!("option `events` takes a list of strings: `{}`", events_option(names)))
    };
    if !input.peek(Token![=]) {
        return Err(expected(input.span(), &[]));
    }
    input.parse::<Token![=]>()?;
    let (span, value) = (input.span(), input.fork());
    list(input).map_err(|_| expected(span, value.parse().ok().as_slice()))
}

/// `["..", ".."]`
fn list(input: ParseStream<'_>) -> Result<Vec<LitStr>> {
    let content;
    bracketed!(content in input);
    Ok(Punctuated::<LitStr, Token![,]>::parse_terminated(&content)?.into_iter().collect())
}

/// How to write these events, or an example if there are none.
fn events_option(names: &[LitStr]) -> String {
    let written: Vec<_> = names.iter().map(LitStr::value).collect();
    let names: Vec<_> = written.iter().flat_map(|names| names.split(',')).map(str::trim).collect();
    if names.is_empty() {
        r#"events = ["file.stored", "file.deleted"]"#.to_owned()
    } else {
        format!("events = {names:?}")
    }
}

/// `= some::path` or `= "some::path"`
fn path(input: ParseStream<'_>) -> Result<Path> {
    let span = input.span();
    let parse = || {
        input.parse::<Token![=]>()?;
        if input.peek(LitStr) {
            input.parse::<LitStr>()?.parse_with(Path::parse_mod_style)
        } else {
            Path::parse_mod_style(input)
        }
    };
    parse().map_err(|_: Error| Error::new(span, "option `crate` takes a path: `crate = renamed_hooks`"))
}

/// The error for a word that is not an option. The list of options comes from the lookahead, so it
/// is complete.
fn unknown(input: ParseStream<'_>, option: Lookahead1<'_>) -> Error {
    if input.peek(LitStr) {
        let hint = "options have names: write `event = \"file.uploaded\"`";
        return Error::new(input.span(), hint);
    }
    if let Some(event) = event_without_quotes(&input.fork()) {
        return input.error(format!("options have names: write `event = \"{event}\"`"));
    }
    let listed = option.error();
    match input.call(Ident::parse_any) {
        Ok(word) => {
            let written = word.to_string();
            let meant = OTHER_NAMES.iter().find(|(other, _)| *other == written).map(|(_, name)| *name);
            let meant = meant.map_or_else(|| suggestion(&written, NAMES), |name| format!(": did you mean `{name}`?"));
            Error::new(word.span(), format!("unknown option `{written}`{meant}\n\nnote: {listed}"))
        }
        Err(_) => listed,
    }
}

/// The event that is written as `file.stored`, `stored`, or as its marker or its payload.
fn event_without_quotes(input: ParseStream<'_>) -> Option<&'static str> {
    let name = Punctuated::<Ident, Token![.]>::parse_separated_nonempty_with(input, Ident::parse_any).ok()?;
    let name = name.iter().map(Ident::to_string).collect::<Vec<_>>().join(".");
    let is_meant = |event: &&KnownEvent| {
        [event.name, event.marker, event.payload].contains(&name.as_str()) || event.name == format!("file.{name}")
    };
    EVENTS.iter().find(is_meant).map(|event| event.name)
}
