//! How this program is called, for the lines that it prints to be pasted into a shell.

use std::{env, path::Path};

/// The name of this program if the shell found it by its name, and its path otherwise: after
/// `cargo run` there is no `uploadcare-sim` in `PATH`.
pub(super) fn program() -> String {
    let called = env::args().next().unwrap_or_default();
    let path = env::current_exe().ok();
    called_as(&called, path.as_deref().and_then(Path::to_str))
}

fn called_as(called: &str, path: Option<&str>) -> String {
    let is_path = called.contains(['/', '\\']);
    let name = path.filter(|_| is_path).unwrap_or(called);
    // The shells of Windows take a path as it is.
    if cfg!(windows) && !name.contains(' ') { name.to_owned() } else { quoted(name) }
}

/// The text as one word of a shell.
pub(super) fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:".contains(c);
    let needs_none = !text.is_empty() && text.chars().all(is_plain);
    if needs_none { text.to_owned() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::called_as;

    #[test]
    fn a_shell_finds_the_program_as_it_was_called_or_at_its_path() {
        let path = Some("/work/target/debug/uploadcare-sim");
        assert_eq!(called_as("uploadcare-sim", path), "uploadcare-sim");
        assert_eq!(called_as("target/debug/uploadcare-sim", path), "/work/target/debug/uploadcare-sim");
        assert_eq!(called_as("./uploadcare-sim", Some("/my work/it's/sim")), r"'/my work/it'\''s/sim'");
        assert_eq!(called_as("./uploadcare-sim", None), "./uploadcare-sim");
    }
}
