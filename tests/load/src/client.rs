//! A client that does as little as possible: it writes the same request again and again, and reads
//! answers up to the end of their heads, as they have no bodies.

use std::{
    io,
    net::SocketAddr,
    time::{Duration, Instant},
};

use bytes::Bytes;
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

impl Target {
    pub(crate) fn new(address: SocketAddr, body: &Bytes, signature: &str) -> Self {
        let head = format!(
            "POST /hooks HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nX-Uc-Signature: \
             {signature}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        Self { address, request: [head.as_bytes(), body].concat() }
    }

    /// How many requests a second are answered while all connections always wait for an answer.
    pub(crate) async fn rate(&self, connections: u32, time: Duration) -> io::Result<f64> {
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
        let answers: u32 = try_join_all(connections).await?.into_iter().sum();
        Ok(f64::from(answers) / start.elapsed().as_secs_f64())
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

    async fn connect(&self) -> io::Result<TcpStream> {
        let connection = TcpStream::connect(self.address).await?;
        connection.set_nodelay(true)?;
        Ok(connection)
    }

    async fn ask(&self, connection: &mut TcpStream) -> io::Result<()> {
        connection.write_all(&self.request).await?;
        let (mut answer, mut length) = ([0; 1024], 0);
        loop {
            let rest = answer.get_mut(length..).unwrap_or_default();
            let read = connection.read(rest).await?;
            length += read;
            let head = answer.get(..length).unwrap_or_default();
            if read == 0 || !head.starts_with(b"HTTP/1.1 204".get(..length.min(12)).unwrap_or_default()) {
                return Err(io::Error::other(format!("unexpected answer: {:?}", String::from_utf8_lossy(head))));
            }
            if head.ends_with(b"\r\n\r\n") {
                return Ok(());
            }
        }
    }
}
