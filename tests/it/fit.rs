//! `fit` on a study: what is stored, tables, predictions, and that no thread count changes a byte.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use osteon_base::job::Job;
use osteon_base::seed::Seed;
use osteon_radiomics::roi::Roi;
use osteon_study::protocol::{Preset, Protocol};
use osteon_study::report::sheet::{Cell, Format, render};
use osteon_study::store::{Inputs, NewRun, Origin, PatientId, Place, Prediction, Role, Side};
use osteon_study::study::{BadRows, Edit, Error, ModelTable, Study};
use rand::Rng;

use crate::support::fixture;

/// Settings under which a fit takes a second.
pub const QUICK: [&str; 6] = [
    "forest.n_trees=[20]",
    "forest.max_depth=[2]",
    "forest.min_samples_leaf=[3]",
    "select.mrmr.n_features=6",
    "learn.n_bootstraps=2",
    "learn.n_repeats=1",
];

/// The synthetic cohort with 20 random features in each of seven regions; one tells of the response. In memory where
/// no file is named.
pub fn study(path: Option<&Path>) -> Study {
    let protocol = Preset::Study.protocol().set(QUICK).unwrap();
    let study = match path {
        Some(path) => Study::create(path, "fit", protocol).unwrap(),
        None => Study::in_memory("fit", protocol).unwrap(),
    };
    study.import_clinical(&fixture("cohort.csv"), None, BadRows::Refuse).unwrap();
    measure(&study, &|_, value| value);
    study
}

/// The same, measured under some assignments too.
pub fn study_measured_with(assignments: &[&str]) -> Study {
    let protocol = Preset::Study.protocol().set(QUICK).unwrap().set(assignments.iter().copied()).unwrap();
    let study = Study::in_memory("fit", protocol).unwrap();
    study.import_clinical(&fixture("cohort.csv"), None, BadRows::Refuse).unwrap();
    measure(&study, &|_, value| value);
    study
}

/// Stores features; `changed` says what becomes of a patient's value.
pub fn measure(study: &Study, changed: &dyn Fn(&str, f64) -> f64) {
    let names: Vec<String> = (0..20).map(|at| format!("feature_{at}")).collect();
    let hash = "0".repeat(64);
    study
        .store()
        .write("test", |write| {
            let run = write.begin_run(&NewRun { kind: "extract", inputs: &hash, seed: Seed(0) })?;
            let ids = write.catalogue(&names)?;
            for patient in write.patients()? {
                let poor = patient.event == Some(true);
                for roi in Roi::all(&study.protocol.roi).iter().map(Roi::to_string) {
                    let mut rng = Seed(1).named(&patient.code).named(&roi).rng();
                    let mut value = |at: usize| {
                        let signal = if at == 3 && poor && roi == "peri_4mm" { 1.5 } else { 0.0 };
                        Some(changed(&patient.code, rng.random_range(-1.0..1.0) + signal))
                    };
                    let values: Vec<Option<f64>> = (0..20).map(&mut value).collect();
                    let again: Vec<Option<f64>> = values.iter().map(|v| v.map(|v| v * 1.01)).collect();
                    let inputs = Inputs { image_sha256: hash.clone(), mask_sha256: hash.clone() };
                    let failed = patient.code == "SYN004" && roi == "intra";
                    let outcome = if failed { Err("too small".to_owned()) } else { Ok(values.as_slice()) };
                    write.put_region(run, (patient.id, &Place::of(&roi, Role::Mask)), &inputs, &ids, outcome, None)?;
                    write.put_region(
                        run,
                        (patient.id, &Place::of(&roi, Role::RepeatMask)),
                        &inputs,
                        &ids,
                        Ok(&again),
                        None,
                    )?;
                }
            }
            Ok::<_, Error>(())
        })
        .unwrap();
}

