//! The model file: it gives what the study stored, holds nobody's data, and is refused where it does not fit.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use osteon_base::job::Job;
use osteon_radiomics::read::Label;
use osteon_study::model::read::Model;
use osteon_study::model::{canonical, check};
use osteon_study::pipeline::recipe::Stored;
use osteon_study::store::{Origin, PatientId};
use osteon_study::study::{Edit, Files, Study, predict_files};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::hospital::{self, Person};
use crate::support::run;

/// A hospital of 36 with a fit.
fn fitted() -> (TempDir, Study, Vec<Person>) {
    let folder = tempfile::tempdir().unwrap();
    let people = hospital::people("A", 36, 1);
    let study = hospital::study(folder.path(), &people, hospital::protocol(&[]));
    hospital::split(&study, folder.path(), &people, |at, _| at % 4 != 3);
    study.fit(&Job::unwatched()).unwrap();
    (folder, study, people)
}

fn exported(study: &Study) -> Model {
    Model::read(&study.export_model(None).unwrap().to_text()).unwrap()
}

fn request(folder: &Path, code: &str) -> Files {
    let slots = BTreeMap::from([(String::new(), hospital::files(folder, code))]);
    Files { slots, series: None, structure: None, label: Label::Only, reading: Vec::new() }
}

/// Probability of the combined model and Rad-score of a patient's files.
fn applied(model: &Model, folder: &Path, person: &Person) -> (f64, f64) {
    let given = model.given(&person.assignments()).unwrap();
    let found = predict_files(model, Some(&request(folder, &person.code)), &given, &Job::unwatched()).unwrap();
    (found.applied.probability, found.applied.rad_score)
}

/// What the newest fit stored of each patient under a model.
fn stored(study: &Study, name: &str) -> BTreeMap<PatientId, f64> {
    let models = study.store().models().unwrap();
    let model = models.into_iter().find(|model| model.name == name).unwrap();
    let fitted = model.predictions.into_iter().filter(|one| one.origin == Origin::Fitted);
    fitted.map(|one| (one.patient, one.probability)).collect()
}

#[test]
fn a_model_file_gives_the_stored_predictions_of_its_study_bit_for_bit() {
    let (folder, study, people) = fitted();
    let model = exported(&study);
    let (combined, radiomics) = (stored(&study, "combined"), stored(&study, "radiomics"));
    for person in &people {
        let id = study.store().patient(&person.code).unwrap().id;
        let (p, score) = applied(&model, folder.path(), person);
        assert_eq!(
            (p.to_bits(), score.to_bits()),
            (combined[&id].to_bits(), radiomics[&id].to_bits()),
            "{}",
            person.code
        );
    }
    let checked = check::check(&model.file.to_text());
    assert!(checked.len() > 8 && checked.iter().all(|it| it.wrong.is_empty()), "{checked:?}");
    // The same study gives the same file.
    assert_eq!(study.export_model(None).unwrap(), model.file);
}

#[test]
fn one_hospital_learns_and_another_applies_as_in_one_joint_study() {
    let (_folder, study, people) = fitted();
    let model = exported(&study);
    let others = hospital::people("B", 8, 2);
    let all: Vec<Person> = people.iter().chain(&others).cloned().collect();
    let joint_folder = tempfile::tempdir().unwrap();
    let joint = hospital::study(joint_folder.path(), &all, hospital::protocol(&[]));
    hospital::split(&joint, joint_folder.path(), &all, |at, it| it.code.starts_with('A') && at % 4 != 3);
    joint.fit(&Job::unwatched()).unwrap();
    let combined = stored(&joint, "combined");
    for person in &others {
        let id = joint.store().patient(&person.code).unwrap().id;
        let (p, _) = applied(&model, joint_folder.path(), person);
        assert_eq!(p.to_bits(), combined[&id].to_bits(), "{}", person.code);
    }
}

