//! Reads JSON into a type, and says where it did not fit.

use serde::Deserialize;

/// A body that is not a webhook's payload, or a part of one that is not what it should be.
///
/// The message names the JSON path, and may quote the value found there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("at `{}`: {problem}", .path.escape_debug())]
pub struct DecodeError {
    path: String,
    problem: String,
}

impl DecodeError {
    pub(crate) fn new(path: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { path: path.into(), problem: problem.into() }
    }

    /// The JSON path of what did not fit, such as `data.content_info.image.width`; `.` is the whole body.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What is wrong there.
    pub fn problem(&self) -> &str {
        &self.problem
    }

    /// The same, seen from a place further out.
    pub(crate) fn within(self, outer: &str) -> Self {
        let path = if self.path == "." { outer.to_owned() } else { format!("{outer}.{}", self.path) };
        Self { path, ..self }
    }
}

/// Reads `json` in one pass. Only when that fails, a second pass finds out where: keeping track of the path costs as much as
/// reading.
pub(crate) fn from_slice<'de, T: Deserialize<'de>>(json: &'de [u8]) -> Result<T, DecodeError> {
    serde_json::from_slice(json)
        .map_err(|first| locate::<T>(json).unwrap_or_else(|| DecodeError::new(".", first.to_string())))
}

#[cold]
fn locate<'de, T: Deserialize<'de>>(json: &'de [u8]) -> Option<DecodeError> {
    let mut reader = serde_json::Deserializer::from_slice(json);
    let error = serde_path_to_error::deserialize::<_, T>(&mut reader).err()?;
    Some(DecodeError::new(error.path().to_string(), error.inner().to_string()))
}
