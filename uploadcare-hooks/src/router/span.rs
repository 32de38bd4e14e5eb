//! The spans of a router: one for each delivery, and one for each run of a handler. Knows their
//! fields and levels; decides nothing. Never gets a body, a header or a secret.

use std::time::Duration;

use http::StatusCode;
use tracing::{
    Level, Span,
    field::{Empty, display},
};

use super::{Rejection, keyring::MatchedSecret};
use crate::{
    delivery::DeliveryId,
    message::cut_off,
    observe::{self, Start},
    payload::EventKind,
};

/// How much of an event's name or of a path is logged and remembered. The name of an unknown event
/// may be as long as a body.
pub(super) const MAX_LOGGED_CHARS: usize = 100;

/// One request as it is observed: its span, and when it began.
pub(crate) struct Observed {
    pub(crate) span: Span,
    pub(super) start: Start,
}

macro_rules! delivery_span {
    ($level:ident, $path:expr) => {
        tracing::span!(
            Level::$level,
            "delivery",
            delivery.id = Empty,
            event = Empty,
            path = $path,
            secret = Empty,
            status = Empty,
            code = Empty,
            otel.kind = "server",
            otel.status_code = Empty,
            error.type = Empty,
            http.request.body.size = Empty,
            http.response.status_code = Empty,
        )
    };
}

impl Observed {
    /// A request whose path and method are those of deliveries. Its span is `info`: with a wrong
    /// signature it may be a delivery as well, whose secret is configured wrongly.
    pub(super) fn admitted(path: &str) -> Self {
        Self { span: delivery_span!(INFO, path), start: Start::now() }
    }

    /// A request that the checks of its head refused. One that is no delivery, because of its path
    /// or method, is `debug`: scanners send such requests all the time.
    pub(super) fn refused(rejection: &Rejection) -> Self {
        let path: &str = &cut_off(rejection.path(), MAX_LOGGED_CHARS);
        let span = if is_scan(rejection.status()) { delivery_span!(DEBUG, path) } else { delivery_span!(INFO, path) };
        Self { span, start: Start::now() }
    }

    /// The body was read.
    pub(super) fn read(&self, body: usize) {
        self.span.record("http.request.body.size", body);
    }

    /// The signature is right, or need not be there.
    pub(super) fn verified(&self, id: DeliveryId, secret: Option<MatchedSecret>, body: usize) {
        observe::verified(body);
        if !self.span.is_disabled() {
            self.span.record("delivery.id", display(id));
            self.span.record("secret", secret.map(|secret| secret.position));
        }
    }

    /// The event was read.
    pub(super) fn identified(&self, kind: &EventKind) {
        if !self.span.is_disabled() {
            self.span.record("event", &*cut_off(kind.as_str(), MAX_LOGGED_CHARS));
        }
    }

    /// The request is answered.
    pub(super) fn answered(&self, status: StatusCode, code: &'static str) {
        if self.span.is_disabled() {
            return;
        }
        self.span.record("status", status.as_u16());
        self.span.record("http.response.status_code", status.as_u16());
        self.span.record("code", code);
        if status.is_server_error() {
            failed(&self.span, code);
        }
    }
}

/// Whether a request that was answered so is no delivery. Scanners send such requests.
pub(super) fn is_scan(status: StatusCode) -> bool {
    matches!(status, StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED)
}

/// The span of a handler's run, inside the span of its delivery.
pub(super) fn handler_run(handler: &'static str) -> Span {
    tracing::info_span!(
        "handler",
        handler,
        outcome = Empty,
        duration = Empty,
        otel.status_code = Empty,
        error.type = Empty,
    )
}

/// Notes in the span of a run how it ended, and after how many seconds.
pub(crate) fn ran(span: &Span, outcome: &'static str, duration: Option<Duration>) {
    if span.is_disabled() {
        return;
    }
    span.record("outcome", outcome);
    span.record("duration", duration.map(|duration| duration.as_secs_f64()));
    if !matches!(outcome, "ok" | "discarded") {
        failed(span, outcome);
    }
}

fn failed(span: &Span, kind: &'static str) {
    span.record("otel.status_code", "ERROR");
    span.record("error.type", kind);
}
