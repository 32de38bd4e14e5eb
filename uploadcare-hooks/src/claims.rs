//! Which deliveries are running or done, so that a redelivery does not run handlers twice.
//!
//! For routers without a queue, which recognises redeliveries itself.
//! `WebhookRouterBuilder::deduplicate` (feature `deduplicate`) keeps the deliveries in memory.
//! Several processes share them through `RedisClaims` (feature `redis`), or through an
//! implementation of [`DeliveryClaims`] of your own, given to
//! [`deduplicate_with`](crate::WebhookRouterBuilder::deduplicate_with).

mod dispatch;
#[cfg(feature = "deduplicate")]
mod memory;
#[cfg(feature = "redis")]
mod redis;

use std::{error::Error, future::Future, pin::Pin, time::Duration};

#[cfg(feature = "deduplicate")]
pub use self::memory::MemoryClaims;
#[cfg(feature = "redis")]
pub use self::redis::{RedisClaims, RedisConnectError};

/// What a method of [`DeliveryClaims`] returns.
pub type ClaimFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, Box<dyn Error + Send + Sync>>> + Send + 'a>>;

/// The state of a delivery when it is claimed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// The delivery was free, and is the caller's now. The mark names this claim, and is given back
    /// with [`complete`](DeliveryClaims::complete) or [`release`](DeliveryClaims::release).
    Granted(ClaimMark),
    /// Another request is processing it. Uploadcare is told to send it again later.
    Running,
    /// It was done. It is acknowledged, and nothing runs.
    Completed,
}

/// Names one claim of a delivery, so that a late [`release`](DeliveryClaims::release) does not free
/// a claim that another request made since. Its text is for the implementation to choose.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct ClaimMark(String);

impl ClaimMark {
    /// A mark with this text. Where claims end by themselves it must differ for each claim.
    pub fn new(mark: impl Into<String>) -> Self {
        Self(mark.into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Remembers deliveries by key, so that each runs once.
///
/// A claim that is neither completed nor released, because its process died, must end by itself,
/// and later than a handler may take: see [`lease_time`](Self::lease_time).
///
/// The router calls `complete` or `release` and polls the future once even if the request is
/// dropped, as when the client goes away. It may drop the future then. An implementation that has
/// to wait for its answer starts a task in these methods, before it returns the future.
pub trait DeliveryClaims: Send + Sync + 'static {
    /// Claims a delivery if it is free.
    ///
    /// # Errors
    /// If its state cannot be known. Nothing runs then, and Uploadcare is told to send the delivery
    /// again.
    fn claim<'a>(&'a self, key: &'a str) -> ClaimFuture<'a, Claim>;

    /// Records that a claimed delivery is done.
    ///
    /// # Errors
    /// If it cannot be recorded. The router logs the error and acknowledges the delivery all the
    /// same.
    fn complete<'a>(&'a self, key: &'a str, mark: &'a ClaimMark) -> ClaimFuture<'a, ()>;

    /// Gives a claimed delivery back, because it failed. Must change nothing if the claim with this
    /// mark has ended, even if there is a later claim.
    ///
    /// # Errors
    /// If that fails. The router logs the error, and the claim stays until it ends by itself.
    fn release<'a>(&'a self, key: &'a str, mark: &'a ClaimMark) -> ClaimFuture<'a, ()>;

    /// After how long a claim ends by itself; `None`, the default, if that is not known or never
    /// happens.
    ///
    /// Building a router fails if handlers may take longer, because a redelivery could then run a
    /// handler that is still running.
    fn lease_time(&self) -> Option<Duration> {
        None
    }

    /// Where deliveries are remembered and for how long, without passwords, for
    /// [`WebhookRouter::describe`](crate::WebhookRouter::describe). Defaults to the name of the type.
    fn describe(&self) -> String {
        std::any::type_name::<Self>().to_owned()
    }
}
