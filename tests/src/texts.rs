//! Texts that people read, compared with files in `snapshots/`.
//! `INSTA_UPDATE=always` in the environment writes the files anew; read them before you commit
//! them.

/// Fails if the text is not that of `snapshots/{name}.snap`. Places in source files count as the
/// same, because every change above them moves them.
///
/// # Panics
/// If the texts differ.
pub fn assert_reads_as_in(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, without_places(text)));
}

/// The text with `.rs:LINE:COLUMN` in place of the numbers after the name of a source file.
fn without_places(text: &str) -> String {
    let mut parts = text.split(".rs:");
    let mut shown = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(|digit: char| digit.is_ascii_digit() || digit == ':');
        shown += ".rs:LINE:COLUMN";
        shown += rest;
    }
    shown
}
