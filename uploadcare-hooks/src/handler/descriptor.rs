//! What a router knows of a handler. The attribute writes it down as a constant.

use std::{fmt, future::Future, pin::Pin};

use super::{HandlerContext, Outcome, RequiredStates};
use crate::payload::{EventKind, PayloadVersion};

/// A function annotated with `#[webhook_handler]`. The attribute implements this trait;
/// applications do not implement it themselves.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a webhook handler: list functions annotated with `#[webhook_handler(event = \"..\")]`",
    label = "not annotated with `#[webhook_handler(..)]`"
)]
pub trait Webhook {
    /// All that a router needs to know of the function.
    const DESCRIPTOR: HandlerDescriptor;
}

/// A handler that runs.
#[doc(hidden)]
pub type HandlerFuture = Pin<Box<dyn Future<Output = Outcome> + Send>>;

/// All that a router needs to know of a handler: its name, the deliveries that it takes, and how to
/// call it.
///
/// Made by `#[webhook_handler]`, and listed by [`webhook_handlers!`](crate::webhook_handlers).
#[derive(Clone, Copy)]
pub struct HandlerDescriptor {
    declaration: Declaration,
    /// For each parameter, the function that names the states it needs.
    required_states: &'static [fn(&mut RequiredStates)],
    pub(crate) run: fn(HandlerContext) -> HandlerFuture,
}

/// What the attribute says of a handler, and where the function stands.
#[derive(Debug, Clone, Copy)]
#[doc(hidden)]
pub struct Declaration {
    pub name: &'static str,
    pub module: &'static str,
    pub file: &'static str,
    pub line: u32,
    /// `None` for every event.
    pub events: Option<&'static [&'static str]>,
    /// `None` for every version.
    pub version: Option<&'static str>,
    pub path: &'static str,
    pub secret_env: Option<&'static str>,
}

impl HandlerDescriptor {
    pub(super) const fn new(
        declaration: Declaration,
        required_states: &'static [fn(&mut RequiredStates)],
        run: fn(HandlerContext) -> HandlerFuture,
    ) -> Self {
        Self { declaration, required_states, run }
    }

    /// The handler's name: the attribute's `name`, which defaults to the name of the function.
    /// Unique in a router.
    pub fn name(&self) -> &'static str {
        self.declaration.name
    }

    /// The events that it takes; `None` if it takes every event.
    pub fn events(&self) -> Option<impl Iterator<Item = EventKind> + use<>> {
        Some(self.declaration.events?.iter().map(|name| EventKind::from(*name)))
    }

    /// The names of the events that it takes; `None` if it takes every event.
    pub(crate) fn event_names(&self) -> Option<&'static [&'static str]> {
        self.declaration.events
    }

    /// The one version of the payload that it takes; `None` if it takes every version.
    pub fn version(&self) -> Option<PayloadVersion> {
        self.declaration.version.map(PayloadVersion::from)
    }

    /// The path inside the router at which it takes deliveries, such as `/`.
    pub fn path(&self) -> &'static str {
        self.declaration.path
    }

    /// The environment variable that holds its own signing secret; `None` if it uses the router's
    /// secrets.
    pub fn secret_env(&self) -> Option<&'static str> {
        self.declaration.secret_env
    }

    /// Where the function stands, for error messages: module, file and line.
    pub(crate) fn place(&self) -> String {
        let Declaration { name, module, file, line, .. } = self.declaration;
        format!("`{module}::{name}` ({file}:{line})")
    }

    /// Where the function stands, for sorting: module and line.
    #[allow(dead_code, reason = "only discovery sorts")]
    pub(crate) fn position(&self) -> (&'static str, u32) {
        (self.declaration.module, self.declaration.line)
    }

    pub(crate) fn required_states(&self) -> RequiredStates {
        let mut states = RequiredStates::default();
        for name_states in self.required_states {
            name_states(&mut states);
        }
        states
    }
}

impl fmt::Debug for HandlerDescriptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Declaration { name, events, version, path, secret_env, .. } = self.declaration;
        f.debug_struct("HandlerDescriptor")
            .field("name", &name)
            .field("events", &events)
            .field("version", &version)
            .field("path", &path)
            .field("secret_env", &secret_env)
            .finish_non_exhaustive()
    }
}
