//! Reads JSON into a type, and says where it did not fit.

use std::borrow::Cow;

use bytes::Bytes;
use serde::{Deserialize, de::DeserializeOwned};

use super::{repair::repair, text::Body};
use crate::message::cut_off;

/// The body is not a webhook payload, or a part of it has an unexpected form.
///
/// The message names the JSON path, what was found there and what was expected. It quotes neither
/// the value nor the keys of metadata, so that it can be logged; [`path`](Self::path) and
/// [`problem`](Self::problem) do. Control characters, line breaks and other invisible characters
/// are escaped, so that the message fits in one log line, and what is longer than 500 characters is
/// cut off.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("at `{}`: {without_value}", without_keys(path))]
pub struct DecodeError {
    path: String,
    problem: String,
    /// The problem without the value that it quotes.
    without_value: String,
}

impl DecodeError {
    pub(crate) fn new(path: &str, problem: &str) -> Self {
        Self { path: escaped(path), problem: escaped(problem), without_value: escaped(&without_value(problem)) }
    }

    /// The whole JSON path of the part that did not fit, such as `data.content_info.image.width`;
    /// `.` is the whole body.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What is wrong there. May quote the value.
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

/// What `serde` or a type says of a problem, without the value that it quotes.
fn without_value(problem: &str) -> Cow<'_, str> {
    const QUOTES: [char; 3] = ['"', '`', '\''];
    // These quote names of fields, which are in the source of the type, or signs of JSON.
    const FIELDS: [&str; 2] = ["missing field `", "duplicate field `"];
    const SIGNS: [&str; 4] = ["expected `:`", "expected `,` or `]`", "expected `,` or `}`", "expected `\"`"];
    let names_a_sign = |sign: &&str| problem.strip_prefix(*sign).is_some_and(|position| is_position(position, 0));
    if FIELDS.iter().any(|start| problem.starts_with(start)) || SIGNS.iter().any(names_a_sign) {
        return Cow::Borrowed(problem);
    }
    let says_what_is_expected = problem.starts_with("invalid ");
    // What is expected stands behind the value, which may contain the same words.
    let expected = problem.rfind(", expected ").filter(|_| says_what_is_expected);
    let end = expected.or_else(|| problem.rfind(" at line ").filter(|end| is_position(problem, *end)));
    let (found, rest) = problem.split_at_checked(end.unwrap_or(problem.len())).unwrap_or((problem, ""));
    match found.split_once(QUOTES) {
        Some((before, _)) => Cow::Owned(format!("{}{rest}", before.trim_end())),
        None => Cow::Borrowed(problem),
    }
}

/// Whether a text ends in a line and a column from here on.
fn is_position(text: &str, start: usize) -> bool {
    let numbers = text.get(start..).and_then(|end| end.strip_prefix(" at line ")?.split_once(" column "));
    numbers.is_some_and(|(line, column)| [line, column].iter().all(|number| number.parse::<u64>().is_ok()))
}

/// The path to the first part whose keys are chosen by end users or say what a file shows.
fn without_keys(path: &str) -> Cow<'_, str> {
    let mut end = 0;
    for segment in path.split_inclusive('.') {
        end += segment.len();
        if matches!(segment, "metadata." | "variations." | "rekognition_info.") {
            return Cow::Owned(format!("{}…", path.get(..end).unwrap_or_default()));
        }
    }
    Cow::Borrowed(path)
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

/// Reads the body of a delivery. Its texts are parts of the body.
pub(crate) fn from_bytes<T: DeserializeOwned>(body: &Bytes) -> Result<T, DecodeError> {
    Body::read(body).share(from_str)
}

/// Reads `json` in one pass. If that fails, replaces what is not Unicode and reads again.
pub(crate) fn from_str<T: DeserializeOwned>(json: &str) -> Result<T, DecodeError> {
    serde_json::from_str(json).or_else(|error| from_odd_slice(json.as_bytes(), &error))
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
    fn the_message_quotes_no_value_and_the_problem_does() {
        #[derive(Debug, Deserialize)]
        #[serde(rename_all = "snake_case")]
        enum Kind {
            Cat,
            Dog,
        }
        assert!(from_slice::<Kind>(b"\"cat\"").is_ok_and(|kind| !matches!(kind, Kind::Dog)));

        let told_of = |value: &str| DecodeError::new(".", &format!("UUID: found `{value}`"));
        let told = |problem: &str| DecodeError::new("data.size", problem).to_string();
        let read = |error: DecodeError| (error.problem().contains("private"), error.to_string());
        for (error, message) in [
            (
                from_slice::<u8>(b"\"private, expected \\\"private\\\"\"").unwrap_err(),
                "at `.`: invalid type: string, expected u8 at line 1 column 31",
            ),
            (told_of("private at line 3 column private"), "at `.`: UUID: found"),
            (from_slice::<Kind>(b"\"private\"").unwrap_err(), "at `.`: unknown variant at line 1 column 9"),
            (
                from_slice::<uuid::Uuid>(b"\"private at line 3 column 4\"").unwrap_err(),
                "at `.`: UUID parsing failed: invalid character: found at line 1 column 28",
            ),
        ] {
            assert_eq!(error.to_string(), message, "{}", error.problem());
        }
        for (body, sign) in [("{\"size\" 1}", "`:`"), ("[1 2]", "`,` or `]`"), ("{\"size\": 1 2}", "`,` or `}`")] {
            let error = from_slice::<serde_json::Value>(body.as_bytes()).unwrap_err();
            assert!(error.to_string().contains(&format!("expected {sign} at line 1 column ")), "{error}");
        }
        assert_eq!(told("expected `:` at line `private`"), "at `data.size`: expected");
        assert!(read(from_slice::<u8>(b"\"private\"").unwrap_err()).0);
        assert_eq!(
            told("invalid value: integer `5`, expected `a` or `b`"),
            "at `data.size`: invalid value: integer, expected `a` or `b`"
        );
        assert_eq!(
            told("missing field `uuid` at line 1 column 2"),
            "at `data.size`: missing field `uuid` at line 1 column 2"
        );
        assert_eq!(
            told("EOF while parsing a list at line 1 column 2"),
            "at `data.size`: EOF while parsing a list at line 1 column 2"
        );
        let long =
            format!("invalid type: string \"{}, expected private{}\", expected u8", "a".repeat(490), "a".repeat(500));
        assert_eq!(told(&long), "at `data.size`: invalid type: string, expected u8");
        let error = DecodeError::new("data.metadata.private.key", "invalid type: null, expected a string");
        assert_eq!(error.to_string(), "at `data.metadata.…`: invalid type: null, expected a string");
        assert_eq!(error.path(), "data.metadata.private.key");
    }

    #[test]
    fn an_error_stays_in_one_line_whatever_it_quotes() {
        let error = DecodeError::new("data.a\nb\u{1b}", "found `\r\n\u{2028}\u{202e}`: \"é\"").within("x\ty");
        assert_eq!(error.problem(), r#"found `\r\n\u{2028}\u{202e}`: "é""#);
        assert_eq!(error.to_string(), r"at `x\ty.data.a\nb\u{1b}`: found");
        assert_eq!((error.path(), error.problem().contains('\n')), (r"x\ty.data.a\nb\u{1b}", false));
    }
}
