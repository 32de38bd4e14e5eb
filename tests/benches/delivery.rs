//! Measures what a delivery costs: verifying, decoding, and the whole router call. Run it with
//! `cargo bench -p tests --bench delivery`.
//!
//! Two other receivers are measured for comparison: the floor, which does only what every receiver
//! must do, and a handler as people write it by hand.
//!
//! At the end the benchmark prints the ratio of the router call to the floor for each body size. It
//! measures both in each round, so that a change in the speed of the machine affects both, and
//! prints the medians of all rounds. The last line says how many deliveries one core takes, and how
//! many all cores take with one router that they share, and with one each.

use std::{
    hint::black_box,
    sync::Barrier,
    time::{Duration, Instant},
};

use bytes::Bytes;
use divan::Bencher;
use hmac::{Hmac, KeyInit, Mac};
use http::Request;
use sha2::Sha256;
use tests::deliveries::{payload, payload_with_labels, secret};
use tokio::runtime::Runtime;
use uploadcare_hooks::{Event, FileUploaded, WebhookRouter, webhook_handler, webhook_handlers};

const SECRET: &[u8] = b"7kMVZivndx0ErgvhRKAr";
/// The sizes of the bodies.
const KILOBYTES: [usize; 3] = [1, 6, 60];

#[webhook_handler(event = "file.uploaded")]
async fn take(event: FileUploaded) {
    black_box(&event);
}

fn main() {
    divan::main();
    for size in KILOBYTES {
        print_ratio(size);
    }
    print_cores();
}

fn body(kilobytes: usize) -> Vec<u8> {
    match kilobytes {
        1 => payload("file.uploaded").to_string().into_bytes(),
        _ => payload_with_labels("file.uploaded", kilobytes * 1000),
    }
}

struct Setup {
    body: Bytes,
    header: String,
    runtime: Runtime,
    router: WebhookRouter,
    key: Hmac<Sha256>,
}

impl Setup {
    #[allow(clippy::unwrap_used)]
    fn new(kilobytes: usize) -> Self {
        let body = Bytes::from(body(kilobytes));
        Self {
            header: secret().sign(&body),
            body,
            runtime: tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap(),
            router: WebhookRouter::builder()
                .signing_secret(secret())
                .handlers(webhook_handlers![take])
                .build()
                .unwrap(),
            key: Hmac::new_from_slice(SECRET).unwrap(),
        }
    }

    #[allow(clippy::unwrap_used)]
    fn request(&self) -> Request<Bytes> {
        Request::post("/").header("x-uc-signature", &self.header).body(self.body.clone()).unwrap()
    }

    fn router_call(&self, request: Request<Bytes>) {
        let response = self.runtime.block_on(self.router.handle(request));
        assert_eq!(response.status(), 204);
    }

    /// The least that a receiver has to do: check the MAC with a prepared key and decode the
    /// payload once. Like the router call, it runs in the runtime and takes a request of its own.
    #[allow(clippy::unwrap_used)]
    fn floor(&self, request: Request<Bytes>) {
        self.runtime.block_on(async {
            let signature = request.headers().get("x-uc-signature").unwrap().as_bytes();
            let mut claimed = [0; 32];
            hex::decode_to_slice(signature.strip_prefix(b"v1=").unwrap(), &mut claimed).unwrap();
            let mut mac = self.key.clone();
            mac.update(request.body());
            mac.verify_slice(&claimed).unwrap();
            take(serde_json::from_slice(request.body()).unwrap()).await;
        });
    }

    /// What people write by hand: it prepares the key in each call, and decodes the body to a
    /// `Value` first.
    #[allow(clippy::unwrap_used)]
    fn by_hand(&self, request: Request<Bytes>) {
        self.runtime.block_on(async {
            let mut mac = Hmac::<Sha256>::new_from_slice(SECRET).unwrap();
            mac.update(request.body());
            let expected = format!("v1={}", hex::encode(mac.finalize().into_bytes()));
            assert_eq!(request.headers().get("x-uc-signature").unwrap().as_bytes(), expected.as_bytes());
            let value: serde_json::Value = serde_json::from_slice(request.body()).unwrap();
            take(serde_json::from_value(value).unwrap()).await;
        });
    }
}

