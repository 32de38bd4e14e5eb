//! Why a storage failed. Knows no database.

use std::{fmt, sync::Arc};

use crate::message::debug_like_display;

/// Why a storage failed: what it said, with the address of a server and never its password.
///
/// `Debug` says the same as `Display`, because a `main` that returns an error prints its `Debug`
/// form.
#[derive(Clone, thiserror::Error)]
#[error("the queue's storage failed: {text}")]
pub struct QueueError {
    text: Arc<str>,
    refused: bool,
}

debug_like_display!(QueueError);

impl QueueError {
    pub(super) fn new(text: impl fmt::Display) -> Self {
        Self { text: text.to_string().into(), refused: false }
    }

    /// Says what it is about: a file, or the address of a server.
    pub(super) fn about(self, place: impl fmt::Display) -> Self {
        Self { text: format!("{place}: {}", self.text).into(), ..self }
    }

    /// The storage works and refused what it was given, so another call may well succeed.
    pub(super) fn refused(self) -> Self {
        Self { refused: true, ..self }
    }

    /// Whether the storage works and refused what it was given.
    pub(super) fn is_refusal(&self) -> bool {
        self.refused
    }

    pub(super) fn in_time<T>(
        what: &str,
        ended: Result<Result<T, Self>, tokio::time::error::Elapsed>,
    ) -> Result<T, Self> {
        ended.unwrap_or_else(|_| Err(Self::new(format!("{what} took too long"))))
    }
}
