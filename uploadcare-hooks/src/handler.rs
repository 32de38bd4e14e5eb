//! Handlers: what the attribute makes of an `async fn`, what it may take, and what it may return.
//! Knows nothing of routing or of HTTP statuses.

mod outcome;
mod parameter;

use std::{fmt, future::Future, pin::Pin};

pub use self::outcome::{HandlerError, IntoOutcome, Outcome};
pub(crate) use self::parameter::States;
pub use self::parameter::{FromDelivery, HandlerContext, RequiredStates, State};
use crate::payload::{EventKind, PayloadVersion};

/// A function annotated with `#[webhook_handler]`. The attribute implements this; applications have no need to.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a webhook handler",
    label = "not annotated with `#[webhook_handler(..)]`",
    note = "`webhook_handlers![..]` lists functions annotated with `#[webhook_handler(event = \"..\")]`"
)]
pub trait Webhook {
    /// All that a router has to know of the function.
    const DESCRIPTOR: HandlerDescriptor;
}

/// What a running handler is to the router.
#[doc(hidden)]
pub type HandlerFuture = Pin<Box<dyn Future<Output = Outcome> + Send>>;

/// All that a router has to know of a handler: its name, what it takes, and how to call it.
///
/// Made by `#[webhook_handler]`, and listed by [`webhook_handlers!`](crate::webhook_handlers).
#[derive(Clone, Copy)]
pub struct HandlerDescriptor {
    pub(crate) options: Options,
    pub(crate) parameters: &'static [ParameterNeeds],
    pub(crate) run: fn(HandlerContext) -> HandlerFuture,
}

/// What the attribute says of a handler.
#[derive(Debug, Clone, Copy)]
#[doc(hidden)]
pub struct Options {
    pub name: &'static str,
    pub module: &'static str,
    pub file: &'static str,
    pub line: u32,
    /// `None`: every event.
    pub events: Option<&'static [&'static str]>,
    /// `None`: every version.
    pub version: Option<&'static str>,
    pub path: &'static str,
    pub secret_env: Option<&'static str>,
}

/// What one parameter of a handler needs.
#[derive(Debug, Clone, Copy)]
#[doc(hidden)]
pub struct ParameterNeeds {
    pub(crate) states: fn(&mut RequiredStates),
    pub(crate) uses_event: bool,
}

impl HandlerDescriptor {
    /// The handler's name: that of the function, or the attribute's `name`. Unique in a router.
    pub fn name(&self) -> &'static str {
        self.options.name
    }

    /// The events that it takes; `None` if it takes every event.
    pub fn events(&self) -> Option<impl Iterator<Item = EventKind> + use<>> {
        Some(self.options.events?.iter().map(|name| EventKind::from(*name)))
    }

    /// The one version of the payload that it takes; `None` if it takes every version.
    pub fn version(&self) -> Option<PayloadVersion> {
        self.options.version.map(PayloadVersion::from)
    }

    /// The path inside the router that it answers at, such as `/`.
    pub fn path(&self) -> &'static str {
        self.options.path
    }

    /// The environment variable that holds its own signing secret; `None` if it uses those of the router.
    pub fn secret_env(&self) -> Option<&'static str> {
        self.options.secret_env
    }

    /// Where the function stands, to find it: module, file and line.
    pub(crate) fn place(&self) -> String {
        let Options { name, module, file, line, .. } = self.options;
        format!("`{module}::{name}` ({file}:{line})")
    }

    pub(crate) fn required_states(&self) -> RequiredStates {
        let mut states = RequiredStates::default();
        for parameter in self.parameters {
            (parameter.states)(&mut states);
        }
        states
    }

    /// How many parameters look at the event; the last of them may have it to itself.
    pub(crate) fn event_uses(&self) -> usize {
        self.parameters.iter().filter(|parameter| parameter.uses_event).count()
    }
}

impl fmt::Debug for HandlerDescriptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Options { name, events, version, path, secret_env, .. } = self.options;
        f.debug_struct("HandlerDescriptor")
            .field("name", &name)
            .field("events", &events)
            .field("version", &version)
            .field("path", &path)
            .field("secret_env", &secret_env)
            .finish_non_exhaustive()
    }
}

/// Lists annotated functions for [`WebhookRouterBuilder::handlers`](crate::WebhookRouterBuilder::handlers), by name or by path:
/// a `Vec` of [`HandlerDescriptor`]s.
///
/// ```
/// # #[cfg(feature = "macros")] {
/// use uploadcare_hooks::{webhook_handler, webhook_handlers, FileStored};
///
/// mod scan {
///     use uploadcare_hooks::{webhook_handler, FileInfected};
///
///     #[webhook_handler(event = "file.infected")]
///     pub async fn quarantine(event: FileInfected) {}
/// }
///
/// #[webhook_handler(event = "file.stored")]
/// async fn archive(event: FileStored) {}
///
/// assert_eq!(webhook_handlers![archive, scan::quarantine].len(), 2);
/// # }
/// ```
#[macro_export]
macro_rules! webhook_handlers {
    ($($handler:path),* $(,)?) => {
        $crate::__private::Vec::<$crate::HandlerDescriptor>::from([
            $(<$handler as $crate::Webhook>::DESCRIPTOR),*
        ])
    };
}
