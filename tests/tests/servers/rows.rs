//! The one table of requests and their answers. Where an adapter answers differently, the row says
//! so, and why.

use reqwest::{Method, Version};
use tests::{
    application::{Application, BODY_LIMIT},
    deliveries::{legacy_payload, payload, payload_with_labels, secret},
    servers::Adapter,
};
use uploadcare_hooks::SigningSecret;

/// How a request transfers its body.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transfer {
    /// With a `Content-Length`.
    Sized,
    /// Chunked, with this many bytes in each chunk.
    Chunks(usize),
    /// With a `Content-Length`, after the server said `100 Continue`.
    Expect,
    /// With a `Content-Length`, and stops in the middle.
    Stalls,
    /// Chunked, with a chunk that breaks the rules of HTTP.
    Malformed,
}

impl Transfer {
    /// Whether an HTTP client can send it, of either version of HTTP.
    pub(crate) fn is_ordinary(self) -> bool {
        matches!(self, Self::Sized | Self::Chunks(_))
    }
}

/// A request, and the expected answer.
#[derive(Clone)]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) application: Application,
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    pub(crate) signatures: Vec<String>,
    pub(crate) body: Vec<u8>,
    pub(crate) transfer: Transfer,
    pub(crate) expected: Expected,
    /// What the handlers note.
    pub(crate) seen: &'static [&'static str],
    pub(crate) exceptions: &'static [Exception],
}

/// The expected answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Expected {
    pub(crate) status: u16,
    /// The `code` in the problem that the body holds. Empty when the answer is none of the router.
    pub(crate) code: &'static str,
}

/// The adapters that answer a request differently.
#[derive(Debug)]
pub(crate) struct Exception {
    pub(crate) adapters: &'static [Adapter],
    /// `None` if the request cannot be made.
    pub(crate) expected: Option<Expected>,
    /// What the handlers note.
    pub(crate) seen: &'static [&'static str],
    pub(crate) because: &'static str,
}

impl Exception {
    /// HTTP/2 has no chunked bodies, so their exceptions do not apply to it.
    pub(crate) fn applies(&self, adapter: Adapter, version: Version) -> bool {
        self.adapters.contains(&adapter) && !(version == Version::HTTP_2 && self.because.contains("chunked"))
    }
}

const fn answer(status: u16, code: &'static str) -> Expected {
    Expected { status, code }
}

/// Adapters that get bodies whole, from a server or platform that read them before.
const GETS_BODIES_WHOLE: &[Adapter] = &[Adapter::Lambda, Adapter::Http];

const SERVER_WAITS: &[Exception] = &[Exception {
    adapters: GETS_BODIES_WHOLE,
    expected: None,
    seen: &[],
    because: "the server or platform before it waits for the body",
}];

const UNREADABLE: &[Exception] = &[
    Exception {
        adapters: &[Adapter::Actix],
        expected: Some(answer(400, "")),
        seen: &[],
        because: "actix-web answers before it polls the router's future again",
    },
    Exception {
        adapters: GETS_BODIES_WHOLE,
        expected: None,
        seen: &[],
        because: "the server or platform before it reads the body",
    },
];

const HANDLE_CANNOT_KNOW: &[Exception] = &[Exception {
    adapters: &[Adapter::Http],
    expected: Some(answer(500, "body_consumed")),
    seen: &[],
    because: "`handle` gets bytes, and cannot tell an empty chunked body from a consumed one",
}];

const MOUNT_COMPARED_LITERALLY: &[Exception] = &[Exception {
    adapters: &[Adapter::Axum, Adapter::Http],
    expected: Some(answer(404, "")),
    seen: &[],
    because: "axum, and the server of these tests before `handle`, compare the mount letter by letter",
}];

const SLASHES_JOINED: &[Exception] = &[Exception {
    adapters: &[Adapter::Axum],
    expected: Some(answer(204, "")),
    seen: &["audit file.uploaded"],
    because: "axum removes one more slash with the mount",
}];