#[test]
fn whatever_a_test_patient_is_changed_to_nothing_else_is_learnt() {
    let learnt = |study: &Study, test: &[PatientId]| {
        study.fit(&Job::unwatched()).unwrap();
        let own = |one: &Prediction| !test.contains(&one.patient);
        let models = study.store().models().unwrap().into_iter();
        models.map(|m| (m.recipe, m.predictions.into_iter().filter(own).collect::<Vec<_>>())).collect::<Vec<_>>()
    };
    let study = put_in_force(study(None), &["learn.n_permutations=1"]);
    study.draw_split(Seed(4), 0.806).unwrap();
    let members = study.store().split().unwrap().unwrap().members;
    let test: Vec<PatientId> = members.iter().filter(|(_, side)| *side == Side::Test).map(|(id, _)| *id).collect();
    let before = learnt(&study, &test);
    let patients = study.store().patients().unwrap();
    let codes: Vec<&str> = patients.iter().filter(|p| test.contains(&p.id)).map(|p| p.code.as_str()).collect();
    for (at, code) in codes.iter().enumerate() {
        let values =
            [("necrosis_pct", if at % 2 == 0 { "12" } else { "97" }), ("alp", "9"), ("pathological_fracture", "yes")];
        let edit = |(field, value): (&str, &str)| Edit { field: field.to_owned(), value: value.to_owned() };
        study.edit(code, &values.map(edit), "to see what it moves", None).unwrap();
    }
    measure(&study, &|code, value| if codes.contains(&code) { 1e3 - value } else { value });
    assert!(learnt(&study, &test) == before);
}

#[test]
fn learners_are_models_of_the_fit_and_are_compared() {
    let learners = "learn.learners=[\"forest\", \"elastic_net\", \"svm\"]";
    let study = put_in_force(study(None), &[learners, "learn.n_repeats=5", "learn.n_folds=3"]);
    study.draw_split(Seed(4), 0.806).unwrap();
    study.fit(&Job::unwatched()).unwrap();
    let models = study.store().models().unwrap();
    let kinds: Vec<(&str, &str)> = models[7..].iter().map(|it| (it.name.as_str(), it.kind.as_str())).collect();
    let own = [("elastic_net", "elastic_net"), ("svm", "svm")];
    assert_eq!(kinds[3..], own);
    for model in &models {
        let read = osteon_study::pipeline::recipe::Stored::parse(&model.name, &model.recipe).unwrap();
        assert_eq!(read.to_json(), model.recipe, "{}", model.name);
    }
    let held = models[10].predictions.iter().filter(|one| one.origin == Origin::OutOfFold).count();
    assert_eq!((held, models[10].predictions.len()), (75, 75 + 93));
    let text = |sheet: &osteon_study::report::sheet::Sheet| render(sheet, Format::Text);
    let five = text(&study.model_table(ModelTable::Five).unwrap());
    assert!(five.contains("elastic_net") && five.contains("svm"), "{five}");
    assert!(!text(&study.model_table(ModelTable::Three).unwrap()).contains("svm"));
    let compared = study.comparison().unwrap();
    let row = compared.rows.iter().find(|row| row[0] == Cell::Text("svm".to_owned())).unwrap();
    assert!(row.iter().all(|cell| *cell != Cell::Empty), "{row:?}");
    let said = text(&compared);
    assert!(said.contains("elastic-net logistic regression on the features that entered LASSO"), "{said}");
    assert!(study.export_model(None).unwrap().performance.iter().all(|row| row.model != "svm"));
    assert_eq!(study.store().check_against_trail().unwrap(), [""; 0], "the trail's seconds are held nowhere else");
}

#[test]
fn a_plan_is_frozen_and_the_first_look_at_the_test_set_is_kept_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("study.db");
    let made = study(Some(&path));
    made.draw_split(Seed(4), 0.806).unwrap();
    assert!(!made.show_test_results("table 5").unwrap(), "there is nothing to show without a fit");
    made.lock_plan("before the first fit").unwrap();
    let again = made.lock_plan("twice").unwrap_err().to_string();
    assert!(again.contains("locked already"), "{again}");
    made.fit(&Job::unwatched()).unwrap();
    let other = made.protocol.clone().set(["forest.n_trees=[30]"]).unwrap();
    let refused = made.use_protocol(other.clone(), "more trees").unwrap_err().to_string();
    assert!(refused.contains("osteon unlock --protocol"), "{refused}");
    let said = |study: &Study| study.plan_in_words().unwrap().unwrap();
    assert!(said(&made).ends_with("the protocol in force is the one that was locked"), "{}", said(&made));
    // The command line: the first look is kept, further ones are not; blind readers leave no word.
    drop(made);
    let run = |arguments: &[&str]| crate::support::run(folder.path(), arguments);
    let seen = || Study::open(&path, osteon_study::store::Access::Read).unwrap();
    assert_eq!(seen().test_results_shown().unwrap(), None);
    assert_ne!(run(&["--blind", "table", "5"]).0, 0);
    assert_eq!(run(&["compare"]).0, 2);
    assert_eq!(seen().test_results_shown().unwrap(), None);
    for what in [["table", "5"], ["table", "3"], ["figure", "roc"]] {
        assert_eq!(run(&what).0, 0);
    }
    assert_eq!(seen().test_results_shown().unwrap().unwrap().2, "table 5");
    let head = seen().store().trail_head().unwrap();
    assert_eq!(run(&["evaluate", "--table", "5"]).0, 0);
    assert_eq!(seen().store().trail_head().unwrap(), head, "the word is kept once");
    let (code, out, _) = run(&["log"]);
    assert!(code == 0 && out.contains("test results shown") && out.contains("analysis plan"), "{out}");
    assert_eq!(seen().store().check_against_trail().unwrap(), [""; 0]);
    assert_eq!(run(&["unlock", "--protocol", "--reason", "a reviewer asked for more trees"]).0, 0);
    let study = Study::open(&path, osteon_study::store::Access::Write).unwrap();
    study.use_protocol(other, "more trees").unwrap();
    let study = Study::open(&path, osteon_study::store::Access::Write).unwrap();
    let words = said(&study);
    assert!(words.contains("a reviewer asked for more trees") && words.contains("changed after the lock"), "{words}");
    // A new split has a test set that nobody saw.
    study.draw_split(Seed(5), 0.806).unwrap();
    assert_eq!(study.test_results_shown().unwrap(), None);
}

