//! The receivers on Node.js: their files in `node/`, the packages that these need, and the commands
//! that start them.

use std::{
    error::Error,
    fs::{self, File},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    client::Target,
    receivers::{self, SECRET},
    servers::{SERVER_CORE, pinned},
};

const SOURCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/node");

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Script {
    /// Node.js reads the body and answers.
    Bare,
    /// What people write with Express.
    Express,
    /// `@octokit/webhooks`, which receives GitHub's webhooks.
    Octokit,
}

impl Script {
    pub(crate) const ALL: [Self; 3] = [Self::Bare, Self::Express, Self::Octokit];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Bare => "bare",
            Self::Express => "express",
            Self::Octokit => "octokit",
        }
    }

    /// The same body, with the headers that the receiver knows.
    pub(crate) fn target(self, address: SocketAddr, body: &[u8], signature: &str) -> Target {
        if self != Self::Octokit {
            return receivers::target(address, body, signature);
        }
        let signature = signature.replace("v1=", "sha256=");
        let headers = [
            ("X-GitHub-Event", "push"),
            ("X-GitHub-Delivery", "72d3162e-cc78-11e3-81ab-4c9367dc0958"),
            ("X-Hub-Signature-256", &signature),
        ];
        Target::new(address, "/api/github/webhooks", &headers, body)
    }

    /// Runs it on the core of the servers.
    pub(crate) fn command(self) -> Result<Command, Box<dyn Error>> {
        let folder = folder()?;
        let mut command = pinned(SERVER_CORE, "node");
        command.arg(folder.join(format!("{}.mjs", self.name())));
        command.env("NODE_ENV", "production").env("SIGNING_SECRET", SECRET);
        // Octokit writes there that a signature was wrong.
        command.stderr(File::create(folder.join(format!("{}.log", self.name())))?);
        Ok(command)
    }
}

/// Where the files are copied to, and the packages installed: below `target`, beside this program.
fn folder() -> Result<PathBuf, Box<dyn Error>> {
    Ok(std::env::current_exe()?.parent().ok_or("this program has no folder")?.join("load-node"))
}

/// Copies the files, and returns the version of Node.js.
///
/// # Errors
/// How to install the packages, if they are missing or of another `package-lock.json`.
pub(crate) fn prepare() -> Result<String, Box<dyn Error>> {
    let folder = folder()?;
    let lock = |folder: &Path| fs::read(folder.join("package-lock.json")).ok();
    if lock(&folder).is_some() && lock(&folder) != lock(Path::new(SOURCES)) {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    for entry in fs::read_dir(SOURCES)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            fs::copy(entry.path(), folder.join(entry.file_name()))?;
        }
    }
    // npm writes this file last.
    if !folder.join("node_modules/.package-lock.json").exists() {
        return Err(format!("run `npm ci --prefix {}` first", folder.display()).into());
    }
    let version = Command::new("node").arg("--version").output().map_err(|error| format!("node: {error}"))?;
    Ok(String::from_utf8_lossy(&version.stdout).trim().to_owned())
}
