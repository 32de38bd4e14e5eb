//! The processes of the application, and a balancer in front of those that receive.

use std::{
    collections::HashMap,
    env,
    error::Error,
    io,
    net::TcpListener,
    path::PathBuf,
    process::{Child, Command},
};

use tempfile::TempDir;
use tests::storages::Kind;
use tokio::net::TcpStream;

use crate::journal;

/// The processes of the application. Each start of one is a life.
pub(crate) struct Victims {
    pub(crate) kind: Kind,
    pub(crate) queue: String,
    pub(crate) file: String,
    pub(crate) journal: PathBuf,
    /// Where the balancer takes deliveries.
    pub(crate) port: u16,
    processes: Vec<Process>,
    lives: usize,
    /// When each life ended, in milliseconds since 1970.
    pub(crate) ends: HashMap<usize, u64>,
    /// How many lives ended without a kill, since the storage failed while the process started.
    pub(crate) failed_starts: usize,
}

struct Process {
    /// Where it receives deliveries; `None` if it does not.
    port: Option<u16>,
    works: bool,
    life: usize,
    child: Option<Child>,
}

impl Victims {
    /// Three processes that receive and three that work. On SQLite one that does both, and one that
    /// works.
    pub(crate) async fn start(kind: Kind, directory: &TempDir) -> Result<Self, Box<dyn Error>> {
        let (receivers, workers) = if kind == Kind::Sqlite { (1, 1) } else { (3, 3) };
        let mut processes = Vec::new();
        for _ in 0..receivers {
            processes.push(Process { port: Some(free_port()?), works: kind == Kind::Sqlite, life: 0, child: None });
        }
        processes.extend((0..workers).map(|_| Process { port: None, works: true, life: 0, child: None }));
        let balancer = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let port = balancer.local_addr()?.port();
        tokio::spawn(balance(balancer, processes.iter().filter_map(|process| process.port).collect()));
        let mut victims = Self {
            kind,
            queue: format!("torture_{}_{}", std::process::id(), journal::now()),
            file: directory.path().join("queue.db").to_string_lossy().into_owned(),
            journal: directory.path().join("journal"),
            port,
            processes,
            lives: 0,
            ends: HashMap::new(),
            failed_starts: 0,
        };
        victims.supervise()?;
        victims.failed_starts = 0;
        Ok(victims)
    }

    /// Starts every process that does not run, as a supervisor does.
    pub(crate) fn supervise(&mut self) -> Result<(), Box<dyn Error>> {
        for process in &mut self.processes {
            if let Some(child) = &mut process.child {
                if child.try_wait()?.is_none() {
                    continue;
                }
                self.ends.insert(process.life, journal::now());
                self.failed_starts += 1;
            }
            process.life = self.lives;
            self.lives += 1;
            let mut command = Command::new(env::current_exe()?);
            command.args(["--storage", &format!("{:?}", self.kind).to_lowercase(), "--queue", &self.queue]);
            command
                .args(["--file", &self.file, "--life", &process.life.to_string()])
                .arg("--journal")
                .arg(&self.journal);
            command.args(["--port", &process.port.unwrap_or_default().to_string()]);
            if process.works {
                command.arg("--works");
            }
            process.child = Some(command.spawn()?);
        }
        Ok(())
    }

    /// Kills one process without a warning, and starts another in its place.
    pub(crate) fn kill_one(&mut self) -> Result<(), Box<dyn Error>> {
        let number = fastrand::usize(..self.processes.len());
        if let Some(process) = self.processes.get_mut(number) {
            process.kill(&mut self.ends)?;
        }
        self.supervise()
    }

    pub(crate) fn kill_all(&mut self) -> io::Result<()> {
        self.processes.iter_mut().try_for_each(|process| process.kill(&mut self.ends))
    }
}

impl Process {
    fn kill(&mut self, ends: &mut HashMap<usize, u64>) -> io::Result<()> {
        if let Some(mut child) = self.child.take() {
            child.kill()?;
            child.wait()?;
            ends.insert(self.life, journal::now());
        }
        Ok(())
    }
}

impl Drop for Victims {
    fn drop(&mut self) {
        if let Err(error) = self.kill_all() {
            eprintln!("cannot kill the application: {error}");
        }
    }
}

fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// Passes each connection on to one of these ports.
async fn balance(listener: tokio::net::TcpListener, ports: Vec<u16>) {
    while let Ok((mut client, _)) = listener.accept().await {
        let Some(port) = ports.get(fastrand::usize(..ports.len())).copied() else { return };
        tokio::spawn(async move {
            if let Ok(mut server) = TcpStream::connect(("127.0.0.1", port)).await {
                let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
            }
        });
    }
}
