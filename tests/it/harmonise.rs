//! Features harmonized across centres: what is refused, that a frozen model carries it, and that another centre can be
//! estimated.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use ndarray::Array2;
use osteon_base::job::Job;
use osteon_base::seed::Seed;
use osteon_radiomics::read::Label;
use osteon_stats::select::combat::{Combat, Prior};
use osteon_study::model::check;
use osteon_study::model::read::Model;
use osteon_study::pipeline::batch_effect::effects;
use osteon_study::pipeline::cohort::{Cohort, Features, draw_within};
use osteon_study::pipeline::harmonise::{Batches, strata};
use osteon_study::pipeline::learn::{LearnError, learn};
use osteon_study::protocol::{Preset, Protocol};
use osteon_study::store::Origin;
use osteon_study::study::{BadRows, Files, Study, predict_files};
use rand::Rng;
use serde_json::Value;

use crate::hospital::{self, Person};
use crate::model_file::{python, valid};
use crate::support::run;

const CENTRE: [&str; 5] = [
    "variable.centre.kind=levels",
    "variable.centre.levels=[\"Nordstadt\", \"Suedwald\", \"Ostfurt\"]",
    "variable.centre.role=centre",
    "learn.harmonise=combat",
    "learn.batch=centre",
];

fn place(study: &Study, folder: &Path, people: &[Person], centre: impl Fn(usize) -> &'static str) {
    let mut text = "patient_id,centre\n".to_owned();
    people.iter().enumerate().for_each(|(at, it)| text.push_str(&format!("{},{}\n", it.code, centre(at))));
    fs::write(folder.join("centre.csv"), text).unwrap();
    study.import_clinical(&folder.join("centre.csv"), None, BadRows::Refuse).unwrap();
}

fn two_centres(at: usize) -> &'static str {
    ["Nordstadt", "Suedwald"][(at / 4) % 2]
}

/// A hospital of 48 in two centres.
fn hospital_of_two(folder: &Path, further: &[&str]) -> (Study, Vec<Person>) {
    let people = hospital::people("A", 48, 1);
    let settings: Vec<&str> = CENTRE.iter().chain(further).copied().collect();
    let study = hospital::study(folder, &people, hospital::protocol(&settings));
    place(&study, folder, &people, two_centres);
    hospital::split(&study, folder, &people, |at, _| at % 4 != 3);
    (study, people)
}

fn quick() -> Protocol {
    let small = ["learn.harmonise=combat", "learn.batch=sex", "forest.n_trees=[10]", "forest.max_depth=[2]"];
    let more = ["select.mrmr.n_features=6", "learn.n_folds=3", "learn.n_bootstraps=0", "learn.n_repeats=0"];
    Preset::Study.protocol().set(small).unwrap().set(more).unwrap()
}

/// Patients of two scanners whose features differ in mean and spread; the first feature tells of the event.
fn cohort(n: usize, batch: impl Fn(usize) -> Option<&'static str>) -> Cohort {
    let mut rng = Seed(7).named("harmonise").rng();
    let event: Vec<bool> = (0..n).map(|row| row % 2 == 0).collect();
    let batches: Vec<Option<String>> = (0..n).map(|row| batch(row).map(str::to_owned)).collect();
    let mut value = |row: usize, feature: usize| {
        let noise: f64 = (0..4).map(|_| rng.random_range(-1.0..1.0)).sum();
        let signal = if feature == 0 && event[row] { 1.0 } else { 0.0 };
        let own = noise + signal;
        Some(if batches[row].as_deref() == Some("B") { 3.0 + 0.3 * feature as f64 + 2.0 * own } else { own })
    };
    let rows = (0..n).map(|row| Some((0..12).map(|feature| value(row, feature)).collect())).collect();
    let features = Features {
        region: "intra".to_owned(),
        names: (0..12).map(|feature| format!("feature_{feature}")).collect(),
        rows,
        eligible: vec![true; 12],
        batch: Some(Batches { by: "scanner".to_owned(), of: batches }),
    };
    let codes: Vec<String> = (0..n).map(|row| format!("P{row:03}")).collect();
    let alp = (0..n).map(|row| Some(200.0 + (row * 37 % 50) as f64)).collect();
    let clinical = osteon_stats::table::Table::new(
        codes.clone(),
        vec![osteon_stats::table::Column { name: "alp".to_owned(), values: osteon_stats::table::Values::Numbers(alp) }],
    );
    let strata = strata(std::slice::from_ref(&features), n);
    Cohort { codes, event, clinical: clinical.unwrap(), regions: vec![features], strata }
}

