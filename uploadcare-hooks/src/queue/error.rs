//! Why a queue could not do what it was asked to. Knows no database.

use std::{fmt, sync::Arc};

use crate::message::debug_like_display;

/// Why a queue could not do what it was asked to: what its storage said, with the address of a
/// server and never its password.
///
/// `Debug` says the same as `Display`, because a `main` that returns an error prints its `Debug`
/// form.
#[derive(Clone, thiserror::Error)]
#[error("{}{text}", .cause.prefix())]
pub struct QueueError {
    text: Arc<str>,
    cause: Cause,
}

debug_like_display!(QueueError);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cause {
    /// The storage cannot be reached, or fails.
    Failed,
    /// The storage works and refused what it was given.
    Refused,
    /// The caller asked for something that cannot be.
    Misused,
}

impl Cause {
    fn prefix(self) -> &'static str {
        if self == Self::Misused { "" } else { "the queue's storage failed: " }
    }
}

impl QueueError {
    pub(super) fn new(text: impl fmt::Display) -> Self {
        Self { text: text.to_string().into(), cause: Cause::Failed }
    }

    /// The caller asked for something that cannot be.
    pub(super) fn misused(text: impl fmt::Display) -> Self {
        Self { cause: Cause::Misused, ..Self::new(text) }
    }

    /// Says what it is about: a file, or the address of a server.
    pub(super) fn about(self, place: impl fmt::Display) -> Self {
        Self { text: format!("{place}: {}", self.text).into(), ..self }
    }

    /// The storage works and refused what it was given.
    pub(super) fn refused(self) -> Self {
        Self { cause: Cause::Refused, ..self }
    }

    /// Whether the same call fails again, however often it is made, and another may succeed.
    pub(super) fn is_refusal(&self) -> bool {
        self.cause != Cause::Failed
    }

    /// The result of a call of a storage that had a time limit.
    pub(super) fn in_time<T>(
        what: &str,
        ended: Result<Result<T, Self>, tokio::time::error::Elapsed>,
    ) -> Result<T, Self> {
        ended.unwrap_or_else(|_| Err(Self::new(format!("{what} took too long"))))
    }
}
