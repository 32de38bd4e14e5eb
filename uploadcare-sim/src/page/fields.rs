//! The fields of a file in the form of a trigger, made from the sample's payload: one input for
//! each field of `data`.
//!
//! The form sends each field twice: what it was prefilled with, as JSON, and what it is now. Only
//! fields that changed override the sample, and the JSON tells the type of the field.

use maud::{Markup, html};
use serde_json::{Map, Value};

use super::{form::Form, json, problem::Problem};

/// The fields that are shown first; the others are below them.
const FIRST: [&str; 5] = ["original_filename", "size", "mime_type", "uuid", "metadata"];

/// One field of `data`.
#[derive(Debug)]
pub(super) struct Field {
    name: String,
    /// The value before anything was typed.
    was: Value,
    text: String,
}

impl Field {
    fn new(name: String, was: Value) -> Self {
        let text = text_of(&was);
        Self { name, was, text }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The id of its input.
    pub(super) fn id(&self) -> String {
        format!("data-{}", self.name)
    }

    /// The value that was typed; `None` if the field is as it was.
    fn changed(&self) -> Result<Option<Value>, String> {
        let Self { name, was, text } = self;
        if *text == text_of(was) {
            return Ok(None);
        }
        let trimmed = text.trim();
        let value = match was {
            Value::Null | Value::String(_) if was.is_null() && trimmed.is_empty() => Value::Null,
            Value::Null | Value::String(_) => Value::String(text.clone()),
            Value::Object(fields) if is_lines(fields) => lines(name, text)?,
            _ if trimmed.is_empty() => Value::Null,
            _ => serde_json::from_str(trimmed)
                .map_err(|error| format!("`{name}` is no valid JSON: {error}; it takes a value such as {was}"))?,
        };
        Ok(Some(value))
    }
}

/// All fields of a sample's `data`.
pub(super) fn of(data: &Value) -> Vec<Field> {
    let fields = data.as_object().into_iter().flatten();
    sorted(fields.map(|(name, value)| Field::new(name.clone(), value.clone())).collect())
}

/// The fields as they come back in a form.
pub(super) fn read(form: &Form) -> Vec<Field> {
    let fields = form.iter().filter_map(|(name, was)| {
        let name = name.strip_prefix("was.")?;
        let was = serde_json::from_str(was).ok()?;
        let text = form.text(&format!("data.{name}")).to_owned();
        Some(Field { name: name.to_owned(), was, text })
    });
    sorted(fields.collect())
}

fn sorted(mut fields: Vec<Field>) -> Vec<Field> {
    fields.sort_by_key(|field| FIRST.iter().position(|first| *first == field.name).unwrap_or(FIRST.len()));
    fields
}

/// The fields that differ from the sample. `uuid` is always there, unless it was emptied, so that
/// the event is about the file that the form showed.
pub(super) fn overrides(fields: &[Field]) -> Result<Map<String, Value>, String> {
    let mut data = Map::new();
    for field in fields {
        if field.name == "uuid" {
            let uuid = field.text.trim();
            if !uuid.is_empty() {
                data.insert("uuid".to_owned(), uuid.into());
            }
        } else if let Some(value) = field.changed()? {
            data.insert(field.name.clone(), value);
        }
    }
    Ok(data)
}

/// Whether the UUID is the one that the form was prefilled with.
pub(super) fn has_own_uuid(fields: &[Field]) -> bool {
    fields.iter().any(|field| field.name == "uuid" && text_of(&field.was) != field.text)
}

/// Sets the text of a field, as a link with the name of a file does.
pub(super) fn set(fields: &mut [Field], name: &str, text: &str) {
    for field in fields.iter_mut().filter(|field| field.name == name) {
        text.clone_into(&mut field.text);
    }
}

/// A value as it is edited: texts without quotation marks, metadata as lines, the rest as JSON.
fn text_of(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Object(fields) if is_lines(fields) => {
            let line = |(key, value): (&String, &Value)| format!("{key}={}", value.as_str().unwrap_or_default());
            fields.iter().map(line).collect::<Vec<_>>().join("\n")
        }
        other => json::sorted(other).trim_end().to_owned(),
    }
}

