//! The process of the attacked server.

use std::{
    env, fs,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use tests::deliveries::{payload, secret};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::AnyError;

/// The attacked server, in a process of its own.
pub(crate) struct Victim {
    child: Child,
    port: u16,
}

impl Victim {
    pub(crate) async fn start() -> Result<Self, AnyError> {
        let mut child = Command::new(env::current_exe()?).arg("--server").stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().ok_or("the server has no output")?).read_line(&mut line)?;
        let mut victim = Self { child, port: line.trim().parse()? };
        // Let the server allocate what it allocates only once, before the attacks are measured.
        for _ in 0..100 {
            victim.is_well().await?;
        }
        Ok(victim)
    }

    pub(crate) async fn connect(&self) -> Result<TcpStream, AnyError> {
        Ok(timeout(Duration::from_secs(10), TcpStream::connect(("127.0.0.1", self.port))).await??)
    }

    /// Sends bytes, and returns the start of the answer; empty if the server closes the connection
    /// without an answer.
    pub(crate) async fn ask(&self, request: &[u8]) -> Result<String, AnyError> {
        let mut stream = self.connect().await?;
        // The server may answer and close before it has read everything.
        let _ = stream.write_all(request).await;
        answer(&mut stream).await
    }

    /// Checks that the server acknowledges a valid delivery within 5 seconds. Returns the time.
    pub(crate) async fn is_well(&mut self) -> Result<Duration, AnyError> {
        if let Some(status) = self.child.try_wait()? {
            return Err(format!("the server ended: {status}").into());
        }
        let start = Instant::now();
        let answer = self.ask(&signed(payload("file.uploaded").to_string().as_bytes())).await?;
        let took = start.elapsed();
        if status(&answer) != "204" || took > Duration::from_secs(5) {
            return Err(format!("the answer to a valid delivery was {answer:?} after {took:?}").into());
        }
        Ok(took)
    }

    /// The memory that the server holds now, in bytes.
    pub(crate) fn memory(&self) -> Result<u64, AnyError> {
        self.status("VmRSS:")
    }

    /// The most memory that the server held since the last reset, in bytes.
    fn peak(&self) -> Result<u64, AnyError> {
        self.status("VmHWM:")
    }

    fn status(&self, field: &str) -> Result<u64, AnyError> {
        let text = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line =
            text.lines().find_map(|line| line.strip_prefix(field)).ok_or("the status of the process lacks a field")?;
        Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? << 10)
    }

    /// Resets the peak to the memory that the server holds now.
    fn reset_peak(&self) -> Result<(), AnyError> {
        Ok(fs::write(format!("/proc/{}/clear_refs", self.child.id()), "5")?)
    }

    /// Carries out one attack, prints the result, and checks it: the answer, the seconds, and how
    /// many MiB the server grew by.
    pub(crate) async fn survives(
        &mut self,
        attack: &str,
        bounds: Bounds,
        act: impl AsyncFnOnce(&Self) -> Result<String, AnyError>,
    ) -> Result<(), AnyError> {
        self.reset_peak()?;
        let (before, start) = (self.memory()?, Instant::now());
        let answered = act(self).await.map_err(|error| format!("{attack}: {error}"))?;
        let (took, grown) = (start.elapsed(), self.peak()?.saturating_sub(before));
        println!("{attack:<44} {answered:<22} {took:>9.2?} {:>6} KiB {:>6} MiB", grown >> 10, self.memory()? >> 20);
        if !bounds.answers.contains(&answered.as_str()) {
            return Err(
                format!("{attack}: the answer is {answered:?}, and one of {:?} is expected", bounds.answers).into()
            );
        }
        if took > Duration::from_secs(bounds.seconds) || grown > bounds.mebibytes << 20 {
            return Err(format!("{attack}: out of bounds {bounds:?}").into());
        }
        self.is_well().await?;
        Ok(())
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The bounds of an attack's result.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    pub(crate) answers: &'static [&'static str],
    pub(crate) seconds: u64,
    pub(crate) mebibytes: u64,
}

/// A whole request with a signed body.
pub(crate) fn signed(body: &[u8]) -> Vec<u8> {
    let head = format!(
        "POST /hooks HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {}\r\nx-uc-signature: {}\r\n\r\n",
        body.len(),
        secret().sign(body)
    );
    [head.as_bytes(), body].concat()
}

/// Reads the start of an answer; empty if the server closes the connection without an answer.
pub(crate) async fn answer(stream: &mut TcpStream) -> Result<String, AnyError> {
    let mut start = [0; 512];
    let read = timeout(Duration::from_secs(30), stream.read(&mut start)).await?;
    Ok(String::from_utf8_lossy(start.get(..read.unwrap_or(0)).unwrap_or_default()).into_owned())
}

/// The status at the start of an answer; `closed` if there is no answer.
pub(crate) fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or("closed")
}
