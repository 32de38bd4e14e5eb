//! Suggests a known word for a mistyped one.

/// `: did you mean ..?` with the closest known word, or nothing if no known word is close.
pub(crate) fn suggestion(written: &str, known: &[&str]) -> String {
    const CLOSE_ENOUGH: f64 = 0.7;
    let closest = known
        .iter()
        .map(|word| (strsim::normalized_damerau_levenshtein(&written.to_lowercase(), word), word))
        .filter(|(likeness, _)| *likeness >= CLOSE_ENOUGH)
        .max_by(|(one, _), (other, _)| one.total_cmp(other));
    closest.map_or_else(String::new, |(_, word)| format!(": did you mean `{word}`?"))
}