#[test]
fn what_a_fit_stores_is_read_and_written_to_the_same_bytes() {
    let (_folder, study, _) = fitted();
    for model in study.store().models().unwrap() {
        assert_eq!(Stored::parse(&model.name, &model.recipe).unwrap().to_json(), model.recipe, "{}", model.name);
    }
    // Documents of 0.1.0 before copies were kept.
    let region = study.store().models().unwrap().remove(0);
    let mut old: Value = serde_json::from_str(&region.recipe).unwrap();
    for key in ["copies", "validation", "training"] {
        old.as_object_mut().unwrap().remove(key);
    }
    let read = Stored::parse(&region.name, &old.to_string()).unwrap();
    assert!(read.region_model().unwrap().copies.is_empty() && read.validation.is_none());
}

#[test]
fn no_patient_is_in_a_model_file() {
    let folder = tempfile::tempdir().unwrap();
    let canaries = ["CANARYID", "canaryfile", "CanaryCentre", "canaryreason", "CanaryTitle", "canaryexclusion"];
    let people = hospital::people("CANARYID", 36, 3);
    let at = folder.path().join("canaryfile");
    let centre = [
        "variable.centre.kind=levels",
        "variable.centre.levels=[\"CanaryCentre1\", \"CanaryCentre2\"]",
        "variable.centre.role=centre",
    ];
    fs::create_dir_all(&at).unwrap();
    let study = Study::create(&at.join("study.db"), "CanaryTitle", hospital::protocol(&centre)).unwrap();
    hospital::add(&study, &at, &people);
    let edit = |code: &str, field: &str, value: &str| {
        let change = Edit { field: field.to_owned(), value: value.to_owned() };
        study.edit(code, &[change], "canaryreason", None).unwrap();
    };
    for (at, person) in people.iter().enumerate() {
        edit(&person.code, "centre", if at % 2 == 0 { "CanaryCentre1" } else { "CanaryCentre2" });
    }
    // Extremes that nobody could mistake.
    edit(&people[0].code, "alp", "31.415926");
    edit(&people[1].code, "alp", "2718.28182");
    hospital::split(&study, &at, &people, |at, _| at % 4 != 3);
    study.fit(&Job::unwatched()).unwrap();
    study.exclude(&people[3].code, "canaryexclusion").unwrap();
    study.include(&people[3].code, "canaryreason").unwrap();
    let text = study.export_model(None).unwrap().to_text();
    for canary in canaries {
        assert!(!text.to_lowercase().contains(&canary.to_lowercase()), "{canary} is in the model file");
    }
    let (host, user) = (std::env::var("HOSTNAME").unwrap_or_default(), "canary");
    assert!(!text.contains(user) && (host.len() < 6 || !text.contains(&host)));
    for extreme in ["31.415926", "2718.28182"] {
        assert!(!text.contains(extreme), "the extreme {extreme} is in the model file");
    }
}

