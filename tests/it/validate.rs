//! A frozen model on another hospital's patients: what is printed, recorded, refused, and what an update makes.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use osteon_base::job::Job;
use osteon_stats::evaluate::roc;
use osteon_study::model::read::Model;
use osteon_study::store::{Access, ChangeFilter};
use osteon_study::study::{FigureName, FigureRequest, ModelTable, Study, View};
use serde_json::Value;
use tempfile::TempDir;

use crate::hospital::{self, Person};
use crate::support::run;

struct Two {
    /// Holds `a/study.db`, `b/study.db` and `m.json`, the model of a.
    folder: TempDir,
    others: Vec<Person>,
    model: Model,
}

/// One hospital fits and exports, the other has measured patients and no split.
fn two(further: &[&str]) -> Two {
    let folder = tempfile::tempdir().unwrap();
    let (a, b) = (folder.path().join("a"), folder.path().join("b"));
    let people = hospital::people("A", 36, 1);
    let study = hospital::study(&a, &people, hospital::protocol(&[]));
    hospital::split(&study, &a, &people, |at, _| at % 4 != 3);
    study.fit(&Job::unwatched()).unwrap();
    let file = study.export_model(None).unwrap();
    fs::write(folder.path().join("m.json"), file.to_text()).unwrap();
    let others = hospital::people("B", 30, 2);
    hospital::study(&b, &others, hospital::protocol(further));
    Two { model: Model::of(file).unwrap(), folder, others }
}

fn open(folder: &Path) -> Study {
    Study::open(&folder.join("b/study.db"), Access::Write).unwrap()
}

/// Probabilities of the combined model by the command for one patient.
fn by_files(two: &Two) -> BTreeMap<String, f64> {
    let b = two.folder.path().join("b");
    let one = |person: &Person| {
        let files = osteon_study::study::Files {
            slots: BTreeMap::from([(String::new(), hospital::files(&b, &person.code))]),
            series: None,
            structure: None,
            label: osteon_radiomics::read::Label::Only,
            reading: Vec::new(),
        };
        let given = two.model.given(&person.assignments()).unwrap();
        let found = osteon_study::study::predict_files(&two.model, Some(&files), &given, &Job::unwatched()).unwrap();
        (person.code.clone(), found.applied.probability)
    };
    two.others.iter().map(one).collect()
}