#[test]
fn a_reviewer_reads_first_what_was_compared_corrected_and_what_it_is_worth() {
    let small = ["learn.n_bootstraps=50", "learn.n_repeats=5", "learn.n_folds=3", "learn.learners=[\"svm\"]"];
    let study = put_in_force(study(None), &small);
    study.draw_split(Seed(4), 0.806).unwrap();
    study.fit(&Job::unwatched()).unwrap();
    let report = study.report(None).unwrap();
    assert_eq!(report.sections[0].heading, "Summary for reviewers");
    let text = osteon_study::report::page::text(&osteon_study::report::page::Page {
        sections: report.sections[..1].to_vec(),
        ..report.clone()
    });
    for words in [
        "What was compared. Clinical, radiomics, combined, linear support vector machine were learnt from 75 patients",
        "LASSO score, ridge logistic, volume alone, no model",
        "What was corrected.",
        "What it is worth.",
        "its AUC differs from the clinical model's",
        "No showing of test results is recorded",
    ] {
        let squeezed = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(squeezed.contains(words), "{words}: {squeezed}");
    }
    // Selection frequencies as a figure, with every number.
    let request = osteon_study::study::FigureRequest::new(osteon_study::study::FigureName::Selection, 174.0);
    let figure = study.figure(&request).unwrap();
    assert_eq!(figure.plot.panels.len(), 3);
    assert!(figure.csv().contains("Region that gives the Rad-score,peri_4mm,"), "{}", figure.csv());
    figure.fits().unwrap();
    // What a chosen feature stands for.
    let chosen = study.chosen_sheet().unwrap();
    assert_eq!(chosen.headings.last().unwrap(), "stands for");
    assert!(chosen.rows.iter().all(|row| row[4] == Cell::Text("itself alone".to_owned())), "features of noise");
}

/// The cohort's responses in another order among its patients.
fn shuffled(folder: &Path, seed: Seed) -> std::path::PathBuf {
    let text = std::fs::read_to_string(fixture("cohort.csv")).unwrap();
    let mut rows: Vec<Vec<&str>> = text.lines().map(|line| line.split(',').collect()).collect();
    let at = rows[0].iter().position(|name| *name == "necrosis_pct").unwrap();
    let mut necrosis: Vec<(u64, &str)> = rows[1..].iter().map(|row| (seed.named(row[0]).0, row[at])).collect();
    necrosis.sort_unstable();
    rows[1..].iter_mut().zip(necrosis).for_each(|(row, (_, value))| row[at] = value);
    let lines: Vec<String> = rows.iter().map(|row| row.join(",")).collect();
    let path = folder.join(format!("{}.csv", seed.0));
    std::fs::write(&path, lines.join("\n")).unwrap();
    path
}

