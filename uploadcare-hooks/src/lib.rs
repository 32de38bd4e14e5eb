#![doc = include_str!("../docs/crate.md")]
// Links to what is behind a feature lead to docs.rs if that is not compiled in.
#![cfg_attr(
    all(
        feature = "actix-web",
        feature = "client",
        feature = "deduplicate",
        feature = "discover",
        feature = "macros",
        feature = "queue",
        feature = "testing",
        feature = "tower"
    ),
    doc = "\n\n",
    doc = include_str!("../docs/crate_links.md")
)]
#![cfg_attr(
    not(all(
        feature = "actix-web",
        feature = "client",
        feature = "deduplicate",
        feature = "discover",
        feature = "macros",
        feature = "queue",
        feature = "testing",
        feature = "tower"
    )),
    doc = "\n\n",
    doc = include_str!("../docs/crate_links_online.md")
)]
// On docs.rs, each item says which feature it needs.
#![cfg_attr(docsrs, feature(doc_cfg))]

// The examples of the README are tests.
#[cfg(all(doctest, feature = "actix-web", feature = "macros", feature = "tower"))]
#[doc = include_str!("../README.md")]
pub mod readme {}

// The rooms, from top to bottom. Each uses only those below it; ARCHITECTURE.md describes them.
#[cfg_attr(
    not(all(feature = "client", feature = "queue", feature = "testing")),
    allow(rustdoc::broken_intra_doc_links, reason = "guides link to what may not be compiled in")
)]
pub mod guide;

#[cfg(feature = "testing")]
pub mod testing;

mod adapter;
#[cfg(feature = "discover")]
mod discover;
mod missing;
#[cfg(feature = "client")]
pub mod registration;

pub mod claims;
#[cfg(feature = "queue")]
pub mod queue;

#[cfg(feature = "client")]
pub mod client;
mod router;

mod handler;

mod delivery;

pub mod event;

pub mod payload;

mod clock;
mod message;
pub mod observe;
mod signature;

pub mod service;

#[doc(hidden)]
pub mod __private;
mod attribute;

#[cfg(feature = "tower")]
pub use self::adapter::{ResponseBody, WebhookService};
#[cfg(feature = "macros")]
pub use self::attribute::webhook_handler;
pub use self::delivery::{Delivery, DeliveryId};
pub use self::event::{Event, UnknownEvent};
pub use self::handler::{
    FromDelivery, HandlerContext, HandlerDescriptor, HandlerError, IntoHandlers, IntoOutcome, Outcome, Payload,
    RequiredStates, State, Webhook,
};
pub use self::payload::v0_7::{FileDeleted, FileInfected, FileInfoUpdated, FileStored, FileUploaded};
pub use self::payload::{DecodeError, EventKind, PayloadVersion};
#[doc(hidden)]
pub use self::router::Built;
pub use self::router::{
    BuildError, BuildProblem, FailureKind, HandlerDescription, HandlerFailure, Rejection, RejectionReason,
    RouterDescription, RouterStats, SecretDescription, TriedSecrets, WebhookRouter, WebhookRouterBuilder,
};
pub use self::service::{MAX_SECRET_CHARS, SIGNATURE_HEADER};
pub use self::signature::{SecretError, SignatureError, SigningSecret};
