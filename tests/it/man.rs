//! The manual pages say what the command line says.

use std::{fs, path::Path};

#[test]
fn the_manual_pages_are_fresh() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("man");
    let pages = osteon::cli::man::pages();
    if std::env::var_os("OSTEON_WRITE_MAN").is_some() {
        for entry in fs::read_dir(&folder).unwrap() {
            fs::remove_file(entry.unwrap().path()).unwrap();
        }
        for (name, text) in &pages {
            fs::write(folder.join(name), text).unwrap();
        }
    }
    for (name, text) in &pages {
        let stored = fs::read_to_string(folder.join(name)).unwrap_or_default();
        assert!(stored == *text, "man/{name} is stale; run OSTEON_WRITE_MAN=1 cargo test manual_pages");
    }
    assert_eq!(fs::read_dir(&folder).unwrap().count(), pages.len(), "man/ holds a page of no command");
}

#[test]
fn every_page_has_examples_that_the_command_line_takes_and_related_pages() {
    let pages = osteon::cli::man::pages();
    for (name, text) in &pages {
        assert!(text.contains(".SH EXAMPLES"), "{name} has no example");
        assert!(text.contains(".SH \"SEE ALSO\""), "{name} names no related page");
    }
    for (command, lines) in osteon::cli::man_examples::EXAMPLES {
        assert!(pages.iter().any(|(name, _)| *name == format!("{command}.1")), "{command} is no command");
        for line in *lines {
            let typed = line.split(" > ").next().unwrap();
            let words = words(typed);
            if let Err(why) = osteon::cli::definition().try_get_matches_from(&words) {
                panic!("{line}: {why}");
            }
        }
    }
}

/// As a shell parts them, with quotation marks.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut is_quoted = false;
    for c in line.chars() {
        match c {
            '"' => is_quoted = !is_quoted,
            ' ' if !is_quoted => words.push(String::new()),
            c => words.last_mut().unwrap().push(c),
        }
    }
    words
}