#[test]
fn shuffled_responses_are_not_predicted_under_recommended() {
    let folder = tempfile::tempdir().unwrap();
    let small =
        ["forest.n_trees=[20]", "forest.max_depth=[2]", "forest.min_samples_leaf=[3]", "select.mrmr.n_features=6"];
    let protocol = Preset::Recommended.protocol().set(small).unwrap();
    let protocol = protocol
        .set(["learn.n_bootstraps=0", "learn.n_repeats=0", "learn.n_permutations=0", "learn.n_splits=0"])
        .unwrap();
    let mut pooled: BTreeMap<String, (Vec<f64>, Vec<bool>)> = BTreeMap::new();
    for at in 0..4 {
        let study = study(None);
        study.import_clinical_for(&shuffled(folder.path(), Seed(at)), None, BadRows::Refuse, "shuffled").unwrap();
        let study = put_protocol_in_force(study, protocol.clone());
        study.draw_split(Seed(at), 0.7).unwrap();
        study.fit(&Job::unwatched()).unwrap();
        let poor: BTreeMap<PatientId, bool> =
            study.store().patients().unwrap().iter().map(|p| (p.id, p.event == Some(true))).collect();
        let members = study.store().split().unwrap().unwrap().members;
        let test = |id| members.contains(&(id, Side::Test));
        for model in study.store().models().unwrap() {
            let (scores, events) = pooled.entry(model.name.clone()).or_default();
            for one in model.predictions.iter().filter(|one| one.origin == Origin::Fitted && test(one.patient)) {
                scores.push(one.probability);
                events.push(poor[&one.patient]);
            }
        }
    }
    for model in ["clinical", "radiomics", "combined"] {
        let (scores, events) = &pooled[model];
        let [low, high] = osteon_stats::evaluate::roc::auc(scores, events).unwrap().ci().unwrap();
        assert!(scores.len() > 90 && low < 0.5 && 0.5 < high, "{model}: {low} to {high} of {}", scores.len());
    }
}

#[test]
fn a_fit_stores_models_that_tables_and_predictions_come_from() {
    let study = study(None);
    assert!(matches!(study.fit(&Job::unwatched()), Err(Error::NoSplit)));
    assert_eq!(study.draw_split(Seed(4), 0.806).unwrap(), (75, 18));
    assert!(matches!(study.model_table(ModelTable::Three), Err(Error::NoFit)));
    let head = study.store().trail_head().unwrap();
    let report = study.fit(&Job::unwatched()).unwrap();
    let run = study.store().runs().unwrap().remove(0);
    assert_eq!((run.trail_head, run.protocol_hash), (head, study.protocol.hash()));
    assert!(run.finished_at.unwrap() > run.started_at, "a run begins before its results are stored");
    assert_eq!((report.n_train, report.n_test, report.regions.len()), (75, 18, 7));
    assert_eq!(report.best_region, "peri_4mm");
    let models = study.store().models().unwrap();
    assert_eq!(models.len(), 10);

    let three = study.model_table(ModelTable::Three).unwrap();
    assert_eq!(three.rows.len(), 14);
    assert!(three.headings.iter().any(|heading| heading == "AUC bootstrap-corrected"));
    assert!(three.notes.iter().any(|note| note.contains("without a score")), "{:?}", three.notes);
    let five = study.model_table(ModelTable::Five).unwrap();
    assert_eq!(five.rows.len(), 6);

    let prediction = study.predict(Some("SYN001"), &[]).unwrap();
    let text = render(&prediction, Format::Text);
    assert!(text.contains("rad_score") && text.contains("total"), "{text}");
    let wrong = study.predict(None, &["alp=many".to_owned()]).unwrap_err();
    assert!(matches!(wrong, Error::Cell { .. } | Error::Field { .. }));

    let agreement = study.agreement_sheet(false).unwrap();
    assert_eq!(agreement.rows.len(), 7);
    let balance = study.split_sheet().unwrap();
    assert!(render(&balance, Format::Text).contains("ALP"));
}

#[test]
fn two_fits_store_the_same_bytes_whatever_the_threads() {
    let fitted = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let study = study(None);
            study.draw_split(Seed(4), 0.806).unwrap();
            study.fit(&Job::unwatched()).unwrap();
            stored(&study)
        })
    };
    assert_eq!(fitted(1), fitted(3));
}

/// Name, recipe and predictions of every model.
fn stored(study: &Study) -> Vec<(String, String, Vec<Prediction>)> {
    let models = study.store().models().unwrap();
    models.into_iter().map(|model| (model.name, model.recipe, model.predictions)).collect()
}

