//! What one core can do at most, without a server.

use std::{
    error::Error,
    hint::black_box,
    time::{Duration, Instant},
};

use bytes::Bytes;
use serde::de::IgnoredAny;
use sha2::{Digest, Sha256};
use uploadcare_hooks::Event;

use crate::{measure::median, receivers::secret};

/// A line with the microseconds that each step takes for this body.
pub(crate) fn line(body: &Bytes, time: Duration) -> Result<String, Box<dyn Error>> {
    let secret = secret()?;
    let signature = secret.sign(body);
    let [hash, verify, scan, decode] = [
        microseconds(time, || Sha256::digest(body).len()),
        microseconds(time, || secret.verify(body, &signature)),
        microseconds(time, || serde_json::from_slice::<IgnoredAny>(body).is_ok()),
        microseconds(time, || Event::from_bytes(body).is_ok()),
    ];
    Ok(format!(
        "  without a server: SHA-256 {hash:.2} µs, signature {verify:.2} µs, serde_json's own scan {scan:.2} µs, event \
         {decode:.2} µs"
    ))
}

/// The time of one call, as the median of many.
fn microseconds<R>(time: Duration, call: impl Fn() -> R) -> f64 {
    let end = Instant::now() + time;
    let mut calls = Vec::new();
    while Instant::now() < end {
        let start = Instant::now();
        for _ in 0..100 {
            black_box(call());
        }
        calls.push(start.elapsed().as_secs_f64() * 1e4);
    }
    median(&calls)
}
