//! Rules of this repository's own sources: arrows between modules run one way, lines are short,
//! words are plain.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod modules;

use std::{
    fs,
    path::{Path, PathBuf},
};

/// The most columns of a line of comments or documentation.
const COMMENT_COLUMNS: usize = 100;
/// The most columns of a line of code.
const CODE_COLUMNS: usize = 120;
/// Words that hide who does what. Assembled here, so that this file passes its own check.
const RIDDLES: [&[&str]; 4] = [&["no", "body"], &["some", "body"], &["who", "ever"], &["unless", " set"]];

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// The files below a folder with one of these endings, without what tools wrote.
fn files(folder: &Path, endings: &[&str]) -> Vec<PathBuf> {
    const WRITTEN_BY_TOOLS: [&str; 5] = ["target", ".git", "snapshots", "corpus", "artifacts"];
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let (path, name) = (entry.path(), entry.file_name().into_string().unwrap());
        let kind = entry.file_type().unwrap();
        if kind.is_dir() && !WRITTEN_BY_TOOLS.contains(&name.as_str()) {
            found.extend(files(&path, endings));
        } else if kind.is_file() && endings.iter().any(|ending| name.ends_with(ending)) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Fails with every complaint about every line.
fn check_lines(endings: &[&str], complaint: impl Fn(&Line<'_>) -> Option<String>) {
    let mut complaints = Vec::new();
    for file in files(root(), endings) {
        let text = fs::read_to_string(&file).unwrap();
        let mut in_example = false;
        for (number, text) in text.lines().enumerate() {
            let markdown = file.extension().is_some_and(|extension| extension == "md");
            let line = Line::new(text, markdown, &mut in_example);
            if let Some(complaint) = complaint(&line) {
                let file = file.strip_prefix(root()).unwrap().display();
                complaints.push(format!("{file}:{}: {complaint}", number + 1));
            }
        }
    }
    assert!(complaints.is_empty(), "{} lines:\n{}", complaints.len(), complaints.join("\n"));
}

struct Line<'a> {
    text: &'a str,
    /// A comment, or a line of Markdown, that can be wrapped.
    is_prose: bool,
    /// A row of a table or a long link, which cannot be wrapped.
    is_unbreakable: bool,
}

impl<'a> Line<'a> {
    fn new(text: &'a str, markdown: bool, in_example: &mut bool) -> Self {
        let trimmed = text.trim_start();
        let comment = trimmed.strip_prefix("//").map(|rest| rest.trim_start_matches(['/', '!']).trim_start());
        let prose = if markdown { Some(trimmed) } else { comment };
        let is_fence = prose.is_some_and(|prose| prose.starts_with("```"));
        *in_example = prose.is_some() && (*in_example != is_fence);
        let is_unbreakable = prose.is_some_and(|prose| prose.starts_with(['|', '<', '[']));
        Self { text, is_prose: prose.is_some() && !is_unbreakable && !*in_example && !is_fence, is_unbreakable }
    }
}

#[test]
fn lines_are_short() {
    check_lines(&[".rs", ".md"], |line| {
        let (what, most) = if line.is_prose { ("prose", COMMENT_COLUMNS) } else { ("code", CODE_COLUMNS) };
        let columns = line.text.chars().count();
        let too_long = columns > most && !line.is_unbreakable;
        too_long.then(|| format!("{columns} columns of {what}, at most {most}"))
    });
}

#[test]
fn words_are_plain() {
    check_lines(&[".rs", ".md"], |line| {
        let text = line.text.to_lowercase();
        let riddle = RIDDLES.iter().map(|parts| parts.concat()).find(|riddle| text.contains(riddle.as_str()));
        riddle.map(|riddle| format!("\"{riddle}\": name the actor, or the default"))
    });
}

#[test]
fn the_router_knows_no_feature() {
    let router = root().join("uploadcare-hooks/src/router");
    for file in files(&router, &[".rs"]) {
        let text = fs::read_to_string(&file).unwrap();
        let mut code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        let gated = code.find(|line| line.contains("cfg") && line.contains("feature"));
        assert_eq!(gated, None, "{}: gate a module or a re-export instead", file.display());
    }
}
