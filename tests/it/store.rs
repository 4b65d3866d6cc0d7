//! The study file keeps what it is told, refuses what it must, and its trail shows every change.

use std::path::PathBuf;

use osteon_study::protocol::Preset;
use osteon_study::protocol::codebook::{Codebook, Value};
use osteon_study::store::{Access, ChangeFilter, Inputs, NewRun, Place, Role, SLOT, Store, StoreError};
use osteon_study::study::{Edit, Error, Study};
use rusqlite::Connection;
use tempfile::TempDir;

fn study() -> (TempDir, PathBuf, Study) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("study.db");
    let study = Study::create(&path, "A study", Preset::Study.protocol()).unwrap();
    (folder, path, study)
}

fn entries(alp: f64, necrosis: f64) -> Vec<Option<Value>> {
    let entry = |name: &str| match name {
        "sex" => Some(Value::Level(0)),
        "alp" => Some(Value::Number(alp)),
        "necrosis_pct" => Some(Value::Number(necrosis)),
        _ => None,
    };
    Codebook::study().variables.iter().map(|variable| entry(&variable.name)).collect()
}

fn add(study: &Study, code: &str, alp: f64, necrosis: f64) {
    let put = |write: &osteon_study::store::Write| write.add_patient(code, &entries(alp, necrosis)).map(|_| ());
    study.store().write::<_, StoreError>("test", put).unwrap();
}

#[test]
fn the_cohort_has_a_column_for_every_variable_and_a_row_for_every_patient() {
    let (_folder, path, study) = study();
    add(&study, "P1", 100.5, 89.0);
    let file = Connection::open(path).unwrap();
    let mut statement = file.prepare("SELECT name FROM pragma_table_info('cohort')").unwrap();
    let columns: Vec<String> = statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let mut expected = vec!["id"];
    expected.extend(Codebook::study().variables.iter().map(|variable| variable.name.as_str()));
    expected.extend(["response", "event", "included", "exclusion_reason"]);
    assert_eq!(columns, expected);
    let sql = "SELECT id, sex, age, alp, response, event FROM cohort WHERE included";
    let found: (String, String, Option<f64>, f64, String, i64) = file
        .query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?)))
        .unwrap();
    assert_eq!(found, ("P1".into(), "female".into(), None, 100.5, "non-pGR".into(), 1));
}

#[test]
fn the_file_itself_refuses_numbers_that_are_not_possible() {
    let (_folder, _path, study) = study();
    for (alp, necrosis) in [(0.0, 50.0), (-1.0, 50.0), (100_001.0, 50.0), (1.0, 100.1), (1.0, -0.1)] {
        let put = |write: &osteon_study::store::Write| write.add_patient("P1", &entries(alp, necrosis)).map(|_| ());
        let refused = study.store().write::<_, StoreError>("test", put).unwrap_err();
        assert!(refused.to_string().contains("not possible for its variable"), "{alp} {necrosis}: {refused}");
    }
    add(&study, "P1", 1e-9, 0.0);
    add(&study, "P2", 100_000.0, 100.0);
    assert_eq!(study.store().count_patients().unwrap(), 2);
}

#[test]
fn a_study_file_is_for_its_owner_only_and_is_never_overwritten() {
    use std::os::unix::fs::PermissionsExt;
    let (_folder, path, study) = study();
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    drop(study);
    let again = Study::create(&path, "Another", Preset::Study.protocol());
    assert!(matches!(again, Err(Error::Store(StoreError::Exists(_)))));
    assert_eq!(Study::open(&path, Access::Write).unwrap().store().study().unwrap().title, "A study");
}

#[test]
fn the_cohort_has_the_response_the_event_and_no_excluded_patient() {
    let (_folder, _path, study) = study();
    for (code, necrosis) in [("P10", 90.0), ("P9", 89.9), ("P1", 100.0)] {
        add(&study, code, 100.5, necrosis);
    }
    study.exclude("P1", "no images").unwrap();
    let cohort = study.cohort().unwrap();
    assert_eq!(cohort.rows(), ["P9", "P10"]);
    assert_eq!(cohort.numbers("event").unwrap(), [Some(1.0), Some(0.0)]);
    assert_eq!(cohort.numbers("alp").unwrap(), [Some(100.5), Some(100.5)]);
    assert!(study.store().patient("P1").unwrap().exclusion.is_some());
}

#[test]
fn every_change_is_in_the_trail_with_old_new_and_reason() {
    let (_folder, _path, study) = study();
    add(&study, "P1", 100.5, 95.0);
    let edit = Edit { field: "alp".into(), value: "0,1".into() };
    study.edit("P1", &[edit], "typing error", None).unwrap();
    let changes = study.store().changes(&ChangeFilter { field: "alp".into(), ..ChangeFilter::default() }).unwrap();
    let newest = changes.iter().find(|change| change.table == "patient").unwrap();
    assert_eq!((newest.table.as_str(), newest.row.as_str(), newest.field.as_str()), ("patient", "P1", "alp"));
    assert_eq!((newest.old.as_deref(), newest.new.as_deref()), (Some("100.5"), Some("0.1")));
    assert_eq!(newest.reason, "typing error");
    assert_eq!(newest.actor, study.store().actor().name);
    assert_eq!(study.store().check_trail().unwrap(), Ok(()));
    let head = &study.store().changes(&ChangeFilter { limit: 1, ..ChangeFilter::default() }).unwrap()[0];
    assert_eq!(study.store().trail_head().unwrap(), head.hash);
}

