//! What is wrong with a form, in the words of the form: errors of the API name parameters, and
//! people see labels.

use maud::{Markup, html};

use super::text::shown;

/// The id of the alert, which inputs refer to.
const ALERT: &str = "problem";

/// A field of a form.
#[derive(Debug, Clone, Copy)]
pub(super) struct Labelled<'a> {
    /// The name of the parameter, as errors have it.
    pub(super) name: &'a str,
    pub(super) label: &'a str,
    /// The id of the input.
    pub(super) id: &'a str,
}

/// What is wrong with a form, and with which of its fields; nothing by default.
#[derive(Debug, Default)]
pub(super) struct Problem {
    /// A sentence. Code is between backticks.
    text: String,
    /// The id of the input.
    field: String,
}

impl Problem {
    /// An error of the API as a sentence with labels, tied to the field that it names first.
    pub(super) fn of(error: &str, fields: &[Labelled<'_>]) -> Self {
        let place = |field: &Labelled<'_>| error.find(&format!("`{}`", field.name));
        let first = fields.iter().filter_map(|field| Some((place(field)?, field.id))).min();
        let mut text = error.to_owned();
        for field in fields {
            text = text.replace(&format!("`{}`", field.name), &format!("“{}”", field.label));
        }
        Self { text: sentence(&text), field: first.map_or_else(String::new, |(_, id)| id.to_owned()) }
    }

    pub(super) fn is_there(&self) -> bool {
        !self.text.is_empty()
    }

    /// Says what is wrong, or nothing.
    pub(super) fn alert(&self) -> Markup {
        html! {
            @if self.is_there() {
                div.problem id=(ALERT) role="alert" {
                    span.symbol aria-hidden="true" { "✕" }
                    p {
                        @for (number, part) in self.text.split('`').enumerate() {
                            @if number % 2 == 1 { code { (shown(part)) } } @else { (shown(part)) }
                        }
                    }
                }
            }
        }
    }

    /// The attribute `aria-invalid` of an input.
    pub(super) fn invalid(&self, id: &str) -> Option<&'static str> {
        self.is_about(id).then_some("true")
    }

    /// The attribute `aria-describedby` of an input: its hint, if it has one, and the alert.
    pub(super) fn described_by(&self, id: &str, hint: &str) -> Option<String> {
        let alert = if self.is_about(id) { ALERT } else { "" };
        Some(format!("{alert} {hint}").trim().to_owned()).filter(|ids| !ids.is_empty())
    }

    fn is_about(&self, id: &str) -> bool {
        self.is_there() && self.field == id
    }
}

/// The text with a capital at its beginning and a full stop at its end.
fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let Some(first) = chars.next() else { return String::new() };
    let end = if text.ends_with(['.', '?', '!']) { "" } else { "." };
    format!("{}{}{end}", first.to_uppercase(), chars.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_becomes_a_sentence_with_the_labels_of_the_form() {
        let fields = [
            Labelled { name: "burst", label: "Number of events", id: "burst" },
            Labelled { name: "copies", label: "Copies of each", id: "number-of-copies" },
        ];
        let problem = Problem::of("`copies` is 2 and `burst` is 600, and `a.b` is <x>", &fields);
        assert_eq!(problem.text, "“Copies of each” is 2 and “Number of events” is 600, and `a.b` is <x>.");
        assert_eq!((problem.invalid("number-of-copies"), problem.invalid("burst")), (Some("true"), None));
        assert_eq!(problem.described_by("number-of-copies", "hint").as_deref(), Some("problem hint"));
        assert_eq!(problem.described_by("burst", "hint").as_deref(), Some("hint"));
        assert_eq!(problem.described_by("burst", ""), None);
        let html = problem.alert().into_string();
        assert!(html.contains("<code><bdi>a.b</bdi></code><bdi> is &lt;x&gt;.</bdi>"), "{html}");

        let other = Problem::of("no subscription is chosen!", &fields);
        assert_eq!((other.text.as_str(), other.field.as_str()), ("No subscription is chosen!", ""));
        assert_eq!(Problem::default().alert().into_string(), "");
    }
}