#[test]
fn what_a_region_learns_of_batches_is_combat_on_its_training_rows() {
    let cohort = cohort(60, |row| Some(if row % 3 == 0 { "B" } else { "A" }));
    let train: Vec<usize> = (0..48).collect();
    let recipe = learn(&cohort, &train, &quick(), Seed(1), &Job::unwatched()).unwrap();
    let model = recipe.regions[0].model.as_ref().unwrap();
    let learnt = model.harmonised.as_ref().unwrap();
    let names = ["A", "B"].map(str::to_owned).to_vec();
    let x = Array2::from_shape_fn((48, 12), |(i, j)| cohort.regions[0].rows[i].as_ref().unwrap()[j].unwrap());
    let batch: Vec<usize> = (0..48).map(|row| usize::from(row % 3 == 0)).collect();
    let none = Array2::zeros((48, 0));
    let (own, adjusted) = Combat::fit(x.view(), &names, &batch, none.view(), Prior::Parametric).unwrap();
    assert_eq!(learnt.combat, own);
    assert_eq!(learnt.counts, [[32, 16], [16, 8]]);
    let maps = learnt.maps(&learnt.features).unwrap();
    for row in 0..48 {
        let taken = cohort.regions[0].values(row, &(0..12).collect::<Vec<_>>(), Some(&maps)).unwrap();
        taken.iter().enumerate().for_each(|(j, value)| assert!((value - adjusted[[row, j]]).abs() < 1e-9));
    }
    // All features differ before, hardly any after, in patients who taught nothing too.
    let found = effects(&cohort, &cohort.regions[0], &train, &quick());
    assert_eq!(found.iter().map(|it| it.set.as_str()).collect::<Vec<_>>(), ["training", "test"]);
    for effect in &found {
        let (before, after) = (&effect.measured, effect.harmonised.as_ref().unwrap().as_ref().unwrap());
        assert!(before.n_differ > 9 && after.n_differ <= 2 && after.n_after_adjustment == 0, "{effect:?}");
        assert!(before.between[0] > 0.5 && after.between[0] < 0.25, "{:?} {:?}", before.between, after.between);
    }
    // Folds and splits hold alike shares of each batch and class.
    let folds = cohort.folds(&train, 4, Seed(3)).unwrap();
    for fold in 0..4 {
        let of_b = train.iter().filter(|&&row| folds[row] == fold && row % 3 == 0).count();
        assert_eq!(of_b, 4, "fold {fold}");
    }
    let drawn = draw_within(&cohort, 0.75, Seed(4));
    assert_eq!(drawn.iter().enumerate().filter(|(row, train)| **train && row % 6 == 0).count(), 8);
    // A patient of a third scanner has no score.
    let mut other = cohort.clone();
    other.regions[0].batch.as_mut().unwrap().of[59] = Some("C".to_owned());
    assert!(recipe.scores(&cohort, &[59]).combined[0].is_some());
    assert_eq!(recipe.scores(&other, &[59]).combined[0], None);
}

#[test]
fn small_batches_batches_of_one_class_and_unknown_ones_are_refused_by_name_and_count() {
    let refused = |batch: &dyn Fn(usize) -> Option<&'static str>| {
        let cohort = cohort(60, batch);
        let train: Vec<usize> = (0..60).collect();
        match learn(&cohort, &train, &quick(), Seed(1), &Job::unwatched()) {
            Err(LearnError::Harmonise(why)) => why.to_string(),
            other => panic!("{other:?}"),
        }
    };
    let small = refused(&|row| Some(if row < 9 { "B" } else { "A" }));
    assert!(
        small.contains("scanner: B has 9 training patients, 5 with the event; at least 10 training patients"),
        "{small}"
    );
    let one_class = refused(&|row| Some(if row % 4 == 0 { "B" } else { "A" }));
    assert!(one_class.contains("B has 15 training patients, 15 with the event"), "{one_class}");
    let unknown = refused(&|row| (row != 5).then_some(if row % 3 == 0 { "B" } else { "A" }));
    assert!(unknown.contains("1 training patient without a known scanner: P005"), "{unknown}");
    assert!(refused(&|_| Some("A")).contains("nothing to harmonize"));
}

