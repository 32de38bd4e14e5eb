//! What a handler may return.

use std::{any::Any, error::Error, fmt};

use crate::{
    message::{debug_like_display, with_causes},
    payload::DecodeError,
};

/// How a handler's run ended.
pub type Outcome = Result<(), HandlerError>;

/// What a handler may return: `()`, or a `Result<(), E>` whose error turns into a [`HandlerError`].
#[diagnostic::on_unimplemented(
    message = "a webhook handler returns `()` or `Result<(), HandlerError>`, not `{Self}`",
    label = "neither `()` nor a `Result<(), E>` with an error type that handlers may have",
    note = "in `Result<(), E>`, `E` is `HandlerError`, `anyhow::Error`, `String`, \
            `Box<dyn Error + Send + Sync>` instead of `Box<dyn Error>`, or a type that is \
            `std::error::Error + Send + Sync + 'static`",
    note = "the value in `Ok` is `()`, and a handler returns no status or response: the router chooses the status",
    note = "turn another error, such as `actix_web::Error`, into a `HandlerError`: \
            `.map_err(|error| HandlerError::new(error.to_string()))?`"
)]
pub trait IntoOutcome {
    /// Turns the return value into an outcome.
    ///
    /// # Errors
    /// The handler's own error.
    fn into_outcome(self) -> Outcome;
}

// About another type the compiler shows the message of `IntoOutcome`. It lists neither this
// implementation nor the traits that the `E` of a `Result` lacks.
#[diagnostic::do_not_recommend]
impl IntoOutcome for () {
    fn into_outcome(self) -> Outcome {
        Ok(())
    }
}

#[diagnostic::do_not_recommend]
impl<E: Into<HandlerError> + 'static> IntoOutcome for Result<(), E> {
    fn into_outcome(self) -> Outcome {
        self.map_err(|error| {
            let any: &dyn Any = &error;
            let kind = any.downcast_ref().and_then(carried_by);
            let error = error.into();
            HandlerError { kind: kind.unwrap_or(error.kind), ..error }
        })
    }
}

/// Why a handler failed, and whether the delivery should be sent again.
///
/// Every error type turns into a `HandlerError` with `?`. The router then answers 500, and
/// Uploadcare sends the delivery again, for up to 72 hours. If another attempt cannot succeed, use
/// [`discard`](Self::discard): the delivery is acknowledged, and the error logged.
///
/// Like `anyhow::Error` it does not implement [`std::error::Error`], so that every error can turn
/// into it. It turns into `Box<dyn Error>`, so a test may call a handler with `?`, and into
/// `anyhow::Error`: a function that returns `anyhow::Result` may fail with
/// `Err(HandlerError::discard(..))?`, and a handler that returns that error, also with
/// `anyhow::Context` around it, still discards the delivery. Inside an error of another type it
/// does not: that error is a failure of its own.
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
    kind: Kind,
}

/// What another attempt would change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// It may succeed.
    Temporary,
    /// It will fail, and the delivery is acknowledged.
    Discard,
    /// The payload does not fit the handler's type: it will fail until the type is changed.
    Mismatch,
}

impl HandlerError {
    /// A temporary failure: Uploadcare should send the delivery again.
    pub fn new(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { source: error.into(), kind: Kind::Temporary }
    }

    /// A permanent failure: the delivery is acknowledged, and the error logged.
    pub fn discard(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { source: error.into(), kind: Kind::Discard }
    }

    /// The payload cannot be read as the type that the handler takes.
    pub(crate) fn mismatch(error: DecodeError) -> Self {
        Self { source: error.into(), kind: Kind::Mismatch }
    }

    /// Whether the delivery is acknowledged in spite of the error.
    pub fn is_discard(&self) -> bool {
        self.kind == Kind::Discard
    }

    /// Whether another attempt by the same program cannot succeed.
    #[allow(dead_code, reason = "only a queue tries again")]
    pub(crate) fn is_final(&self) -> bool {
        self.kind != Kind::Temporary
    }

    /// Whether the payload cannot be read as the type that the handler takes.
    pub(crate) fn is_mismatch(&self) -> bool {
        self.kind == Kind::Mismatch
    }

    /// The handler's own error.
    pub fn get_ref(&self) -> &(dyn Error + Send + Sync + 'static) {
        self.source.as_ref()
    }
}

