//! What a router counts.

use std::sync::atomic::{AtomicU64, Ordering};

/// What a router counted since it was built.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RouterStats {
    /// Deliveries that were answered 2xx, the unhandled ones included.
    pub acknowledged: u64,
    /// Of those, deliveries that no handler wanted.
    pub unhandled: u64,
    /// Deliveries of an event that this version of the crate does not know, whether a handler wanted them or not.
    pub unknown_events: u64,
    /// Handlers that gave up on a delivery with [`HandlerError::discard`](crate::HandlerError::discard).
    pub discarded: u64,
    /// Deliveries signed with a secret of the router other than the first: one that was replaced, as during a rotation.
    pub replaced_secret: u64,
    /// Deliveries that were acknowledged without running anything, since they were done before.
    pub duplicates: u64,
    /// Requests that were not acknowledged, whatever the reason.
    pub rejected: u64,
}

#[derive(Default)]
pub(super) struct Counters {
    acknowledged: AtomicU64,
    unhandled: AtomicU64,
    unknown_events: AtomicU64,
    discarded: AtomicU64,
    replaced_secret: AtomicU64,
    duplicates: AtomicU64,
    rejected: AtomicU64,
}

macro_rules! counters {
    ($($name:ident),+) => {
        impl Counters {
            $(pub(super) fn $name(&self) {
                self.$name.fetch_add(1, Ordering::Relaxed);
            })+

            pub(super) fn snapshot(&self) -> RouterStats {
                RouterStats { $($name: self.$name.load(Ordering::Relaxed)),+ }
            }
        }
    };
}

counters!(acknowledged, unhandled, unknown_events, discarded, replaced_secret, duplicates, rejected);
