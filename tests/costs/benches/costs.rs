//! Counts instructions and allocations, and fails if there are 2 % more instructions than below, or
//! more allocations. Needs valgrind, and gungraun-runner in the version that `Cargo.lock` has of
//! gungraun:
//!
//! ```sh
//! cargo install --locked gungraun-runner@0.20.0
//! cargo bench -p costs --bench costs
//! ```
//!
//! When a change costs less, or more for a good reason, write the new numbers here.
#![allow(missing_docs, reason = "the macros of gungraun make public items")]
#![allow(clippy::expect_used, reason = "what fails cannot be counted")]

use bytes::Bytes;
use costs::{Call, Handlers, hostile, large, secret, settle, small, wait_in, waiting_router};
use gungraun::{Callgrind, Dhat, DhatMetric, EventKind, prelude::*};
use http::Response;
use uploadcare_hooks::{DecodeError, Event, SigningSecret, WebhookRouter, payload::appdata::AppData};

/// These instructions and 2 % more, and exactly these allocations: a number that is too high would
/// let a later rise pass.
fn costs(instructions: u64, allocations: u64) -> LibraryBenchmarkConfig {
    let limit = instructions + instructions / 50;
    LibraryBenchmarkConfig::default()
        // The C library has a copy of `memcpy` for each kind of processor.
        .env("GLIBC_TUNABLES", "glibc.cpu.hwcaps=-AVX2,-AVX512F,-AVX512VL,-AVX_Fast_Unaligned_Load,-ERMS,-FSRM")
        .tool(Callgrind::with_args(["--cache-sim=no"]).hard_limits([(EventKind::Ir, limit)]))
        .tool(Dhat::with_args(["--num-callers=200"]).hard_limits([(DhatMetric::TotalBlocks, allocations)]))
        .clone()
}

#[library_benchmark]
#[bench::small(args = (small()), config = costs(32_528, 4))]
#[bench::large(args = (large()), config = costs(110_399, 4))]
fn decode(body: Bytes) -> Event {
    Event::from_bytes(&body).expect("a good payload")
}

/// The most memory, freed or not, for 1 MiB of JSON that is written to take much.
fn memory() -> LibraryBenchmarkConfig {
    let most = 8 << 20;
    LibraryBenchmarkConfig::default()
        .tool(Dhat::with_args(["--num-callers=200"]).hard_limits([(DhatMetric::TotalBytes, most)]))
        .clone()
}

#[library_benchmark]
#[bench::streams(
    args = (hostile(r#""content_info":{"video":{"video":[ENTRIES]}}"#, |_| "{}".to_owned())),
    config = memory()
)]
#[bench::metadata(
    args = (hostile(r#""metadata":{ENTRIES}"#, |number| format!(r#""{number:x}":"""#))),
    config = memory()
)]
#[bench::variations(
    args = (hostile(r#""variations":{ENTRIES}"#, |number| format!(r#""{number:x}":null"#))),
    config = memory()
)]
#[bench::appdata(
    args = (hostile(r#""appdata":{ENTRIES}"#, |number| format!(r#""{number:x}":{{}}"#))),
    config = memory()
)]
fn decode_hostile(body: Bytes) -> Result<Event, DecodeError> {
    Event::from_bytes(&body)
}

type Signed = (SigningSecret, Bytes, String);

fn signed(body: Bytes) -> Signed {
    let signature = secret().sign(&body);
    settle();
    (secret(), body, signature)
}

#[library_benchmark]
#[bench::small(args = (signed(small())), config = costs(85_046, 0))]
#[bench::large(args = (signed(large())), config = costs(328_276, 0))]
fn verify(signed: Signed) -> Signed {
    signed.0.verify(&signed.1, &signed.2).expect("a good signature");
    signed
}

fn delivery(handlers: Handlers, body: Bytes) -> Call {
    Call::new(handlers, &body, Some(&secret().sign(&body)))
}

fn refused(signature: Option<&str>) -> Call {
    Call::new(Handlers::One, &small(), signature)
}

#[library_benchmark]
#[bench::small(args = (delivery(Handlers::One, small())), config = costs(125_767, 6))]
#[bench::large(args = (delivery(Handlers::One, large())), config = costs(446_947, 6))]
#[bench::ten_handlers(args = (delivery(Handlers::Ten, small())), config = costs(166_601, 39))]
#[bench::thousand_other_handlers(
    args = (delivery(Handlers::ThousandOthers, small())),
    config = costs(125_584, 6)
)]
#[bench::missing_signature(args = (refused(None)), config = costs(4_920, 7))]
#[bench::malformed_signature(args = (refused(Some("v2=00"))), config = costs(5_605, 7))]
#[bench::wrong_signature(
    args = (refused(Some(&secret().sign(b"another body")))),
    config = costs(90_987, 8)
)]
fn router(call: Call) -> (WebhookRouter, Response<Bytes>) {
    call.run()
}

// A body of 6 KB is labels for the most part.
#[library_benchmark]
#[bench::is_empty(args = (event(large()), AppData::is_empty), config = costs(244, 0))]
#[bench::names(args = (event(large()), |appdata: &AppData| appdata.names().is_ok()), config = costs(80_858, 5))]
#[bench::labels(args = (event(large()), |appdata: &AppData| appdata.labels().is_ok()), config = costs(243_907, 57))]
#[bench::no_virus_scan(
    args = (event(large()), |appdata: &AppData| appdata.virus_scan().is_ok()),
    config = costs(84_016, 4)
)]
fn appdata(event: Event, read: fn(&AppData) -> bool) -> (Event, bool) {
    let found = event.file().is_some_and(|file| read(&file.appdata));
    (event, found)
}

fn event(body: Bytes) -> Event {
    let event = Event::from_bytes(&body).expect("a good payload");
    settle();
    event
}

// The most memory at one time, while a thousand deliveries wait for their handlers: 4.9 KB each, of
// which 1.5 are the body.
#[library_benchmark]
#[bench::thousand(
    args = (waiting_router(), small()),
    config = LibraryBenchmarkConfig::default()
        .tool(Dhat::with_args(["--num-callers=200"]).hard_limits([(DhatMetric::AtTGmaxBytes, 4_900_000)])),
)]
fn in_flight(router: WebhookRouter, body: Bytes) -> (WebhookRouter, Bytes) {
    wait_in(&router, &body);
    (router, body)
}

library_benchmark_group!(
    name = delivery_costs,
    benchmarks = [decode, decode_hostile, verify, router, appdata, in_flight]
);

main!(library_benchmark_groups = delivery_costs);