#[test]
fn a_frozen_model_is_judged_on_another_hospitals_patients_and_that_is_recorded() {
    let two = two(&[]);
    let at = two.folder.path();
    let (code, out, said) = run(at, &["--study", "b/study.db", "validate", "m.json", "--cohort", "hospital B"]);
    assert_eq!(code, 0, "{said}");
    for part in ["Case mix of hospital B", "Net benefit in hospital B", "Calibration", "DeLong", "Standardized"] {
        assert!(out.contains(part), "{part}: {out}");
    }
    let study = open(at);
    let own = by_files(&two);
    let records = study.store().validations().unwrap();
    assert_eq!((records.len(), records[0].cohort.as_str()), (1, "hospital B"));
    let record: Value = serde_json::from_str(&records[0].document).unwrap();
    let scores = record["scores"].as_array().unwrap().iter().find(|it| it[0] == "combined").unwrap();
    for (code, p) in record["patients"].as_array().unwrap().iter().zip(scores[1].as_array().unwrap()) {
        assert_eq!(p.as_f64().unwrap().to_bits(), own[code.as_str().unwrap()].to_bits(), "{code}");
    }
    // Table 5 has the cohort's rows, with the AUC of these very probabilities.
    let sheet = study.model_table(ModelTable::Five).unwrap();
    assert_eq!(sheet.rows.len(), 3);
    let combined = sheet.rows.iter().find(|row| row[1].text().starts_with("combined (model ")).unwrap();
    assert_eq!(combined[0].text(), "hospital B");
    let event: Vec<bool> = two.others.iter().map(Person::event).collect();
    let p: Vec<f64> = two.others.iter().map(|it| own[&it.code]).collect();
    let auc = roc::auc(&p, &event).unwrap();
    assert_eq!(combined[2].numbers()[0], auc.auc);
    assert_eq!(study.model_table(ModelTable::Three).unwrap().rows.len(), two.model.file.sources.len());
    let figure = study.figure(&FigureRequest::new(FigureName::Calibration, 170.0)).unwrap();
    assert!(figure.svg().contains("hospital B"));
    let page = study.report(None).unwrap();
    let section = page.sections.iter().find(|section| section.heading == "External validation").unwrap();
    let text = osteon_study::report::page::markdown(&osteon_study::report::page::Page {
        sections: vec![section.clone()],
        ..page.clone()
    });
    for part in ["TRIPOD", "hospital B", &two.model.file.sha256, "Case mix", "calibration slope", "Updating"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    // The dashboard's page has them too.
    let titles: Vec<String> = study.external_page().unwrap().into_iter().map(|sheet| sheet.title).collect();
    for (title, part) in titles.iter().zip(["External validation", "Calibration", "Case mix of", "Net benefit in"]) {
        assert!(title.starts_with(part), "{titles:?}");
    }
    assert_eq!(titles.len(), 4);
    assert!(study.verify(None, &Job::unwatched()).unwrap().findings.is_empty());
    let (_, log, _) = run(at, &["--format", "csv", "--study", "b/study.db", "log", "-n", "1"]);
    assert!(log.contains("30 patients") && !log.contains("scores"), "{log}");
    // A second look is a second record; the tables show the newest.
    run(at, &["--study", "b/study.db", "--quiet", "validate", "m.json", "--cohort", "hospital B"]);
    assert_eq!(open(at).store().validations().unwrap().len(), 2);
    assert_eq!(open(at).model_table(ModelTable::Five).unwrap().rows.len(), 3);
    // A blind reader sees none of it.
    let blind = open(at).seen(View::Blind);
    let changes = blind.changes(&ChangeFilter::default()).unwrap();
    let told = changes.iter().filter(|change| change.table == "validation");
    assert!(told.into_iter().all(|it| !it.new.as_deref().unwrap_or_default().contains("combined")));
    assert_eq!(run(at, &["--study", "b/study.db", "--blind", "validate", "m.json"]).0, 2);
}

#[test]
fn a_cohort_is_a_filter_or_a_list_and_training_patients_are_left_out() {
    let two = two(&[]);
    let at = two.folder.path();
    let validate = |study: &str, further: &[&str]| {
        let mut arguments = vec!["--format", "csv", "--study", study, "validate", "m.json"];
        arguments.extend(further);
        run(at, &arguments)
    };
    let (code, out, said) = validate("b/study.db", &["--where", "alp > 200"]);
    assert_eq!(code, 0, "{said}");
    let n = two.others.iter().filter(|it| it.alp > 200.0).count();
    assert!(out.contains(&format!("alp > 200 (n = {n})")), "{out}");
    fs::write(at.join("ids.csv"), "patient_id\nB001\nB002\nB003\nB004\nB005\nB006\n").unwrap();
    let (code, out, _) = validate("b/study.db", &["--ids", "ids.csv", "--cohort", "six"]);
    assert!(code == 0 && out.contains("six (n = 6)"), "{out}");
    fs::write(at.join("ids.csv"), "patient_id\nNOBODY\n").unwrap();
    let (code, _, said) = validate("b/study.db", &["--ids", "ids.csv"]);
    assert!(code != 0 && said.contains("NOBODY"), "{said}");
    // In its own study the model's training patients are no cohort.
    let (code, out, said) = validate("a/study.db", &["--cohort", "own"]);
    assert_eq!(code, 0, "{said}");
    assert!(out.contains("own (n = 9)") && said.contains("27 patients left out: the model learnt from them"), "{said}");
    let (code, _, said) = validate("b/study.db", &["--cohort", "test"]);
    assert!(code == 2 && said.contains("another name"), "{said}");
}

#[test]
fn another_protocol_measures_the_images_for_the_model() {
    let two = two(&["preprocess.bin_width=0.5"]);
    let at = two.folder.path();
    let (code, _, said) = run(at, &["--study", "b/study.db", "validate", "m.json", "--cohort", "B"]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("its images were measured for the model"), "{said}");
    let record: Value = serde_json::from_str(&open(at).store().validations().unwrap()[0].document).unwrap();
    let scores = record["scores"].as_array().unwrap().iter().find(|it| it[0] == "combined").unwrap();
    let own = by_files(&two);
    for (code, p) in record["patients"].as_array().unwrap().iter().zip(scores[1].as_array().unwrap()) {
        assert_eq!(p.as_f64().unwrap().to_bits(), own[code.as_str().unwrap()].to_bits(), "{code}");
    }
}

#[test]
fn another_unit_or_outcome_is_refused_with_what_to_do() {
    for (setting, words) in [
        ("variable.alp.unit=ukat/L", &["alp is given in ukat/L", "U/L", "hint: convert"][..]),
        ("outcome.response.event=necrosis_pct < 80", &["the model predicts", "[outcome] table"][..]),
    ] {
        let two = two(&[setting]);
        let (code, _, said) = run(two.folder.path(), &["--study", "b/study.db", "validate", "m.json"]);
        assert_eq!(code, 2, "{said}");
        words.iter().for_each(|word| assert!(said.contains(word), "{word}: {said}"));
        assert!(open(two.folder.path()).store().validations().unwrap().is_empty(), "nothing was looked at");
    }
}

#[test]
fn an_update_is_a_new_file_that_names_its_parent() {
    let two = two(&[]);
    let at = two.folder.path();
    for (how, name) in [("in-the-large", "recalibration in the large"), ("slope", "recalibration by slope")] {
        let arguments =
            ["--study", "b/study.db", "validate", "m.json", "--cohort", "B", "--update", how, "-o", "u.json"];
        let (code, _, said) = run(at, &arguments);
        assert_eq!(code, 0, "{said}");
        let text = fs::read_to_string(at.join("u.json")).unwrap();
        let updated = Model::read(&text).unwrap();
        let parent = updated.file.parent.clone().unwrap();
        assert_eq!(
            (parent.sha256.as_str(), parent.update.name.as_str(), parent.n),
            (two.model.file.sha256.as_str(), name, 30)
        );
        assert_ne!(updated.file.sha256, two.model.file.sha256);
        let wrong: Vec<_> = osteon_study::model::check::check(&text).into_iter().flat_map(|it| it.wrong).collect();
        assert!(wrong.is_empty(), "{wrong:?}");
        // What it says of a patient is the recalibrated linear predictor.
        let values = [0.4, 250.0, 1.0];
        let before = two.model.combined.linear_predictor(&values);
        let after = updated.combined.linear_predictor(&values);
        assert!((after - (parent.update.intercept + parent.update.slope * before)).abs() < 1e-12);
        // On its own cohort calibration in the large is then 0, and the slope 1.
        let last = updated.file.performance.last().unwrap();
        assert!(last.calibration_intercept.unwrap().abs() < 1e-6, "{last:?}");
        if how == "slope" {
            assert!((last.calibration_slope.unwrap() - 1.0).abs() < 1e-6, "{last:?}");
        }
        let (code, out, _) = run(at, &["model", "show", "u.json"]);
        assert!(code == 0 && out.contains(&format!("parent: {}", two.model.file.sha256)), "{out}");
    }
    // The update is compared with its parent by DeLong's test on the same patients.
    let arguments = ["--study", "b/study.db", "validate", "m.json", "--cohort", "B", "--against", "u.json"];
    let (code, out, said) = run(at, &arguments);
    assert!(code == 0 && out.contains("combined (model "), "{said}");
    assert_eq!(run(at, &["--study", "b/study.db", "validate", "m.json", "--update", "slope"]).0, 2, "needs --output");
}

#[test]
fn a_centre_stays_whole_and_models_are_judged_by_centre() {
    let folder = tempfile::tempdir().unwrap();
    let people = hospital::people("A", 40, 5);
    let centre = [
        "variable.centre.kind=levels",
        "variable.centre.levels=[\"north\", \"south\", \"west\"]",
        "variable.centre.role=centre",
    ];
    let study = hospital::study(folder.path(), &people, hospital::protocol(&centre));
    let level = |at: usize| ["north", "north", "north", "south", "west"][at % 5];
    let mut text = "patient_id,centre\n".to_owned();
    people.iter().enumerate().for_each(|(at, it)| text.push_str(&format!("{},{}\n", it.code, level(at))));
    fs::write(folder.path().join("centre.csv"), text).unwrap();
    study.import_clinical(&folder.path().join("centre.csv"), None, osteon_study::study::BadRows::Refuse).unwrap();
    drop(study);
    let at = folder.path();
    let (code, _, said) = run(at, &["split", "new", "--train", "0.8", "--whole", "centre"]);
    assert!(code == 0 && said.contains("32 patients in training, 8 in test"), "{said}");
    let (code, _, said) = run(at, &["split", "new", "--whole", "alp"]);
    assert!(code == 2 && said.contains("alp is a number"), "{said}");
    assert_eq!(run(at, &["fit", "--quiet"]).0, 0);
    let (code, out, said) = run(at, &["--format", "csv", "evaluate", "--subgroups", "centre"]);
    assert_eq!(code, 0, "{said}");
    let first: Vec<&str> = out.lines().filter(|line| line.contains("combined")).collect();
    assert!(first.iter().any(|line| line.starts_with("\"training, north\",combined")), "{out}");
    let (code, out, said) = run(at, &["--format", "csv", "evaluate", "--subgroups", "alp < 250"]);
    assert!(code == 0 && out.contains("not (alp < 250)"), "{said}");
}
