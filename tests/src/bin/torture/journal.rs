//! A file that records what handlers did, and that outlives the process. Each line is one write.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    path::Path,
    str::FromStr,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use apalis_core::error::BoxDynError;
use uuid::Uuid;

/// A successful run of a handler.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Success {
    pub(crate) uuid: Uuid,
    pub(crate) handler: u8,
    /// The number of the application's start, counted from 0.
    pub(crate) life: usize,
    /// When the run ended, in milliseconds since 1970.
    pub(crate) at: u64,
}

/// The journal that the application writes.
#[derive(Debug, Clone)]
pub(crate) struct Journal {
    file: Arc<File>,
    life: usize,
}

impl Journal {
    pub(crate) fn append(path: &Path, life: usize) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        Ok(Self { file: Arc::new(file), life })
    }

    pub(crate) fn note(&self, uuid: Uuid, handler: u8) -> io::Result<()> {
        let line = format!("{uuid} {handler} {} {}\n", self.life, now());
        self.file.as_ref().write_all(line.as_bytes())
    }
}

/// Reads every success so far.
pub(crate) fn read(path: &Path) -> Result<Vec<Success>, BoxDynError> {
    let text = match std::fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        text => text?,
    };
    text.lines().map(parse).collect()
}

fn parse(line: &str) -> Result<Success, BoxDynError> {
    let mut parts = line.split(' ');
    let mut next = || parts.next().ok_or("a line of the journal has too few fields");
    Ok(Success {
        uuid: Uuid::from_str(next()?)?,
        handler: next()?.parse()?,
        life: next()?.parse()?,
        at: next()?.parse()?,
    })
}

/// Milliseconds since 1970.
pub(crate) fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