impl<E: Into<Box<dyn Error + Send + Sync>>> From<E> for HandlerError {
    fn from(error: E) -> Self {
        let source = error.into();
        // An `anyhow::Error` that is a `HandlerError` and says nothing more.
        let carried = source.source().and_then(|cause| cause.downcast_ref::<Carried>());
        let kind = carried.filter(|carried| carried.to_string() == source.to_string()).map(|carried| carried.0.kind);
        Self { kind: kind.unwrap_or(Kind::Temporary), source }
    }
}

impl From<HandlerError> for Box<dyn Error> {
    fn from(error: HandlerError) -> Self {
        Box::new(Carrier(Carried(error)))
    }
}

impl From<HandlerError> for anyhow::Error {
    fn from(error: HandlerError) -> Self {
        Self::new(Carrier(Carried(error)))
    }
}

/// A [`HandlerError`] inside another error. It is the cause of a [`Carrier`], because only causes
/// can be recognised in an `anyhow::Error` that became a boxed error.
struct Carried(HandlerError);

/// What a [`HandlerError`] turns into: an error that says the same.
struct Carrier(Carried);

/// What the `HandlerError` in an `anyhow::Error` says. `anyhow` looks for it below its own contexts
/// only, not among the causes of other errors.
fn carried_by(error: &anyhow::Error) -> Option<Kind> {
    error.downcast_ref().map(|Carrier(Carried(error))| error.kind)
}

impl Error for Carried {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(self.0.get_ref())
    }
}

impl Error for Carrier {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

impl fmt::Display for Carried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&with_causes(self.0.get_ref()))
    }
}

impl fmt::Display for Carrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

debug_like_display!(Carried, Carrier);

/// The error and its causes, in one line.
impl fmt::Display for HandlerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_mismatch() {
            f.write_str("the payload does not fit the type that the handler takes: ")?;
        }
        f.write_str(&with_causes(self.get_ref()))
    }
}

impl fmt::Debug for HandlerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HandlerError").field("source", &self.source).field("kind", &self.kind).finish()
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
    fn an_anyhow_error_keeps_what_a_handler_error_inside_of_it_says() {
        fn fail(discard: bool) -> anyhow::Result<()> {
            Err(if discard { HandlerError::discard("no name") } else { HandlerError::new("no disk") })?;
            Ok(())
        }
        for discard in [true, false] {
            let plain = fail(discard).into_outcome().unwrap_err();
            let with_context = fail(discard).map_err(|error| error.context("reading")).into_outcome().unwrap_err();
            let thrown = Err::<(), _>(anyhow::anyhow!(fail(discard).unwrap_err())).into_outcome().unwrap_err();
            for error in [&plain, &with_context, &thrown] {
                assert_eq!(error.is_discard(), discard, "{error:?}");
            }
            let text = if discard { "no name" } else { "no disk" };
            assert_eq!((plain.to_string(), with_context.to_string()), (text.to_owned(), format!("reading: {text}")));
        }
        let made = Err::<(), _>(anyhow::anyhow!(HandlerError::discard("made by the macro")));
        assert!(made.into_outcome().unwrap_err().is_discard());
    }

    #[test]
    fn an_error_that_has_a_discard_among_its_causes_is_a_failure_of_its_own() {
        #[derive(Debug, thiserror::Error)]
        #[error("one of the batch failed")]
        struct Batch(#[source] anyhow::Error);

        let batch = || Batch(HandlerError::discard("no name").into());
        assert!(!HandlerError::from(batch()).is_discard());
        assert!(!Err::<(), _>(batch()).into_outcome().unwrap_err().is_discard());
        assert!(!Err::<(), _>(anyhow::Error::new(batch())).into_outcome().unwrap_err().is_discard());
    }

    #[test]
    fn the_mismatch_of_a_payload_is_named_once_however_it_comes() {
        let mismatch = || HandlerError::mismatch(crate::payload::from_slice::<u8>(b"[]").unwrap_err());
        let passed_on = Err::<(), _>(anyhow::Error::from(mismatch())).into_outcome().unwrap_err();
        assert!(passed_on.is_mismatch());
        assert_eq!(passed_on.to_string(), mismatch().to_string());
    }

    #[test]
    fn a_test_whose_error_is_a_boxed_error_can_use_the_question_mark() {
        fn test() -> Result<(), Box<dyn Error>> {
            Err(HandlerError::new(std::io::Error::other("the disk is full")))?;
            Ok(())
        }
        assert_eq!(format!("{:?}", test().unwrap_err()), "the disk is full");
    }

    #[test]
    fn a_handler_error_passes_through_unchanged() {
        let outcome = Err::<(), _>(HandlerError::discard("never")).into_outcome();
        assert!(outcome.unwrap_err().is_discard());
    }
}
