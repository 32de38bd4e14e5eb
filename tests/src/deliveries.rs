//! The sample payloads of the testing kit as JSON and as bytes, for tests that change the JSON by
//! hand.

use bytes::Bytes;
use serde_json::Value;
use uploadcare_hooks::testing::Sample;
pub use uploadcare_hooks::testing::{secret, signed_request};

/// The UUID of the file in every payload of this module, which is [`Sample::UUID`].
pub const UUID: &str = "575ed4e8-f4e8-4c14-a58b-1527b6d9ee46";

/// A payload of version 0.7, about 1.5 KB long.
pub fn payload(event: &str) -> Value {
    Sample::of(event).json().clone()
}

/// A payload of version 0.7, with as many labels in `appdata` as it takes to make it at least
/// `bytes` bytes long.
pub fn payload_with_labels(event: &str, bytes: usize) -> Vec<u8> {
    Sample::of(event).grow_to(bytes).body().into()
}

/// The body of an upload of a file of this size, so that uploads of different sizes are different
/// deliveries.
pub fn upload_of(size: u32) -> Bytes {
    Sample::of("file.uploaded").set("data.size", size).body()
}

/// A `file.uploaded` payload with the fields of version 0.6, which says that its version is
/// `version`.
pub fn legacy_payload(version: &str) -> Value {
    Sample::of("file.uploaded").version(version).json().clone()
}
