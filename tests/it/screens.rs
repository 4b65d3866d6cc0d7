//! What the screens ask the study: runs side by side, chosen features, comparisons, where a number comes from.

use osteon_base::job::Job;
use osteon_base::seed::Seed;
use osteon_study::report::sheet::Cell;
use osteon_study::store::StoreError;
use osteon_study::study::{Asked, Belongs, Edit, Error, ModelTable, Study};

/// A study with one small fit, without resampling.
fn fitted() -> Study {
    let mut study = crate::fit::study(None);
    study.draw_split(Seed(4), 0.806).unwrap();
    put_in_force(&mut study, &["learn.n_bootstraps=0", "learn.n_repeats=0"]);
    study.fit(&Job::unwatched()).unwrap();
    study
}

fn put_in_force(study: &mut Study, assignments: &[&str]) {
    let protocol = study.protocol.clone().set(assignments.iter().copied()).unwrap();
    study.use_protocol(protocol.clone(), "a test").unwrap();
    study.renew().unwrap();
    assert_eq!(study.protocol, protocol);
}

#[test]
fn two_runs_side_by_side_say_what_changed_between_them() {
    let mut study = fitted();
    put_in_force(&mut study, &["forest.n_trees=[30]"]);
    study.fit(&Job::unwatched()).unwrap();
    let runs = study.store().runs().unwrap();
    let sheet = study.runs_beside(runs[1].id, runs[0].id).unwrap();
    let row =
        |name: &str| sheet.rows.iter().find(|row| row[0].text() == name).map(|row| [2, 3, 1].map(|at| row[at].text()));
    let key = row("forest.n_trees").map(|[first, second, compared]| format!("{first} {second} {compared}"));
    assert_eq!(key.as_deref(), Some("[20] [30] differs"));
    assert_eq!(row("learn.seed"), None);
    assert_eq!(row("seed").unwrap()[2], "same");
    assert_eq!(row("AUC clinical, test").unwrap()[2], "same");
    assert!(row("features of intra").unwrap()[2].ends_with("in common"));
}

#[test]
fn chosen_features_have_weights_and_agreement_and_models_are_compared() {
    let study = fitted();
    let chosen = study.chosen_sheet().unwrap();
    // The repeat masks' values are 1.01 times those of the masks.
    let close = |row: &Vec<Cell>| matches!(row[3], Cell::Number { value, .. } if value > 0.99);
    assert!(chosen.rows.len() >= 7 && chosen.rows.iter().all(close));
    // Three pairs of models and 21 of regions in two sets. A training patient has no score in one region: its six pairs
    // stand on the others, and say so.
    let pairs = study.pairs_sheet().unwrap();
    assert_eq!(pairs.rows.len(), 48);
    assert_eq!(pairs.notes.iter().filter(|note| note.contains("rows have one score alone")).count(), 6);
    let model = study.movable_model().unwrap();
    assert_eq!(model.swarm.len(), model.scales.effects.len());
    for own in &model.swarm {
        assert!(own.iter().sum::<f64>().abs() < 1e-9, "values around the mean do not cancel");
    }
    let (run, n) = study.store().fit_on(study.store().split().unwrap().unwrap().id).unwrap().unwrap();
    assert_eq!((Some(run), n), (study.store().newest_fit().unwrap(), 10));
}

#[test]
fn a_number_leads_to_its_patients_files_run_and_protocol() {
    let study = fitted();
    let check = |asked: Asked, parts: &[&str]| {
        let text = study.origin(&asked).unwrap().join("\n");
        for part in parts {
            assert!(text.contains(part), "{part:?} is not in {text}");
        }
    };
    let (code, hash) = ("SYN001".to_owned(), study.protocol.hash());
    check(Asked::Variable { code: code.clone(), field: "alp".into() }, &["ALP, U/L", "missing to 63 by"]);
    let feature = Asked::Feature { code: code.clone(), feature: "feature_3".into(), region: "intra".into() };
    check(feature, &["image: 000", "mask: 000", "extract"]);
    check(Asked::Prediction { code, model: "combined".into() }, &["SYN001 is in the", &hash, "seed"]);
    check(Asked::Clinical { label: "ALP".into() }, &["pGR 45 of 45", "non-pGR 48 of 48"]);
    let of_training = ["training patients with a value: non-pGR 39 of 39, pGR 36 of 36"];
    check(Asked::Coefficient { label: "ALP".into() }, &of_training);
    let metric = Asked::Metric { table: ModelTable::Five, set: "test".into(), model: "combined".into() };
    check(metric, &["18 patients of the test set", "sensitivity: ", &hash]);
    check(Asked::Weight { region: "intra".into(), feature: "feature_3".into() }, &["chosen in intra", &hash]);
    check(Asked::Failures, &["failed: SYN004 intra (mask): too small"]);
}

#[test]
fn the_trail_is_filtered_by_patient_actor_and_field() {
    let study = crate::fit::study(None);
    let edit = Edit { field: "alp".into(), value: "70".into() };
    study.edit("SYN001", &[edit], "a colleague", None).unwrap();
    let rows = |filter: &str| study.changes_sheet(Some(filter)).unwrap().rows.len();
    let actor = study.changes_sheet(None).unwrap().rows[0][1].text();
    assert_eq!(rows(&format!("patient = SYN001 and actor = {actor} and field = alp")), 2);
    assert_eq!(rows("patient = SYN001 and field = alp and actor = nobody"), 0);
    let none = study.changes_sheet(Some("who = nobody")).unwrap();
    assert_eq!(none.notes, ["filter: who = nobody: no change passes"]);
}

#[test]
fn a_decision_on_a_patient_that_changed_meanwhile_is_refused() {
    let study = crate::fit::study(None);
    let seen = study.store().patient("SYN001").unwrap().version;
    let set = |value: &str| {
        let edit = Edit { field: "alp".into(), value: value.into() };
        study.edit("SYN001", &[edit], "a colleague", None).unwrap();
    };
    assert!(matches!(study.last_edit("SYN001"), Err(Error::NothingToUndo(_))), "being added is nothing to undo");
    set("70");
    let refused = study.decide("SYN001", Belongs::No, "no consent", Some(seen));
    assert!(matches!(refused, Err(Error::Store(StoreError::Stale { .. }))), "{refused:?}");
    let last = study.last_edit("SYN001").unwrap();
    set("71");
    assert!(study.undo("SYN001", "a slip", Some(last.seq)).is_err(), "another change came after the one that was seen");
    let said = study.undo("SYN001", "a slip", Some(study.last_edit("SYN001").unwrap().seq)).unwrap();
    assert_eq!(said, "alp is 70 again");
    study.decide("SYN001", Belongs::No, "no consent", Some(study.store().patient("SYN001").unwrap().version)).unwrap();
    assert_eq!(study.undo("SYN001", "consent found", None).unwrap(), "included again");
}
