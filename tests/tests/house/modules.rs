//! The arrows between the top-level modules of a crate, read from its `crate::` paths.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use super::{files, root};

/// Which modules each top-level module uses, with a file that does.
type Arrows = BTreeMap<String, BTreeMap<String, String>>;

/// The arrows of the crate in this folder.
fn arrows(crate_folder: &str) -> Arrows {
    let source = root().join(crate_folder).join("src");
    let sources = files(&source, &[".rs"]).into_iter().map(|file| {
        let name = file.strip_prefix(&source).unwrap().to_str().unwrap().to_owned();
        (name, fs::read_to_string(&file).unwrap())
    });
    arrows_of(&sources.collect())
}

/// The same, of sources by their path inside `src`.
fn arrows_of(sources: &BTreeMap<String, String>) -> Arrows {
    let reexports = reexports(sources.get("lib.rs").map_or("", String::as_str));
    let mut arrows = Arrows::new();
    for (file, source) in sources {
        let module = Path::new(file).iter().next().unwrap().to_str().unwrap().trim_end_matches(".rs");
        if matches!(module, "lib" | "main" | "bin") {
            continue;
        }
        let used = arrows.entry(module.to_owned()).or_default();
        for name in used_names(source) {
            let target = reexports.get(&name).unwrap_or(&name);
            if target != module {
                used.entry(target.clone()).or_insert_with(|| file.clone());
            }
        }
    }
    arrows
}

/// The first names of all `crate::` paths, those of `use crate::{..}` included.
fn used_names(source: &str) -> BTreeSet<String> {
    let code: String =
        source.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    let mut names = BTreeSet::new();
    for (position, _) in code.match_indices("crate::") {
        let before = &code[..position];
        // Not `$crate::`, which macros of this crate write for others, and no link in a
        // documentation text.
        if before.ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '$') || before.ends_with("](") {
            continue;
        }
        let rest = &code[position + "crate::".len()..];
        match rest.strip_prefix('{') {
            Some(group) => names.extend(first_names(group)),
            None => names.extend(identifier(rest)),
        }
    }
    names
}

/// The first name of each path in a group, to its closing brace.
fn first_names(group: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let (mut depth, mut at_start) = (0, true);
    for (position, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => at_start = true,
            c if c.is_whitespace() => {}
            _ if at_start => {
                names.extend(identifier(&group[position..]));
                at_start = false;
            }
            _ => {}
        }
    }
    names
}

fn identifier(text: &str) -> Option<String> {
    let name: String = text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    (!name.is_empty()).then_some(name)
}

/// Which module each name at the crate's root comes from.
fn reexports(lib: &str) -> BTreeMap<String, String> {
    let mut reexports = BTreeMap::new();
    for statement in lib.split(';') {
        let Some((_, path)) = statement.split_once("use self::") else { continue };
        let module = identifier(path).unwrap();
        let names = path.rsplit("::").next().unwrap().trim_matches(|c: char| c == '{' || c == '}' || c.is_whitespace());
        reexports.extend(names.split(',').map(|name| (name.trim().to_owned(), module.clone())));
    }
    reexports
}

/// A circle, as `router -> queue -> router`, with the files that make it.
fn circle(arrows: &Arrows) -> Option<String> {
    fn walk<'a>(arrows: &'a Arrows, path: &mut Vec<&'a str>, done: &mut BTreeSet<&'a str>) -> Option<String> {
        let here = *path.last()?;
        for next in arrows.get(here).into_iter().flat_map(BTreeMap::keys) {
            if let Some(start) = path.iter().position(|module| module == next) {
                let circle: Vec<_> = path[start..].iter().copied().chain([next.as_str()]).collect();
                let because =
                    circle.windows(2).map(|arrow| format!("{} uses {}", arrows[arrow[0]][arrow[1]], arrow[1]));
                return Some(format!("{} ({})", circle.join(" -> "), because.collect::<Vec<_>>().join(", ")));
            }
            if done.contains(next.as_str()) {
                continue;
            }
            path.push(next);
            if let Some(found) = walk(arrows, path, done) {
                return Some(found);
            }
            path.pop();
        }
        done.insert(here);
        None
    }
    let mut done = BTreeSet::new();
    arrows.keys().find_map(|module| walk(arrows, &mut vec![module], &mut done))
}

#[test]
fn no_circle_between_the_modules_of_a_crate() {
    for crate_folder in ["uploadcare-hooks", "uploadcare-hooks-macros", "uploadcare-sim"] {
        let arrows = arrows(crate_folder);
        assert!(arrows.values().map(BTreeMap::len).sum::<usize>() > 3, "{crate_folder}: no arrows were found");
        assert_eq!(circle(&arrows), None, "{crate_folder} has a circle");
    }
}

#[test]
fn the_lower_modules_know_nothing_of_the_upper_ones() {
    const LAYERS: [&[&str]; 11] = [
        &["service"],
        &["clock", "message", "observe", "signature"],
        &["payload"],
        &["event"],
        &["delivery"],
        &["handler", "attribute", "__private"],
        &["router", "client"],
        &["claims", "queue"],
        &["adapter", "discover", "missing", "registration"],
        &["testing"],
        &["guide"],
    ];
    let layer = |module: &str| LAYERS.iter().position(|layer| layer.contains(&module));
    for (module, used) in arrows("uploadcare-hooks") {
        let own = layer(&module)
            .unwrap_or_else(|| panic!("`{module}` has no layer: give it one here and in ARCHITECTURE.md"));
        for (target, file) in used {
            let target_layer = layer(&target).unwrap_or_else(|| panic!("`{target}`, used in {file}, is no module"));
            assert!(target_layer <= own, "{file} uses `{target}`, which stands above `{module}`");
        }
    }
}

/// The page is the top of the simulator: it uses what is below it, and only the server uses it.
#[test]
fn only_the_server_of_the_simulator_knows_the_page() {
    const BELOW_THE_PAGE: [&str; 8] =
        ["access", "answer", "delivery", "event", "payload", "project", "search", "trigger"];
    let arrows = arrows("uploadcare-sim");
    for (module, used) in &arrows {
        let knows = used.contains_key("page");
        assert_eq!(knows, module == "server", "`{module}` and `page`");
    }
    let strange: Vec<_> = arrows["page"].iter().filter(|(used, _)| !BELOW_THE_PAGE.contains(&used.as_str())).collect();
    assert!(strange.is_empty(), "the page uses {strange:?}: add it here and in ARCHITECTURE.md, if it must");
}

#[test]
fn a_circle_is_found_and_shown() {
    let source = |pairs: &[(&str, &str)]| pairs.iter().map(|(file, text)| ((*file).into(), (*text).into())).collect();
    let mut sources: BTreeMap<String, String> = source(&[
        ("lib.rs", "mod a; mod b; mod c;\npub use self::a::{One, Two};"),
        ("a.rs", "//! See crate::c.\nuse crate::{\n    b::{self, B},\n    message,\n};"),
        ("b/inner.rs", "use super::x;\nfn f() -> crate::c::C { $crate::a::A }"),
        ("c.rs", "use std::fmt;"),
    ]);
    assert_eq!(circle(&arrows_of(&sources)), None);
    sources.insert("c.rs".to_owned(), "use crate::Two;".to_owned());
    assert_eq!(
        circle(&arrows_of(&sources)).as_deref(),
        Some("a -> b -> c -> a (a.rs uses b, b/inner.rs uses c, c.rs uses a)")
    );
}
