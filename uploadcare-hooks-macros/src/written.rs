//! Types in messages, spaced as a user writes them.

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};
use quote::ToTokens;

/// The tokens as text: `State<u8>` instead of `State < u8 >`.
pub(crate) fn written(tokens: impl ToTokens) -> String {
    let mut text = String::new();
    write(tokens.to_token_stream(), &mut text);
    text.trim_end().to_owned()
}

fn write(tokens: TokenStream, text: &mut String) {
    let mut is_arrow = false;
    for token in tokens {
        match token {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::None => ("", ""),
                };
                text.push_str(open);
                write(group.stream(), text);
                text.truncate(text.trim_end().len());
                text.push_str(close);
            }
            TokenTree::Punct(punct) => match punct.as_char() {
                sign @ (',' | ';') => text.extend([sign, ' ']),
                sign @ ('+' | '=') => text.extend([' ', sign, ' ']),
                '-' if punct.spacing() == Spacing::Joint => {
                    is_arrow = true;
                    text.push_str(" -");
                    continue;
                }
                '>' if is_arrow => text.push_str("> "),
                '\'' => {
                    separate(text);
                    text.push('\'');
                }
                sign => text.push(sign),
            },
            word => {
                let word = word.to_string();
                separate(text);
                text.push_str(&word);
                if ["as", "const", "dyn", "impl", "mut"].contains(&word.as_str()) {
                    text.push(' ');
                }
            }
        }
        is_arrow = false;
    }
}

/// Puts a space between two words.
fn separate(text: &mut String) {
    if text.ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '>') {
        text.push(' ');
    }
}
