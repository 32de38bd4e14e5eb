//! Writes a thousand handlers, which are too long to read.

use std::{env, error::Error, fmt::Write, fs, path::PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    let (mut code, mut list) = (String::new(), String::new());
    for number in 0..1000 {
        writeln!(code, "#[webhook_handler(event = \"file.stored\", name = \"handler_{number}\")]")?;
        writeln!(code, "async fn handler_{number}(_event: FileStored) {{}}")?;
        write!(list, "handler_{number}, ")?;
    }
    writeln!(code, "/// A thousand handlers of another event.")?;
    writeln!(code, "pub fn handlers() -> Vec<HandlerDescriptor> {{ webhook_handlers![{list}] }}")?;
    fs::write(PathBuf::from(env::var("OUT_DIR")?).join("thousand.rs"), code)?;
    println!("cargo::rerun-if-changed=build.rs");
    Ok(())
}
