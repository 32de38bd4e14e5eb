//! Which deliveries were done, or are being done, so that a redelivery does not run handlers twice. Knows keys, nothing of requests.
//!
//! For routers without a queue, which tells redeliveries apart itself. `WebhookRouterBuilder::deduplicate` (feature `deduplicate`) keeps the keys in memory; several
//! processes share them through `RedisClaims` (feature `redis`), or through an implementation of [`DeliveryClaims`] of your own, given to
//! [`deduplicate_with`](crate::WebhookRouterBuilder::deduplicate_with).

#[cfg(feature = "deduplicate")]
mod memory;
#[cfg(feature = "redis")]
mod redis;

use std::{error::Error, future::Future, pin::Pin};

#[cfg(feature = "deduplicate")]
pub use self::memory::MemoryClaims;
#[cfg(feature = "redis")]
pub use self::redis::RedisClaims;

/// What a call of [`DeliveryClaims`] comes to.
pub type ClaimFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, Box<dyn Error + Send + Sync>>> + Send + 'a>>;

/// What is known of a delivery when it is claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// Nobody has it: it is the caller's now.
    Granted,
    /// Somebody is at it: Uploadcare is told to send it again later.
    Running,
    /// It was done: it is acknowledged, and nothing runs.
    Completed,
}

/// Remembers deliveries by key, so that none is run twice.
///
/// A claim that is neither completed nor released, since its process died, must come to an end by itself: after longer than handlers may take, or
/// the delivery is never done.
pub trait DeliveryClaims: Send + Sync + 'static {
    /// Takes a delivery, unless somebody has it or it was done.
    ///
    /// # Errors
    /// When that cannot be known. Nothing runs then, and Uploadcare is told to send the delivery again.
    fn claim<'a>(&'a self, key: &'a str) -> ClaimFuture<'a, Claim>;

    /// Notes that a claimed delivery was done.
    ///
    /// # Errors
    /// When it cannot be noted. The delivery is acknowledged all the same; the error is logged.
    fn complete<'a>(&'a self, key: &'a str) -> ClaimFuture<'a, ()>;

    /// Gives a claimed delivery back, since it failed. The router may drop the future after polling it once, if the request was dropped itself.
    ///
    /// # Errors
    /// When that fails; the error is logged, and the claim left to come to its end.
    fn release<'a>(&'a self, key: &'a str) -> ClaimFuture<'a, ()>;
}
