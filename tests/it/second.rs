//! A second study, of another hospital: two centres, three sequences before and after treatment, several lesions and
//! raters, a longitudinal export and an outcome in its own words, from files to report.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};
use std::path::Path;

use osteon_base::job::Job;
use osteon_base::seed::Seed;
use osteon_study::model::check;
use osteon_study::model::read::Model;
use osteon_study::protocol::Protocol;
use osteon_study::report::sheet::Sheet;
use osteon_study::store::{Origin, Place, Role, Store};
use osteon_study::study::{BadRows, ClinicalTable, ExtractRequest, FigureName, FigureRequest, ModelTable, Study, Who};
use osteon_testing::fixture;

fn text(sheet: &Sheet) -> String {
    format!("{sheet:?}")
}

pub fn unpack(folder: &Path) {
    let bytes = std::fs::read(fixture("second/images.zip")).unwrap();
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    for at in 0..archive.len() {
        let mut file = archive.by_index(at).unwrap();
        let path = folder.join(file.enclosed_name().unwrap());
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
}

/// The export as one row a patient.
pub fn wide(folder: &Path) -> std::path::PathBuf {
    let text = std::fs::read_to_string(fixture("second/redcap.csv")).unwrap();
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().unwrap().split(';').collect();
    let mut patients: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in lines {
        let line = line.replace("\"MRT wiederholt; Bewegung\"", "MRT wiederholt");
        let cells: Vec<String> = line.split(';').map(str::to_owned).collect();
        if cells[1].starts_with("nach") {
            continue;
        }
        match patients.get_mut(&cells[0]) {
            None => drop(patients.insert(cells[0].clone(), cells)),
            Some(own) => {
                own.iter_mut().zip(cells).filter(|(own, _)| own.is_empty()).for_each(|(own, cell)| *own = cell)
            }
        }
    }
    let header = header.join(";").replace("studien_id", "patient_id").replace("redcap_data_access_group", "zentrum");
    let header = header.replace("redcap_event_name", "ereignis").replace("redcap_repeat_", "wiederholung_");
    let mut out = header + "\n";
    patients.values().for_each(|cells| out.push_str(&(cells.join(";") + "\n")));
    let path = folder.join("wide.csv");
    std::fs::write(&path, out).unwrap();
    path
}

/// The study with its clinical values and images.
pub fn study(folder: &Path, settings: &[&str]) -> Study {
    let protocol = Protocol::parse(&std::fs::read_to_string(fixture("second/protocol.toml")).unwrap()).unwrap();
    let protocol = protocol.set(settings.iter().copied()).unwrap();
    let study = Study::create(&folder.join("study.db"), "The second study", protocol).unwrap();
    let [file, map] = ["second/redcap.csv", "second/map.toml"].map(fixture);
    let imported = study.import_clinical(&file, Some(&map), BadRows::Refuse).unwrap();
    assert_eq!((imported.refused.as_slice(), imported.added.len()), (&[][..], 40));
    let images = folder.join("images");
    unpack(&images);
    let linked = study.import_images(&images, BadRows::Refuse).unwrap();
    assert_eq!((linked.refused.as_slice(), linked.patients), (&[][..], 40), "{:?}", linked.left_out);
    // Six images a patient; a mask before and after, a second lesion of eight, a second rater of fifteen.
    assert_eq!(linked.linked, 40 * 6 + 40 * 2 + 8 * 2 + 15);
    study
}

fn states(store: &Store) -> BTreeMap<(String, String, String), usize> {
    let mut counts = BTreeMap::new();
    for state in store.region_states().unwrap() {
        assert_eq!(state.error, None, "{}", state.place);
        let Place { slot, lesion, rater, .. } = state.place;
        *counts.entry((slot, lesion, rater.name().to_owned())).or_insert(0) += 1;
    }
    counts
}

#[test]
fn a_study_of_other_images_variables_and_words_goes_from_files_to_a_report() {
    let folder = tempfile::tempdir().unwrap();
    let study = study(folder.path(), &[]);
    let report = study.extract(&ExtractRequest::default(), &Job::unwatched()).unwrap();
    assert_eq!((report.failures.as_slice(), report.done), (&[][..], 40));
    let counts = states(study.store());
    let of = |slot: &str, lesion: &str, rater: &str| counts[&(slot.to_owned(), lesion.to_owned(), rater.to_owned())];
    for slot in ["t1_pre", "t2_pre", "adc_pre", "t1_post", "t2_post", "adc_post"] {
        assert_eq!((of(slot, "1", "mask"), of(slot, "2", "mask")), (40 * 3, 8 * 3), "{slot}");
    }
    assert_eq!(of("t2_pre", "1", "kb"), 15 * 3);
    // A new variable, a label or a setting of one slot measures nothing else again.
    let other =
        study.protocol.clone().set(["variable.bmi.label=Body mass index", "image.adc_post.preprocess.bin_width=40.0"]);
    study.use_protocol(other.unwrap(), "a label and one slot").unwrap();
    drop(study);
    let study = Study::open(&folder.path().join("study.db"), osteon_study::store::Access::Write).unwrap();
    let before: BTreeMap<_, _> =
        study.store().region_states().unwrap().into_iter().map(|it| ((it.patient, it.place), it.run)).collect();
    study.extract(&ExtractRequest::default(), &Job::unwatched()).unwrap();
    for state in study.store().region_states().unwrap() {
        let is_same = before[&(state.patient, state.place.clone())] == state.run;
        assert_eq!(is_same, state.place.slot != "adc_post", "{}", state.place);
    }
    study.draw_split(Seed(5), 0.75).unwrap();
    let fitted = study.fit(&Job::unwatched()).unwrap();
    let names: Vec<&str> = fitted.regions.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["t2_pre.intra", "t2_pre.intra_peri_3mm", "adc_pre.intra", "adc_post-adc_pre.intra"]);
    assert!(fitted.regions.iter().all(|(_, model)| model.is_ok()), "{:?}", fitted.regions);
    assert_eq!(fitted.n_left_out, 2, "two have no outcome");
    let table = text(&study.model_table(ModelTable::Three).unwrap());
    assert!(names.iter().all(|name| table.contains(name.split('.').next().unwrap())), "{table}");
    for table in [ClinicalTable::One, ClinicalTable::Two, ClinicalTable::Four] {
        study.clinical_table(table, &study.protocol).unwrap();
    }
    // Selection frequencies take more resamples than this fit has.
    for (name, ..) in FigureName::ALL.into_iter().filter(|(name, ..)| *name != FigureName::Selection) {
        let patient = (name == FigureName::Waterfall).then(|| "S001".to_owned());
        let request = FigureRequest { patient, ..FigureRequest::new(name, 180.0) };
        let svg = study.figure(&request).unwrap_or_else(|cause| panic!("{name:?}: {cause}")).svg();
        assert!(!svg.contains("pGR") && !svg.contains("ALP"), "{name:?}");
    }
    for (name, ..) in FigureName::TIMED {
        let svg =
            study.figure(&FigureRequest::new(name, 180.0)).unwrap_or_else(|cause| panic!("{name:?}: {cause}")).svg();
        assert!(svg.contains("risk"), "{name:?}");
    }
    let page = format!("{:?}", study.report(None).unwrap());
    for word in [
        "Time to event",
        "os: death over months",
        "rezidiv: relapse over months",
        "Hazard ratios, os",
        "osteon fit --outcome os",
    ] {
        assert!(page.contains(word), "the report does not speak of {word}");
    }
    for word in ["pGR", "ecrosis", "ALP", "ractur", "steosarcom", "repeat mask"] {
        let at = page.find(word).map(|at| page[at.saturating_sub(200)..(at + 200).min(page.len())].to_owned());
        assert_eq!(at, None, "the report speaks of {word}");
    }
    assert!(page.contains("poor regression"));
    travels(&study, folder.path());
    assert_eq!(study.verify(None, &Job::unwatched()).unwrap().findings, Vec::<String>::new());
}

