//! Whether an application stays up, small and quick when whoever talks to it means harm.
//!
//! ```sh
//! cargo run --release -p tests --bin hostile
//! ```
//!
//! A server runs in a process of its own, whose memory is measured. Each attack prints what it was answered, how long that took, and what it cost; the
//! program fails if any of that is out of bounds, or if a proper delivery is not answered afterwards. Needs Linux.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod connections;
mod payloads;
mod server;
mod victim;

use std::{env, error::Error, process::ExitCode};

type AnyError = Box<dyn Error + Send + Sync>;

fn main() -> ExitCode {
    let ended = match env::args().nth(1).as_deref() {
        None => attack(),
        Some("--server") => server::run(),
        Some(other) => Err(format!("there is no option {other:?}").into()),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("hostile: {error}");
            ExitCode::FAILURE
        }
    }
}

fn attack() -> Result<(), AnyError> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?.block_on(async {
        let mut victim = victim::Victim::start().await?;
        println!("{:<44} {:<22} {:>9} {:>10} {:>10}", "attack", "answered", "took", "grew by", "memory");
        payloads::all(&mut victim).await?;
        connections::all(&mut victim).await?;
        victim.is_well().await?;
        println!("the server is well, and has {} MiB", victim.memory()? >> 20);
        Ok(())
    })
}