/// A correctly signed delivery of this body that is acknowledged. Each case changes parts of it.
pub(crate) fn signed(name: &'static str, body: impl Into<Vec<u8>>) -> Case {
    let body = body.into();
    Case {
        name,
        application: Application::Inline,
        method: Method::POST,
        path: "/hooks",
        signatures: vec![secret().sign(&body)],
        body,
        transfer: Transfer::Sized,
        expected: answer(204, ""),
        seen: &[],
        exceptions: &[],
    }
}

fn event(name: &str) -> String {
    payload(name).to_string()
}

const STORED: &[&str] = &["stored ananas.jpg"];
const UPLOADED: &[&str] = &["uploaded ananas.jpg"];

/// A `file.uploaded` delivery that is refused.
pub(crate) fn refused(name: &'static str, status: u16, code: &'static str) -> Case {
    Case { expected: answer(status, code), ..signed(name, event("file.uploaded")) }
}

/// A `file.uploaded` delivery that is acknowledged.
pub(crate) fn uploaded(name: &'static str) -> Case {
    Case { seen: UPLOADED, ..signed(name, event("file.uploaded")) }
}

fn with_body(case: Case, body: impl Into<Vec<u8>>) -> Case {
    let body = body.into();
    Case { signatures: vec![secret().sign(&body)], body, ..case }
}

/// All rows.
pub(crate) fn rows() -> Vec<Case> {
    [acknowledged(), found_by_path(), refused_by_head(), refused_by_body(), refused_by_application()].concat()
}

fn acknowledged() -> Vec<Case> {
    vec![
        uploaded("file.uploaded"),
        Case { seen: STORED, ..signed("file.stored", event("file.stored")) },
        Case { seen: &["deleted ananas.jpg"], ..signed("file.deleted", event("file.deleted")) },
        Case { seen: &["infected ananas.jpg"], ..signed("file.infected", event("file.infected")) },
        Case { seen: &["info_updated ananas.jpg"], ..signed("file.info_updated", event("file.info_updated")) },
        Case { seen: &["uploaded clip.mp4"], ..signed("a legacy payload", legacy_payload("0.6").to_string()) },
        signed("an unknown event", event("file.moved")),
        Case { transfer: Transfer::Chunks(100), ..uploaded("chunked") },
        Case { transfer: Transfer::Chunks(1), ..uploaded("one byte in each chunk") },
        Case { transfer: Transfer::Expect, ..uploaded("100 Continue is expected") },
        Case { seen: STORED, ..signed("a large payload", payload_with_labels("file.stored", 60_000)) },
        Case {
            seen: STORED,
            transfer: Transfer::Chunks(1000),
            ..signed("a large payload, chunked", payload_with_labels("file.stored", 60_000))
        },
        Case { application: Application::Queue, seen: &[], expected: answer(202, ""), ..uploaded("stored in a queue") },
    ]
}

fn found_by_path() -> Vec<Case> {
    let audit: &[&str] = &["audit file.uploaded"];
    let at = |name, path| Case { path, ..uploaded(name) };
    let audited = |name, path| Case { path, seen: audit, ..uploaded(name) };
    let unknown = |name, path| Case { path, ..refused(name, 404, "unknown_path") };
    vec![
        at("a trailing slash", "/hooks/"),
        at("a query", "/hooks?from=uploadcare"),
        at("a trailing slash and a query", "/hooks/?from=uploadcare"),
        audited("another path", "/hooks/audit"),
        audited("another path with a trailing slash", "/hooks/audit/"),
        audited("a percent-encoded letter", "/hooks/%61udit"),
        audited("every letter percent-encoded", "/hooks/%61%75%64%69%74"),
        Case {
            seen: &["audit file.moved"],
            ..Case { path: "/hooks/audit", ..signed("another path, an unknown event", event("file.moved")) }
        },
        Case { exceptions: MOUNT_COMPARED_LITERALLY, ..at("a percent-encoded letter in the mount", "/h%6foks") },
        unknown("an unknown path", "/hooks/unknown"),
        unknown("a path below a handler's", "/hooks/audit/more"),
        Case { exceptions: SLASHES_JOINED, ..unknown("two slashes", "/hooks//audit") },
        unknown("an encoded slash", "/hooks%2Faudit").outside(),
        unknown("an encoded slash at the end", "/hooks/audit%2F"),
        unknown("a path encoded twice", "/hooks/%2561udit"),
        unknown("a path that is encoded when it is decoded", "/hooks/%%361udit"),
        unknown("other letter case", "/hooks/Audit"),
        unknown("a path that begins like the mount", "/hookshot").outside(),
        unknown("a handler's path outside the mount", "/audit").outside(),
    ]
}

