//! What a handler may return.

use std::{error::Error, fmt};

use crate::message::with_causes;

/// How a handler's run ended.
pub type Outcome = Result<(), HandlerError>;

/// What a handler may return: `()`, or a `Result<(), E>` whose error turns into a [`HandlerError`].
#[diagnostic::on_unimplemented(
    message = "a webhook handler cannot return `{Self}`",
    label = "neither `()` nor `Result<(), E>`",
    note = "return `Result<(), E>`, where `E` is any error type that is `Send + Sync + 'static` \
            (also `anyhow::Error`, `String`), or `HandlerError`"
)]
pub trait IntoOutcome {
    /// Turns the return value into an outcome.
    ///
    /// # Errors
    /// The handler's own error.
    fn into_outcome(self) -> Outcome;
}

impl IntoOutcome for () {
    fn into_outcome(self) -> Outcome {
        Ok(())
    }
}

impl<E: Into<HandlerError>> IntoOutcome for Result<(), E> {
    fn into_outcome(self) -> Outcome {
        self.map_err(Into::into)
    }
}

/// Why a handler failed, and whether the delivery should be sent again.
///
/// Every error type turns into a `HandlerError` with `?`. The router then answers 500, and
/// Uploadcare sends the delivery again, for up to 72 hours. If another attempt cannot succeed, use
/// [`discard`](Self::discard): the delivery is acknowledged, and the error logged.
///
/// Like `anyhow::Error` it does not implement [`std::error::Error`], so that every error can turn
/// into it.
///
/// ```
/// use uploadcare_hooks::{FileUploaded, HandlerError};
///
/// async fn index(event: FileUploaded) -> Result<(), HandlerError> {
///     let name = event.data.original_filename;
///     let name = name.ok_or_else(|| HandlerError::discard("a file without a name"))?;
///     std::fs::write("index.txt", name)?;
///     Ok(())
/// }
/// ```
pub struct HandlerError {
    source: Box<dyn Error + Send + Sync>,
    discard: bool,
}

impl HandlerError {
    /// A temporary failure: Uploadcare should send the delivery again.
    pub fn new(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { source: error.into(), discard: false }
    }

    /// A permanent failure: the delivery is acknowledged, and the error logged.
    pub fn discard(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { source: error.into(), discard: true }
    }

    /// Whether the delivery is acknowledged in spite of the error.
    pub fn is_discard(&self) -> bool {
        self.discard
    }

    /// The handler's own error.
    pub fn get_ref(&self) -> &(dyn Error + Send + Sync + 'static) {
        self.source.as_ref()
    }
}

impl<E: Into<Box<dyn Error + Send + Sync>>> From<E> for HandlerError {
    fn from(error: E) -> Self {
        Self::new(error)
    }
}

/// The error and its causes, in one line.
impl fmt::Display for HandlerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&with_causes(self.get_ref()))
    }
}

impl fmt::Debug for HandlerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HandlerError").field("source", &self.source).field("discard", &self.discard).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_error_turns_into_one_and_keeps_its_causes() {
        fn fail() -> Result<(), HandlerError> {
            Err(std::io::Error::other(SecretlessError))?;
            Ok(())
        }
        #[derive(Debug, thiserror::Error)]
        #[error("the disk is full")]
        struct SecretlessError;

        let error = fail().unwrap_err();
        assert!(!error.is_discard());
        assert_eq!(error.to_string(), "the disk is full");
        assert!(HandlerError::discard("no").is_discard());
        assert_eq!(Err::<(), _>("text").into_outcome().unwrap_err().to_string(), "text");
    }

    #[test]
    fn a_handler_error_passes_through_unchanged() {
        let outcome = Err::<(), _>(HandlerError::discard("never")).into_outcome();
        assert!(outcome.unwrap_err().is_discard());
    }
}
