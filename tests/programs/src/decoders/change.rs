//! Changes a body at random, the same way in each run.
#![allow(clippy::indexing_slicing, reason = "a wrong index is a mistake in this program, which then ends")]

use std::ops::Range;

use crate::hash;

/// Numbers that look random, the same ones in each run.
pub(crate) struct Random {
    body: usize,
    drawn: u64,
}

impl Random {
    /// The numbers for the changed body of this number.
    pub(crate) fn new(body: usize) -> Self {
        Self { body, drawn: 0 }
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.drawn += 1;
        let drawn = hash(&(self.body, self.drawn));
        (drawn % end.max(1) as u64) as usize
    }

    /// One of the words of a text, or one of others with `|` between them.
    fn of(&mut self, words: &'static str, others: &'static [u8]) -> &'static [u8] {
        let words = words.split_ascii_whitespace().map(str::as_bytes);
        let all: Vec<_> = words.chain(others.split(|byte| *byte == b'|')).collect();
        all[self.below(all.len())]
    }

    fn value(&mut self) -> &'static [u8] {
        self.of(ODD, INVISIBLE)
    }

    fn bytes(&mut self) -> &'static [u8] {
        self.of(TEXTS, BYTES)
    }

    /// A short part of something this long.
    fn range(&mut self, len: usize) -> Range<usize> {
        let start = self.below(len + 1);
        let longest = if self.below(4) == 0 { 400 } else { 12 };
        start..(start + 1 + self.below(longest)).min(len)
    }
}

/// Values to put in place of others.
const ODD: &str = r#"
    null true false {} [] [null] [[]] [{}] [1,2] [1,2,3] [null,1] {"":null} {"a":1,"a":2} nul True 'a' NaN Infinity
    0 -0 -0.0 1 -1 1.0 1.5 2.5 0.49999999999999994 1e3 1E+2 1e-400 1e400 -1.5e300 0.1e1 0.30000000000000004
    4294967295 4294967296 9007199254740993 18446744073709551615 18446744073709551616 -9223372036854775808
    -9223372036854775809 18446744073709549568.0 1.8446744073709552e19 123456789012345678901234567890
    00 01 +1 .5 1. 0x1 1e - "" "0" "1" "+2" "2.0" "null" "a\nb" "\u0041" "\u0000" "\"\\\/\b\f\r\t" "\x" "\u12" "\u+123"
    "\ud83d\ude00" "\uD83D" "\ude00" "\ud83d\u0041" "\ud83d\ud83d\ude00" "\\ud83d" "é😀\u0301" "\ufffd" "RGB" "rgb" "\"
    "api" "0.7" "0.6" "0.5" "0.8" "file.uploaded" "file.stored" "file.deleted" "file.infected" "file.info_updated"
    "file.other" "file.\u0075ploaded" "addon" "uc_clamav_virus_scan" "image/jpeg" "image" "/" "f08d7c8a-2971-42e0-ab01"
    "F08D7C8A-2971-42E0-AB01-780D9039B40B" "f08d7c8a297142e0ab01780d9039b40b" "{f08d7c8a-2971-42e0-ab01-780d9039b40b}"
    "urn:uuid:f08d7c8a-2971-42e0-ab01-780d9039b40b" "f08d7c8a-2971-42e0-ab01-780d9039b40\u0062" "1637216262"
    "2021-11-18" "2021-11-18T06:17Z" "2021-11-18T06:17:42" "2021-11-18T06:17:42Z" "2021-11-18t06:17:42z"
    "2021-11-18T06:17:42.Z" "2021-11-18T06:17:42,5Z" "2021-11-18T06:17:42.123456789Z" "2021-11-18T06:17:42.1234567891Z"
    "2021-11-18T06:17:42.730459+02:00" "2021-11-18T06:17:42+0200" "2021-11-18T06:17:42-00:00"
    "2021-11-18T06:17:42+25:59" "2021-11-18T06:17:42+26:00" "2021-11-18T06:17:42Z[UTC]"
    "2021-11-18T06:17:42+01:00[Europe/Paris]"
    "2021-11-18T06:17:60Z" "2021-11-18T06:17:61Z" "2021-11-18T23:59:60" "2021-11-18T24:00:00Z" "2021-02-29T00:00:00Z"
    "2024-02-29T00:00:00.5Z" "2021-11-18T6:17:42Z" "20211118T061742Z" "2021-W46-4T06:17:42Z" "-009999-01-01T00:00:00Z"
    "+002021-11-18T06:17:42Z" "0000-01-01T00:00:00Z" "9999-12-30T22:00:00.999999999Z" "9999-12-31T23:59:59.999999999Z"
    "2021-11-18T06:17:42\u005a" "1969-12-31T23:59:59.999999999Z" "2021-11-18T06:17:42.1234567٣Z"
"#;

const INVISIBLE: &[u8] =
    b"\" \"|\" 2 \"|\"2021-11-18 06:17:42Z\"|\" 2021-11-18T06:17:42Z\"|\"\n\"|\"\x01\"|\"\x7f\xc2\x85\xe2\x80\xa8\"";

/// Bytes to put in anywhere, most of them into texts.
const TEXTS: &str = r#"
    \ \\ " \n \u0000 \u00e9 \ud83d \uDE00 \ud83d\ude00 \u \ud8 \ufffd 😀 , : { } [ ] }} null 0 - . e9 // /* {}
"#;

const BYTES: &[u8] =
    b"\xff|\x80|\xc3|\xc3\x28|\xc0\x80|\xed\xa0\xbd|\xed\xa0\xbd\xed\xb8\x80|\xf0\x9f\x98|\xf4\x90\x80\x80\
    |\xef\xbb\xbf|\xc2\xa0|\xe2\x80\xa8|\0|\x1f|\n|\r\n\t | |\x0b|\x0c|\x7f";

