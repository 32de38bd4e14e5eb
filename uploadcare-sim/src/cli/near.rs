//! The name of an event that a mistyped one may mean.

use uploadcare_hooks::EventKind;

/// The known name that is most like this one, if one is. A name may lack what stands in front of
/// its dot: `uploaded` is like `file.uploaded`.
pub(super) fn near<'a>(event: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    const LIKE_ENOUGH: f64 = 0.7;
    if EventKind::KNOWN.contains(&event) {
        return None;
    }
    let event = event.to_lowercase();
    let likeness = |name: &str| strsim::normalized_damerau_levenshtein(&event, name);
    let likeness = |name: &str| name.split_once('.').map_or(0.0, |(_, end)| likeness(end)).max(likeness(name));
    let rated = known.map(|name| (likeness(name), name));
    let nearest = rated.filter(|(likeness, _)| *likeness >= LIKE_ENOUGH).max_by(|one, other| one.0.total_cmp(&other.0));
    nearest.map(|(_, name)| name)
}