#[test]
fn a_file_that_does_not_fit_is_refused_with_what_to_do() {
    let (folder, study, people) = fitted();
    let file = study.export_model(None).unwrap();
    let document = serde_json::to_value(&file).unwrap();
    let [image, mask] = hospital::files(folder.path(), &people[0].code).map(|path| path.display().to_string());
    let predict = |document: &Value, further: &[&str]| {
        fs::write(folder.path().join("m.json"), document.to_string()).unwrap();
        let mut arguments = vec!["predict", "--model", "m.json", &image, &mask];
        arguments.extend(further);
        run(folder.path(), &arguments)
    };
    let good = ["--set", "alp=300", "--set", "pathological_fracture=yes"];
    let (code, out, _) = predict(&document, &good);
    assert_eq!(code, 0);
    assert!(out.contains("research use only") && out.contains("probability of non-pGR"), "{out}");
    let refused = |document: &Value, further: &[&str], words: &[&str]| {
        let (code, _, said) = predict(document, further);
        assert_eq!(code, 2, "{said}");
        for word in words {
            assert!(said.contains(word), "{word}: {said}");
        }
    };
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut other = document.clone();
        change(&mut other);
        other
    };
    let resealed = |change: &dyn Fn(&mut Value)| {
        let mut other = changed(change);
        other["sha256"] = json!(canonical::hash(&other));
        other
    };
    let tampered = changed(&|it| it["combined"]["intercept"] = json!(0.5));
    refused(&tampered, &good, &["was changed after it was written", "hint: get the file again"]);
    let version = resealed(&|it| it["version"] = json!(2));
    refused(&version, &good, &["version 2, expected 1", "hint: osteon"]);
    refused(&json!({"format": "other"}), &good, &["no model file", "hint: osteon model export"]);
    let slot = resealed(&|it| it["sources"][0]["features"][0]["slot"] = json!("dwi"));
    refused(&slot, &good, &["dwi", "is missing", "hint: give an image"]);
    refused(&resealed(&|it| it["surplus"] = json!(1)), &good, &["surplus", "hint: osteon model check"]);
    refused(&document, &["--set", "alp=300"], &["pathological_fracture is \"\"", "--set pathological_fracture=VALUE"]);
    refused(
        &document,
        &["--set", "alp=5.1 ukat/L", good[2], good[3]],
        &["alp is given in ukat/L", "U/L", "hint: convert"],
    );
    refused(&document, &["--set", "alp [ukat/L]=5.1", good[2], good[3]], &["alp is given in ukat/L", "hint: convert"]);
    refused(&document, &["--set", "alpp=5", good[2], good[3]], &["no input alpp", "alp, pathological_fracture"]);
    refused(&document, &["--set", "alp=-5", good[2], good[3]], &["alp is \"-5\"", "U/L"]);
    let (code, out, _) = predict(&document, &["--set", "alp=300 U/l", good[2], good[3]]);
    assert_eq!(code, 0, "{out}");
    fs::write(folder.path().join("m.json"), document.to_string()).unwrap();
    let (code, _, said) = run(folder.path(), &["predict", "--model", "m.json", &image, "--set", "alp=1"]);
    assert_eq!(code, 2);
    assert!(said.contains("slots image") && said.contains("a mask beside the image"), "{said}");
    let (code, _, said) = run(folder.path(), &["predict", "--model", "m.json", "--set", "alp=1"]);
    assert!(code == 2 && said.contains("image and mask is missing"), "{said}");
    let (code, _, said) = run(folder.path(), &["model", "export", "-o", "study.db"]);
    assert!(code != 0 && said.contains("study.db"), "{said}");
}

#[test]
fn a_check_finds_numbers_that_were_changed_under_a_new_hash() {
    let (_folder, study, _) = fitted();
    let document = serde_json::to_value(study.export_model(None).unwrap()).unwrap();
    let finds = |what: &str, change: &dyn Fn(&mut Value)| {
        let mut other = document.clone();
        change(&mut other);
        other["sha256"] = json!(canonical::hash(&other));
        let checked = check::check(&other.to_string());
        let wrong: Vec<String> =
            checked.iter().flat_map(|it| it.wrong.iter().map(|why| format!("{}: {why}", it.what))).collect();
        assert!(wrong.iter().any(|it| it.contains(what)), "{what}: {wrong:?}");
    };
    finds("nomogram", &|it| it["combined"]["terms"][1]["coefficient"] = json!(0.123));
    finds("example mean", &|it| it["combined"]["intercept"] = json!(0.1));
    finds("example", &|it| it["examples"][0]["probability"] = json!(0.1));
    finds("nomogram", &|it| it["nomogram"]["points_per_unit"] = json!(1.0));
    finds("settings have the hash", &|it| it["slots"][0]["settings"]["preprocess"]["bin_width"] = json!(0.3));
    finds("sum of its children", &|it| {
        let trees = it["sources"][0]["forest"]["trees"].as_array_mut().unwrap();
        let tree = trees.iter_mut().find(|tree| tree["value"].as_array().unwrap().len() > 1).unwrap();
        tree["value"][0] = json!(0.99);
    });
    finds("does not fit its SD", &|it| it["sources"][0]["covariance"][0][0] = json!(3.0));
    finds("events of", &|it| it["training"]["n_events"] = json!(1000));
    finds("the AUC is outside its interval", &|it| it["performance"][0]["auc"] = json!(0.001));
    finds("add up to", &|it| {
        let list = it["training"]["variables"].as_array_mut().unwrap();
        let levels = list.iter_mut().find(|it| it["kind"] == "levels" && it["n"] != 0).unwrap();
        levels["levels"][0]["share"] = json!(0.0);
    });
}

