//! Lets one caller see what the handlers of its delivery did. The router decides nothing by it.

use super::FailureKind;

/// Sees what happens to one delivery. Only the testing kit watches: other deliveries have no
/// watcher, and cost one check of an `Option` for each handler.
pub(crate) trait Watcher: Send + Sync {
    /// A handler ended. An error may be one that discards the delivery.
    fn ran(&self, handler: &'static str, ended: Result<(), &FailureKind>);

    /// A job of this handler was stored, in this delivery or in an earlier one.
    #[allow(dead_code, reason = "only a queue stores")]
    fn stored(&self, handler: &'static str);

    /// The delivery was done before, so no handler ran.
    fn done_before(&self);
}
