//! Indents JSON without changing anything else: numbers, escapes and the order of keys stay as they
//! were sent.

use maud::{Markup, html};
use serde_json::Value;

use super::text::{is_hidden, shown};

/// The deepest nesting that is indented.
const MAX_DEPTH: usize = 100;

/// The most bytes that are coloured.
const MOST_COLOURED: usize = 128 * 1024;

/// A piece of JSON, with what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token<'a> {
    Key(&'a str),
    Text(&'a str),
    /// A number, `true`, `false` or `null`.
    Word(&'a str),
    /// A bracket, a comma or a colon.
    Mark(char),
}

/// The JSON with line breaks. A text that is no JSON is returned as it is.
pub(super) fn pretty(json: &str) -> String {
    let Some(tokens) = tokens(json) else { return json.to_owned() };
    let mut pretty = String::new();
    write(&tokens, |piece| match piece {
        Piece::Space(space) => pretty.push_str(space),
        Piece::Token(Token::Mark(mark)) => pretty.push(mark),
        Piece::Token(Token::Key(text) | Token::Text(text) | Token::Word(text)) => pretty.push_str(text),
    });
    pretty
}

/// The same for a form: characters that cannot be seen are written as escapes, which mean the same.
/// A text that is no JSON is returned as it is.
pub(super) fn editable(json: &str) -> String {
    if tokens(json).is_none() {
        return json.to_owned();
    }
    let mut text = String::new();
    for c in pretty(json).chars() {
        if is_hidden(c) {
            let mut units = [0; 2];
            c.encode_utf16(&mut units).iter().for_each(|unit| text.push_str(&format!("\\u{unit:04x}")));
        } else {
            text.push(c);
        }
    }
    text
}

/// The same as HTML, with an element for each kind of value. A long text has no colours, since a
/// browser takes seconds for that many elements.
pub(super) fn coloured(json: &str) -> Markup {
    if json.len() > MOST_COLOURED {
        return shown(&pretty(json));
    }
    let Some(tokens) = tokens(json) else { return shown(json) };
    let mut pieces = Vec::new();
    write(&tokens, |piece| {
        pieces.push(match piece {
            Piece::Space(space) => html! { (space) },
            Piece::Token(Token::Mark(mark)) => html! { (mark) },
            Piece::Token(Token::Key(text)) => html! { span.key { (shown(text)) } },
            Piece::Token(Token::Text(text)) => html! { span.string { (shown(text)) } },
            Piece::Token(Token::Word(text)) => html! { span.word { (text) } },
        })
    });
    html! { @for piece in pieces { (piece) } }
}

/// The JSON of a value with line breaks, and with the keys of all objects sorted.
pub(super) fn sorted(value: &Value) -> String {
    fn write(value: &Value, indent: usize, text: &mut String) {
        let line = |text: &mut String, indent: usize| {
            text.push('\n');
            text.extend(std::iter::repeat_n("  ", indent));
        };
        match value {
            Value::Object(fields) if !fields.is_empty() => {
                let mut fields: Vec<_> = fields.iter().collect();
                fields.sort_by_key(|(key, _)| *key);
                for (number, (key, value)) in fields.into_iter().enumerate() {
                    text.push_str(if number == 0 { "{" } else { "," });
                    line(text, indent + 1);
                    text.push_str(&Value::from(key.as_str()).to_string());
                    text.push_str(": ");
                    write(value, indent + 1, text);
                }
                line(text, indent);
                text.push('}');
            }
            Value::Array(items) if !items.is_empty() => {
                for (number, item) in items.iter().enumerate() {
                    text.push_str(if number == 0 { "[" } else { "," });
                    line(text, indent + 1);
                    write(item, indent + 1, text);
                }
                line(text, indent);
                text.push(']');
            }
            other => text.push_str(&other.to_string()),
        }
    }
    let mut text = String::new();
    write(value, 0, &mut text);
    text.push('\n');
    text
}

enum Piece<'a> {
    Space(&'a str),
    Token(Token<'a>),
}

/// Puts spaces and line breaks between the tokens.
fn write<'a>(tokens: &[Token<'a>], mut piece: impl FnMut(Piece<'a>)) {
    let mut depth = 0_usize;
    let line = |depth: usize, piece: &mut dyn FnMut(Piece<'a>)| {
        piece(Piece::Space("\n"));
        (0..depth.min(MAX_DEPTH)).for_each(|_| piece(Piece::Space("  ")));
    };
    let mut tokens = tokens.iter().copied().peekable();
    while let Some(token) = tokens.next() {
        let empty = matches!(tokens.peek(), Some(Token::Mark('}' | ']')));
        match token {
            Token::Mark('}' | ']') => {
                depth = depth.saturating_sub(1);
                line(depth, &mut piece);
                piece(Piece::Token(token));
            }
            Token::Mark('{' | '[') if empty => {
                piece(Piece::Token(token));
                tokens.next().into_iter().for_each(|end| piece(Piece::Token(end)));
            }
            Token::Mark('{' | '[') => {
                piece(Piece::Token(token));
                depth += 1;
                line(depth, &mut piece);
            }
            Token::Mark(',') => {
                piece(Piece::Token(token));
                line(depth, &mut piece);
            }
            Token::Mark(':') => {
                piece(Piece::Token(token));
                piece(Piece::Space(" "));
            }
            other => piece(Piece::Token(other)),
        }
    }
}

/// The tokens of a text that is valid JSON.
fn tokens(json: &str) -> Option<Vec<Token<'_>>> {
    serde_json::from_str::<Value>(json).ok()?;
    let mut tokens = Vec::new();
    let mut rest = json.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '{' | '}' | '[' | ']' | ',' | ':' => {
                if first == ':'
                    && let Some(Token::Text(text)) = tokens.last().copied()
                {
                    tokens.pop();
                    tokens.push(Token::Key(text));
                }
                tokens.push(Token::Mark(first));
                1
            }
            '"' => {
                let length = string_length(rest)?;
                tokens.push(Token::Text(rest.get(..length)?));
                length
            }
            _ => {
                let ends = |c: char| c.is_whitespace() || matches!(c, ',' | ']' | '}');
                let length = rest.find(ends).unwrap_or(rest.len());
                tokens.push(Token::Word(rest.get(..length)?));
                length
            }
        };
        rest = rest.get(length..)?.trim_start();
    }
    Some(tokens)
}

