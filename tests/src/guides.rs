//! Checks that a guide quotes what its readers really see, and shows what the tests run.

/// Fails if the guide does not quote this message up to `end`. White space may differ, because a
/// guide is wrapped.
///
/// # Panics
/// If the message has no `end`, or the guide has other words.
#[track_caller]
pub fn assert_quoted(guide: &str, message: &str, end: &str) {
    let quoted = message.split_once(end).map(|(before, _)| format!("{before}{end}"));
    let quoted = words(&quoted.unwrap_or_else(|| panic!("no {end:?} in {message}")));
    assert!(words(guide).contains(&quoted), "the guide does not have these words: {quoted}");
}

/// Fails if the guide and the text that its readers see do not both have these words, for messages
/// that have something else before them.
///
/// # Panics
/// If one of the two has other words.
#[track_caller]
pub fn assert_both_say(guide: &str, seen: &str, quoted: &str) {
    let quoted = words(quoted);
    assert!(words(seen).contains(&quoted), "readers do not see {quoted:?}, but: {seen}");
    assert!(words(guide).contains(&quoted), "the guide does not have these words: {quoted}");
}

fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Fails if the guide does not show this program, without its first lines: those of documentation,
/// and attributes for lints.
///
/// # Panics
/// If the two differ.
#[track_caller]
pub fn assert_shown(guide: &str, program: &str) {
    let lines = program.lines().skip_while(|line| line.starts_with("//!") || line.starts_with("#!["));
    let shown = lines.collect::<Vec<_>>().join("\n");
    assert!(guide.contains(shown.trim()), "the guide does not show this program:\n{shown}");
}
