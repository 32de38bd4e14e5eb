//! Suggests a known word for a mistyped one.

/// `: did you mean ..?` with the closest known word, or nothing if no known word is close. A word
/// may lack what stands in front of a `.`: `uploaded` is close to `file.uploaded`.
pub(crate) fn suggestion(written: &str, known: &[&str]) -> String {
    const CLOSE_ENOUGH: f64 = 0.7;
    let written = written.to_lowercase();
    let likeness = |word: &str| strsim::normalized_damerau_levenshtein(&written, word);
    let closest = known
        .iter()
        .map(|word| (word.split_once('.').map_or(0.0, |(_, end)| likeness(end)).max(likeness(word)), word))
        .filter(|(likeness, _)| *likeness >= CLOSE_ENOUGH)
        .max_by(|(one, _), (other, _)| one.total_cmp(other));
    closest.map_or_else(String::new, |(_, word)| format!(": did you mean `{word}`?"))
}

/// Whether the words differ in upper and lower case, or by one edit at most.
pub(crate) fn is_slip(written: &str, known: &str) -> bool {
    strsim::damerau_levenshtein(&written.to_lowercase(), known) <= 1
}
