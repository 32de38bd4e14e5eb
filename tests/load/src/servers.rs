//! Servers in processes of their own, and the processor time that these use.

use std::{
    error::Error,
    ffi::OsStr,
    fs,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    time::Duration,
};

use crate::{
    client::Target,
    node::Script,
    receivers::{self, Framework, Kind, secret},
};

/// The cores of the servers and of the client.
pub(crate) const SERVER_CORE: &str = "0";
pub(crate) const CLIENT_CORE: &str = "1";

/// Of the times in `/proc`, on every processor that Linux runs on today.
const TICK: Duration = Duration::from_millis(10);

/// A program on one core, with all of its threads.
pub(crate) fn pinned(core: &str, program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new("taskset");
    command.args(["--cpu-list", core]).arg(program);
    command
}

/// What a server runs.
#[derive(Clone, Copy)]
pub(crate) enum Receiver {
    Rust(Framework, Kind),
    Node(Script),
}

impl Receiver {
    /// All of them; those that share a framework follow each other, the bare framework first.
    pub(crate) fn all(node: bool) -> Vec<Self> {
        let rust = Framework::ALL.into_iter().flat_map(|framework| Kind::ALL.map(|kind| Self::Rust(framework, kind)));
        let node = Script::ALL.into_iter().filter(|_| node).map(Self::Node);
        rust.chain(node).collect()
    }

    pub(crate) fn framework(self) -> &'static str {
        match self {
            Self::Rust(framework, _) => framework.name(),
            Self::Node(_) => "node",
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Rust(_, kind) => kind.name(),
            Self::Node(script) => script.name(),
        }
    }

    pub(crate) fn is_bare(self) -> bool {
        matches!(self, Self::Rust(_, Kind::Bare) | Self::Node(Script::Bare))
    }

    /// What the others are compared with.
    pub(crate) fn is_reference(self) -> bool {
        matches!(self, Self::Rust(Framework::Actix, Kind::Ours))
    }

    fn command(self) -> Result<Command, Box<dyn Error>> {
        match self {
            Self::Rust(framework, kind) => {
                let mut command = pinned(SERVER_CORE, std::env::current_exe()?);
                command.args(["--serve", framework.name(), kind.name()]);
                Ok(command)
            }
            Self::Node(script) => script.command(),
        }
    }
}

/// A process, which is ended when this is dropped.
pub(crate) struct Server {
    pub(crate) receiver: Receiver,
    process: Child,
    /// With a delivery.
    pub(crate) target: Target,
    /// With the same delivery and the signature of another one.
    forged: Target,
}

impl Server {
    pub(crate) fn start(receiver: Receiver, body: &[u8]) -> Result<Self, Box<dyn Error>> {
        let mut process = receiver.command()?.stdout(Stdio::piped()).spawn()?;
        let mut address = String::new();
        BufReader::new(process.stdout.take().ok_or("no output")?).read_line(&mut address)?;
        let (framework, name) = (receiver.framework(), receiver.name());
        let address = address.trim().parse().map_err(|_| format!("{name} on {framework} did not start"))?;
        let target = |signature: &str| match receiver {
            Receiver::Rust(..) => receivers::target(address, body, signature),
            Receiver::Node(script) => script.target(address, body, signature),
        };
        let (target, forged) = (target(&secret()?.sign(body)), target(&secret()?.sign(b"another")));
        Ok(Self { receiver, process, target, forged })
    }

    /// Fails if it takes a delivery with a wrong signature, as its rate would then say nothing.
    pub(crate) async fn check(&self) -> Result<(), Box<dyn Error>> {
        let (framework, name) = (self.receiver.framework(), self.receiver.name());
        match self.forged.status().await? {
            204 if self.receiver.is_bare() => Ok(()),
            400..=499 if !self.receiver.is_bare() => Ok(()),
            status => Err(format!("{name} on {framework} answered a wrong signature with {status}").into()),
        }
    }

    /// What all threads of the process used since it was started.
    pub(crate) fn used(&self) -> Result<Used, Box<dyn Error>> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.process.id()))?;
        // The name of the program is in parentheses, and may have spaces.
        let (_, fields) = stat.rsplit_once(") ").ok_or("no name in /proc/PID/stat")?;
        // Fields 14 and 15 of the file, whose third field is the first one after the name.
        let mut ticks = fields.split(' ').skip(14 - 3).map(str::parse::<u32>);
        let mut next = || -> Result<Duration, Box<dyn Error>> { Ok(TICK * ticks.next().ok_or("no times")??) };
        Ok(Used { user: next()?, system: next()? })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Processor time, in the program itself and in the kernel for it.
#[derive(Clone, Copy, Default)]
pub(crate) struct Used {
    pub(crate) user: Duration,
    pub(crate) system: Duration,
}

impl Used {
    /// Adds what was used between two times.
    pub(crate) fn add(&mut self, before: Self, after: Self) {
        self.user += after.user.saturating_sub(before.user);
        self.system += after.system.saturating_sub(before.system);
    }
}