#[test]
fn a_cancelled_fit_goes_on_where_it_stopped_and_ends_with_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let study = study(Some(&folder.path().join("study.db")));
    let study = put_in_force(study, &["learn.n_permutations=1", "learn.n_splits=3"]);
    study.draw_split(Seed(4), 0.806).unwrap();
    let (cancel, steps) = (AtomicBool::new(false), AtomicUsize::new(0));
    // What is reported beyond the steps of parts that were found: the parts that were made.
    let parts = || rows(folder.path(), "SELECT count(*) FROM part");
    for most in [30, 45, 49] {
        cancel.store(false, Ordering::Relaxed);
        steps.store(0, Ordering::Relaxed);
        let report = |progress: osteon_base::job::Progress| {
            let step = progress.done > 0 && steps.fetch_add(1, Ordering::Relaxed) >= most;
            cancel.fetch_or(step, Ordering::Relaxed);
        };
        let stopped = study.fit(&Job::new(&cancel, &report));
        assert!(matches!(stopped, Err(Error::Cancelled(_))), "{most}: {stopped:?}");
        assert!(parts() >= most.try_into().unwrap(), "{most}: {}", parts());
        assert!(matches!(study.model_table(ModelTable::Five), Err(Error::NoFit)));
    }
    // What another client made of a part is not believed.
    let other = rusqlite::Connection::open(folder.path().join("study.db")).unwrap();
    let forged =
        "UPDATE part SET value = (SELECT value FROM part WHERE name = 'bootstrap/0') WHERE name = 'bootstrap/1'";
    assert_eq!(other.execute(forged, []).unwrap(), 1);
    let forged = "UPDATE part SET value = replace(value, '0.', '0.9') WHERE name LIKE 'nested/%'";
    assert!(other.execute(forged, []).unwrap() > 0);
    study.fit(&Job::unwatched()).unwrap();
    assert_eq!(parts(), 0);
    let resumed = stored(&study);
    study.fit(&Job::unwatched()).unwrap();
    assert!(stored(&study) == resumed);
    let five = study.model_table(ModelTable::Five).unwrap();
    assert!(five.headings.iter().any(|heading| heading == "AUC random splits"));
    let splits = study.evaluation(ModelTable::Five, 0.5).unwrap().pop().unwrap();
    assert_eq!((splits.title.as_str(), splits.rows.len()), ("Random splits", 3));
    assert_eq!(splits.rows[0][1], Cell::Count(3));
}

#[test]
fn permuted_responses_give_a_p_value_without_repeats_of_nested_cross_validation_too() {
    let alone = ["learn.n_permutations=3", "learn.n_repeats=0", "learn.n_bootstraps=0"];
    let study = put_in_force(study(None), &alone);
    study.draw_split(Seed(4), 0.806).unwrap();
    study.fit(&Job::unwatched()).unwrap();
    let five = study.model_table(ModelTable::Five).unwrap();
    let at = five.headings.iter().position(|heading| heading == "Permutation p").unwrap();
    for p in five.rows[..3].iter().flat_map(|row| row[at].numbers()) {
        assert!([0.25, 0.5, 0.75, 1.0].contains(&p), "{p}");
    }
}

/// The study under its protocol with these values changed.
fn put_in_force(study: Study, assignments: &[&str]) -> Study {
    let protocol = study.protocol.clone().set(assignments.iter().copied()).unwrap();
    put_protocol_in_force(study, protocol)
}

fn put_protocol_in_force(mut study: Study, protocol: Protocol) -> Study {
    study.use_protocol(protocol, "test").unwrap();
    study.renew().unwrap();
    study
}

fn rows(folder: &Path, sql: &str) -> i64 {
    rusqlite::Connection::open(folder.join("study.db")).unwrap().query_row(sql, [], |row| row.get(0)).unwrap()
}

#[test]
fn table_4_and_the_fit_choose_the_same_clinical_predictors() {
    use osteon_study::study::ClinicalTable;
    let label = |name: &str| Preset::Study.protocol().codebook.named(name).unwrap().in_tables();
    for set in [
        &[] as &[&str],
        &["learn.p_enter=0.9", "learn.p_keep=0.3"],
        &["screen.alpha=0.9", "learn.p_keep=0.9"],
        &["learn.p_enter=1e-9"],
        &["learn.p_keep=1e-9"],
        &["screen.statistic=likelihood_ratio", "learn.p_enter=0.5", "learn.p_keep=0.5"],
        &["screen.rows=all", "learn.p_enter=0.7", "learn.p_keep=0.4"],
        &["learn.clinical=[\"ldh\", \"age\"]"],
    ] {
        let study = put_in_force(study(None), &[set, &["learn.n_bootstraps=0", "learn.n_repeats=0"]].concat());
        study.draw_split(Seed(4), 0.806).unwrap();
        let fitted = study.fit(&Job::unwatched()).unwrap().clinical_predictors;
        let (table, _) = study.clinical_table(ClinicalTable::Four, &study.protocol).unwrap();
        let labels: Vec<String> = fitted.iter().map(|name| label(name)).collect();
        let said = format!("clinical predictors of the models: {} (", labels.join(", "));
        assert!(table.notes.last().unwrap().starts_with(&said), "{set:?}: {said}: {:?}", table.notes.last());
    }
}