#[test]
fn the_schema_describes_the_file() {
    let (_folder, study, _) = fitted();
    let document = serde_json::to_value(study.export_model(None).unwrap()).unwrap();
    let path = osteon_testing::root().join("schemas/model-1.schema.json");
    let schema: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let mut wrong = Vec::new();
    valid(&schema, &schema, &document, "model", &mut wrong);
    assert!(wrong.is_empty(), "{wrong:#?}");
    let mut other = document.clone();
    other["sources"][0]["surplus"] = json!(1);
    other["training"]["n"] = json!("many");
    other.as_object_mut().unwrap().remove("origin");
    valid(&schema, &schema, &other, "model", &mut wrong);
    assert_eq!(wrong.len(), 3, "{wrong:#?}");
}

/// The keywords of JSON Schema that the schema uses.
pub(crate) fn valid(root: &Value, schema: &Value, value: &Value, place: &str, wrong: &mut Vec<String>) {
    if let Some(name) = schema["$ref"].as_str() {
        let found = root.pointer(name.strip_prefix('#').unwrap()).unwrap_or_else(|| panic!("{name}"));
        return valid(root, found, value, place, wrong);
    }
    if let Some(options) = schema["oneOf"].as_array() {
        let fits = |option: &&Value| {
            let mut own = Vec::new();
            valid(root, option, value, place, &mut own);
            own.is_empty()
        };
        if options.iter().filter(fits).count() != 1 {
            wrong.push(format!("{place} fits not exactly one of the options"));
        }
        return;
    }
    let is = |name: &str| match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.as_f64().is_some_and(|it| it.fract() == 0.0),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("{place}: type {other}"),
    };
    let fits = match &schema["type"] {
        Value::String(name) => is(name),
        Value::Array(names) => names.iter().any(|name| is(name.as_str().unwrap())),
        _ => true,
    };
    if !fits || schema.get("const").is_some_and(|it| it != value) {
        return wrong.push(format!("{place} is {}", value.to_string().chars().take(40).collect::<String>()));
    }
    if let Some(some) = schema["enum"].as_array().filter(|some| !some.contains(value)) {
        wrong.push(format!("{place} is none of {some:?}"));
    }
    for (at, item) in value.as_array().into_iter().flatten().enumerate() {
        valid(root, &schema["items"], item, &format!("{place}[{at}]"), wrong);
    }
    let Some(members) = value.as_object() else { return };
    for name in schema["required"].as_array().into_iter().flatten() {
        if !members.contains_key(name.as_str().unwrap()) {
            wrong.push(format!("{place} lacks {name}"));
        }
    }
    for (name, member) in members {
        match (schema["properties"].get(name), &schema["additionalProperties"]) {
            (Some(own), _) => valid(root, own, member, &format!("{place}.{name}"), wrong),
            (None, Value::Bool(false)) => wrong.push(format!("{place}.{name} is not in the schema")),
            (None, Value::Object(_)) => {
                valid(root, &schema["additionalProperties"], member, &format!("{place}.{name}"), wrong);
            }
            (None, _) => (),
        }
    }
}

/// Whether there is a Python with numpy; said where there is none.
pub fn python() -> bool {
    let found = std::process::Command::new("python3").args(["-c", "import numpy"]).output();
    let is_there = found.is_ok_and(|output| output.status.success());
    if !is_there {
        eprintln!("skipped: no python3 with numpy on this machine");
    }
    is_there
}

