//! Shows what the decoder says of many bodies.
//!
//! ```sh
//! decoders <changed bodies> <numbers of bodies to show> <folder to write to> <folder of bodies>...
//! ```
//!
//! Reads bodies in the ways that an application has, and prints a line for each: its number, and
//! for each way whether it read the body, with a hash of what it said. With numbers it writes these
//! bodies and what is said of them in full.
//!
//! `.ci/compare-decoders` builds this program with the crates of two commits, and compares what
//! they say. It does so outside of the workspace, so the program uses only `bytes`, `serde_json`
//! and what the crate has without features.

mod bodies;
mod change;

use std::{
    env,
    error::Error,
    fmt::{Debug, Write as _},
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    io::{self, BufWriter, Write},
    panic::{self, AssertUnwindSafe},
    path::Path,
};

use bytes::Bytes;
use uploadcare_hooks::{
    DecodeError, Event, FileInfoUpdated, UnknownEvent,
    payload::{appdata::AppData, v0_6},
};

use crate::bodies::Bodies;

type Said = Result<String, String>;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let [changed, shown, into, folders @ ..] = &*arguments else { return Err("too few arguments".into()) };
    let bodies = Bodies::read(folders)?;
    let number = |text: &str| text.parse::<usize>().map_err(|error| format!("the number `{text}`: {error}"));
    let all = bodies.kept() + number(changed)?;
    if shown.is_empty() {
        return Ok(print(&bodies, all)?);
    }
    for shown in shown.split(' ') {
        let shown = number(shown)?;
        if shown < all {
            show(&bodies, shown, Path::new(into))?;
        }
    }
    Ok(())
}

/// Prints a line of titles, and one for each of so many bodies.
fn print(bodies: &Bodies, all: usize) -> io::Result<()> {
    panic::set_hook(Box::new(|_| ()));
    let mut lines = BufWriter::new(io::stdout().lock());
    write!(lines, "body")?;
    for (name, _) in ways(b"", false) {
        write!(lines, "\t{name}")?;
    }
    for number in 0..all {
        write!(lines, "\n{number}")?;
        for (_, said) in ways(&bodies.get(number).1, false) {
            write!(lines, "\t{} {:016x}", word(&said), hash(&said))?;
        }
    }
    writeln!(lines)
}

/// Writes a body, its source and what is said of it into files of its number.
fn show(bodies: &Bodies, number: usize, into: &Path) -> Result<(), Box<dyn Error>> {
    let (source, body) = bodies.get(number);
    let mut text = String::new();
    for (name, said) in ways(&body, true) {
        writeln!(text, "{name}: {} {}", word(&said), said.as_ref().unwrap_or_else(|error| error))?;
    }
    fs::write(into.join(format!("{number}.source")), source)?;
    fs::write(into.join(format!("{number}.body")), body)?;
    fs::write(into.join(format!("{number}.said")), text)?;
    Ok(())
}

/// The names of the ways, and what each says of a body.
fn ways(body: &[u8], pretty: bool) -> [(&'static str, Said); 6] {
    let show = |value: &dyn Debug| if pretty { format!("{value:#?}") } else { format!("{value:?}") };
    let event = || Event::from_bytes(&Bytes::copy_from_slice(body)).map_err(told);
    let from_slice = || Event::from_slice(body).map_err(told);
    // Any payload has the fields of this one.
    let typed = || serde_json::from_slice::<FileInfoUpdated>(body).map_err(|error| error.to_string());
    // Mends texts that are not Unicode, as the router does for a handler of an old version.
    let old = || UnknownEvent::new("any", body).and_then(|body| body.decode::<v0_6::FileUploaded>()).map_err(told);
    [
        ("event from bytes", said(|| Ok(show(&event()?)))),
        ("event from a slice", said(|| Ok(show(&from_slice()?)))),
        ("payload as JSON", said(|| as_json(&event()?))),
        ("appdata", said(|| Ok(show(&results(&event()?))))),
        ("type of version 0.7", said(|| Ok(show(&typed()?)))),
        ("type of version 0.6", said(|| Ok(show(&old()?)))),
    ]
}

fn said(read: impl FnOnce() -> Said) -> Said {
    panic::catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| Err(PANIC.to_owned()))
}

const PANIC: &str = "panics";

fn word(said: &Said) -> &'static str {
    match said {
        Ok(_) => "Ok",
        Err(error) if error == PANIC => "Panic",
        Err(_) => "Err",
    }
}

fn told(error: DecodeError) -> String {
    format!("{error}\npath: {}\nproblem: {}", error.path(), error.problem())
}

fn as_json(event: &Event) -> Said {
    let json = match event {
        Event::FileUploaded(payload) => serde_json::to_string(payload),
        Event::FileStored(payload) => serde_json::to_string(payload),
        Event::FileDeleted(payload) => serde_json::to_string(payload),
        Event::FileInfected(payload) => serde_json::to_string(payload),
        Event::FileInfoUpdated(payload) => serde_json::to_string(payload),
        Event::Unknown(unknown) => Ok(unknown.as_json().to_owned()),
        _ => Ok("an event that this program does not know".to_owned()),
    };
    json.map_err(|error| error.to_string())
}

/// The results of applications, now and before the event.
fn results(event: &Event) -> impl Debug {
    let before = match event {
        Event::FileInfoUpdated(payload) => payload.previous_values.appdata.as_ref(),
        _ => None,
    };
    let read = |appdata: &AppData| {
        let labels = (appdata.labels(), appdata.moderation_labels());
        (appdata.is_empty(), appdata.names(), appdata.virus_scan(), labels, appdata.remove_bg())
    };
    [event.file().map(|file| read(&file.appdata)), before.map(read)]
}

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}