#[test]
fn the_models_compare_with_the_reference_levels_of_table_4() {
    let named = "learn.clinical=[\"location\", \"lung_metastasis\"]";
    let study = put_in_force(study(None), &[named, "learn.n_bootstraps=0", "learn.n_repeats=0"]);
    study.draw_split(Seed(4), 0.806).unwrap();
    study.fit(&Job::unwatched()).unwrap();
    let models = study.store().models().unwrap();
    let clinical = models.iter().find(|model| model.name == "clinical").unwrap();
    let recipe: serde_json::Value = serde_json::from_str(&clinical.recipe).unwrap();
    let terms: Vec<&str> =
        recipe["logistic"]["terms"].as_array().unwrap().iter().filter_map(|it| it.as_str()).collect();
    assert_eq!(terms, ["location=femur", "location=tibia", "lung_metastasis=no"]);
}

#[test]
fn the_threshold_of_table_4_and_that_of_the_fit_are_one() {
    let study = || Preset::Study.protocol();
    for key in ["screen.alpha", "learn.p_enter"] {
        let set = study().set([format!("{key}=0.3").as_str()]).unwrap();
        assert_eq!((set.screen.alpha, set.learn.p_enter), (0.3, 0.3), "{key}");
    }
}

#[test]
fn what_does_not_stand_on_the_present_data_says_so_first() {
    use osteon_study::report::figure::TWO_COLUMNS_MM;
    use osteon_study::study::{FigureName, FigureRequest, Standing};
    let study = put_in_force(study(None), &["learn.n_bootstraps=0", "learn.n_repeats=0"]);
    study.draw_split(Seed(4), 0.806).unwrap();
    assert_eq!(study.standing_of_fit().unwrap(), None);
    study.fit(&Job::unwatched()).unwrap();
    assert_eq!(study.standing_of_fit().unwrap(), Some(Standing::Current));
    assert!(study.model_table(ModelTable::Five).unwrap().title.starts_with("Table 5."));
    // What a fit does not read makes nothing out of date.
    let study = put_in_force(
        study,
        &[
            "query.missing=false",
            "compare.quantiles=type7",
            "acquisition.tolerance=0.2",
            "variable.alp.label=Alkaline phosphatase",
            "variable.alp.usual=[20, 9000]",
        ],
    );
    assert_eq!(study.standing_of_fit().unwrap(), Some(Standing::Current));
    for code in ["SYN001", "SYN002", "SYN003", "SYN005", "SYN006", "SYN007"] {
        study.exclude(code, "test").unwrap();
    }
    let first = "Out of date, 6 patients excluded since the fit";
    for table in [ModelTable::Three, ModelTable::Five] {
        let sheet = study.model_table(table).unwrap();
        for format in [Format::Text, Format::Csv, Format::Json, Format::Markdown, Format::Html, Format::Latex] {
            let text = render(&sheet, format);
            assert!(format == Format::Csv || text.contains(first), "{text}");
        }
        assert!(render(&sheet, Format::Text).starts_with(first));
    }
    assert!(study.evaluation(ModelTable::Five, 0.5).unwrap().iter().all(|sheet| sheet.title.starts_with(first)));
    assert!(study.predict(Some("SYN010"), &[]).unwrap().title.starts_with(first));
    let figure = study.figure(&FigureRequest::new(FigureName::Roc, TWO_COLUMNS_MM)).unwrap();
    assert!(figure.caption.starts_with(first) && figure.numbers.title.starts_with(first));
    // The drawing itself, in a terminal and in the dashboard, has no caption.
    assert!(figure.plot.panels[0].title.starts_with("Out of date: A"), "{}", figure.plot.panels[0].title);
    for sheet in
        [study.chosen_sheet().unwrap(), study.pairs_sheet().unwrap(), study.predictions_sheet("SYN010").unwrap()]
    {
        assert!(sheet.title.starts_with(first), "{}", sheet.title);
    }
    assert!(study.movable_model().unwrap().doubt.unwrap().starts_with(first));
    assert!(study.calculator().unwrap().contains(first));
    assert!(study.report(None).unwrap().first[0].starts_with(first));
    let study = put_in_force(study, &["select.mrmr.n_features=5"]);
    assert!(study.doubt().unwrap().unwrap().contains("another protocol is in force"));
    // A fit of an earlier version is neither current nor out of date.
    let old = NewRun { kind: "fit", inputs: &"0".repeat(64), seed: Seed(0) };
    study.store().write::<_, Error>("test", |write| Ok(write.end_run(write.begin_run(&old)?)?)).unwrap();
    assert_eq!(study.standing_of_fit().unwrap(), Some(Standing::NotComparable));
}