#[test]
fn the_independent_reader_gives_the_same_probabilities() {
    if !python() {
        return;
    }
    let (folder, study, people) = fitted();
    let file = study.export_model(None).unwrap();
    fs::write(folder.path().join("m.json"), file.to_text()).unwrap();
    let reader = osteon_testing::root().join("references/apply_model.py");
    let python = |arguments: &[&str]| {
        let output =
            std::process::Command::new("python3").current_dir(folder.path()).arg(&reader).args(arguments).output();
        let output = output.unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    };
    let (code, out, err) = python(&["m.json", "--check"]);
    assert_eq!(code, Some(0), "{err}");
    assert!(out.contains(&file.sha256));
    let mut table = String::new();
    let mut expected = Vec::new();
    for person in people.iter().take(12) {
        let [image, mask] = hospital::files(folder.path(), &person.code).map(|path| path.display().to_string());
        let given = person.assignments();
        let arguments =
            ["--format", "json", "predict", "--model", "m.json", &image, &mask, "--set", &given[0], "--set", &given[1]];
        let (code, out, said) = run(folder.path(), &arguments);
        assert_eq!(code, 0, "{said}");
        let document: Value = serde_json::from_str(&out).unwrap();
        let inputs = document["inputs"].as_object().unwrap();
        if table.is_empty() {
            table = inputs.keys().cloned().collect::<Vec<_>>().join(",") + "\n";
        }
        let cell = |value: &Value| value.as_str().map_or(value.to_string(), str::to_owned);
        table.push_str(&(inputs.values().map(cell).collect::<Vec<_>>().join(",") + "\n"));
        expected.push(document["probability"].as_f64().unwrap());
        if expected.len() == 1 {
            fs::write(folder.path().join("row.json"), &out).unwrap();
            let (_, out, err) = python(&["m.json", "row.json", "--format", "json"]);
            let own: Value = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{err}"));
            for (name, theirs) in [
                ("low", &document["low"]),
                ("high", &document["high"]),
                ("distance", &document["sources"][0]["distance"]),
            ] {
                let (own, theirs) = (own[name].as_f64().unwrap(), theirs.as_f64().unwrap());
                assert!((own - theirs).abs() <= 1e-9 * (1.0 + theirs.abs()), "{name}: {own} {theirs}");
            }
        }
    }
    fs::write(folder.path().join("rows.csv"), table).unwrap();
    let (code, out, err) = python(&["m.json", "rows.csv"]);
    assert_eq!(code, Some(0), "{err}");
    let found: Vec<f64> = out.lines().map(|line| line.parse().unwrap()).collect();
    assert_eq!(found.len(), expected.len());
    for (own, theirs) in found.iter().zip(&expected) {
        assert!((own - theirs).abs() <= 1e-12, "{own} {theirs}");
    }
    let mut tampered = serde_json::to_value(&file).unwrap();
    tampered["combined"]["intercept"] = json!(9.0);
    fs::write(folder.path().join("t.json"), tampered.to_string()).unwrap();
    let (code, _, err) = python(&["t.json", "--check"]);
    assert!(code == Some(2) && err.contains("changed after it was written"), "{err}");
}

