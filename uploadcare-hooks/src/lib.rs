#![cfg_attr(
    all(feature = "actix-web", feature = "macros", feature = "tower"),
    doc = include_str!("../README.md")
)]
#![cfg_attr(
    not(all(feature = "actix-web", feature = "macros", feature = "tower")),
    doc = "Receive Uploadcare's webhooks: verified signatures, typed payloads, one function per event."
)]

// The rooms, from top to bottom. Each uses only those below it; ARCHITECTURE.md describes them.
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
