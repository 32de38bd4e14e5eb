//! How far a request came. Each stage is made from the one before it, and a rejection is made from
//! the stage that was reached, so that it reports what was known then.

use bytes::Bytes;
use http::{HeaderMap, header};

use super::{
    Rejection, RejectionReason, TriedSecrets, Watcher,
    answer::{Acknowledged, Promise},
    keyring::MatchedSecret,
    observe::event_label,
    routes::{Route, Selection},
    span::Observed,
};
use crate::{
    delivery::{Delivery, DeliveryId, Received},
    event::Event,
    payload::{EventKind, PayloadVersion},
};

/// A request whose path, method and announced size are fine. Its body may be read.
#[derive(Clone, Copy)]
pub(crate) struct Admitted<'r> {
    pub(super) route: &'r Route,
    pub(super) body_limit: usize,
}

/// A request with its body, whose signature was not checked yet.
pub(crate) struct Unverified<'r> {
    pub(super) route: &'r Route,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    pub(super) watcher: Option<&'r dyn Watcher>,
}

/// A request whose signature is right, or need not be there. Its body was not read as JSON yet.
pub(crate) struct Verified<'r> {
    pub(super) route: &'r Route,
    pub(crate) request: Received,
    pub(super) observed: &'r Observed,
    pub(super) watcher: Option<&'r dyn Watcher>,
}

/// A verified request whose event is known: enough to select handlers, and to say which delivery it
/// is.
pub(crate) struct Identified<'r> {
    pub(super) route: &'r Route,
    pub(crate) id: DeliveryId,
    pub(crate) kind: EventKind,
    version: PayloadVersion,
    secret: Option<MatchedSecret>,
    watcher: Option<&'r dyn Watcher>,
}

impl<'r> Admitted<'r> {
    /// Adds the body. `None` is a body that was not there to read.
    ///
    /// # Errors
    /// A rejection if the body is over the limit, or was announced and is missing.
    #[inline]
    pub(crate) fn with_body(self, headers: HeaderMap, body: Option<Bytes>) -> Result<Unverified<'r>, Box<Rejection>> {
        let is_consumed = match &body {
            None => announces_body(&headers),
            // A chunked body may be empty, because its head does not say how long it is.
            Some(body) => body.is_empty() && announced_length(&headers).is_some_and(|length| length > 0),
        };
        let body = body.unwrap_or_default();
        if body.len() > self.body_limit {
            return Err(self.reject(RejectionReason::BodyTooLarge { limit: self.body_limit }));
        }
        if is_consumed {
            return Err(self.reject(RejectionReason::BodyConsumed));
        }
        Ok(Unverified { route: self.route, headers, body, watcher: None })
    }

    pub(crate) fn reject(self, reason: RejectionReason) -> Box<Rejection> {
        Rejection::at(self.route.path, reason)
    }
}

impl<'r> Unverified<'r> {
    /// Adds a watcher, if there is one.
    pub(crate) fn watched_by(self, watcher: Option<&'r dyn Watcher>) -> Self {
        Self { watcher, ..self }
    }

    pub(super) fn reject(&self, secrets: TriedSecrets, reason: RejectionReason) -> Box<Rejection> {
        Box::new(Rejection { secrets, ..*Rejection::at(self.route.path, reason) })
    }
}

impl<'r> Verified<'r> {
    /// Reads the event.
    ///
    /// # Errors
    /// A rejection if the body is no payload.
    #[inline]
    pub(crate) fn decode(self) -> Result<(Identified<'r>, Delivery), Box<Rejection>> {
        match Event::from_bytes(&self.request.body) {
            Ok(event) => Ok((self.identify(event.kind(), event.version().clone()), Delivery::new(event, self.request))),
            Err(error) => Err(self.reject(RejectionReason::NotAPayload(error))),
        }
    }

    /// Adds the event and its payload's version.
    #[inline]
    pub(crate) fn identify(&self, kind: EventKind, version: PayloadVersion) -> Identified<'r> {
        let Self { route, request: Received { id, secret, .. }, observed, watcher } = self;
        observed.identified(&kind);
        Identified { route, id: *id, kind, version, secret: *secret, watcher: *watcher }
    }

    pub(crate) fn reject(&self, reason: RejectionReason) -> Box<Rejection> {
        let secrets = TriedSecrets::matched(self.request.secret);
        Box::new(Rejection { secrets, ..*Rejection::at(self.route.path, reason) })
    }
}

impl<'r> Identified<'r> {
    pub(crate) fn path(&self) -> &'static str {
        self.route.path
    }

    pub(super) fn selection(&self) -> Selection<'r> {
        self.route.select(&self.kind, self.version.clone(), self.secret)
    }

    /// The watcher; `None` except in the testing kit.
    pub(crate) fn watcher(&self) -> Option<&'r dyn Watcher> {
        self.watcher
    }

    pub(crate) fn acknowledge(&self, promise: Promise) -> Acknowledged {
        Acknowledged { promise, event: event_label(&self.kind) }
    }

    pub(super) fn secret(&self) -> Option<MatchedSecret> {
        self.secret
    }

    pub(crate) fn reject(&self, reason: RejectionReason) -> Box<Rejection> {
        Box::new(Rejection {
            secrets: TriedSecrets::matched(self.secret),
            delivery: Some(self.id),
            event: Some(self.kind.clone()),
            ..*Rejection::at(self.route.path, reason)
        })
    }
}

/// The length that the request's head announces.
pub(crate) fn announced_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.trim().parse().ok()
}

/// Whether the request's head says that a body follows.
fn announces_body(headers: &HeaderMap) -> bool {
    match announced_length(headers) {
        Some(length) => length > 0,
        None => headers.contains_key(header::TRANSFER_ENCODING),
    }
}
