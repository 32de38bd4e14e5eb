//! How errors and log lines are worded, and which of them were logged before. Knows nothing of what
//! went wrong.

use std::{
    borrow::Cow,
    collections::BTreeSet,
    error::Error,
    sync::{Mutex, PoisonError},
};

/// An error and its causes in one line, outermost first.
///
/// Many errors quote their cause themselves; such a cause is not repeated.
pub(crate) fn with_causes(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        cause = error.source();
    }
    text
}

/// The text, cut off after so many characters, with a sign that it was.
pub(crate) fn cut_off(text: &str, chars: usize) -> Cow<'_, str> {
    match text.char_indices().nth(chars).and_then(|(end, _)| text.get(..end)) {
        Some(kept) => Cow::Owned(format!("{kept}…")),
        None => Cow::Borrowed(text),
    }
}

/// What was logged once and is not logged again.
#[derive(Debug)]
pub(crate) struct Firsts<T>(Mutex<BTreeSet<T>>);

impl<T: Ord> Firsts<T> {
    /// Whether this is the first call with `what`. `false` if `most` things are remembered already.
    pub(crate) fn is_first(&self, what: T, most: usize) -> bool {
        let mut firsts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        firsts.len() < most && firsts.insert(what)
    }
}

impl<T> Default for Firsts<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

/// Makes `Debug` show what `Display` shows: a `main` that returns an error prints its `Debug` form.
macro_rules! debug_like_display {
    ($($error:ty),+ $(,)?) => {$(
        impl ::std::fmt::Debug for $error {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                ::std::fmt::Display::fmt(self, f)
            }
        }
    )+};
}

pub(crate) use debug_like_display;

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{text}")]
    struct Layer {
        text: &'static str,
        source: Option<Box<Layer>>,
    }

    #[test]
    fn causes_follow_and_quoted_ones_are_not_repeated() {
        let disk = Layer { text: "the disk is full", source: None };
        let quoting = Layer { text: "write failed: the disk is full", source: Some(Box::new(disk)) };
        let outer = Layer { text: "no index", source: Some(Box::new(quoting)) };
        assert_eq!(with_causes(&outer), "no index: write failed: the disk is full");
    }
}