#[test]
fn an_edit_of_an_older_version_or_without_a_reason_changes_nothing() {
    let (_folder, _path, study) = study();
    add(&study, "P1", 100.5, 95.0);
    let edit = |value: &str| [Edit { field: "alp".into(), value: value.into() }];
    study.edit("P1", &edit("7"), "first", Some(1)).unwrap();
    let stale = study.edit("P1", &edit("8"), "second", Some(1));
    assert!(matches!(stale, Err(Error::Store(StoreError::Stale { found: 2, expected: 1, .. }))));
    assert!(matches!(study.edit("P1", &edit("8"), " \u{200b}\n", None), Err(Error::NoReason)));
    assert!(matches!(study.edit("P1", &edit("-8"), "negative", None), Err(Error::Cell { .. })));
    assert_eq!(study.store().patient("P1").unwrap().entry("alp"), Some(&Value::Number(7.0)));
}

#[test]
fn another_client_can_read_but_neither_change_data_nor_touch_the_trail() {
    let (_folder, path, study) = study();
    add(&study, "P1", 100.5, 95.0);
    let head = study.store().trail_head().unwrap();
    let other = Connection::open(&path).unwrap();
    let response: String =
        other.query_row("SELECT response FROM cohort WHERE id = 'P1' AND alp > 100", [], |row| row.get(0)).unwrap();
    assert_eq!(response, "pGR");
    for sql in [
        "UPDATE clinical SET number = 1 WHERE variable = 8",
        "INSERT INTO clinical VALUES (1, 9, 'baseline', 'number', 1, NULL, NULL)",
        "INSERT OR REPLACE INTO clinical VALUES (1, 8, 'baseline', 'number', 1, NULL, NULL)",
        "DELETE FROM clinical",
        "UPDATE outcome SET event = 1",
        "UPDATE variable SET high = 1",
        "DELETE FROM level",
        "INSERT INTO patient (code) VALUES ('P2')",
        "INSERT OR REPLACE INTO patient (id, code) VALUES (1, 'P1')",
        "DELETE FROM patient",
        "UPDATE study SET title = 'x'",
        "UPDATE change SET new = 'x'",
        "DELETE FROM change WHERE seq = 1",
        "INSERT OR REPLACE INTO change SELECT * FROM change WHERE seq = 1",
        "INSERT INTO trail VALUES ('a', 'b', 'c', NULL, NULL)",
        "INSERT INTO query (patient, field, source, text) VALUES (1, 'alp', 'person', 'x')",
    ] {
        assert!(other.execute_batch(sql).is_err(), "{sql}");
    }
    assert_eq!(study.store().trail_head().unwrap(), head);
    assert_eq!(study.store().check_trail().unwrap(), Ok(()));
}

#[test]
fn a_trail_that_was_tampered_with_is_found_out() {
    let check = |sql: &str, expected: &str| {
        let (_folder, path, study) = study();
        add(&study, "P1", 100.5, 95.0);
        let other = Connection::open(&path).unwrap();
        let drop = "DROP TRIGGER change_kept_update; DROP TRIGGER change_kept_delete;";
        other.execute_batch(&format!("{drop} {sql}")).unwrap();
        let found = study.store().check_trail().unwrap().unwrap_err();
        assert!(found.contains(expected), "{sql}: {found}");
    };
    check("UPDATE change SET new = '12' WHERE seq = 4", "change 4 is not what was recorded");
    check("DELETE FROM change WHERE seq = 3", "change 3 is missing");
    check("UPDATE change SET previous = 'x' WHERE seq = 5", "change 5 does not follow");
}

#[test]
fn a_split_is_in_the_trail_and_stands_when_it_is_locked() {
    let (_folder, _path, study) = study();
    add(&study, "P1", 100.5, 95.0);
    let id = study.store().patient("P1").unwrap().id;
    let draw =
        |write: &osteon_study::store::Write| write.add_split(None, None, "", &[(id, osteon_study::store::Side::Test)]);
    study.store().write::<_, StoreError>("drawn by hand", draw).unwrap();
    study.lock_split("final").unwrap();
    assert!(matches!(study.store().write::<_, StoreError>("again", draw), Err(StoreError::Refused(_))));
    study.unlock_split("an error was found").unwrap();
    study.store().write::<_, StoreError>("again", draw).unwrap();
    assert_eq!(study.store().check_whole().unwrap(), [""; 0]);
    let cohort = study.cohort().unwrap();
    assert!(cohort.column("set").is_ok());
}

