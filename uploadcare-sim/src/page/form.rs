//! The fields of a form, as a browser sends them.

use std::str::FromStr;

/// The fields, in the order of the form. A name may be there several times.
#[derive(Debug, Default)]
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    /// Reads the body of a request, or a query. Line breaks become `\n`.
    pub(super) fn read(encoded: &[u8]) -> Self {
        // The decoder takes any bytes.
        let fields: Vec<(String, String)> = serde_urlencoded::from_bytes(encoded).unwrap_or_default();
        Self(fields.into_iter().map(|(name, value)| (name, value.replace("\r\n", "\n"))).collect())
    }

    /// The first value of this name, or the empty text.
    pub(super) fn text(&self, name: &str) -> &str {
        self.all(name).next().unwrap_or_default()
    }

    /// The first value of this name without spaces around it, if it is not empty.
    pub(super) fn given(&self, name: &str) -> Option<&str> {
        Some(self.text(name).trim()).filter(|value| !value.is_empty())
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.all(name).next().is_some()
    }

    pub(super) fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// A whole number, or the default if the field is empty.
    pub(super) fn number<T: FromStr>(&self, name: &str, default: T) -> Result<T, String> {
        let Some(value) = self.given(name) else { return Ok(default) };
        value.parse().map_err(|_| format!("`{name}` is {value:?}; it takes a whole number"))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}
