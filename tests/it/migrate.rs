//! Study files of older schemas and of newer ones.

use std::fs;
use std::path::PathBuf;

use osteon_study::store::{Access, ChangeFilter, Store, StoreError};
use rusqlite::Connection;
use tempfile::TempDir;

use crate::support::{bound, fixture, gunzip, program, run};

/// A folder with the stored study of a schema and the images that it links.
pub fn stored(schema: i32) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("study.db");
    fs::write(&path, gunzip(&fixture(&format!("studies/schema_{schema}.db.gz")))).unwrap();
    for code in ["SYN001", "SYN002"] {
        let to = folder.path().join("images").join(code);
        fs::create_dir_all(&to).unwrap();
        for kind in ["image", "mask"] {
            let name = format!("{kind}.nii.gz");
            fs::copy(fixture(&format!("phantoms/phantom_a_{name}")), to.join(name)).unwrap();
        }
    }
    (folder, path)
}

pub fn schema(path: &std::path::Path) -> i32 {
    Connection::open(path).unwrap().pragma_query_value(None, "user_version", |row| row.get(0)).unwrap()
}

fn names(folder: &TempDir) -> Vec<String> {
    let name = |entry: std::io::Result<fs::DirEntry>| entry.unwrap().file_name().to_string_lossy().into_owned();
    let mut names: Vec<String> = fs::read_dir(folder.path()).unwrap().map(name).collect();
    names.retain(|name| name.starts_with("study.db") && !name.ends_with("-wal") && !name.ends_with("-shm"));
    names.sort();
    names
}

/// What a person would ask a study for, in the words of this schema and of those before it.
const CLINICAL: &str =
    "SELECT id, sex, age, location, diameter_mm, pathological_fracture, lung_metastasis, subtype, alp,
    ldh, necrosis_pct, response, event, exclusion_reason FROM cohort ORDER BY id";
const CLINICAL_5: &str =
    "SELECT code, sex, age, location, diameter_mm, pathological_fracture, lung_metastasis, subtype,
    alp, ldh, necrosis_pct, response, event, exclusion_reason FROM patient ORDER BY code";
const FEATURES: &str = "SELECT patient, region, rater, feature, value FROM extraction
    JOIN feature_value ON extraction = extraction.id ORDER BY patient, region, rater, feature";

fn rows(path: &std::path::Path, sql: &str) -> Vec<Vec<rusqlite::types::Value>> {
    let file = Connection::open(path).unwrap();
    let mut statement = file.prepare(sql).unwrap();
    let n = statement.column_count();
    let row = |row: &rusqlite::Row| (0..n).map(|at| row.get(at)).collect();
    let rows: Vec<_> = statement.query_map([], row).unwrap().map(Result::unwrap).collect();
    assert!(!rows.is_empty(), "{sql}");
    rows
}

#[test]
fn a_file_of_each_older_schema_is_copied_and_then_brought_to_this_one() {
    for old in 1..6 {
        let (folder, path) = stored(old);
        let (code, printed, said) = run(folder.path(), &["patients", "--format", "csv"]);
        assert_eq!(code, 0, "{said}");
        assert!(said.contains(&format!("what it was before is study.db.schema-{old}.backup")), "{said}");
        assert!(printed.contains("SYN003") && printed.contains("123.5"), "{printed}");
        let (code, _, said) = run(folder.path(), &["verify"]);
        assert_eq!(code, 0, "{said}");
        assert!(said.contains(&format!("{} changes, 4 image files, 6 results", 165 + old)), "{said}");
        assert!(!said.contains("what it was before"), "only the first opening migrates: {said}");
        let copy = folder.path().join(format!("study.db.schema-{old}.backup"));
        assert_eq!((schema(&copy), schema(&path)), (old, 6));
        let head = Store::open(&path, Access::Read).unwrap();
        let newest = head.changes(&ChangeFilter { limit: 6, ..ChangeFilter::default() }).unwrap();
        let anchored: Vec<(&str, &str)> = newest[..2].iter().map(|it| (it.table.as_str(), it.row.as_str())).collect();
        assert_eq!(
            anchored,
            [("extraction", "SYN002"), ("extraction", "SYN001")],
            "results of before are in the trail"
        );
        assert_eq!(newest[2].table, "run", "so are runs that nothing told of");
        assert_eq!(
            (newest[3].table.as_str(), newest[3].field.as_str()),
            ("split", "terms"),
            "and how the sets were made"
        );
        assert_eq!((newest[4].field.as_str(), newest[4].new.as_deref()), ("schema", Some("6")));
        assert!(newest[..5].iter().all(|it| it.salt.len() == 98) && newest[5].salt.is_empty());
        assert_eq!(rows(&path, CLINICAL), rows(&copy, CLINICAL_5), "no clinical value is lost");
        assert_eq!(rows(&path, FEATURES), rows(&copy, &FEATURES.replace("region", "roi")), "nor one of a feature");
        let (code, _, said) = run(folder.path(), &["restore", copy.to_str().unwrap(), "--check"]);
        assert_eq!(code, 0, "{said}");
        assert!(said.contains(&newest[5].hash), "the copy ends where the old file ended: {said}");
        assert_eq!(schema(&copy), old, "a check leaves the copy as it is");
        let other = ["--study", "other.db"];
        assert_eq!(run(folder.path(), &[&other[..], &["restore", copy.to_str().unwrap()]].concat()).0, 0);
        assert_eq!(run(folder.path(), &[&other[..], &["unlock", "--reason", "x"]].concat()).0, 0);
    }
}