/// Whether an object can be edited as lines of `key=value`.
fn is_lines(fields: &Map<String, Value>) -> bool {
    let fits = |(key, value): (&String, &Value)| {
        !key.contains(['=', '\n']) && value.as_str().is_some_and(|text| !text.contains('\n'))
    };
    !fields.is_empty() && fields.iter().all(fits)
}

fn lines(name: &str, text: &str) -> Result<Value, String> {
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    let pair = |line: &str| {
        let (key, value) = line.split_once('=').ok_or_else(|| {
            format!("`{name}` has the line {line:?}; each line takes a key, an equals sign, and a value")
        })?;
        Ok((key.trim().to_owned(), Value::from(value)))
    };
    lines.map(pair).collect::<Result<Map<_, _>, String>>().map(Value::Object)
}

/// The inputs.
pub(super) fn inputs(fields: &[Field], problem: &Problem) -> Markup {
    let first = fields.iter().take_while(|field| FIRST.contains(&field.name.as_str())).count();
    let (first, more) = fields.split_at(first);
    html! {
        div.fields { @for field in first { (input(field, problem)) } }
        @if !more.is_empty() {
            details #more-fields open[more.iter().any(|field| field.text != text_of(&field.was))] {
                summary { "More fields (" (more.len()) ")" }
                div.fields { @for field in more { (input(field, problem)) } }
            }
        }
    }
}

fn input(field: &Field, problem: &Problem) -> Markup {
    let (id, name) = (field.id(), format!("data.{}", field.name));
    let (invalid, described_by) = (problem.invalid(&id), problem.described_by(&id, ""));
    let text = &field.text;
    let is_long = matches!(field.was, Value::Object(_) | Value::Array(_)) || text.contains('\n');
    html! {
        div class={ "field" @if is_long || field.name == "uuid" { " wide" } } {
            label for=(id) { code { (field.name) } }
            input type="hidden" name={ "was." (field.name) } value=(field.was);
            @if is_long {
                textarea id=(id) name=(name) rows=(text.lines().count().clamp(2, 14)) spellcheck="false" dir="ltr"
                    aria-invalid=[invalid] aria-describedby=[described_by]
                    { (text) }
                @if matches!(&field.was, Value::Object(fields) if is_lines(fields)) {
                    p.hint { "One on each line: " code { "key=value" } }
                }
            } @else if let Value::Bool(_) = field.was {
                select id=(id) name=(name) {
                    @for choice in ["true", "false"] { option value=(choice) selected[text == choice] { (choice) } }
                }
            } @else {
                input id=(id) name=(name) value=(text) autocomplete="off" spellcheck="false"
                    placeholder=[field.was.is_null().then_some("null")] aria-invalid=[invalid]
                    aria-describedby=[described_by];
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_was_changed_overrides_and_keeps_its_type() {
        let data = json!({
            "original_filename": "a.jpg", "size": 1, "is_image": true, "datetime_removed": null, "variations": null,
            "metadata": {"pet": "cat"}, "appdata": {}, "uuid": "u",
        });
        let mut fields = of(&data);
        assert_eq!(Value::Object(overrides(&fields).unwrap()), json!({"uuid": "u"}));
        for (name, text) in [
            ("original_filename", "7"),
            ("size", "7"),
            ("is_image", "false"),
            ("datetime_removed", "2026-01-01"),
            ("metadata", "pet=dog=1\n\nname = Rex"),
            ("appdata", "{\"a\": [1]}"),
            ("uuid", ""),
        ] {
            set(&mut fields, name, text);
        }
        assert_eq!(
            Value::Object(overrides(&fields).unwrap()),
            json!({
                "original_filename": "7", "size": 7, "is_image": false, "datetime_removed": "2026-01-01",
                "metadata": {"pet": "dog=1", "name": " Rex"}, "appdata": {"a": [1]},
            })
        );
        for (name, text, says) in [
            ("size", "many", "`size` is no valid JSON"),
            ("metadata", "pet", "`metadata` has the line \"pet\""),
            ("appdata", "{", "`appdata` is no valid JSON"),
        ] {
            let mut fields = of(&data);
            set(&mut fields, name, text);
            let problem = overrides(&fields).unwrap_err();
            assert!(problem.starts_with(says), "{problem}");
        }
    }
}
