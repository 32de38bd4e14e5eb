//! How errors and log lines are worded, and which of them were logged before. Knows nothing of what
//! went wrong.

use std::{
    borrow::Cow,
    collections::BTreeSet,
    error::Error,
    sync::{Mutex, PoisonError},
    time::Duration,
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

/// A time for people: `1.5s`, `30 seconds`, `1 minute`, `4 days`.
pub(crate) fn spelled_out(time: Duration) -> String {
    const MINUTE: u64 = 60;
    const HOUR: u64 = 60 * MINUTE;
    const DAY: u64 = 24 * HOUR;
    let seconds = time.as_secs();
    let is_whole = |unit: u64| seconds.is_multiple_of(unit) && seconds >= unit;
    let (number, unit) = match seconds {
        _ if time.subsec_nanos() > 0 || seconds == 0 => return format!("{time:?}"),
        _ if is_whole(DAY) => (seconds / DAY, "day"),
        _ if is_whole(HOUR) => (seconds / HOUR, "hour"),
        _ if is_whole(MINUTE) => (seconds / MINUTE, "minute"),
        _ => (seconds, "second"),
    };
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {unit}{plural}")
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

    #[test]
    fn a_time_is_spelled_out_in_its_largest_whole_unit() {
        for (seconds, text) in [
            (0, "0ns"),
            (1, "1 second"),
            (90, "90 seconds"),
            (60, "1 minute"),
            (3 * 3600, "3 hours"),
            (4 * 86400, "4 days"),
            (86401, "86401 seconds"),
        ] {
            assert_eq!(spelled_out(Duration::from_secs(seconds)), text);
        }
        assert_eq!(spelled_out(Duration::from_millis(1500)), "1.5s");
    }
}
