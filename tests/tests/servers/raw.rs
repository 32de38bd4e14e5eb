//! Requests written byte by byte, for what HTTP clients do not do.

use std::{net::SocketAddr, time::Duration};

use tests::deliveries::secret;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// A connection to a server.
pub(crate) struct Raw(pub(crate) TcpStream);

/// An answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

/// The head of a `POST /hooks` with these header lines.
pub(crate) fn head(lines: &[String]) -> String {
    let lines: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
    format!("POST /hooks HTTP/1.1\r\nHost: localhost\r\n{lines}\r\n")
}

/// The header line with the signature of this body.
pub(crate) fn signature(body: &[u8]) -> String {
    format!("X-Uc-Signature: {}", secret().sign(body))
}

impl Raw {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        Self(TcpStream::connect(address).await.unwrap())
    }

    /// Writes everything. Fails if the server closes the connection before that.
    pub(crate) async fn write(&mut self, bytes: impl AsRef<[u8]>) -> std::io::Result<()> {
        self.0.write_all(bytes.as_ref()).await
    }

    /// Reads one answer. `None` if the connection ends or breaks before it is complete. Fails after
    /// 20 seconds.
    pub(crate) async fn read(&mut self) -> Option<Answer> {
        timeout(Duration::from_secs(20), self.read_answer()).await.unwrap()
    }

    async fn read_answer(&mut self) -> Option<Answer> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(self.0.read_u8().await.ok()?);
        }
        let head = String::from_utf8(head).unwrap();
        let status = head.split(' ').nth(1)?.parse().ok()?;
        let head = head.to_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
        self.0.read_exact(&mut body).await.ok()?;
        Some(Answer { status, head, body: String::from_utf8(body).unwrap() })
    }
}