#[test]
fn a_fit_depends_on_the_variables_that_help_to_impute_and_on_settings_of_masks() {
    use osteon_study::study::Standing;
    let set = [
        "learn.n_bootstraps=0",
        "learn.n_repeats=0",
        "learn.missing=multiple",
        "learn.clinical=[\"alp\"]",
        "learn.auxiliary=[\"ldh\"]",
    ];
    let study = study_measured_with(&set);
    study.draw_split(Seed(4), 0.806).unwrap();
    study.fit(&Job::unwatched()).unwrap();
    let standing = |study: &Study| study.standing_of_fit().unwrap().unwrap();
    let edit = |field: &str, value: &str| {
        study.edit("SYN010", &[Edit { field: field.to_owned(), value: value.to_owned() }], "test", None).unwrap();
    };
    edit("age", "33");
    assert_eq!(standing(&study), Standing::Current, "age is not read");
    edit("ldh", "333");
    assert_eq!(standing(&study), Standing::Changed("the data changed".to_owned()));
    let study = put_in_force(study, &["mask.cut=accept"]);
    assert_eq!(standing(&study), Standing::Changed("another protocol is in force".to_owned()));
    let title = study.agreement_sheet(false).unwrap().title;
    assert!(title.starts_with("Out of date, ") && title.contains("measured on other images or settings"), "{title}");
}

#[test]
fn the_dashboard_offers_settings_that_have_a_say_and_sets_those_that_were_changed() {
    let study = study(None);
    let offered = study.learning_parameters();
    let has = |key: &str| offered.iter().any(|(known, _)| known == key);
    assert!(has("learn.p_keep") && has("select.mrmr.sd_multiple"));
    assert!(!has("learn.n_imputations") && !has("select.mrmr.n_quantiles") && !has("select.icc_min"));
    let answers: Vec<String> = offered.iter().map(|(key, value)| format!("{key}={value}")).collect();
    study.queue_fit(&answers).unwrap();
    let more: Vec<String> = answers.iter().map(|it| it.replace("learn.n_repeats=1", "learn.n_repeats=2")).collect();
    study.queue_fit(&more).unwrap();
    let mut study = study;
    study.renew().unwrap();
    assert_eq!(study.protocol.learn.n_repeats, 2);
}

#[test]
fn training_probabilities_are_called_out_of_fold_only_where_they_are() {
    let study = put_in_force(study(None), &["learn.n_bootstraps=0", "learn.n_repeats=0"]);
    study.draw_split(Seed(4), 0.806).unwrap();
    study.fit(&Job::unwatched()).unwrap();
    let notes = |table| study.model_table(table).unwrap().notes.join("\n");
    assert!(notes(ModelTable::Three).contains("training probabilities are out of fold"));
    let five = notes(ModelTable::Five);
    assert!(five.contains("those of the clinical and the combined model come from coefficients"), "{five}");
    assert!(!five.contains("training probabilities are out of fold"), "{five}");
}

