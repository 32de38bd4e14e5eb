//! The lines in which two texts differ.

use std::time::Duration;

use maud::{Markup, html};
use similar::{ChangeTag, DiffOp, TextDiff};

use super::text::{counted, shown};

/// How many lines around a change are shown.
const AROUND: usize = 3;
/// After this time, a less exact difference is shown.
const TIME_LIMIT: Duration = Duration::from_millis(500);

/// The difference of two texts, with signs at the beginning of changed lines.
pub(super) fn lines(from: &str, to: &str) -> Markup {
    let diff = TextDiff::configure().timeout(TIME_LIMIT).diff_lines(from, to);
    let mut end = 0;
    let with_skipped = |group: Vec<DiffOp>| {
        let skipped = group.first().map_or(0, |op| op.old_range().start.saturating_sub(end));
        end = group.last().map_or(end, |op| op.old_range().end);
        (skipped, group)
    };
    let groups: Vec<_> = diff.grouped_ops(AROUND).into_iter().map(with_skipped).collect();
    let rest = diff.old_len().saturating_sub(end);
    html! {
        @if groups.is_empty() {
            p.empty { "There is no difference." }
        } @else {
            pre.diff role="group" tabindex="0" aria-label="Difference" {
                @for (skipped_before, group) in &groups {
                    (skipped(&diff, group.first().map_or(0, |op| op.old_range().start), *skipped_before))
                    @for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
                        @match change.tag() {
                            ChangeTag::Equal => span.line { "  " (shown(line(change.value()))) "\n" },
                            ChangeTag::Delete => del.line { "− " (shown(line(change.value()))) "\n" },
                            ChangeTag::Insert => ins.line { "+ " (shown(line(change.value()))) "\n" },
                        }
                    }
                }
                (skipped(&diff, diff.old_len(), rest))
            }
        }
    }
}

fn line(text: &str) -> &str {
    text.trim_end_matches('\n')
}

/// Stands for so many equal lines before this one. One line alone is shown, since it takes no more
/// space.
fn skipped(diff: &TextDiff<'_, '_, str>, before: usize, lines: usize) -> Markup {
    let only = diff.old_slice(before.saturating_sub(1)).filter(|_| lines == 1);
    html! {
        @if let Some(only) = only {
            span.line { "  " (shown(line(only))) "\n" }
        } @else if lines > 0 {
            span.skipped { "⋯ " (counted(lines, "equal line", "equal lines")) "\n" }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_lines_far_from_a_change_are_counted_and_one_alone_is_shown() {
        let text = |change: &str| (0..12).map(|n| if n == 4 { change.to_owned() } else { format!("{n}\n") }).collect();
        let (from, to): (String, String) = (text("a\n"), text("<b>\n"));
        let html = lines(&from, &to).into_string().replace("<bdi>", "").replace("</bdi>", "");
        let same = |n: u8| format!("<span class=\"line\">  {n}\n</span>");
        let start = format!("{}{}{}{}<del class=\"line\">− a\n</del>", same(0), same(1), same(2), same(3));
        assert!(html.contains(&start), "{html}");
        let end = format!("{}<span class=\"skipped\">⋯ 4 equal lines\n</span></pre>", same(7));
        assert!(html.contains("<ins class=\"line\">+ &lt;b&gt;\n</ins>") && html.ends_with(&end), "{html}");
        assert_eq!(lines(&from, &from).into_string(), "<p class=\"empty\">There is no difference.</p>");
    }
}