impl Case {
    /// A path outside the mount, which servers with a router of their own answer.
    fn outside(self) -> Self {
        const SERVERS_OWN: &[Exception] = &[Exception {
            adapters: &[Adapter::Actix, Adapter::Axum],
            expected: Some(answer(404, "")),
            seen: &[],
            because: "the framework answers paths outside the mount",
        }];
        Self { exceptions: SERVERS_OWN, ..self }
    }
}

fn refused_by_head() -> Vec<Case> {
    let forged = SigningSecret::new("another secret").unwrap().sign(event("file.uploaded").as_bytes());
    let twice = vec![secret().sign(event("file.uploaded").as_bytes()); 2];
    let get = |name, status, code| Case { method: Method::GET, body: vec![], ..refused(name, status, code) };
    let signatures = |name, code, signatures| Case { signatures, ..refused(name, 401, code) };
    vec![
        get("GET", 405, "method_not_allowed"),
        Case { method: Method::HEAD, body: vec![], ..refused("HEAD", 405, "") },
        Case { method: Method::PUT, ..refused("PUT", 405, "method_not_allowed") },
        Case { path: "/hooks/unknown", ..get("GET at an unknown path", 404, "unknown_path") },
        signatures("no signature", "signature_missing", vec![]),
        signatures("forged", "signature_mismatch", vec![forged]),
        signatures("two signatures", "signature_malformed", twice),
        signatures("no scheme", "signature_malformed", vec!["abcdef".to_owned()]),
    ]
}

fn refused_by_body() -> Vec<Case> {
    let no_payload = |name, body: &[u8]| with_body(refused(name, 422, "not_a_payload"), body);
    let too_large = |name| with_body(refused(name, 413, "body_too_large"), vec![b' '; BODY_LIMIT + 1]);
    vec![
        no_payload("an empty body", b""),
        Case {
            transfer: Transfer::Chunks(1),
            exceptions: HANDLE_CANNOT_KNOW,
            ..no_payload("an empty chunked body", b"")
        },
        no_payload("a scalar", b"42"),
        no_payload("not JSON", b"event=file.uploaded"),
        no_payload("no UUID", br#"{"hook": {"event": "file.stored"}, "data": {}}"#),
        no_payload("exactly as large as the limit", &[b' '; BODY_LIMIT]),
        too_large("too large"),
        Case { signatures: vec![], ..too_large("too large and forged") },
        Case { transfer: Transfer::Chunks(1024), ..too_large("too large, chunked") },
        Case { transfer: Transfer::Expect, exceptions: SERVER_WAITS, ..too_large("too large, 100 Continue expected") },
        Case { transfer: Transfer::Stalls, exceptions: SERVER_WAITS, ..refused("too slow", 408, "body_too_slow") },
        Case {
            transfer: Transfer::Malformed,
            exceptions: UNREADABLE,
            ..refused("a malformed chunk", 400, "body_unreadable")
        },
    ]
}

fn refused_by_application() -> Vec<Case> {
    let at = |path, case| Case { path, ..case };
    let of = |application, case| Case { application, ..case };
    vec![
        at("/hooks/fails", refused("a handler fails", 500, "handler_failed")),
        at("/hooks/panics", refused("a handler panics", 500, "handler_failed")),
        Case {
            seen: &["waits", "dropped"],
            ..at("/hooks/waits", refused("a handler runs out of time", 503, "handler_timeout"))
        },
        of(Application::Full, refused("too many handlers at once", 503, "overloaded")),
        of(Application::StillRunning, refused("still running", 503, "still_running")),
        of(Application::ClaimsDown, refused("the claims fail", 503, "claim_failed")),
        of(Application::QueueDown, refused("the queue fails", 503, "queue_failed")),
    ]
}