/// A value that is not among those of the samples.
fn odd(random: &mut Random) -> Vec<u8> {
    let depth = [2, 60, 124, 125, 126, 127, 128, 129, 3000][random.below(9)];
    match random.below(120) {
        0 => [b"[".repeat(depth), b"]".repeat(depth)].concat(),
        1 => [br#"{"a":"#.repeat(depth), b"1".to_vec(), b"}".repeat(depth)].concat(),
        2 => format!("\"{}\"", "a".repeat([499, 500, 501, 70_000][random.below(4)])).into(),
        3 => format!("\"{}\"", r"é\n".repeat([250, 500, 20_000][random.below(3)])).into(),
        4 => format!("[{}1]", "1,".repeat(random.below(2500))).into(),
        5 => format!("[{}{{}}]", "{},".repeat([900, 999, 1000, 1001][random.below(4)])).into(),
        6 => {
            let value = str::from_utf8(random.value()).unwrap_or_default();
            let keys = (0..[100, 9_999, 10_000, 10_001][random.below(4)]).map(|key| format!("\"k{key}\":{value},"));
            format!("{{{}\"k\":{value}}}", keys.collect::<String>()).into()
        }
        7 => format!("{}.{}", "9".repeat(1 + random.below(400)), "9".repeat(1 + random.below(40))).into(),
        8 => [b"\"".as_slice(), random.bytes(), random.bytes(), b"\""].concat(),
        _ => random.value().into(),
    }
}

/// Where the values and the keys of a JSON text are, as well as can be told.
fn values(json: &[u8]) -> Vec<Range<usize>> {
    let word = |at: usize| json.get(at).is_some_and(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(byte));
    let (mut values, mut open, mut at) = (Vec::new(), Vec::new(), 0);
    while at < json.len() {
        let start = at;
        at += 1;
        match json[start] {
            b'{' | b'[' => open.push(start),
            b'}' | b']' => values.extend(open.pop().map(|start| start..at)),
            b'"' => {
                while at < json.len() && json[at] != b'"' {
                    at += if json[at] == b'\\' { 2 } else { 1 };
                }
                at = (at + 1).min(json.len());
                values.push(start..at);
            }
            _ if word(start) => {
                while word(at) {
                    at += 1;
                }
                values.push(start..at);
            }
            _ => {}
        }
    }
    values
}

/// Changes a body in one place.
pub(crate) fn change(body: &mut Vec<u8>, random: &mut Random) {
    let values = values(body);
    let value = values.get(random.below(values.len())).cloned().unwrap_or(0..body.len());
    let here = random.range(body.len());
    match random.below(20) {
        0 | 1 => {
            if let Some(byte) = body.get_mut(here.start) {
                *byte ^= 1 << random.below(8);
            }
        }
        2 => drop(body.drain(here)),
        3 => drop(body.splice(here.end..here.end, body[here].to_vec())),
        4 => {
            // Another range, which begins where the first one ends or later.
            let there = random.range(body.len() - here.end);
            let there = here.end + there.start..here.end + there.end;
            let swapped = [&body[there.clone()], &body[here.end..there.start], &body[here.clone()]].concat();
            drop(body.splice(here.start..there.end, swapped));
        }
        5 => drop(body.splice(here.start..here.start, random.bytes().to_vec())),
        6 => {
            let at = value.start + 1 + random.below(value.len().saturating_sub(1));
            let at = at.min(body.len());
            drop(body.splice(at..at, random.bytes().to_vec()));
        }
        7 => {
            // One character in its other spelling.
            let at = value.start + random.below(value.len());
            if let Some(byte) = body.get(at).copied().filter(|byte| byte.is_ascii_alphanumeric()) {
                drop(body.splice(at..=at, format!("\\u{byte:04x}").into_bytes()));
            }
        }
        8 | 9 => {
            let other = values.get(random.below(values.len())).cloned().unwrap_or_default();
            drop(body.splice(value, body[other].to_vec()));
        }
        10 | 11 => {
            // A key twice, before or behind the first time.
            let keys: Vec<_> = values.iter().filter(|key| body.get(key.end) == Some(&b':')).collect();
            let Some(key) = keys.get(random.below(keys.len())) else { return };
            let again = [&body[key.start..=key.end], &odd(random)].concat();
            let first = values.iter().find(|value| value.start == key.end + 1).filter(|_| random.below(2) == 0);
            match first {
                Some(value) => drop(body.splice(value.end..value.end, [b",", &*again].concat())),
                None => drop(body.splice(key.start..key.start, [&*again, b","].concat())),
            }
        }
        12 => {
            // Between values, or around the whole.
            let at = [0, body.len(), value.start, value.end][random.below(4)].min(body.len());
            drop(body.splice(at..at, random.bytes().to_vec()));
        }
        13 | 14 => {
            let at = value.start + random.below(value.len());
            if let Some(byte) = body.get_mut(at) {
                let others = b"0123456789-:.,TZtz+ eEaf_";
                *byte = others[random.below(others.len())];
            }
        }
        15 | 16 => drop(body.splice(value, odd(random))),
        _ => {
            // One that begins alike may be of the type.
            let kind = |json: &[u8]| json.first().map(|byte| if byte.is_ascii_digit() { b'-' } else { *byte });
            let odd = (0..20).map(|_| odd(random)).find(|odd| kind(odd) == kind(&body[value.clone()]));
            drop(body.splice(value, odd.unwrap_or_default()));
        }
    }
}