/// The bytes of the string at the beginning of a text, with its quotation marks.
fn string_length(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (position, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return Some(position + 1),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_escapes_and_the_order_of_keys_stay() {
        let json = r#"{"b":[1.50,-2E3,{}],"a":"\u00e9 \"x\", {:","c":[],"d":null}"#;
        let lines = "{\n  \"b\": [\n    1.50,\n    -2E3,\n    {}\n  ],\n  \"a\": \"\\u00e9 \\\"x\\\", {:\",\n  \
                     \"c\": [],\n  \"d\": null\n}";
        assert_eq!(pretty(json), lines);
        assert_eq!(pretty(lines), lines);
        for other in ["no json", "{", ""] {
            assert_eq!(pretty(other), other);
        }
    }

    #[test]
    fn hidden_characters_are_escapes_in_forms() {
        let json = "{\"a\":\"x\u{202E}\u{E0041}猫\"}";
        assert_eq!(editable(json), "{\n  \"a\": \"x\\u202e\\udb40\\udc41猫\"\n}");
        let same = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        assert_eq!(same(&editable(json)), same(json));
        assert_eq!(editable("\u{202E}"), "\u{202E}");
    }

    #[test]
    fn keys_texts_and_words_have_their_own_elements() {
        let html = coloured(r#"{"<k>":"<v>","n":1}"#).into_string();
        assert!(html.contains(r#"<span class="key"><bdi>&quot;&lt;k&gt;&quot;</bdi></span>: "#), "{html}");
        assert!(html.contains(r#"<span class="string"><bdi>&quot;&lt;v&gt;&quot;</bdi></span>"#), "{html}");
        assert!(html.contains(r#"<span class="word">1</span>"#), "{html}");
        let long = format!("[{}1]", "1,".repeat(MOST_COLOURED));
        let html = coloured(&long).into_string();
        assert!(html.starts_with("<bdi>[\n  1,\n") && !html.contains("<span"), "{}", html.len());
    }

    #[test]
    fn sorted_keys_come_in_their_order_at_each_depth() {
        let text = sorted(&json!({"b": {"z": [], "y": {}}, "a": [true, "x"]}));
        assert_eq!(
            text,
            "{\n  \"a\": [\n    true,\n    \"x\"\n  ],\n  \"b\": {\n    \"y\": {},\n    \"z\": []\n  }\n}\n"
        );
    }
}
