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
