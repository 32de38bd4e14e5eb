//! Nothing but the signature: for a server that has its own routes, types and answers, and only
//! wants to know whether a delivery comes from Uploadcare.
//!
//! `cargo run -p verify-only-example` checks a signed delivery and two forged ones.
#![allow(clippy::print_stdout)]

use std::error::Error;

use http::{HeaderMap, HeaderValue, StatusCode};
use uploadcare_hooks::{SIGNATURE_HEADER, SecretError, SigningSecret};

/// Answers a delivery. `body` must be the bytes as they came in: JSON that was parsed and written
/// again has other bytes, and another signature.
fn receive(secret: &SigningSecret, headers: &HeaderMap, body: &[u8]) -> StatusCode {
    let mut signatures = headers.get_all(SIGNATURE_HEADER).iter();
    let (Some(signature), None) = (signatures.next(), signatures.next()) else {
        return StatusCode::UNAUTHORIZED;
    };
    match signature.to_str().map(|signature| secret.verify(body, signature)) {
        // Do the work first. 2xx tells Uploadcare never to send this delivery again.
        Ok(Ok(())) => StatusCode::NO_CONTENT,
        _ => StatusCode::UNAUTHORIZED,
    }
}

/// The secret of the subscription, from the environment.
fn secret() -> Result<SigningSecret, SecretError> {
    match std::env::var_os("UC_SIGNING_SECRET") {
        Some(_) => SigningSecret::from_env("UC_SIGNING_SECRET"),
        None => SigningSecret::new("verify-only-example"),
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let secret = secret()?;
    let body = br#"{"hook":{"event":"file.uploaded"},"data":{"uuid":"f08d7c8a-2971-42e0-ab01-780d9039b40b"}}"#;
    let mut headers = HeaderMap::new();
    let unsigned = receive(&secret, &headers, body);
    headers.insert(SIGNATURE_HEADER, HeaderValue::try_from(secret.sign(body))?);
    let signed = receive(&secret, &headers, body);
    let changed = receive(&secret, &headers, b"{}");
    println!("signed: {signed}, without a signature: {unsigned}, with another body: {changed}");
    assert_eq!([signed, unsigned, changed].map(|status| status.as_u16()), [204, 401, 401]);
    Ok(())
}
