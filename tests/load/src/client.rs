//! A client that does as little as possible: it writes the same request again and again, and reads
//! answers whose bodies are empty or of an announced length.

use std::{
    io,
    net::SocketAddr,
    time::{Duration, Instant},
};

use futures_util::future::try_join_all;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::sleep_until,
};

/// A server, and the request that it gets.
pub(crate) struct Target {
    address: SocketAddr,
    request: Vec<u8>,
}

/// How many requests were answered in which time.
pub(crate) struct Answered {
    pub(crate) requests: u32,
    pub(crate) time: Duration,
}

impl Target {
    pub(crate) fn new(address: SocketAddr, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Self {
        let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\n{headers}\
             Content-Length: {}\r\n\r\n",
            body.len()
        );
        Self { address, request: [head.as_bytes(), body].concat() }
    }

    /// How many requests are answered while all connections always wait for an answer.
    pub(crate) async fn flood(&self, connections: u32, time: Duration) -> io::Result<Answered> {
        let end = Instant::now() + time;
        let connections = (0..connections).map(|_| async {
            let mut connection = self.connect().await?;
            let mut answers = 0_u32;
            while Instant::now() < end {
                self.ask(&mut connection).await?;
                answers += 1;
            }
            io::Result::Ok(answers)
        });
        let start = Instant::now();
        let requests = try_join_all(connections).await?.into_iter().sum();
        Ok(Answered { requests, time: start.elapsed() })
    }

    /// The time within which 99 % of the requests are answered, of so many a second. Counts from
    /// when a request should have been sent.
    pub(crate) async fn slowest_percent(&self, connections: u32, rate: f64, time: Duration) -> io::Result<Duration> {
        let pause = Duration::from_secs_f64(f64::from(connections) / rate);
        let start = Instant::now() + Duration::from_millis(50);
        let connections = (0..connections).map(|number| async move {
            let mut connection = self.connect().await?;
            let mut due = start + pause.mul_f64(f64::from(number) / f64::from(connections));
            let mut latencies = Vec::new();
            while due < start + time {
                sleep_until(due.into()).await;
                // The timer is late by up to a millisecond, which is not the server's fault.
                let sent = Instant::now().min(due + Duration::from_millis(2));
                self.ask(&mut connection).await?;
                latencies.push(sent.elapsed());
                due += pause;
            }
            io::Result::Ok(latencies)
        });
        let mut latencies = try_join_all(connections).await?.concat();
        latencies.sort();
        Ok(latencies.get(latencies.len() * 99 / 100).copied().unwrap_or_default())
    }

    /// The status of the answer to one request.
    pub(crate) async fn status(&self) -> io::Result<u16> {
        self.exchange(&mut self.connect().await?).await
    }

    async fn connect(&self) -> io::Result<TcpStream> {
        let connection = TcpStream::connect(self.address).await?;
        connection.set_nodelay(true)?;
        Ok(connection)
    }

    async fn ask(&self, connection: &mut TcpStream) -> io::Result<()> {
        match self.exchange(connection).await? {
            200..=299 => Ok(()),
            status => Err(io::Error::other(format!("a delivery was answered {status}"))),
        }
    }

    async fn exchange(&self, connection: &mut TcpStream) -> io::Result<u16> {
        connection.write_all(&self.request).await?;
        let (mut answer, mut length) = ([0; 1024], 0);
        loop {
            let rest = answer.get_mut(length..).unwrap_or_default();
            let read = connection.read(rest).await?;
            length += read;
            let answer = answer.get(..length).unwrap_or_default();
            if read == 0 || !answer.starts_with(b"HTTP/1.1 ".get(..length.min(9)).unwrap_or_default()) {
                return Err(io::Error::other(format!("unexpected answer: {:?}", String::from_utf8_lossy(answer))));
            }
            if let Some(status) = whole(answer) {
                return Ok(status);
            }
        }
    }
}

/// The status of an answer, if all of it is there.
fn whole(answer: &[u8]) -> Option<u16> {
    // What nearly all servers answer, which never has a body.
    if answer.starts_with(b"HTTP/1.1 204") {
        return answer.ends_with(b"\r\n\r\n").then_some(204);
    }
    let (head, body) = str::from_utf8(answer).ok()?.split_once("\r\n\r\n")?;
    let mut headers = head.lines().filter_map(|line| line.split_once(": "));
    let announced = headers.find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let length: usize = announced.map_or(Some(0), |(_, length)| length.parse().ok())?;
    if body.len() >= length { head.get(9..12)?.parse().ok() } else { None }
}
