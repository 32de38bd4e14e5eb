//! Places in a sample's payload, as dotted paths such as `data.metadata.pet`. Knows which objects
//! of a payload take any key.

use serde_json::{Map, Value};

/// The objects whose keys are data: any key is allowed in them, and below them.
const OPEN: [&str; 5] =
    ["data.metadata", "data.appdata", "data.variations", "data.rekognition_info", "previous_values"];

/// Which fields a change may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fields {
    /// The fields that the payload has now.
    Present,
    /// The fields of the payload, and any key where keys are data. A misspelt field is found.
    Known,
    /// Any field. An object that is missing or `null` is made.
    Any,
}

/// Puts a value in a place.
///
/// # Errors
/// A message that names the part of the path that does not fit.
pub(super) fn set(payload: &mut Value, path: &str, value: Value, fields: Fields) -> Result<(), String> {
    *place(payload, path, fields)? = value;
    Ok(())
}

/// Removes a field.
///
/// # Errors
/// As [`set`].
pub(super) fn remove(payload: &mut Value, path: &str) -> Result<(), String> {
    place(payload, path, Fields::Present)?;
    let (parent, field) = match path.rsplit_once('.') {
        Some((parent, field)) => (place(payload, parent, Fields::Present)?, field),
        None => (payload, path),
    };
    match (parent, field.parse()) {
        (Value::Object(object), _) => object.remove(field),
        (Value::Array(items), Ok(position)) if position < items.len() => Some(items.remove(position)),
        _ => None,
    }
    .map(drop)
    .ok_or_else(|| format!("`{path}` does not exist"))
}

/// Finds a place, and makes it if it may be new.
fn place<'v>(payload: &'v mut Value, path: &str, fields: Fields) -> Result<&'v mut Value, String> {
    let mut here = payload;
    let mut walked = String::new();
    for field in path.split('.') {
        if field.is_empty() {
            return Err("a path has names with dots between them, such as `data.size`".to_owned());
        }
        let may_be_new = match fields {
            Fields::Present => false,
            Fields::Known => is_open(&walked),
            Fields::Any => true,
        };
        if may_be_new && here.is_null() {
            *here = Value::Object(Map::new());
        }
        here = step(here, &walked, field, may_be_new)?;
        walked = if walked.is_empty() { field.to_owned() } else { format!("{walked}.{field}") };
    }
    Ok(here)
}

fn step<'v>(here: &'v mut Value, walked: &str, field: &str, may_be_new: bool) -> Result<&'v mut Value, String> {
    let name = if walked.is_empty() { "the payload".to_owned() } else { format!("`{walked}`") };
    match here {
        Value::Object(object) => {
            if !may_be_new && !object.contains_key(field) {
                let fields: Vec<_> = object.keys().map(String::as_str).collect();
                return Err(format!(
                    "{name} has no field `{field}`: its fields are {}; `.add(path, value)` adds a new one",
                    fields.join(", ")
                ));
            }
            Ok(object.entry(field).or_insert(Value::Null))
        }
        Value::Array(items) => {
            let length = items.len();
            let item = field.parse::<usize>().ok().and_then(|position| items.get_mut(position));
            item.ok_or_else(|| format!("{name} is a list of {length}, and `{field}` is not the number of one of them"))
        }
        Value::Null => Err(format!(
            "{name} is null, so it has no field `{field}`: set {name} to a whole object, or use `.add(path, value)`"
        )),
        other => Err(format!("{name} is {other}, so it has no field `{field}`")),
    }
}

fn is_open(path: &str) -> bool {
    OPEN.iter().any(|open| path.strip_prefix(open).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn payload() -> Value {
        json!({"data": {"size": 1, "variations": null, "metadata": {"pet": "cat"}, "dpi": [72, 72], "video": null}})
    }

    fn after_set(path: &str) -> Value {
        let mut payload = payload();
        set(&mut payload, path, json!("new"), Fields::Known).unwrap();
        payload["data"].take()
    }

    #[test]
    fn a_field_that_exists_and_any_key_of_an_open_object_can_be_set() {
        assert_eq!(after_set("data.size")["size"], "new");
        assert_eq!(after_set("data.dpi.1")["dpi"], json!([72, "new"]));
        assert_eq!(after_set("data.metadata.tenant")["metadata"], json!({"pet": "cat", "tenant": "new"}));
        assert_eq!(after_set("data.variations.x")["variations"], json!({"x": "new"}));
        assert_eq!(after_set("data.metadata.a.b")["metadata"]["a"], json!({"b": "new"}));
    }

    #[test]
    fn a_path_that_makes_no_sense_is_named() {
        for (path, expected) in [
            ("data.sise", "`data` has no field `sise`: its fields are dpi, metadata, size, variations, video; `.add("),
            ("dat.size", "the payload has no field `dat`: its fields are data; `.add(path, value)` adds a new one"),
            ("data.size.x", "`data.size` is 1, so it has no field `x`"),
            ("data.video.format", "`data.video` is null, so it has no field `format`: set `data.video` to a whole"),
            ("data.dpi.2", "`data.dpi` is a list of 2, and `2` is not the number of one of them"),
            ("data..size", "a path has names with dots between them, such as `data.size`"),
            ("", "a path has names with dots between them"),
        ] {
            for changed in [set(&mut payload(), path, Value::Null, Fields::Known), remove(&mut payload(), path)] {
                let error = changed.unwrap_err();
                assert!(error.starts_with(expected), "{path}: {error}");
            }
        }
    }

    #[test]
    fn any_field_can_be_added_with_the_objects_around_it() {
        let mut payload = payload();
        set(&mut payload, "data.video.audio.codec", json!("aac"), Fields::Any).unwrap();
        set(&mut payload, "more", json!(1), Fields::Any).unwrap();
        assert_eq!(payload["data"]["video"], json!({"audio": {"codec": "aac"}}));
        assert_eq!(payload["more"], 1);
    }

    #[test]
    fn a_removed_field_is_gone() {
        let mut payload = payload();
        remove(&mut payload, "data.metadata.pet").unwrap();
        remove(&mut payload, "data.dpi.0").unwrap();
        assert_eq!((&payload["data"]["metadata"], &payload["data"]["dpi"]), (&json!({}), &json!([72])));
        assert!(remove(&mut payload, "data.metadata.pet").is_err());
        assert!(remove(&mut payload, "data.variations.x").is_err());
        remove(&mut payload, "data").unwrap();
        assert_eq!(payload, json!({}));
    }
}