#[test]
fn a_locked_study_refuses_changes_until_it_is_unlocked() {
    let (_folder, _path, study) = study();
    add(&study, "P1", 100.5, 95.0);
    study.store().write("freeze", |write| write.lock()).unwrap();
    let edit = [Edit { field: "alp".into(), value: "7".into() }];
    let refused = study.edit("P1", &edit, "late", None);
    assert!(matches!(refused, Err(Error::Store(StoreError::Refused(why))) if why == "the study is locked"));
    study.store().write("a typing error was found", |write| write.unlock()).unwrap();
    study.edit("P1", &edit, "late", None).unwrap();
}

#[test]
fn a_file_that_is_no_study_or_a_newer_one_is_refused() {
    let (folder, path, _study) = study();
    let text = folder.path().join("text.db");
    std::fs::write(&text, "x".repeat(5000)).unwrap();
    assert!(matches!(Store::open(&text, Access::Write), Err(StoreError::NotAStudy(_))));
    let empty = folder.path().join("empty.db");
    std::fs::write(&empty, "").unwrap();
    assert!(matches!(Store::open(&empty, Access::Read), Err(StoreError::NotAStudy(_))));
    assert!(matches!(Store::open(&folder.path().join("none.db"), Access::Read), Err(StoreError::Missing(_))));
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    assert!(matches!(Store::open(&path, Access::Write), Err(StoreError::Newer { found: 99, .. })));
}

/// The study's size with OSTEON_TEST_PATIENTS=93; a small part of it otherwise.
#[test]
fn features_are_written_fast_and_one_region_is_read_at_once() {
    let n: usize = std::env::var("OSTEON_TEST_PATIENTS").ok().and_then(|n| n.parse().ok()).unwrap_or(3);
    let (_folder, path, study) = study();
    let names: Vec<String> = (0..2264).map(|at| format!("image_family_Feature{at}")).collect();
    let inputs = Inputs { image_sha256: "0".repeat(64), mask_sha256: "1".repeat(64) };
    let start = std::time::Instant::now();
    for patient in 0..n {
        add(&study, &format!("P{patient}"), 100.0, 95.0);
        let values: Vec<Option<f64>> = (0..2264).map(|at| Some((patient * 2264 + at) as f64 / 7.0)).collect();
        let id = study.store().patient(&format!("P{patient}")).unwrap().id;
        let put = |write: &osteon_study::store::Write| {
            let run = write.begin_run(&NewRun { kind: "extract", inputs: "", seed: osteon_base::seed::Seed(1) })?;
            let ids = write.catalogue(&names)?;
            let regions = ["a", "b", "c", "d", "e", "f", "g"];
            regions.iter().try_for_each(|roi| {
                write.put_region(run, (id, &Place::of(roi, Role::Mask)), &inputs, &ids, Ok(&values), None)
            })
        };
        study.store().write::<_, StoreError>("extract", put).unwrap();
    }
    let (written, start) = (start.elapsed(), std::time::Instant::now());
    let matrix = study.store().matrix(SLOT, "d", &Role::Mask).unwrap();
    eprintln!("{} values written in {written:?}, {} read in {:?}", n * 7 * 2264, matrix.values.len(), start.elapsed());
    assert_eq!(matrix.values.len(), n * 2264);
    assert_eq!(matrix.values[2264 * (n - 1) + 5], Some(((n - 1) * 2264 + 5) as f64 / 7.0));
    study.store().backup(&path.with_extension("copy")).unwrap();
    eprintln!("{} bytes a value", path.with_extension("copy").metadata().unwrap().len() as usize / (n * 7 * 2264));
}

#[test]
fn a_region_comes_back_bit_for_bit_and_a_changed_value_is_found_out() {
    let (_folder, path, study) = study();
    add(&study, "P1", 100.5, 95.0);
    let patient = study.store().patient("P1").unwrap().id;
    let names = ["b", "a", "c"].map(str::to_owned);
    let values = [Some(0.1 + 0.2), None, Some(-1e-300)];
    let inputs = Inputs { image_sha256: "0".repeat(64), mask_sha256: "1".repeat(64) };
    study
        .store()
        .write::<_, StoreError>("extract", |write| {
            let run = write.begin_run(&NewRun { kind: "extract", inputs: "", seed: osteon_base::seed::Seed(1) })?;
            let ids = write.catalogue(&names)?;
            write.put_region(run, (patient, &Place::of("intra", Role::Mask)), &inputs, &ids, Ok(&values), None)?;
            write.put_region(
                run,
                (patient, &Place::of("peri_2mm", Role::Mask)),
                &inputs,
                &ids,
                Err("too small".into()),
                None,
            )?;
            write.put_region(run, (patient, &Place::of("intra", Role::Mask)), &inputs, &ids, Ok(&values), None)
        })
        .unwrap();
    let matrix = study.store().matrix(SLOT, "intra", &Role::Mask).unwrap();
    assert_eq!(matrix.features, names);
    assert_eq!(matrix.values, values);
    assert_eq!(study.store().matrix(SLOT, "peri_2mm", &Role::Mask).unwrap().patients, []);
    assert!(study.store().altered_values().unwrap().is_empty());
    let other = Connection::open(path).unwrap();
    other.execute_batch("UPDATE feature_block SET v0 = 0.3").unwrap();
    assert_eq!(study.store().altered_values().unwrap(), ["P1 intra mask"]);
}
