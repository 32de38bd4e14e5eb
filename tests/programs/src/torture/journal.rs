//! A file that records what handlers did, and that outlives the processes. Each line is one write.

use std::{
    error::Error,
    fs::{File, OpenOptions},
    io::{self, Write},
    path::Path,
    str::FromStr,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use uuid::Uuid;

/// What an attempt of a handler came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    Started,
    Succeeded,
    Failed,
}

/// One line of the journal.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry {
    pub(crate) uuid: Uuid,
    pub(crate) handler: u8,
    /// The number of the process, counted from 0.
    pub(crate) life: usize,
    /// When it happened, in milliseconds since 1970.
    pub(crate) at: u64,
    pub(crate) what: What,
}

/// The journal that the processes of the application write.
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

    fn note(&self, uuid: Uuid, handler: u8, what: What) -> io::Result<()> {
        let line = format!("{uuid} {handler} {} {} {what:?}\n", self.life, now());
        self.file.as_ref().write_all(line.as_bytes())
    }
}

/// An attempt of a handler. It failed if it is dropped before it succeeds.
pub(crate) struct Attempt<'a> {
    journal: &'a Journal,
    uuid: Uuid,
    handler: u8,
    ended: bool,
}

impl<'a> Attempt<'a> {
    pub(crate) fn start(journal: &'a Journal, uuid: Uuid, handler: u8) -> io::Result<Self> {
        journal.note(uuid, handler, What::Started)?;
        Ok(Self { journal, uuid, handler, ended: false })
    }

    pub(crate) fn succeed(mut self) -> io::Result<()> {
        self.ended = true;
        self.journal.note(self.uuid, self.handler, What::Succeeded)
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        if !self.ended {
            let _ = self.journal.note(self.uuid, self.handler, What::Failed);
        }
    }
}

/// Reads the whole journal.
pub(crate) fn read(path: &Path) -> Result<Vec<Entry>, Box<dyn Error>> {
    let text = match std::fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        text => text?,
    };
    text.lines().map(parse).collect()
}

fn parse(line: &str) -> Result<Entry, Box<dyn Error>> {
    let mut parts = line.split(' ');
    let mut next = || parts.next().ok_or("a line of the journal has too few fields");
    Ok(Entry {
        uuid: Uuid::from_str(next()?)?,
        handler: next()?.parse()?,
        life: next()?.parse()?,
        at: next()?.parse()?,
        what: match next()? {
            "Started" => What::Started,
            "Succeeded" => What::Succeeded,
            _ => What::Failed,
        },
    })
}

/// Milliseconds since 1970.
pub(crate) fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