/// What a blind reader may see of links that a file holds from before there were salts.
#[test]
fn hashes_of_hidden_values_of_an_older_file_are_withheld() {
    let (folder, path) = stored(5);
    assert_eq!(run(folder.path(), &["unlock", "--reason", "a value was read wrong"]).0, 0);
    assert_eq!(run(folder.path(), &["edit", "SYN001", "necrosis_pct=12", "--reason", "again"]).0, 0);
    let changes = Store::open(&path, Access::Read).unwrap().changes(&ChangeFilter::default()).unwrap();
    let hidden: Vec<_> = changes.into_iter().filter(|change| change.field.starts_with("necrosis")).collect();
    let [older, newer] = [true, false].map(|is_old| hidden.iter().filter(move |it| it.sealed.is_empty() == is_old));
    let seen = run(folder.path(), &["--blind", "log", "--format", "csv"]).1;
    assert_eq!(run(folder.path(), &["--blind", "export", "out"]).0, 0);
    let seen = seen + &fs::read_to_string(folder.path().join("out/trail.csv")).unwrap();
    assert!(older.clone().count() >= 2 && older.clone().all(|it| !seen.contains(&it.hash)), "{seen}");
    assert!(newer.clone().count() == 1 && newer.clone().all(|it| !seen.contains(&it.hash) && !seen.contains(&it.salt)));
}

#[test]
fn many_programs_that_open_an_old_file_at_once_migrate_it_once() {
    let (folder, path) = stored(1);
    let mut openers: Vec<_> = (0..6).map(|_| program(folder.path(), &["log"]).spawn().unwrap()).collect();
    assert!(openers.iter_mut().all(|opener| opener.wait().unwrap().success()));
    assert_eq!(names(&folder), ["study.db", "study.db.schema-1.backup"]);
    let changes = Store::open(&path, Access::Read).unwrap().count_changes().unwrap();
    assert_eq!(changes, 166);
}

#[test]
fn an_old_file_where_nothing_can_be_written_is_refused_and_left_alone() {
    let (folder, path) = stored(1);
    let before = fs::read(&path).unwrap();
    let Some(mut command) = bound(folder.path(), &["patients"]) else { return };
    let output = command.output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("cannot be brought to this one's schema here"), "{said}");
    assert_eq!(fs::read(&path).unwrap(), before);
    assert_eq!(names(&folder), ["study.db"]);
}

#[test]
fn a_newer_file_is_refused_with_the_version_that_reads_it() {
    let (folder, path) = stored(1);
    run(folder.path(), &["patients"]);
    let file = Connection::open(&path).unwrap();
    let newer = "DROP TRIGGER study_changed; UPDATE study SET program_version = '9.1.0'; PRAGMA user_version = 99";
    file.execute_batch(newer).unwrap();
    assert!(matches!(Store::open(&path, Access::Write), Err(StoreError::Newer { found: 99, known: 6, .. })));
    let (code, _, said) = run(folder.path(), &["patients"]);
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("schema 99, this osteon knows 6; osteon 9.1.0 reads it"), "{said}");
}