/// The rows of Table 5 but those of a validation.
fn own_rows(study: &Study) -> String {
    let mut sheet = study.model_table(ModelTable::Five).unwrap();
    sheet.rows.retain(|row| row[0].text() != "others");
    format!("{:?}", sheet.rows)
}

/// The newest fit as a file gives its test patients what the study stored, holds together, and other readers agree.
fn travels(study: &Study, folder: &Path) {
    let text = study.export_model(None).unwrap().to_text();
    let wrong: Vec<String> = check::check(&text).into_iter().flat_map(|it| it.wrong).collect();
    assert_eq!(wrong, Vec::<String>::new());
    let who = Who { name: Some("others".to_owned()), ..Who::default() };
    study.validate(&[Model::read(&text).unwrap()], &who, &Job::unwatched()).unwrap();
    let record: serde_json::Value =
        serde_json::from_str(&study.store().validations().unwrap().last().unwrap().document).unwrap();
    let models = study.store().models().unwrap();
    for scores in record["scores"].as_array().unwrap() {
        let model = models.iter().find(|model| scores[0] == model.name).unwrap();
        for (code, p) in record["patients"].as_array().unwrap().iter().zip(scores[1].as_array().unwrap()) {
            let id = study.store().patient(code.as_str().unwrap()).unwrap().id;
            let own = model.predictions.iter().find(|one| one.patient == id && one.origin == Origin::Fitted);
            let own = own.map(|one| one.probability.to_bits());
            assert_eq!(own, p.as_f64().map(f64::to_bits), "{} of {code}", model.name);
        }
    }
    std::fs::write(folder.join("model.json"), text).unwrap();
    if crate::model_file::python() {
        let reader = osteon_testing::root().join("references/apply_model.py");
        let mut command = std::process::Command::new("python3");
        let output = command.current_dir(folder).arg(reader).args(["model.json", "--check"]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn sources_are_joined_early_or_late_and_lesions_as_one() {
    let folder = tempfile::tempdir().unwrap();
    let study = study(folder.path(), &["learn.lesions=all", "learn.fusion=early", "learn.rater=mask"]);
    study.extract(&ExtractRequest::default(), &Job::unwatched()).unwrap();
    let counts = states(study.store());
    assert_eq!(counts[&("t2_pre".to_owned(), "all".to_owned(), "mask".to_owned())], 8 * 3);
    let volumes = study.store().lesion_volumes("t2_pre", &Role::Mask).unwrap();
    let patient = study.store().patient("S005").unwrap().id;
    let own: Vec<f64> = volumes.iter().filter(|(of, ..)| *of == patient).map(|(.., volume)| *volume).collect();
    assert_eq!(own.len(), 3);
    assert!((own[0] + own[1] - own[2]).abs() < 1e-9, "the lesions do not touch: {own:?}");
    study.draw_split(Seed(5), 0.75).unwrap();
    let fitted = study.fit(&Job::unwatched()).unwrap();
    assert_eq!(fitted.best_region, "all_sources");
    let names = |study: &Study| -> Vec<String> {
        let models = study.store().models().unwrap();
        let fused = models.iter().find(|model| model.name == "all_sources").unwrap();
        let recipe: serde_json::Value = serde_json::from_str(&fused.recipe).unwrap();
        recipe["features"].as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect()
    };
    assert!(names(&study).iter().all(|name| name.contains(".intra") && name.matches('.').count() == 2));
    let early = own_rows(&study);
    travels(&study, folder.path());
    let late = study.protocol.clone().set(["learn.fusion=late"]).unwrap();
    study.use_protocol(late, "late").unwrap();
    drop(study);
    let study = Study::open(&folder.path().join("study.db"), osteon_study::store::Access::Write).unwrap();
    study.fit(&Job::unwatched()).unwrap();
    assert_ne!(own_rows(&study), early);
    let models = study.store().models().unwrap();
    let radiomics = models.iter().find(|model| model.name == "radiomics").unwrap();
    assert!(radiomics.recipe.contains("\"fusion\"") && radiomics.recipe.contains("adc_post-adc_pre.intra"));
    assert!(study.predict(Some("S001"), &[]).is_ok());
    travels(&study, folder.path());
}

#[test]
fn masks_have_no_place_on_an_image_of_another_space_unless_somebody_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let study = study(folder.path(), &["image.adc_pre.registered=false"]);
    let request = ExtractRequest { codes: vec!["S001".to_owned()], force: false };
    let report = study.extract(&request, &Job::unwatched()).unwrap();
    assert_eq!(report.failures.len(), 6, "{:?}", report.failures);
    let said = &report.failures[0].reason;
    assert!(said.contains("image.adc_pre.registered = true"), "{said}");
    let checks = study.store().region_checks().unwrap();
    let (.., check) = checks.iter().find(|(_, place, _)| place.slot == "adc_post").unwrap();
    let told = check.reading.sentences().join("; ");
    assert!(told.contains("mask drawn on t2_post, declared registered"), "{told}");
}

#[test]
fn follow_up_gives_curves_incidence_and_hazards() {
    let folder = tempfile::tempdir().unwrap();
    drop(study(folder.path(), &[]));
    let run = |arguments: &[&str]| {
        let run = crate::support::osteon(folder.path(), arguments);
        (
            run.status.code(),
            String::from_utf8_lossy(&run.stdout).into_owned(),
            String::from_utf8_lossy(&run.stderr).into_owned(),
        )
    };
    let json = |arguments: &[&str]| -> serde_json::Value {
        let (code, out, err) = run(&[arguments, &["--format", "json"]].concat());
        assert_eq!(code, Some(0), "{err}");
        serde_json::from_str(&out).unwrap()
    };
    let curves = json(&["km", "--outcome", "os", "--by", "geschlecht"]);
    let n: u64 = curves["groups"].as_array().unwrap().iter().map(|group| group["n"].as_u64().unwrap()).sum();
    assert_eq!(n, 38, "two were never operated on");
    assert!(curves["notes"].to_string().contains("time begins at op_datum"), "{}", curves["notes"]);
    assert!(curves["tests"][0]["p"].is_number());
    let relapse = json(&["km", "--outcome", "rezidiv", "--by", "zentrum"]);
    assert!(relapse["gray"]["p"].is_number() && relapse["groups"][0]["incidence"]["curve"].is_array());
    assert!(
        relapse["groups"][0]["curve"].as_array().unwrap().iter().all(|step| step["time"].as_f64().unwrap() <= 48.0)
    );
    let (code, out, err) = run(&["survival", "--outcome", "os", "--terms", "alter,crp_mgl"]);
    assert_eq!(code, Some(0), "{err}");
    assert!(
        out.contains("Table 4. Hazard ratios, os: death over months") && out.contains("proportional hazards"),
        "{out}"
    );
    let (code, _, err) = run(&["survival", "--terms", "alter"]);
    assert!(code == Some(2) && err.contains("--outcome: expected one of os, rezidiv"), "{err}");
    let (code, _, err) = run(&["survival", "--outcome", "os", "--terms", "status"]);
    assert!(code == Some(2) && err.contains("status is measured at follow-up, after time begins at surgery"), "{err}");
    let (code, _, err) = run(&["--blind", "km", "--outcome", "os"]);
    assert!(code == Some(2) && err.contains("hidden from a blind reader"), "{err}");
}

#[test]
fn a_map_of_diffusion_in_another_unit_is_told_when_it_is_linked() {
    let folder = tempfile::tempdir().unwrap();
    let text = std::fs::read_to_string(fixture("second/protocol.toml")).unwrap();
    let images = folder.path().join("images");
    unpack(&images);
    let warned = |text: &str, name: &str| {
        let study = Study::create(&folder.path().join(name), "S", Protocol::parse(text).unwrap()).unwrap();
        let [file, map] = ["second/redcap.csv", "second/map.toml"].map(fixture);
        study.import_clinical(&file, Some(&map), BadRows::Refuse).unwrap();
        study.import_images(&images, BadRows::Refuse).unwrap().warnings
    };
    let no_diffusion = |lines: &[String]| lines.iter().filter(|line| line.contains("no diffusion of water")).count();
    assert_eq!(no_diffusion(&warned(&text, "right.db")), 0);
    // Two maps a patient.
    let other = warned(&text.replace("unit = \"1e-6 mm2/s\"", "unit = \"1e-3 mm2/s\""), "other.db");
    assert_eq!(no_diffusion(&other), 80, "{other:?}");
    assert!(other.iter().any(|line| line.contains("adc_pre") && line.ends_with("it would be one in 1e-6 mm2/s")));
}
