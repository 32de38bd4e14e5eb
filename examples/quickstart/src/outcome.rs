//! What the demonstration counts while it runs, and checks at its end.

use std::{
    error::Error,
    fmt::Debug,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use uploadcare_hooks::{Rejection, WebhookRouter};

use crate::stores::Index;

/// What the demonstration checks at its end. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct Outcome {
    pub(crate) index: Index,
    /// How many requests were not acknowledged because a handler failed.
    failed: Arc<AtomicUsize>,
    /// How many requests were refused.
    refused: Arc<AtomicUsize>,
}

impl Outcome {
    /// Counts what the router does not acknowledge.
    pub(crate) fn count(&self, rejection: &Rejection) {
        if rejection.status().is_server_error() {
            self.failed.fetch_add(1, Ordering::SeqCst);
            return;
        }
        self.refused.fetch_add(1, Ordering::SeqCst);
        // The rest of the text says what to do about it.
        let reason = rejection.reason().to_string();
        println!("   the router refuses it: {}", reason.split(": ").next().unwrap_or_default());
    }

    /// Prints what happened, and checks it.
    pub(crate) fn conclude(&self, hooks: &WebhookRouter) -> Result<(), Box<dyn Error>> {
        let stats = hooks.stats();
        let (failed, refused) = (self.failed.load(Ordering::SeqCst), self.refused.load(Ordering::SeqCst));
        println!("\nIn short");
        println!(
            "   acknowledged: {} requests, one of them the second sending of a delivery, {} of an unknown event",
            stats.acknowledged, stats.unknown_events
        );
        println!("   failed:       {failed} request, whose handler failed; sent again, it was acknowledged");
        println!("   refused:      {refused} request, whose signature did not match; sent again, it was acknowledged");
        expect("acknowledged requests", stats.acknowledged, 9)?;
        expect("requests of an unknown event", stats.unknown_events, 1)?;
        expect("failed requests", failed, 1)?;
        expect("refused requests", refused, 1)?;
        // The file of the old version, which is never deleted.
        expect("files in the index", self.index.names(), vec!["clip.mp4".to_owned()])
    }
}

/// Fails if something is not as expected.
pub(crate) fn expect<T: PartialEq + Debug>(what: &str, found: T, expected: T) -> Result<(), Box<dyn Error>> {
    if found == expected { Ok(()) } else { Err(format!("{what}: {found:?}, expected {expected:?}").into()) }
}
