//! Which handlers a path has, and which of them want a delivery. Runs nothing.

use std::{collections::BTreeSet, fmt, sync::Arc};

use super::keyring::{MatchedSecret, SecretSource};
use crate::{
    handler::HandlerDescriptor,
    payload::{EventKind, PayloadVersion},
};

/// The handlers of one path.
pub(crate) struct Route {
    pub(crate) path: &'static str,
    /// The secrets that a delivery to this path may be signed with.
    pub(super) sources: Vec<SecretSource>,
    /// Each handler once, in the order of registration.
    handlers: Vec<Arc<Handler>>,
    /// The handlers of each event, by [`EventKind::index`].
    by_event: [Vec<Arc<Handler>>; EventKind::COUNT],
}

/// A handler as the router uses it.
pub(crate) struct Handler {
    pub(crate) descriptor: HandlerDescriptor,
    version: Option<PayloadVersion>,
    /// The secrets that its deliveries may be signed with.
    pub(super) source: SecretSource,
}

impl Handler {
    pub(super) fn new(descriptor: HandlerDescriptor, source: SecretSource) -> Self {
        Self { version: descriptor.version(), source, descriptor }
    }

    fn takes_version(&self, version: &PayloadVersion) -> bool {
        self.version.as_ref().is_none_or(|only| only == version)
    }

    /// An unsigned delivery is for handlers that use the router's secrets: one with a secret of its
    /// own always requires a signature.
    fn takes_secret(&self, secret: Option<MatchedSecret>) -> bool {
        match secret {
            Some(secret) => self.source.takes(secret),
            None => self.source == SecretSource::Router,
        }
    }

    fn takes_event(&self, event: &str) -> bool {
        self.descriptor.event_names().is_none_or(|events| events.contains(&event))
    }

    /// The events that it names and that this version does not know.
    fn unlisted(&self) -> impl Iterator<Item = &'static str> + use<> {
        let events = self.descriptor.event_names().unwrap_or_default();
        events.iter().copied().filter(|event| !EventKind::KNOWN.contains(event))
    }
}

/// The handlers of one event that want a delivery.
pub(crate) struct Selection<'r> {
    handlers: &'r [Arc<Handler>],
    /// The event, if this version does not know it: `handlers` has those of all such events.
    unknown: Option<String>,
    version: PayloadVersion,
    secret: Option<MatchedSecret>,
}

impl<'r> Selection<'r> {
    /// The handlers whose version and secret are those of the delivery.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &'r HandlerDescriptor> {
        let secret = self.secret;
        self.with_any_secret().filter(move |handler| handler.takes_secret(secret)).map(|handler| &handler.descriptor)
    }

    /// Whether handlers want this delivery, but none of them with its secret.
    pub(super) fn lacks_secret(&self) -> bool {
        self.iter().next().is_none() && self.with_any_secret().next().is_some()
    }

    fn with_any_secret(&self) -> impl Iterator<Item = &'r Handler> {
        let takes_unknown = |handler: &Handler| self.unknown.as_ref().is_none_or(|event| handler.takes_event(event));
        self.handlers
            .iter()
            .map(Arc::as_ref)
            .filter(move |handler| handler.takes_version(&self.version) && takes_unknown(handler))
    }
}

impl Route {
    pub(super) fn at(path: &'static str) -> Self {
        Self { path, sources: Vec::new(), handlers: Vec::new(), by_event: Default::default() }
    }

    pub(super) fn add(&mut self, handler: Handler) {
        if !self.sources.contains(&handler.source) {
            self.sources.push(handler.source);
        }
        let handler = Arc::new(handler);
        for (event, handlers) in EventKind::KNOWN.iter().zip(&mut self.by_event) {
            if handler.takes_event(event) {
                handlers.push(Arc::clone(&handler));
            }
        }
        // All events that this version does not know share the last place.
        let takes_unknown = handler.descriptor.event_names().is_none() || handler.unlisted().next().is_some();
        if let Some(unknown) = self.by_event.last_mut().filter(|_| takes_unknown) {
            unknown.push(Arc::clone(&handler));
        }
        self.handlers.push(handler);
    }

    /// The handlers that want a delivery of this event, version and secret.
    pub(super) fn select(
        &self,
        kind: &EventKind,
        version: PayloadVersion,
        secret: Option<MatchedSecret>,
    ) -> Selection<'_> {
        let handlers = self.by_event.get(kind.index()).map_or(&[] as &[_], Vec::as_slice);
        let unknown = match kind {
            EventKind::Other(event) => Some(event.clone()),
            _ => None,
        };
        Selection { handlers, unknown, version, secret }
    }

    /// Each handler once.
    pub(super) fn handlers(&self) -> impl Iterator<Item = &Handler> {
        self.handlers.iter().map(Arc::as_ref)
    }

    /// The most handlers that one delivery to this path can need at once.
    pub(super) fn most_at_once(&self) -> usize {
        let any = self.handlers().filter(|handler| handler.descriptor.event_names().is_none()).count();
        self.events().map(|(_, handlers)| handlers.len()).max().unwrap_or(0).max(any)
    }

    /// The names of the handlers of each event: all known events, and the others that handlers
    /// name.
    pub(super) fn events(&self) -> impl Iterator<Item = (&'static str, Vec<&'static str>)> {
        let unlisted: BTreeSet<_> = self.handlers().flat_map(Handler::unlisted).collect();
        EventKind::KNOWN.iter().copied().chain(unlisted).map(|event| {
            let handlers = self.handlers().filter(|handler| handler.takes_event(event));
            (event, handlers.map(|handler| handler.descriptor.name()).collect())
        })
    }
}

impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut route = f.debug_map();
        route.entry(&"path", &self.path).entry(&"secrets", &self.sources);
        for (event, handlers) in self.events() {
            route.entry(&event, &handlers);
        }
        route.finish_non_exhaustive()
    }
}
