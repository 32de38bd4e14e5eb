//! Checks that an application under attack stays up, small and quick.
//!
//! ```sh
//! cargo run --release -p programs --bin hostile
//! ```
//!
//! The server runs in a process of its own, and the attacker measures the memory of that process.
//! For each attack the program prints the answer, the time, and the memory that it cost. The
//! program fails if one of these is out of bounds, or if the server does not acknowledge a valid
//! delivery afterwards. Needs Linux.
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
        Some(other) => Err(format!("unknown option {other:?}").into()),
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
        println!("{:<44} {:<22} {:>9} {:>10} {:>10}", "attack", "answer", "time", "growth", "memory");
        payloads::all(&mut victim).await?;
        connections::all(&mut victim).await?;
        victim.is_well().await?;
        println!("the server answers as before, and holds {} MiB", victim.memory()? >> 20);
        Ok(())
    })
}
