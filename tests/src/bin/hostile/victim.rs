//! The server's process, as the attacker sees it.

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

/// A server in a process of its own.
pub(crate) struct Victim {
    child: Child,
    port: u16,
}

impl Victim {
    pub(crate) async fn start() -> Result<Self, AnyError> {
        let mut child = Command::new(env::current_exe()?).arg("--server").stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().ok_or("no output")?).read_line(&mut line)?;
        let mut victim = Self { child, port: line.trim().parse()? };
        // What is allocated once is not the attacks' doing.
        for _ in 0..100 {
            victim.is_well().await?;
        }
        Ok(victim)
    }

    pub(crate) async fn connect(&self) -> Result<TcpStream, AnyError> {
        Ok(timeout(Duration::from_secs(10), TcpStream::connect(("127.0.0.1", self.port))).await??)
    }

    /// Sends bytes, and returns the start of what is answered; empty if the connection is closed without a word.
    pub(crate) async fn ask(&self, request: &[u8]) -> Result<String, AnyError> {
        let mut stream = self.connect().await?;
        // It may answer, and close, before it has read everything.
        let _ = stream.write_all(request).await;
        answer(&mut stream).await
    }

    /// Whether a proper delivery is done, and quickly.
    pub(crate) async fn is_well(&mut self) -> Result<Duration, AnyError> {
        if let Some(status) = self.child.try_wait()? {
            return Err(format!("the server is gone: {status}").into());
        }
        let start = Instant::now();
        let answer = self.ask(&signed(payload("file.uploaded").to_string().as_bytes())).await?;
        let took = start.elapsed();
        if status(&answer) != "204" || took > Duration::from_secs(5) {
            return Err(format!("a proper delivery was answered {answer:?} after {took:?}").into());
        }
        Ok(took)
    }

    /// What it holds now, in bytes.
    pub(crate) fn memory(&self) -> Result<u64, AnyError> {
        self.status("VmRSS:")
    }

    /// The most it held since that was last reset, in bytes.
    fn peak(&self) -> Result<u64, AnyError> {
        self.status("VmHWM:")
    }

    fn status(&self, field: &str) -> Result<u64, AnyError> {
        let text = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = text.lines().find_map(|line| line.strip_prefix(field)).ok_or("no such field")?;
        Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? << 10)
    }

    /// Starts counting the most anew.
    fn reset_peak(&self) -> Result<(), AnyError> {
        Ok(fs::write(format!("/proc/{}/clear_refs", self.child.id()), "5")?)
    }

    /// Tells of one attack, and checks that it stayed in bounds: the answer, the seconds, and the MiB that it grew by meanwhile.
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
            return Err(format!("{attack}: answered {answered:?} in place of {:?}", bounds.answers).into());
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

/// What an attack may come to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    pub(crate) answers: &'static [&'static str],
    pub(crate) seconds: u64,
    pub(crate) mebibytes: u64,
}

/// A whole request with a body that is signed.
pub(crate) fn signed(body: &[u8]) -> Vec<u8> {
    let head = format!(
        "POST /hooks HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {}\r\nx-uc-signature: {}\r\n\r\n",
        body.len(),
        secret().sign(body)
    );
    [head.as_bytes(), body].concat()
}

/// The start of what is answered; empty if the connection is closed without a word.
pub(crate) async fn answer(stream: &mut TcpStream) -> Result<String, AnyError> {
    let mut start = [0; 512];
    let read = timeout(Duration::from_secs(30), stream.read(&mut start)).await?;
    Ok(String::from_utf8_lossy(start.get(..read.unwrap_or(0)).unwrap_or_default()).into_owned())
}

/// The status in the start of an answer; `closed` if there is none.
pub(crate) fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or("closed")
}
