//! A program that is killed at any moment: what it acknowledged is there, the file is whole, and the work goes on to
//! the same bytes.

use std::fs;
use std::path::Path;
use std::time::Duration;

use osteon_base::job::Job;
use osteon_base::seed::Seed;
use osteon_study::protocol::Preset;
use osteon_study::store::{Access, Store};
use osteon_study::study::{BadRows, Study};
use rand::Rng;

use crate::support::{fixture, program, rounds, run};

/// Runs a command and kills it after some moment below `most`; whether it had finished.
fn killed(folder: &Path, arguments: &[&str], rng: &mut impl Rng, most: Duration) -> bool {
    let mut child = program(folder, &[arguments, &["--quiet"]].concat()).spawn().unwrap();
    std::thread::sleep(most.mul_f64(rng.random_range(0.0..1.0)));
    child.kill().unwrap();
    child.wait().unwrap().success()
}

fn whole(path: &Path) -> Study {
    let study = Study::open(path, Access::Write).unwrap();
    assert_eq!(study.store().check_whole().unwrap(), [""; 0]);
    study
}

fn alp(study: &Study) -> Vec<Option<f64>> {
    study.cohort().unwrap().numbers("alp").unwrap().to_vec()
}

#[test]
fn a_killed_import_is_whole_or_was_never() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("study.db");
    let study = Study::create(&path, "A study", Preset::Study.protocol()).unwrap();
    let file = |value: usize| {
        let rows: String = (1..=30).map(|at| format!("P{at},{value}\n")).collect();
        fs::write(folder.path().join("c.csv"), format!("patient_id,alp\n{rows}")).unwrap();
    };
    file(90);
    study.import_clinical(&folder.path().join("c.csv"), None, BadRows::Refuse).unwrap();
    drop(study);
    let mut before = 90.0;
    let mut rng = Seed(8).named("import").rng();
    for round in 0..rounds(35, 175) {
        let value = 100.0 + round as f64;
        file(100 + round);
        let finished = killed(folder.path(), &["import", "clinical", "c.csv"], &mut rng, Duration::from_millis(60));
        let found = alp(&whole(&path));
        let is = |value: f64| found.iter().all(|found| *found == Some(value));
        assert!(is(value) || is(before) && !finished, "round {round}: {found:?}");
        before = if is(value) { value } else { before };
    }
}

#[test]
fn a_killed_backup_is_whole_or_has_no_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("study.db");
    let study = Study::create(&path, "A study", Preset::Study.protocol()).unwrap();
    study.import_clinical(&fixture("cohort.csv"), None, BadRows::Refuse).unwrap();
    let head = study.store().trail_head().unwrap();
    let mut rng = Seed(8).named("backup").rng();
    for round in 0..rounds(15, 75) {
        let name = format!("copy{round}.db");
        let finished = killed(folder.path(), &["backup", &name], &mut rng, Duration::from_millis(80));
        let copy = folder.path().join(&name);
        assert!(copy.exists() || !finished);
        if copy.exists() {
            assert_eq!(whole(&copy).store().trail_head().unwrap(), head);
        }
    }
    assert_eq!(whole(&path).store().trail_head().unwrap(), head);
}

#[test]
fn a_killed_migration_is_whole_or_was_never() {
    let mut rng = Seed(8).named("migration").rng();
    let (folder, path) = crate::migrate::stored(1);
    let old = fs::read(&path).unwrap();
    for round in 0..rounds(15, 75) {
        for entry in fs::read_dir(folder.path()).unwrap().map(Result::unwrap) {
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with("study.db") {
                fs::remove_file(entry.path()).unwrap();
            }
        }
        fs::write(&path, &old).unwrap();
        let finished = killed(folder.path(), &["log"], &mut rng, Duration::from_millis(100));
        let schema = crate::migrate::schema(&path);
        assert!(schema == 6 || schema == 1 && !finished, "round {round}");
        let copy = folder.path().join("study.db.schema-1.backup");
        assert!(copy.exists() || schema == 1, "round {round}: no migration without a copy");
        if copy.exists() {
            osteon_study::store::check_copy(&copy).unwrap();
        }
        let study = whole(&path);
        assert_eq!(study.store().count_changes().unwrap(), 166, "round {round}");
        assert!(!folder.path().join("study.db.schema-1.backup-1").exists(), "the first copy is taken again");
    }
}

#[test]
fn a_killed_extraction_goes_on_to_the_same_bytes() {
    let (folder, study) = crate::extract::study();
    drop(study);
    let path = folder.path().join("study.db");
    let fresh = fs::read(&path).unwrap();
    let features = || run(folder.path(), &["export", "features"]).1;
    assert_eq!(run(folder.path(), &["extract", "--quiet"]).0, 0);
    let expected = features();
    assert_eq!(expected.lines().count(), 1 + 4 * 3);
    let mut rng = Seed(2).named("extract").rng();
    let mut done = true;
    for round in 0..rounds(20, 100) {
        if done {
            for suffix in ["-wal", "-shm"] {
                let _ = fs::remove_file(folder.path().join(format!("study.db{suffix}")));
            }
            fs::write(&path, &fresh).unwrap();
        }
        // What a killed extraction left is what the next one starts from.
        let finished = killed(folder.path(), &["extract"], &mut rng, Duration::from_millis(300));
        assert!(whole(&path).store().altered_values().unwrap().is_empty());
        let found = features();
        assert!(found.lines().skip(1).all(|line| expected.contains(line)), "round {round}");
        done = found == expected;
        assert!(done || !finished, "round {round}");
    }
    assert_eq!(run(folder.path(), &["extract", "--quiet"]).0, 0);
    assert_eq!(features(), expected);
}

#[test]
fn a_killed_fit_leaves_all_of_its_models_or_none() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("study.db");
    let study = crate::fit::study(Some(&path));
    study.draw_split(Seed(4), 0.806).unwrap();
    let expected = crate::fit::study(None);
    expected.draw_split(Seed(4), 0.806).unwrap();
    expected.fit(&Job::unwatched()).unwrap();
    let models = |store: &Store| {
        let models = store.models().unwrap();
        models.into_iter().map(|model| (model.name, model.recipe, model.predictions)).collect::<Vec<_>>()
    };
    let expected = models(expected.store());
    let mut rng = Seed(8).named("fit").rng();
    for _ in 0..rounds(15, 75) {
        let finished = killed(folder.path(), &["fit"], &mut rng, Duration::from_millis(400));
        let found = models(whole(&path).store());
        assert!(found == expected || found.is_empty() && !finished, "{} models", found.len());
    }
    assert_eq!(run(folder.path(), &["fit", "--quiet"]).0, 0);
    assert_eq!(models(study.store()), expected);
}