#[test]
fn a_prediction_and_a_nomogram_say_research_use_only() {
    use osteon_study::report::figure::TWO_COLUMNS_MM;
    use osteon_study::study::{FigureName, FigureRequest};
    let study = put_in_force(study(None), &["learn.n_bootstraps=0", "learn.n_repeats=0"]);
    study.draw_split(Seed(4), 0.806).unwrap();
    study.fit(&Job::unwatched()).unwrap();
    let prediction = study.predict(Some("SYN010"), &[]).unwrap();
    for format in [Format::Text, Format::Csv, Format::Json] {
        assert!(render(&prediction, format).contains("research use only"));
    }
    assert!(study.predictions_sheet("SYN010").unwrap().notes.iter().any(|note| note.contains("research use only")));
    assert!(study.report(None).unwrap().first.iter().any(|text| text.starts_with("Research use only")));
    let figure = study.figure(&FigureRequest::new(FigureName::Nomogram, TWO_COLUMNS_MM)).unwrap();
    assert!(figure.caption.contains("Research use only"));
    // In sight, in the file and in its numbers.
    assert!(figure.plot.panels[0].title.contains("research use only") && figure.svg().contains("research use only"));
    assert!(figure.csv().contains("research use only"));
    assert!(study.calculator().unwrap().contains("Research use only"));
}

#[test]
fn patients_at_the_cut_off_are_counted_and_judged_under_the_other_convention() {
    let study = put_in_force(study(None), &["learn.n_bootstraps=0", "learn.n_repeats=0"]);
    study.draw_split(Seed(4), 0.806).unwrap();
    study.fit(&Job::unwatched()).unwrap();
    let edit = |code: &str| {
        let necrosis = Edit { field: "necrosis_pct".to_owned(), value: "90".to_owned() };
        study.edit(code, &[necrosis], "test", None).unwrap();
    };
    let events = |sheet: &osteon_study::report::sheet::Sheet| -> usize {
        let at = sheet.headings.iter().position(|heading| heading == "Events").unwrap();
        sheet.rows.iter().filter(|row| row[1].text() == "radiomics").map(|row| row[at].numbers()[0] as usize).sum()
    };
    let good: Vec<String> = study
        .store()
        .patients()
        .unwrap()
        .into_iter()
        .filter(|it| it.event == Some(false))
        .map(|it| it.code)
        .take(3)
        .collect();
    good.iter().for_each(|code| edit(code));
    let (own, other) = (study.model_table(ModelTable::Five).unwrap(), study.cutoff_sensitivity().unwrap());
    assert_eq!(other.len(), 2);
    let is_90 =
        |it: &osteon_study::store::Patient| it.entry("necrosis_pct").is_some_and(|it| it.number() == Some(90.0));
    let n = study.store().patients().unwrap().iter().filter(|it| is_90(it)).count();
    assert!(n >= 3);
    assert_eq!(events(&other[1]), events(&own) + n);
    let said = format!("{n} included patients with exactly 90 %");
    assert!(other[1].notes[0].starts_with(&said), "{:?}", other[1].notes);
}

/// A part whose own hash was made anew is held by the trail all the same.
#[test]
fn a_fit_does_not_go_on_from_a_part_that_was_altered_with_its_hash() {
    let folder = tempfile::tempdir().unwrap();
    let study = study(Some(&folder.path().join("study.db")));
    study.draw_split(Seed(4), 0.806).unwrap();
    let (cancel, steps) = (AtomicBool::new(false), AtomicUsize::new(0));
    let report = |progress: osteon_base::job::Progress| {
        let step = progress.done > 0 && steps.fetch_add(1, Ordering::Relaxed) >= 20;
        cancel.fetch_or(step, Ordering::Relaxed);
    };
    assert!(study.fit(&Job::new(&cancel, &report)).is_err());
    let other = rusqlite::Connection::open(folder.path().join("study.db")).unwrap();
    let sql = "SELECT id, work, name, value FROM part WHERE name LIKE 'region%' ORDER BY id LIMIT 1";
    let (id, work, name, sealed): (i64, String, String, String) =
        other.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))).unwrap();
    let part = sealed[r#"{"sha256":"","part":"#.len() + 64..].strip_suffix('}').unwrap();
    let altered = part.replacen("0.", "0.9", 40);
    assert_ne!(altered, part);
    let hash = osteon_study::store::sha256(format!("{work} {name} {altered}"));
    let sealed = format!(r#"{{"sha256":"{hash}","part":{altered}}}"#);
    assert_eq!(other.execute("UPDATE part SET value = ?1 WHERE id = ?2", rusqlite::params![sealed, id]).unwrap(), 1);
    let found = study.verify(None, &Job::unwatched()).unwrap();
    assert!(found.findings.iter().any(|it| it.contains("kept parts")), "{:?}", found.findings);
    study.fit(&Job::unwatched()).unwrap();
    let first = stored(&study);
    study.fit(&Job::unwatched()).unwrap();
    assert!(stored(&study) == first);
}