#[test]
fn batches_have_to_be_told_by_the_codebook() {
    let study = || Preset::Study.protocol();
    let said = |set: &[&str]| study().set(set.iter().copied()).unwrap_err().to_string();
    assert!(said(&["learn.harmonise=combat"]).contains("learn.batch is \"\", expected scanner or a variable"));
    assert!(said(&["learn.batch=alp"]).contains("a variable with levels"));
    assert!(said(&["learn.batch_prior=non_parametric"]).contains("has no say"));
    let harmonised = study().set(["learn.harmonise=combat", "learn.batch=scanner"]).unwrap();
    assert_eq!(harmonised.batch_by(), Some("scanner"));
    assert_ne!(harmonised.hash(), study().hash());
    assert!(!study().to_toml().contains("batch"), "documents without it keep their hash");
}

#[test]
fn a_harmonized_model_travels_with_its_batches_and_without_their_names() {
    let folder = tempfile::tempdir().unwrap();
    let (study, people) = hospital_of_two(folder.path(), &[]);
    study.fit(&Job::unwatched()).unwrap();
    let file = study.export_model(None).unwrap();
    assert_eq!(file.version, 3);
    let text = file.to_text();
    assert!(!text.contains("Nordstadt") && !text.to_lowercase().contains("suedwald"), "a centre's name travels");
    let model = Model::read(&text).unwrap();
    let checked = check::check(&text);
    assert!(checked.iter().all(|it| it.wrong.is_empty()), "{checked:?}");
    let path = osteon_testing::root().join("schemas/model-1.schema.json");
    let schema: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let mut wrong = Vec::new();
    valid(&schema, &schema, &serde_json::to_value(&file).unwrap(), "model", &mut wrong);
    assert!(wrong.is_empty(), "{wrong:#?}");
    // By images alone as the study stored it, to the last bit.
    let models = study.store().models().unwrap();
    let combined = models.iter().find(|model| model.name == "combined").unwrap();
    let mut expected = Vec::new();
    for (at, person) in people.iter().enumerate().take(20) {
        let slots = BTreeMap::from([(String::new(), hospital::files(folder.path(), &person.code))]);
        let files = Files { slots, series: None, structure: None, label: Label::Only, reading: Vec::new() };
        let mut given = person.assignments();
        // Capitals do not matter.
        given.push(format!("batch={}", two_centres(at).to_uppercase()));
        let given = model.given(&given).unwrap();
        let found = predict_files(&model, Some(&files), &given, &Job::unwatched()).unwrap();
        let id = study.store().patient(&person.code).unwrap().id;
        let own = combined.predictions.iter().find(|one| one.patient == id && one.origin == Origin::Fitted).unwrap();
        assert_eq!(found.applied.probability.to_bits(), own.probability.to_bits(), "{}", person.code);
        expected.push((osteon_study::study::prediction_json(&model, &found, &given), own.probability));
    }
    fs::write(folder.path().join("m.json"), &text).unwrap();
    if python() {
        let names: Vec<&String> = expected[0].0["inputs"].as_object().unwrap().keys().collect();
        let mut table = names.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(",") + "\n";
        for (document, _) in &expected {
            let cell = |name: &&String| {
                let value = &document["inputs"][name.as_str()];
                value.as_str().map_or(value.to_string(), str::to_owned)
            };
            table.push_str(&(names.iter().map(cell).collect::<Vec<_>>().join(",") + "\n"));
        }
        fs::write(folder.path().join("rows.csv"), &table).unwrap();
        let reader = osteon_testing::root().join("references/apply_model.py");
        let python = |arguments: &[&str]| {
            let output = Command::new("python3").current_dir(folder.path()).arg(&reader).args(arguments).output();
            let output = output.unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            String::from_utf8(output.stdout).unwrap()
        };
        python(&["m.json", "--check"]);
        let out = python(&["m.json", "rows.csv"]);
        for (line, (_, own)) in out.lines().zip(&expected) {
            assert!((line.parse::<f64>().unwrap() - own).abs() <= 1e-12, "{line} {own}");
        }
    }
    // Without its batch, or with another one, a patient is refused with what to do.
    let [image, mask] = hospital::files(folder.path(), &people[0].code).map(|path| path.display().to_string());
    let given = people[0].assignments();
    let predict = |further: &[&str]| {
        let mut arguments = vec!["predict", "--model", "m.json", &image, &mask, "--set", &given[0], "--set", &given[1]];
        arguments.extend(further);
        run(folder.path(), &arguments)
    };
    let (code, _, said) = predict(&[]);
    assert!(code == 2 && said.contains("harmonizes features by centre") && said.contains("--set batch=NAME"), "{said}");
    let (code, _, said) = predict(&["--set", "batch=Ostfurt"]);
    assert!(code == 2 && said.contains("\"Ostfurt\" is none of those") && said.contains("--update batch"), "{said}");
    let (code, out, said) = run(folder.path(), &["model", "show", "m.json"]);
    let out = out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(code == 0 && out.contains("ComBat (parametric empirical Bayes, batches by centre)"), "{out}{said}");
    // What the same chain gives without it stands beside, in the comparison and in the report.
    let (code, out, said) = run(folder.path(), &["compare"]);
    assert!(code == 0 && out.contains("With and without harmonization"), "{said}");
    let (code, _, said) = run(folder.path(), &["report", "-o", "r"]);
    assert_eq!(code, 0, "{said}");
    let page = fs::read_to_string(folder.path().join("r/report.html")).unwrap_or_else(|_| {
        let names: Vec<_> = fs::read_dir(folder.path().join("r")).unwrap().map(|it| it.unwrap().file_name()).collect();
        panic!("{names:?}")
    });
    assert!(page.contains("With and without harmonization") && page.contains("Features were harmonized by ComBat"));
}

