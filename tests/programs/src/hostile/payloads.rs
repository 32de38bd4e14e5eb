//! Attacks through signed bodies: the attacker has the secret, or makes Uploadcare sign the body.

use serde_json::{Value, json};
use tests::deliveries::payload;

use crate::{
    AnyError,
    victim::{Bounds, Victim, signed, status},
};

pub(crate) async fn all(victim: &mut Victim) -> Result<(), AnyError> {
    let plain = |answers| Bounds { answers, seconds: 5, mebibytes: 16 };
    let deep = "[".repeat(1_000_000);
    let nested = format!(r#"{{"hook": {{"event": "file.uploaded"}}, "data": {deep}"#);
    send(victim, "a million levels of JSON", plain(&["422"]), nested.into_bytes()).await?;
    let appdata = format!(r#"{{"x": {}{}}}"#, "[".repeat(100), "]".repeat(100));
    send(victim, "a hundred levels in appdata", plain(&["204"]), with("appdata", &appdata)).await?;
    let twice = r#"{"hook": {"event": "file.stored", "event": "file.uploaded"}, "data": {"uuid": "x"}, "data": {}}"#;
    send(victim, "duplicate keys", plain(&["422"]), twice.into()).await?;
    let keys = format!("{{{}}}", vec![r#""k": "v""#; 100_000].join(","));
    send(victim, "one metadata key 100,000 times", plain(&["204", "422"]), with("metadata", &keys)).await?;
    for (attack, number, answers) in [
        ("1e400 bytes", "1e400", &["204", "422"][..]),
        ("a size with a million digits", "9".repeat(1_000_000).leak(), &["204", "422"][..]),
        ("minus zero bytes", "-0.0", &["204"][..]),
    ] {
        send(victim, attack, plain(answers), with("size", number)).await?;
    }
    let nul = r#""a\u0000b\ud83d""#;
    send(victim, "NUL and half a surrogate pair in a name", plain(&["204"]), with("original_filename", nul)).await?;
    send(victim, "NUL in a name", plain(&["204"]), with("original_filename", r#""a\u0000b""#)).await?;
    send(victim, "a raw NUL", plain(&["422"]), with("original_filename", "\"\0\"")).await?;
    let mut no_text = with("original_filename", r#""HERE""#);
    let place = no_text.windows(4).position(|four| four == b"HERE").ok_or("the payload has no place for the bytes")?;
    no_text.splice(place..place + 4, [0xFF, 0xFE, 0x80]);
    send(victim, "invalid UTF-8", plain(&["204"]), no_text).await?;
    let metadata: serde_json::Map<String, Value> =
        (0..1_000_000).map(|number| (format!("key {number}"), json!("value"))).collect();
    // The body has 22 MB, and reading ends at the entry that is one too many.
    let bounds = Bounds { answers: &["422"], seconds: 30, mebibytes: 64 };
    send(victim, "metadata of a million entries", bounds, with("metadata", &Value::from(metadata).to_string())).await?;
    let streams = json!({"video": {"video": vec![json!({}); 1_000_000]}});
    let bounds = Bounds { answers: &["422"], seconds: 30, mebibytes: 64 };
    send(victim, "a million video streams", bounds, with("content_info", &streams.to_string())).await?;
    let spaces = [b" ".repeat(60 << 20), payload("file.uploaded").to_string().into_bytes()].concat();
    let bounds = Bounds { answers: &["204"], seconds: 30, mebibytes: 256 };
    send(victim, "60 MiB of spaces before a payload", bounds, spaces).await
}

async fn send(victim: &mut Victim, attack: &str, bounds: Bounds, body: Vec<u8>) -> Result<(), AnyError> {
    let request = signed(&body);
    victim.survives(attack, bounds, async |victim| Ok(status(&victim.ask(&request).await?).to_owned())).await
}

/// A payload with this JSON in one field of its file.
fn with(field: &str, json: &str) -> Vec<u8> {
    let mut payload = payload("file.uploaded");
    if let Some(file) = payload.get_mut("data").and_then(Value::as_object_mut) {
        file.insert(field.to_owned(), json!("@@@"));
    }
    payload.to_string().replacen(r#""@@@""#, json, 1).into_bytes()
}
