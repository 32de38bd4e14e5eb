//! Shows texts that strangers wrote, and times, in words.

use jiff::Timestamp;
use maud::{Markup, html};

/// A text as HTML. Characters that cannot be seen or that change the order of others are replaced
/// by their code points: a file called `cat<U+202E>gpj.exe` must not look like `catexe.jpg`.
pub(super) fn shown(text: &str) -> Markup {
    html! {
        bdi {
            @for part in parts(text) {
                @match part {
                    Part::Plain(text) => (text),
                    Part::Hidden(c) => span.code-point { (format!("U+{:04X}", u32::from(c))) },
                }
            }
        }
    }
}

/// The same for a text that may be long: only the first so many characters.
pub(super) fn shown_cut(text: &str, most: usize) -> Markup {
    let cut = text.char_indices().nth(most).map(|(position, _)| position);
    match cut.and_then(|position| text.get(..position)) {
        None => shown(text),
        Some(start) => html! { (shown(start)) span title={ (text.chars().count()) " characters" } { "…" } },
    }
}

/// The same without HTML, for places that take only text, such as the choices of a form.
pub(super) fn plain(text: &str, most: usize) -> String {
    let cut: String = text.chars().take(most).collect();
    let mut plain = String::new();
    for part in parts(&cut) {
        match part {
            Part::Plain(text) => plain.push_str(text),
            Part::Hidden(c) => plain.push_str(&format!("U+{:04X}", u32::from(c))),
        }
    }
    if cut.len() < text.len() {
        plain.push('…');
    }
    plain
}

enum Part<'a> {
    Plain(&'a str),
    Hidden(char),
}

fn parts(text: &str) -> impl Iterator<Item = Part<'_>> {
    text.split_inclusive(is_hidden).flat_map(|piece| {
        let hidden = piece.chars().next_back().filter(|c| is_hidden(*c));
        let plain = hidden.and_then(|c| piece.strip_suffix(c)).unwrap_or(piece);
        [Some(Part::Plain(plain)), hidden.map(Part::Hidden)].into_iter().flatten()
    })
}

/// Control characters but for line breaks and tabs, marks that change the direction of the text,
/// and characters without a width. Joiners are left: scripts and emoji need them.
pub(super) fn is_hidden(c: char) -> bool {
    (c.is_control() && !matches!(c, '\n' | '\t' | '\r'))
        || matches!(c,
            '\u{061C}' | '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E007F}')
}

/// A time of day. The script shows it in the time zone of the browser.
pub(super) fn clock(time: Timestamp) -> Markup {
    let exact = time.strftime("%Y-%m-%d %H:%M:%S%.3f UTC").to_string();
    html! { time datetime=(machine(time)) title=(exact) data-clock { (time.strftime("%H:%M:%S UTC")) } }
}

/// When something is due, seen from now. The script counts down.
pub(super) fn due(time: Timestamp) -> Markup {
    let seconds = time.duration_since(Timestamp::now()).as_secs();
    html! { time datetime=(machine(time)) data-due { (from_now(seconds)) } }
}

fn machine(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// The script writes the same words.
fn from_now(seconds: i64) -> String {
    match seconds {
        ..=0 => "now".to_owned(),
        1..60 => format!("in {seconds} s"),
        60..3600 => format!("in {} min {} s", seconds / 60, seconds % 60),
        _ => format!("in {} h {} min", seconds / 3600, seconds / 60 % 60),
    }
}

/// How long something took.
pub(super) fn took(ms: u64) -> String {
    if ms < 1000 { format!("{ms} ms") } else { format!("{}.{} s", ms / 1000, ms / 100 % 10) }
}

/// `1 delivery`, `2 deliveries`.
pub(super) fn counted(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// A path with a query.
pub(super) fn link(path: &str, query: &[(&str, &str)]) -> String {
    format!("{path}?{}", serde_urlencoded::to_string(query).unwrap_or_default())
}

/// A text as one word of a shell, with quotes only if it needs them.
pub(super) fn word(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) { text.to_owned() } else { quoted(text) }
}

/// A text as one word of a shell. Characters that the page cannot show are written as the escapes
/// of bash and zsh.
pub(super) fn quoted(text: &str) -> String {
    if !text.contains(is_hidden) {
        return format!("'{}'", text.replace('\'', r"'\''"));
    }
    let mut quoted = "$'".to_owned();
    for c in text.chars() {
        match c {
            '\\' | '\'' => quoted.extend(['\\', c]),
            c if is_hidden(c) => {
                let mut bytes = [0; 4];
                c.encode_utf8(&mut bytes).bytes().for_each(|byte| quoted.push_str(&format!("\\x{byte:02x}")));
            }
            c => quoted.push(c),
        }
    }
    quoted + "'"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_is_text_and_hidden_characters_are_seen() {
        assert_eq!(
            shown("<b>\u{202E}\"a\"\u{7}").into_string(),
            "<bdi>&lt;b&gt;<span class=\"code-point\">U+202E</span>&quot;a&quot;\
             <span class=\"code-point\">U+0007</span></bdi>"
        );
        assert_eq!(shown("猫 👩‍🚀\n").into_string(), "<bdi>猫 👩‍🚀\n</bdi>");
        assert!(shown_cut("äöü", 2).into_string().starts_with("<bdi>äö</bdi><span title=\"3 characters\">"));
        assert_eq!(shown_cut("äö", 2).into_string(), "<bdi>äö</bdi>");
    }

    #[test]
    fn a_quoted_text_is_one_word_that_can_be_copied() {
        assert_eq!(quoted("it's \\n"), r"'it'\''s \n'");
        assert_eq!(quoted("it's \\n\u{202E}e"), r"$'it\'s \\n\xe2\x80\xaee'");
    }

    #[test]
    fn a_word_has_quotes_if_it_needs_them() {
        for (text, expected) in
            [("http://127.0.0.1:1", "http://127.0.0.1:1"), ("", "''"), ("a b", "'a b'"), ("~", "'~'")]
        {
            assert_eq!(word(text), expected);
        }
    }

    #[test]
    fn times_are_words() {
        for (seconds, words) in [
            (-3, "now"),
            (0, "now"),
            (59, "in 59 s"),
            (60, "in 1 min 0 s"),
            (3599, "in 59 min 59 s"),
            (7260, "in 2 h 1 min"),
        ] {
            assert_eq!(from_now(seconds), words);
        }
        assert_eq!((took(999), took(1250)), ("999 ms".to_owned(), "1.2 s".to_owned()));
    }
}
