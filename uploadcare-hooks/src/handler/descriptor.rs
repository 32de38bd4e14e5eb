//! What a router knows of a handler. The attribute writes it down as a constant.

use std::{fmt, future::Future, panic::RefUnwindSafe, pin::Pin};

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
pub(crate) type HandlerFuture = Pin<Box<dyn Future<Output = Outcome> + Send>>;

/// A handler with any function.
pub(crate) trait AnyHandler: Send + Sync + RefUnwindSafe {
    /// Names the states that its parameters need.
    fn required_states(&self, states: &mut RequiredStates);

    /// Makes the parameters, then calls the function with them.
    fn run(&self, context: HandlerContext) -> HandlerFuture;
}

/// All that a router needs to know of a handler: its name, the deliveries that it takes, and how to
/// call it.
///
/// Made by `#[webhook_handler]`, and listed by [`webhook_handlers!`](crate::webhook_handlers).
#[derive(Clone, Copy)]
pub struct HandlerDescriptor {
    declaration: Declaration,
    pub(crate) handler: &'static dyn AnyHandler,
}

/// What the attribute says of a handler, and where the function stands.
#[derive(Debug, Clone, Copy)]
#[doc(hidden)]
pub struct Declaration {
    name: &'static str,
    module: &'static str,
    file: &'static str,
    line: u32,
    /// `None` for every event.
    events: Option<&'static [&'static str]>,
    /// `None` for every version.
    version: Option<&'static str>,
    path: &'static str,
    secret_env: Option<&'static str>,
}

impl Declaration {
    /// Of a handler that takes every event in every version, with the router's secrets.
    pub const fn new(
        name: &'static str,
        module: &'static str,
        file: &'static str,
        line: u32,
        path: &'static str,
    ) -> Self {
        Self { name, module, file, line, events: None, version: None, path, secret_env: None }
    }

    /// It takes these events only.
    pub const fn events(self, events: &'static [&'static str]) -> Self {
        Self { events: Some(events), ..self }
    }

    /// It takes this version only.
    pub const fn version(self, version: &'static str) -> Self {
        Self { version: Some(version), ..self }
    }

    /// This environment variable holds its own signing secret.
    pub const fn secret_env(self, variable: &'static str) -> Self {
        Self { secret_env: Some(variable), ..self }
    }
}

impl HandlerDescriptor {
    pub(super) const fn new(declaration: Declaration, handler: &'static dyn AnyHandler) -> Self {
        Self { declaration, handler }
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
        self.handler.required_states(&mut states);
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
