//! The body of a delivery that `send` makes: a sample of the testing kit, of a new file and of now,
//! with fields from the command line.

use std::str::FromStr;

use jiff::Timestamp;
use serde_json::{Map, Value};
use uploadcare_hooks::testing::Sample;
use uuid::Uuid;

/// A field of `data`, given as `original_filename=cat.jpg` or `metadata.pet=cat`.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::cli) struct Field {
    /// The names of the objects around it, and its own.
    path: Vec<String>,
    value: Value,
}

impl FromStr for Field {
    type Err = String;

    /// The value is JSON if it can be read as JSON, and text otherwise.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (path, value) = text.split_once('=').ok_or("write a field and its value, as in size=10")?;
        let path: Vec<String> = path.split('.').map(ToOwned::to_owned).collect();
        if path.iter().any(String::is_empty) {
            return Err("write the names of fields with a dot between them, as in metadata.pet=cat".to_owned());
        }
        let value = serde_json::from_str(value).unwrap_or_else(|_| Value::from(value));
        Ok(Self { path, value })
    }
}

/// The payload of an event in this version, for a subscription of this URL.
///
/// # Errors
/// If the version has no such event, or a field stands in something that is no object.
pub(super) fn of<'a>(
    event: &str,
    version: &str,
    target: &str,
    fields: impl Iterator<Item = &'a Field> + Clone,
) -> Result<Value, String> {
    if version != "0.7" && event != "file.uploaded" {
        return Err(format!(
            "version {version:?} of the payload has no `{event}`: send file.uploaded, or leave out `--version`"
        ));
    }
    // The URLs in the payload have the file's UUID.
    let given = fields.clone().filter(|field| field.path == ["uuid"]).last();
    let given = given.and_then(|field| field.value.as_str()?.parse().ok());
    let sample = Sample::of(event).version(version).uuid(given.unwrap_or_else(Uuid::new_v4));
    let mut payload = sample.json().clone();
    // Two deliveries of one second are two deliveries.
    put_if_there(&mut payload, "/initiator/detail/request_id", Uuid::new_v4().to_string());
    put_if_there(&mut payload, "/data/datetime_uploaded", Timestamp::now().to_string());
    put_if_there(&mut payload, "/hook/target", target.to_owned());
    let Some(data) = payload.get_mut("data") else { return Err("the sample has no `data`".to_owned()) };
    for Field { path, value } in fields {
        *place(data, path)? = value.clone();
    }
    Ok(payload)
}

/// An object with these fields.
///
/// # Errors
/// If a field stands in something that is no object.
pub(in crate::cli) fn object<'a>(fields: impl Iterator<Item = &'a Field>) -> Result<Value, String> {
    let mut object = Map::new().into();
    for Field { path, value } in fields {
        *place(&mut object, path)? = value.clone();
    }
    Ok(object)
}

fn put_if_there(payload: &mut Value, pointer: &str, value: String) {
    if let Some(place) = payload.pointer_mut(pointer).filter(|place| place.is_string()) {
        *place = value.into();
    }
}

/// Finds the place of a field, and makes the objects around it.
fn place<'v>(data: &'v mut Value, path: &[String]) -> Result<&'v mut Value, String> {
    path.iter().try_fold(data, |parent, name| {
        if parent.is_null() {
            *parent = Map::new().into();
        }
        match parent {
            Value::Object(object) => Ok(object.entry(name.as_str()).or_insert(Value::Null)),
            _ => Err(format!("`--data {}`: `{name}` stands in something that is no object", path.join("."))),
        }
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

    use serde_json::json;

    use super::*;

    fn made(event: &str, version: &str, fields: &[&str]) -> Result<Value, String> {
        let fields = fields.iter().map(|field| field.parse()).collect::<Result<Vec<Field>, _>>()?;
        of(event, version, "http://127.0.0.1:8080/hooks", fields.iter())
    }

    #[test]
    fn a_field_is_json_or_text_and_may_stand_in_objects() {
        let uuid = "f08d7c8a-2971-42e0-ab01-780d9039b40b";
        let fields = [
            "size=10",
            "original_filename=cat = dog.jpg",
            "is_image=false",
            "metadata.pet=cat",
            "appdata.mine.data.score=0.5",
            "variations.a=\"1\"",
            &format!("uuid={uuid}"),
        ];
        let payload = made("file.uploaded", "0.7", &fields).unwrap();
        let data = &payload["data"];
        assert_eq!(
            (&data["size"], &data["original_filename"], &data["is_image"]),
            (&json!(10), &json!("cat = dog.jpg"), &json!(false))
        );
        assert_eq!(data["metadata"], json!({"subsystem": "uploader", "pet": "cat"}));
        assert_eq!(data["appdata"]["mine"], json!({"data": {"score": 0.5}}));
        assert_eq!(data["variations"], json!({"a": "1"}));
        assert_eq!(data["uuid"], uuid);
        assert!(payload["file"].as_str().unwrap().contains(uuid), "{payload}");
        assert_eq!(payload["hook"]["target"], "http://127.0.0.1:8080/hooks");
    }

    #[test]
    fn a_field_that_cannot_be_put_is_refused_with_its_name() {
        for field in ["size", "=1", ".a=1", "metadata..pet=cat"] {
            assert!(made("file.uploaded", "0.7", &[field]).is_err(), "{field}");
        }
        let error = made("file.uploaded", "0.7", &["size.bytes=1"]).unwrap_err();
        assert_eq!(error, "`--data size.bytes`: `bytes` stands in something that is no object");
    }

    #[test]
    fn each_version_and_any_event_is_made_and_two_deliveries_differ() {
        for version in ["0.7", "0.6", "0.5", ""] {
            let payload = made("file.uploaded", version, &[]).unwrap();
            assert_eq!(payload["hook"]["version"], version);
            assert_ne!(payload, made("file.uploaded", version, &[]).unwrap());
        }
        assert_eq!(made("file.moved", "0.7", &[]).unwrap()["hook"]["event"], "file.moved");
        assert!(made("file.stored", "0.6", &[]).unwrap_err().contains("has no `file.stored`"));
    }
}
