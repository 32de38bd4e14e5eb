//! Attacks through connections and heads of requests. They need no signing secret.

use std::{
    fs,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use tokio::{io::AsyncWriteExt, net::TcpStream, time::sleep};

use crate::{
    AnyError,
    server::BODY_TIMEOUT,
    victim::{Bounds, Victim, answer, status},
};

const HEAD: &str = "POST /hooks HTTP/1.1\r\nhost: x\r\nx-uc-signature: v1=00\r\n";

pub(crate) async fn all(victim: &mut Victim) -> Result<(), AnyError> {
    let plain = |answers| Bounds { answers, seconds: 10, mebibytes: 16 };
    victim
        .survives(
            "a chunked body of 1 GB",
            Bounds { answers: &["413", "closed"], seconds: 60, mebibytes: 160 },
            chunked,
        )
        .await?;
    let huge = format!("{HEAD}content-length: {}\r\n\r\n", 1_u64 << 40);
    ask(victim, "an announced body of 1 TB", plain(&["413"]), huge).await?;
    let more = format!("{HEAD}content-length: 4\r\n\r\n{}", "x".repeat(1 << 20));
    ask(victim, "a body longer than announced", plain(&["401"]), more).await?;
    let both = format!("{HEAD}content-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n");
    ask(victim, "two lengths that differ", plain(&["400", "401", "500"]), both).await?;
    let two = format!("{HEAD}content-length: 4\r\ncontent-length: 5\r\n\r\nabcde");
    ask(victim, "two Content-Lengths", plain(&["400", "401"]), two).await?;
    let minus = format!("{HEAD}content-length: -1\r\n\r\n");
    ask(victim, "a negative length", plain(&["400"]), minus).await?;
    let flood: String = (0..10_000).map(|number| format!("x-{number}: {number}\r\n")).collect();
    ask(victim, "10,000 headers", plain(&["400", "431", "closed"]), format!("{HEAD}{flood}\r\n")).await?;
    let long = format!("{HEAD}x: {}\r\n\r\n", "x".repeat(8 << 20));
    ask(victim, "a header of 8 MiB", plain(&["400", "431", "413", "closed"]), long).await?;
    let signatures: String = (0..90).map(|_| "x-uc-signature: v1=00\r\n").collect();
    ask(victim, "90 signatures", plain(&["401", "400"]), format!("{HEAD}{signatures}content-length: 0\r\n\r\n"))
        .await?;
    let bounds = Bounds { answers: &["200 of 408"], seconds: BODY_TIMEOUT.as_secs() + 10, mebibytes: 32 };
    victim.survives("200 bodies that never arrive", bounds, slow_bodies).await?;
    let number = 10_000.min(open_files()?.saturating_sub(500));
    let bounds = Bounds { answers: &["delivery acknowledged"], seconds: 60, mebibytes: 512 };
    let attack = format!("{number} connections that send half a head");
    victim.survives(&attack, bounds, async |victim| open_many(victim, number).await).await
}

async fn ask(victim: &mut Victim, attack: &str, bounds: Bounds, request: String) -> Result<(), AnyError> {
    victim.survives(attack, bounds, async |victim| Ok(status(&victim.ask(request.as_bytes()).await?).to_owned())).await
}

/// Sends until the server closes the connection, at most 1 GB. actix-web continues to read after
/// its answer, and discards what it reads.
async fn chunked(victim: &Victim) -> Result<String, AnyError> {
    let mut stream = victim.connect().await?;
    stream.write_all(format!("{HEAD}transfer-encoding: chunked\r\n\r\n").as_bytes()).await?;
    let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
    for _ in 0..(1 << 30) / 0x10000 {
        if stream.write_all(chunk.as_bytes()).await.is_err() {
            break;
        }
    }
    Ok(status(&answer(&mut stream).await?).to_owned())
}

async fn slow_bodies(victim: &Victim) -> Result<String, AnyError> {
    let one = async || {
        let mut stream = victim.connect().await?;
        stream.write_all(format!("{HEAD}content-length: 1000\r\n\r\n").as_bytes()).await?;
        for _ in 0..4 {
            sleep(BODY_TIMEOUT / 8).await;
            stream.write_all(b"x").await?;
        }
        Ok::<_, AnyError>(status(&answer(&mut stream).await?).to_owned())
    };
    let answers = join_all((0..200).map(|_| one())).await;
    let timeouts = answers.iter().filter(|answer| matches!(answer, Ok(status) if status == "408")).count();
    Ok(format!("{timeouts} of 408"))
}

/// Opens many connections at once, and checks that the server still acknowledges a valid delivery.
async fn open_many(victim: &Victim, number: usize) -> Result<String, AnyError> {
    let mut streams: Vec<TcpStream> = Vec::with_capacity(number);
    for _ in 0..number {
        let mut stream = victim.connect().await?;
        stream.write_all(b"POST /hooks HTTP/1.1\r\nhost: x\r\nx-uc").await?;
        streams.push(stream);
    }
    let start = Instant::now();
    let body = tests::deliveries::payload("file.uploaded").to_string();
    let answer = victim.ask(&crate::victim::signed(body.as_bytes())).await?;
    if status(&answer) != "204" || start.elapsed() > Duration::from_secs(5) {
        return Err(format!("the answer to a valid delivery was {answer:?} after {:?}", start.elapsed()).into());
    }
    println!("  with {} connections open, a delivery took {:.2?}", streams.len(), start.elapsed());
    Ok("delivery acknowledged".to_owned())
}

/// How many files this process may have open.
fn open_files() -> Result<usize, AnyError> {
    let limits = fs::read_to_string("/proc/self/limits")?;
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))
        .ok_or("`/proc/self/limits` has no `Max open files`")?;
    Ok(line.split_whitespace().next().ok_or("`Max open files` has no value")?.parse().unwrap_or(usize::MAX))
}
