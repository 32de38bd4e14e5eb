//! Reads JSON into a type, and says where it did not fit.

use serde::{Deserialize, de::DeserializeOwned};

use super::repair::repair;
use crate::message::cut_off;

/// The body is not a webhook payload, or a part of it has an unexpected form.
///
/// The message names the JSON path and may quote the value found there. Control characters, line
/// breaks and other invisible characters of both are escaped, so that the message fits in one log
/// line, and what is longer than 500 characters is cut off.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("at `{path}`: {problem}")]
pub struct DecodeError {
    path: String,
    problem: String,
}

impl DecodeError {
    pub(crate) fn new(path: &str, problem: &str) -> Self {
        Self { path: escaped(path), problem: escaped(problem) }
    }

    /// The JSON path of the part that did not fit, such as `data.content_info.image.width`; `.` is
    /// the whole body.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What is wrong there.
    pub fn problem(&self) -> &str {
        &self.problem
    }

    /// The same error with a longer path: `outer` contains the part that was read.
    pub(crate) fn within(self, outer: &str) -> Self {
        let outer = escaped(outer);
        let path = if self.path == "." { outer } else { format!("{outer}.{}", self.path) };
        Self { path, ..self }
    }
}

/// Escapes what is not printable. Quotes and backslashes stay, since `serde` has quoted and escaped
/// most values once already.
///
/// Cuts off what is longer than a log line should be: a payload may have keys and values of any
/// length.
fn escaped(text: &str) -> String {
    const MAX_CHARS: usize = 500;
    let text = cut_off(text, MAX_CHARS);
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '"' | '\'' | '\\' => escaped.push(character),
            _ => escaped.extend(character.escape_debug()),
        }
    }
    escaped
}

/// Reads `json` in one pass. If that fails, replaces what is not Unicode and reads again.
pub(crate) fn from_slice<T: DeserializeOwned>(json: &[u8]) -> Result<T, DecodeError> {
    serde_json::from_slice(json).or_else(|error| from_odd_slice(json, &error))
}

#[cold]
fn from_odd_slice<T: DeserializeOwned>(json: &[u8], error: &serde_json::Error) -> Result<T, DecodeError> {
    match repair(json) {
        Some(repaired) => from_borrowed(&repaired),
        None => Err(locate::<T>(json, error)),
    }
}

/// Reads `json` as it is, into a type that may borrow from it.
pub(crate) fn from_borrowed<'de, T: Deserialize<'de>>(json: &'de [u8]) -> Result<T, DecodeError> {
    serde_json::from_slice(json).map_err(|error| locate::<T>(json, &error))
}

/// Reads a second time, to find the path of an error. Keeping track of the path in the first pass
/// would take as long as reading.
#[cold]
pub(crate) fn locate<'de, T: Deserialize<'de>>(json: &'de [u8], error: &serde_json::Error) -> DecodeError {
    let mut reader = serde_json::Deserializer::from_slice(json);
    match serde_path_to_error::deserialize::<_, T>(&mut reader) {
        Err(error) => DecodeError::new(&error.path().to_string(), &error.inner().to_string()),
        // The value fits, so the error is about something behind it.
        Ok(_) => DecodeError::new(".", &error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_about_a_very_long_value_is_cut_off() {
        let error = DecodeError::new("data.é", &"é".repeat(200_000));
        assert_eq!(error.problem().chars().count(), 501);
        assert!(error.to_string().ends_with("éé…"));
    }

    #[test]
    fn an_error_stays_in_one_line_whatever_it_quotes() {
        let error = DecodeError::new("data.a\nb\u{1b}", "found `\r\n\u{2028}\u{202e}`: \"é\"").within("x\ty");
        assert_eq!(error.to_string(), r#"at `x\ty.data.a\nb\u{1b}`: found `\r\n\u{2028}\u{202e}`: "é""#);
        assert_eq!((error.path(), error.problem().contains('\n')), (r"x\ty.data.a\nb\u{1b}", false));
    }
}
