//! A delivery that no handler wants, and what its path has instead.

use std::fmt;

use crate::{
    handler::HandlerDescriptor,
    payload::{self, Peek},
    router::{WebhookRouter, decode_path},
};

/// Why no handler wanted a delivery. `Display` says it in one line.
#[derive(Debug)]
pub(super) struct Unhandled {
    path: String,
    event: String,
    version: String,
    /// What each handler at the path takes.
    taken: Vec<String>,
}

impl Unhandled {
    pub(super) fn new(router: &WebhookRouter, path: &str, body: &[u8]) -> Self {
        // An acknowledged delivery has an event, so reading it does not fail.
        let (event, version) = match payload::from_slice::<Peek>(body) {
            Ok(Peek { hook }) => (hook.event.as_str().to_owned(), hook.version.as_str().to_owned()),
            Err(_) => Default::default(),
        };
        let decoded = decode_path(path);
        let is_here =
            |handler: &HandlerDescriptor| handler.path().trim_end_matches('/') == decoded.trim_end_matches('/');
        let taken = router.handlers().filter(|handler| is_here(handler)).map(taken).collect();
        Self { path: path.to_owned(), event, version, taken }
    }
}

/// What this handler takes.
fn taken(handler: &HandlerDescriptor) -> String {
    let mut taken = match handler.event_names() {
        Some(events) => format!("`{}` takes {}", handler.name(), events.join(", ")),
        None => format!("`{}` takes every event", handler.name()),
    };
    if let Some(version) = handler.version() {
        taken.push_str(&format!(" in version {:?} only", version.as_str()));
    }
    taken
}

impl fmt::Display for Unhandled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, event, version, taken } = self;
        write!(f, "no handler at path {path:?} takes {event:?} in version {version:?}; there {}", taken.join(", "))
    }
}
