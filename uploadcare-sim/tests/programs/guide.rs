//! The guide `workbench` of uploadcare-hooks quotes what the commands print.

use crate::served::{Served, program, texts};

const GUIDE: &str = include_str!("../../../uploadcare-hooks/docs/workbench.md");

/// Fails if the guide does not have this text, wrapped or not.
#[track_caller]
fn is_quoted(text: &str) {
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words(GUIDE).contains(&words(text)), "the guide does not have these words: {text}");
}

#[test]
fn the_guide_quotes_the_messages_of_the_commands() {
    let simulator = Served::start(&[]);
    let address = simulator.base_url.strip_prefix("http://").unwrap();
    let printed = |arguments: &[&str]| {
        let (_, _, stderr) = texts(&program(arguments).output().unwrap());
        stderr.trim_start_matches("uploadcare-sim: ").trim_end().replace(address, "127.0.0.1:8500")
    };
    is_quoted(&printed(&["--listen", address]));
    is_quoted(&printed(&["trigger", "file.uploaded", "--server", &simulator.base_url]));
    let unreachable = printed(&["tail", "--server", "http://127.0.0.1:1"]).replace("127.0.0.1:1", "127.0.0.1:8500");
    is_quoted(unreachable.split_once(": ").unwrap().0);
    is_quoted("or name another with `--server`");
    assert!(unreachable.ends_with(", or name another with `--server`"), "{unreachable}");
}

#[test]
fn the_commands_of_the_guide_are_accepted() {
    let simulator = Served::start(&["--event", "moderation.state_changed"]);
    for line in GUIDE.lines().filter(|line| line.starts_with("uploadcare-sim trigger ")) {
        let arguments: Vec<_> = line.split_whitespace().skip(1).chain(["--server", &simulator.base_url]).collect();
        let (code, _, stderr) = texts(&program(&arguments).output().unwrap());
        assert_eq!(code, Some(4), "nothing is subscribed: {line}: {stderr}");
    }
    let printed = simulator.link.clone();
    assert!(printed.starts_with("http://127.0.0.1"), "{printed}");
}
