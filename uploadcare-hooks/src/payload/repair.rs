//! JSON whose texts are not Unicode: a surrogate without its pair, escaped (`"\ud83d"`) or in the
//! bytes, and bytes that are not UTF-8. Uploadcare passes such file names and metadata on from the
//! browsers of end users. They are read with U+FFFD in place of what is not Unicode.
//!
//! Only for JSON that could not be read as it is: a body that can be read does not pay for this.

use std::borrow::Cow;

/// What an unpaired surrogate's escape is overwritten with. Both have the same length.
const REPLACEMENT: &[u8; ESCAPE] = br"\ufffd";

/// The length of an escape, such as `\ud83d`.
const ESCAPE: usize = 6;

/// Replaces whatever is not Unicode. Returns `None` if all of the texts are Unicode.
#[cold]
pub(crate) fn repair(json: &[u8]) -> Option<Vec<u8>> {
    let text = String::from_utf8_lossy(json);
    let unpaired = unpaired_surrogates(text.as_bytes());
    if unpaired.is_empty() && matches!(text, Cow::Borrowed(_)) {
        return None;
    }
    let mut repaired = text.into_owned().into_bytes();
    for at in unpaired {
        if let Some(escape) = repaired.get_mut(at..at + ESCAPE) {
            escape.copy_from_slice(REPLACEMENT);
        }
    }
    Some(repaired)
}

/// Where the escapes of unpaired surrogates start. JSON has backslashes in strings only, so it is
/// not necessary to know where the strings are.
fn unpaired_surrogates(json: &[u8]) -> Vec<usize> {
    let mut unpaired = Vec::new();
    let mut at = 0;
    while let Some(backslash) = json.get(at..).and_then(|rest| rest.iter().position(|byte| *byte == b'\\')) {
        at += backslash;
        at += match (escaped_unit(json, at), escaped_unit(json, at + ESCAPE)) {
            (Some(0xD800..=0xDBFF), Some(0xDC00..=0xDFFF)) => 2 * ESCAPE,
            (Some(0xD800..=0xDFFF), _) => {
                unpaired.push(at);
                ESCAPE
            }
            (Some(_), _) => ESCAPE,
            // Another escape, such as `\n`. Step over both bytes: the second one may be a
            // backslash.
            (None, _) => 2,
        };
    }
    unpaired
}

/// The UTF-16 code unit that is escaped as `\uXXXX` at this place.
fn escaped_unit(json: &[u8], at: usize) -> Option<u16> {
    let digits = json.get(at..at + ESCAPE)?.strip_prefix(br"\u")?;
    let mut unit = [0; 2];
    hex::decode_to_slice(digits, &mut unit).ok()?;
    Some(u16::from_be_bytes(unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repaired(json: &[u8]) -> Option<String> {
        repair(json).map(|json| String::from_utf8(json).unwrap())
    }

    #[test]
    fn an_unpaired_surrogate_is_replaced_in_either_spelling() {
        for (sent, expected) in [
            (r#""\ud83d""#, r#""\ufffd""#),
            (r#""\uD83D""#, r#""\ufffd""#),
            (r#""\ude00""#, r#""\ufffd""#),
            (r#""\udFfF\ud800""#, r#""\ufffd\ufffd""#),
            (r#""a\ud83db""#, r#""a\ufffdb""#),
            (r#""\ud83d\u0041""#, r#""\ufffd\u0041""#),
            (r#""\ud83d\ud83d\ude00""#, r#""\ufffd\ud83d\ude00""#),
            (r#""\ud83d\ude00\ude00""#, r#""\ud83d\ude00\ufffd""#),
            (r#""\ud83d\\ude00""#, r#""\ufffd\\ude00""#),
            (r#""\\\ud83d""#, r#""\\\ufffd""#),
            (r#""\ud83d","\ude00""#, r#""\ufffd","\ufffd""#),
        ] {
            assert_eq!(repaired(sent.as_bytes()).as_deref(), Some(expected), "{sent}");
        }
    }

    #[test]
    fn what_is_unicode_is_left_alone() {
        for sent in [
            r#""\ud83d\ude00""#,
            r#""\uD83D\uDE00""#,
            r#""\\ud83d""#,
            r#""\\\\ud83d""#,
            r#""\n\u0000\u00e9 é 😀""#,
            r#""\ud8""#,
            r#""\"#,
            "",
            r#""\u+d83""#,
        ] {
            assert_eq!(repaired(sent.as_bytes()), None, "{sent}");
        }
    }

    #[test]
    fn bytes_that_are_not_utf_8_are_replaced() {
        assert_eq!(repaired(b"\"a\xffb\"").as_deref(), Some("\"a\u{fffd}b\""));
        // The surrogate U+D83D as WTF-8 has it: three bytes, none of which can stand in UTF-8.
        assert_eq!(repaired(b"\"\xed\xa0\xbd\\ud83d\"").as_deref(), Some("\"\u{fffd}\u{fffd}\u{fffd}\\ufffd\""));
    }

    #[test]
    fn nothing_is_left_to_repair_afterwards() {
        let sent = b"\"\\ud83d\xff\\\\\\udfff\\ud83d\\ud83d\\ude00\"";
        assert_eq!(repair(&repair(sent).unwrap()), None);
        serde_json::from_slice::<String>(&repair(sent).unwrap()).unwrap();
    }
}
