//! The spans and log events of the library that a test causes, with all their fields, at every
//! level.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tracing::{
    Event, Id, Level, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Record},
    subscriber::DefaultGuard,
};

use crate::log::keep_callsites_open;

/// The fields of a span or event that have a value, as texts.
pub type Fields = BTreeMap<String, String>;

/// A span.
#[derive(Debug, Clone)]
pub struct Span {
    /// Its name.
    pub name: &'static str,
    /// Its level.
    pub level: Level,
    /// The names of all its fields, also of those without a value.
    pub declared: Vec<&'static str>,
    /// The fields that have a value.
    pub fields: Fields,
    /// The position of the span that it is inside of.
    pub parent: Option<usize>,
    /// How many handles it has. It is closed when there is none.
    handles: usize,
}

impl Span {
    /// The value of a field; empty if it has none.
    pub fn field(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }

    /// Whether it ended.
    pub fn is_closed(&self) -> bool {
        self.handles == 0
    }
}

/// A log event.
#[derive(Debug, Clone)]
pub struct Logged {
    /// Its level.
    pub level: Level,
    /// Its fields, `message` among them.
    pub fields: Fields,
    /// The position of the span that it is inside of.
    pub span: Option<usize>,
}

#[derive(Debug, Default)]
struct Captured {
    spans: Vec<Span>,
    events: Vec<Logged>,
    entered: Vec<usize>,
}

/// The spans and events of a test.
#[derive(Debug, Clone)]
pub struct Spans {
    captured: Arc<Mutex<Captured>>,
    most: Level,
}

impl Default for Spans {
    fn default() -> Self {
        Self { captured: Arc::default(), most: Level::TRACE }
    }
}

impl Spans {
    /// Captures only spans and events of this level and of more important ones.
    pub fn up_to(most: Level) -> Self {
        Self { most, ..Self::default() }
    }

    /// Captures what the library does on this thread until the guard is dropped.
    pub fn capture(&self) -> DefaultGuard {
        keep_callsites_open();
        tracing::subscriber::set_default(self.clone())
    }

    /// All spans, in the order in which they began.
    pub fn all(&self) -> Vec<Span> {
        self.lock().spans.clone()
    }

    /// All spans with this name.
    pub fn named(&self, name: &str) -> Vec<Span> {
        self.all().into_iter().filter(|span| span.name == name).collect()
    }

    /// The log events.
    pub fn events(&self) -> Vec<Logged> {
        self.lock().events.clone()
    }

    /// The name of the innermost span that the thread is in.
    pub fn entered(&self) -> Option<&'static str> {
        let captured = self.lock();
        Some(captured.spans.get(*captured.entered.last()?)?.name)
    }

    fn lock(&self) -> MutexGuard<'_, Captured> {
        self.captured.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn position(id: &Id) -> usize {
    usize::try_from(id.into_u64()).unwrap_or(usize::MAX) - 1
}

impl Captured {
    fn span(&mut self, id: &Id) -> Option<&mut Span> {
        self.spans.get_mut(position(id))
    }
}

impl Subscriber for Spans {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("uploadcare_hooks") && *metadata.level() <= self.most
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        let mut captured = self.lock();
        let metadata = attributes.metadata();
        let parent = if attributes.is_contextual() {
            captured.entered.last().copied()
        } else {
            attributes.parent().map(position)
        };
        let mut fields = Texts::default();
        attributes.record(&mut fields);
        captured.spans.push(Span {
            name: metadata.name(),
            level: *metadata.level(),
            declared: metadata.fields().iter().map(|field| field.name()).collect(),
            fields: fields.0,
            parent,
            handles: 1,
        });
        Id::from_u64(captured.spans.len() as u64)
    }

    fn record(&self, id: &Id, values: &Record<'_>) {
        let mut fields = Texts::default();
        values.record(&mut fields);
        if let Some(span) = self.lock().span(id) {
            span.fields.extend(fields.0);
        }
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut fields = Texts::default();
        event.record(&mut fields);
        let mut captured = self.lock();
        let span = captured.entered.last().copied();
        captured.events.push(Logged { level: *event.metadata().level(), fields: fields.0, span });
    }

    fn enter(&self, id: &Id) {
        self.lock().entered.push(position(id));
    }

    fn exit(&self, id: &Id) {
        let mut captured = self.lock();
        if let Some(index) = captured.entered.iter().rposition(|entered| *entered == position(id)) {
            captured.entered.remove(index);
        }
    }

    fn clone_span(&self, id: &Id) -> Id {
        if let Some(span) = self.lock().span(id) {
            span.handles += 1;
        }
        id.clone()
    }

    fn try_close(&self, id: Id) -> bool {
        self.lock().span(&id).is_some_and(|span| {
            span.handles -= 1;
            span.handles == 0
        })
    }
}

/// Turns values into texts.
#[derive(Default)]
struct Texts(Fields);

impl Visit for Texts {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.to_owned());
    }
}