#[test]
fn another_centre_is_estimated_from_its_own_patients_as_a_file_that_names_its_parent() {
    let folder = tempfile::tempdir().unwrap();
    let (a, b) = (folder.path().join("a"), folder.path().join("b"));
    let (study, _) = hospital_of_two(&a, &["learn.batch_covariates=[\"alp\"]", "learn.batch_prior=non_parametric"]);
    study.fit(&Job::unwatched()).unwrap();
    let file = study.export_model(None).unwrap();
    fs::write(folder.path().join("m.json"), file.to_text()).unwrap();
    let others = hospital::people("B", 24, 2);
    let other = hospital::study(&b, &others, hospital::protocol(&CENTRE));
    place(&other, &b, &others, |_| "Ostfurt");
    drop(other);
    let at = folder.path();
    let (code, _, said) = run(at, &["--study", "b/study.db", "validate", "m.json", "--cohort", "East"]);
    assert!(
        code == 2 && said.contains("\"Ostfurt\" is none of those") && said.contains("at least 10 patients"),
        "{said}"
    );
    let arguments =
        ["--study", "b/study.db", "validate", "m.json", "--cohort", "East", "--update", "batch", "-o", "u.json"];
    let (code, out, said) = run(at, &arguments);
    assert!(code == 0 && said.contains("updated from"), "{said}");
    assert!(out.contains("East"));
    let updated = Model::read(&fs::read_to_string(at.join("u.json")).unwrap()).unwrap();
    let parent = updated.file.parent.clone().unwrap();
    assert_eq!((parent.sha256.as_str(), parent.n, parent.n_events), (file.sha256.as_str(), 24, 12));
    assert_eq!((parent.update.name.as_str(), parent.update.batches.len()), ("batches estimated", 1));
    let checked = check::check(&updated.file.to_text());
    assert!(checked.iter().all(|it| it.wrong.is_empty()), "{checked:?}");
    let [image, mask] = hospital::files(&b, &others[0].code).map(|path| path.display().to_string());
    let given = others[0].assignments();
    let arguments = [
        "predict",
        "--model",
        "u.json",
        &image,
        &mask,
        "--set",
        &given[0],
        "--set",
        &given[1],
        "--set",
        "batch=ostfurt",
    ];
    let (code, _, said) = run(at, &arguments);
    assert_eq!(code, 0, "{said}");
    let again = ["--study", "b/study.db", "validate", "u.json", "--update", "batch", "-o", "v.json"];
    let (code, _, said) = run(at, &again);
    assert!(code == 2 && said.contains("there is none to be estimated"), "{said}");
}