#[divan::bench(args = KILOBYTES)]
fn verify(bencher: Bencher<'_, '_>, kilobytes: usize) {
    let setup = Setup::new(kilobytes);
    let secret = secret();
    bencher.bench(|| secret.verify(&setup.body, &setup.header).is_ok());
}

#[divan::bench(args = KILOBYTES)]
fn decode(bencher: Bencher<'_, '_>, kilobytes: usize) {
    let setup = Setup::new(kilobytes);
    bencher.bench(|| Event::from_bytes(&setup.body).is_ok());
}

#[divan::bench(args = KILOBYTES)]
fn router(bencher: Bencher<'_, '_>, kilobytes: usize) {
    let setup = Setup::new(kilobytes);
    bencher.with_inputs(|| setup.request()).bench_values(|request| setup.router_call(request));
}

#[divan::bench(args = KILOBYTES)]
fn floor(bencher: Bencher<'_, '_>, kilobytes: usize) {
    let setup = Setup::new(kilobytes);
    bencher.with_inputs(|| setup.request()).bench_values(|request| setup.floor(request));
}

#[divan::bench(args = KILOBYTES)]
fn by_hand(bencher: Bencher<'_, '_>, kilobytes: usize) {
    let setup = Setup::new(kilobytes);
    bencher.with_inputs(|| setup.request()).bench_values(|request| setup.by_hand(request));
}

/// Measures `calls` calls. Making the requests is not part of the time.
fn time(setup: &Setup, calls: usize, call: impl Fn(&Setup, Request<Bytes>)) -> Duration {
    let requests: Vec<_> = (0..calls).map(|_| setup.request()).collect();
    let start = Instant::now();
    for request in requests {
        call(setup, request);
    }
    start.elapsed()
}

#[allow(clippy::cast_precision_loss, clippy::print_stdout)]
fn print_ratio(kilobytes: usize) {
    const ROUNDS: usize = 401;
    let setup = Setup::new(kilobytes);
    let calls = 20_000 / setup.body.len().max(1) * 5 + 20;
    let mut ratios = Vec::new();
    let (mut routers, mut floors, mut by_hands) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let router = time(&setup, calls, Setup::router_call);
        let floor = time(&setup, calls, Setup::floor);
        let by_hand = time(&setup, calls, Setup::by_hand);
        ratios.push(router.as_secs_f64() / floor.as_secs_f64());
        routers.push(router.as_secs_f64() / calls as f64 * 1e6);
        floors.push(floor.as_secs_f64() / calls as f64 * 1e6);
        by_hands.push(by_hand.as_secs_f64() / calls as f64 * 1e6);
    }
    println!(
        "{} bytes: router {:.2} µs, floor {:.2} µs, by hand {:.2} µs; router / floor = {:.3}",
        setup.body.len(),
        median(&mut routers),
        median(&mut floors),
        median(&mut by_hands),
        median(&mut ratios),
    );
}

/// Deliveries a second of threads that have these routers.
#[allow(clippy::cast_precision_loss, clippy::unwrap_used)]
fn rate(routers: &[&Setup], calls: usize) -> f64 {
    let barrier = Barrier::new(routers.len() + 1);
    let start = std::thread::scope(|scope| {
        for setup in routers {
            scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
                let requests: Vec<_> = (0..calls).map(|_| setup.request()).collect();
                barrier.wait();
                runtime.block_on(async {
                    for request in requests {
                        black_box(setup.router.handle(request).await);
                    }
                });
            });
        }
        barrier.wait();
        Instant::now()
    });
    (routers.len() * calls) as f64 / start.elapsed().as_secs_f64()
}

#[allow(clippy::print_stdout)]
fn print_cores() {
    const CALLS: usize = 10_000;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let setups: Vec<_> = (0..cores).map(|_| Setup::new(1)).collect();
    let Some(first) = setups.first() else { return };
    let (mut alone, mut shared, mut own) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..41 {
        alone.push(rate(&[first], CALLS));
        shared.push(rate(&vec![first; cores], CALLS));
        own.push(rate(&setups.iter().collect::<Vec<_>>(), CALLS));
    }
    println!(
        "{} bytes: {:.0} a second on one core; on {cores} cores {:.0} with one router, {:.0} with one each",
        first.body.len(),
        median(&mut alone),
        median(&mut shared),
        median(&mut own),
    );
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