#[test]
fn a_model_whose_rad_score_is_the_lassos_travels() {
    let folder = tempfile::tempdir().unwrap();
    let people = hospital::people("A", 36, 1);
    let study = hospital::study(folder.path(), &people, hospital::protocol(&["learn.rad_score=lasso"]));
    hospital::split(&study, folder.path(), &people, |at, _| at % 4 != 3);
    study.fit(&Job::unwatched()).unwrap();
    let model = exported(&study);
    assert_eq!(model.file.version, 2);
    let combined = stored(&study, "combined");
    let radiomics = study.store().models().unwrap().into_iter().find(|model| model.name == "radiomics").unwrap();
    for person in &people {
        let id = study.store().patient(&person.code).unwrap().id;
        let (p, score) = applied(&model, folder.path(), person);
        let own = |one: &&osteon_study::store::Prediction| one.patient == id && one.origin == Origin::Fitted;
        let linear = radiomics.predictions.iter().find(own).unwrap().linear.unwrap();
        assert_eq!((p.to_bits(), score.to_bits()), (combined[&id].to_bits(), linear.to_bits()), "{}", person.code);
    }
    let checked = check::check(&model.file.to_text());
    assert!(checked.len() > 8 && checked.iter().all(|it| it.wrong.is_empty()), "{checked:?}");
    let document = serde_json::to_value(&model.file).unwrap();
    let path = osteon_testing::root().join("schemas/model-1.schema.json");
    let schema: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let mut wrong = Vec::new();
    valid(&schema, &schema, &document, "model", &mut wrong);
    assert!(wrong.is_empty(), "{wrong:#?}");
    // A file that hides its kind is refused.
    let mut other = document.clone();
    other["version"] = json!(1);
    other["sha256"] = json!(canonical::hash(&other));
    assert!(Model::read(&other.to_string()).unwrap_err().to_string().contains("version 1, expected 2"));
    // SHAP values add up, and the independent reader agrees to the last digits.
    let given = model.given(&people[4].assignments()).unwrap();
    let found =
        predict_files(&model, Some(&request(folder.path(), &people[4].code)), &given, &Job::unwatched()).unwrap();
    let source = &found.applied.sources[0];
    let sum: f64 = source.features.iter().map(|it| it.shap).sum();
    assert!((source.base + sum - found.applied.rad_score).abs() < 1e-12);
    if python() {
        fs::write(folder.path().join("m.json"), model.file.to_text()).unwrap();
        let reader = osteon_testing::root().join("references/apply_model.py");
        let mut command = std::process::Command::new("python3");
        let output = command.current_dir(folder.path()).arg(reader).args(["m.json", "--check"]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn an_unusual_patient_is_told_so() {
    let (folder, study, people) = fitted();
    let model = exported(&study);
    let ask = |assignments: &[&str]| {
        let words: Vec<String> = assignments.iter().map(|&it| it.to_owned()).collect();
        let given = model.given(&words).unwrap();
        predict_files(&model, Some(&request(folder.path(), &people[4].code)), &given, &Job::unwatched()).unwrap()
    };
    let usual = ask(&["alp=250", "pathological_fracture=no"]);
    assert!(!usual.applied.warnings.iter().any(|it| it.starts_with("alp")), "{:?}", usual.applied.warnings);
    let unusual = ask(&["alp=9000", "pathological_fracture=no"]);
    assert!(unusual.applied.warnings.iter().any(|it| it.starts_with("alp: 9000 is outside")));
    let source = &usual.applied.sources[0];
    let sum: f64 = source.features.iter().map(|it| it.shap).sum();
    assert!((source.base + sum - usual.applied.rad_score).abs() < 1e-12, "SHAP values add up to the score");
    let total: f64 = usual.applied.terms.iter().filter_map(|term| term.points).sum();
    let nomogram = model.file.nomogram.as_ref().unwrap();
    assert!((nomogram.probability(total) - usual.applied.probability).abs() < 1e-9, "points mean the probability");
    assert!(source.distance > 0.0 && usual.regions[0].1.voxels > 0);
}

#[test]
fn a_batch_has_a_row_for_each_patient_and_says_who_failed() {
    let (folder, study, people) = fitted();
    fs::write(folder.path().join("m.json"), study.export_model(None).unwrap().to_text()).unwrap();
    let row = |it: &Person| {
        let code = &it.code;
        format!("{code},images/{code}/image.nrrd,images/{code}/mask.nrrd,1,{},{}\n", it.alp, it.fracture_in_words())
    };
    let mut text = "ID,Image,Mask,Label,ALP (U/L),pathological_fracture\n".to_owned();
    text.extend(people.iter().take(3).map(row));
    text.push_str(
        "gone,images/none.nrrd,images/none.nrrd,1,200,no\nempty,images/A001/image.nrrd,images/A001/mask.nrrd,1,,no\n",
    );
    fs::write(folder.path().join("b.csv"), &text).unwrap();
    let (code, out, said) =
        run(folder.path(), &["--format", "json", "predict", "--model", "m.json", "--batch", "b.csv"]);
    assert_eq!(code, 1, "{said}");
    let rows: Value = serde_json::from_str(&out).unwrap();
    let combined = stored(&study, "combined");
    for (at, person) in people.iter().take(3).enumerate() {
        let id = study.store().patient(&person.code).unwrap().id;
        assert_eq!(rows[at]["probability"].as_f64().unwrap().to_bits(), combined[&id].to_bits());
        assert_eq!(rows[at]["patient"], person.code);
    }
    assert!(rows[3]["error"].is_string() && rows[4]["error"].as_str().unwrap().contains("alp"), "{rows:#}");
    assert!(said.contains("gone: ") && said.contains("empty: "), "{said}");
    let (code, out, _) = run(folder.path(), &["predict", "--model", "m.json", "--batch", "b.csv"]);
    assert!(code == 1 && out.contains("A001") && out.contains("research use only"), "{out}");
    fs::write(folder.path().join("b.csv"), text.replace("ALP (U/L)", "ALP (ukat/L)")).unwrap();
    let (code, _, said) = run(folder.path(), &["predict", "--model", "m.json", "--batch", "b.csv"]);
    assert!(code == 2 && said.contains("ukat/L") && said.contains("hint: convert"), "{said}");
    fs::write(folder.path().join("b.csv"), text.replace("ALP (U/L)", "something")).unwrap();
    let (code, _, said) = run(folder.path(), &["predict", "--model", "m.json", "--batch", "b.csv"]);
    assert!(code == 2 && said.contains("no column alp"), "{said}");
}

#[test]
fn a_patient_added_after_the_fit_is_predicted_at_extraction_and_not_learnt_from() {
    let (folder, study, _) = fitted();
    let model = exported(&study);
    let before = study.store().models().unwrap();
    let late = hospital::people("L", 2, 7);
    hospital::add(&study, folder.path(), &late);
    for person in &late {
        let page = study.predictions_sheet(&person.code).unwrap();
        let row = page.rows.iter().find(|row| row[0].text() == "combined").unwrap();
        assert!(row[3].text().contains("not used in learning"));
        let (p, score) = applied(&model, folder.path(), person);
        assert_eq!(row[1].numbers(), [p]);
        assert!(
            study
                .predict(Some(&person.code), &[])
                .unwrap()
                .rows
                .iter()
                .any(|row| row[1].numbers().first() == Some(&score))
        );
        assert_eq!(study.values_to_move(&person.code).unwrap().len(), 3);
    }
    assert_eq!(study.store().models().unwrap(), before, "the fit's own models stay as they are");
    assert_eq!(study.doubt().unwrap(), None);
    let verified = study.verify(None, &Job::unwatched()).unwrap();
    assert!(verified.findings.is_empty(), "{:?}", verified.findings);
    assert_eq!(study.export_model(None).unwrap(), model.file, "the model is the same");
}

#[test]
fn the_card_is_printed_as_text_markdown_and_html() {
    let (folder, study, _) = fitted();
    let (code, _, said) = run(folder.path(), &["model", "export", "-o", "m.json"]);
    assert_eq!(code, 0, "{said}");
    let run_id = study.store().newest_fit().unwrap().unwrap().0.to_string();
    assert_eq!(run(folder.path(), &["model", "export", "--run", &run_id, "-o", "m.json"]).0, 0);
    let (code, _, said) = run(folder.path(), &["model", "export", "--run", "9999", "-o", "m.json"]);
    assert!(code == 2 && said.contains("9999"), "{said}");
    for (format, words) in
        [("text", "Intended use\n---"), ("markdown", "## Intended use"), ("html", "<h2>Intended use</h2>")]
    {
        let (code, out, said) = run(folder.path(), &["--format", format, "model", "show", "m.json"]);
        assert_eq!(code, 0, "{said}");
        let told = ["Research use only", "Population", "Performance", "Limits", "External"];
        assert!(out.contains(words) && told.iter().all(|word| out.contains(word)), "{out}");
    }
    let (code, _, said) = run(folder.path(), &["model", "check", "m.json"]);
    assert!(code == 0 && said.contains("ok: SHA-256"), "{said}");
    let path: PathBuf = folder.path().join("m.json");
    let text = fs::read_to_string(&path).unwrap().replacen("\"n\":27", "\"n\":28", 1);
    fs::write(&path, text).unwrap();
    let (code, _, said) = run(folder.path(), &["model", "check", "m.json"]);
    assert!(code == 2 && said.contains("wrong: SHA-256") && said.contains("hint:"), "{said}");
}
