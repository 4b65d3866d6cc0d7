//! Every module imports only from floors strictly below its own.

use std::{collections::BTreeMap, fs, path::Path};

/// The crates below the top, and the floors inside each; cargo holds the floors between crates.
const FLOORS: &[(&str, &[&[&str]])] = &[
    ("crates/osteon-base/src", &[&["job", "seed", "setting", "text", "wide"], &["cells"]]),
    (
        "crates/osteon-radiomics/src",
        &[
            &["fourier", "grid"],
            &["read", "preprocess", "roi", "filter", "feature"],
            &["describe"],
            &["diagnose"],
            &["pyradiomics"],
        ],
    ),
    ("crates/osteon-stats/src", &[&["stats"], &["table"], &["model"], &["evaluate", "survival"], &["select"]]),
    ("crates/osteon-study/src", &[&["protocol"], &["pipeline", "report", "store"], &["model"], &["study"]]),
    ("src", &[&["tui"], &["cli"]]),
];

#[test]
fn imports_go_down() {
    let mut wrong = Vec::new();
    for (folder, floors) in FLOORS {
        let floor: BTreeMap<&str, usize> =
            floors.iter().enumerate().flat_map(|(n, names)| names.iter().map(move |name| (*name, n))).collect();
        let found = sources(Path::new(folder));
        assert!(!found.is_empty(), "{folder} has no sources");
        for (path, text) in found {
            if text.lines().any(|line| line.contains("super::") && line.trim() != "use super::*;") {
                wrong.push(format!("{path}: `super::` hides a floor, write `crate::`"));
            }
            let own = path[folder.len() + 1..].split(['/', '.']).next().unwrap().to_owned();
            if own == "lib" || own == "main" {
                continue;
            }
            let Some(&here) = floor.get(own.as_str()) else { panic!("{path}: {own} stands on no floor") };
            for used in used_modules(&text) {
                match floor.get(used.as_str()) {
                    Some(&there) if used == own || there < here => (),
                    Some(_) => wrong.push(format!("{path}: {own} uses {used}")),
                    None => wrong.push(format!("{path}: {used} stands on no floor")),
                }
            }
        }
    }
    assert!(wrong.is_empty(), "imports that go up or sideways:\n{}", wrong.join("\n"));
}

/// The first name after every `crate::`, including those in braces.
fn used_modules(text: &str) -> Vec<String> {
    let code: String = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    let mut names = Vec::new();
    for rest in code.split("crate::").skip(1) {
        match rest.strip_prefix('{') {
            None => names.push(first_name(rest)),
            Some(group) => names.extend(top_level(group).into_iter().map(first_name)),
        }
    }
    names
}

/// The comma-separated items of a brace group, ignoring inner groups.
fn top_level(group: &str) -> Vec<&str> {
    let (mut depth, mut start, mut items) = (0, 0, Vec::new());
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => {
                items.push(&group[start..at]);
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                items.push(&group[start..at]);
                start = at + 1;
            }
            _ => (),
        }
    }
    items.into_iter().filter(|item| !item.trim().is_empty()).collect()
}

fn first_name(text: &str) -> String {
    text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

fn sources(dir: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|it| it == "rs") {
            found.push((path.to_str().unwrap().to_owned(), fs::read_to_string(&path).unwrap()));
        }
    }
    found
}

/// Whoever holds a study reads it through doors that know a blind reader; tests alone pass by, by the feature `testing`.
#[test]
fn the_store_cannot_be_reached_from_outside_its_crate() {
    let text = |path: &str| fs::read_to_string(Path::new("crates/osteon-study").join(path)).unwrap();
    let lines = text("src/lib.rs");
    assert!(lines.contains("#[cfg(not(feature = \"testing\"))]\nmod store;"), "the module is public");
    assert!(lines.contains("#[cfg(feature = \"testing\")]\npub mod store;"), "the tests have no door");
    let study = text("src/study/open.rs");
    assert!(study.contains("    pub(in crate::study) store: Store,\n"), "the field is public");
    assert!(study.contains("#[cfg(feature = \"testing\")]\n    pub fn store("), "the door is open to all");
    let named = |manifest: &str| manifest.split("[dev-dependencies]").next().unwrap().contains("\"testing\"");
    assert!(!named(&fs::read_to_string("Cargo.toml").unwrap()), "the program is built with the tests' door");
}
