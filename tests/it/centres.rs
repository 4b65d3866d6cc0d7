//! Several centres: batch effects told, and each centre judged by models of the others.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use osteon_base::job::Job;
use osteon_study::store::{Access, PatientId};
use osteon_study::study::{BadRows, Study};

use crate::hospital::{self, Person};
use crate::support::run;

const CENTRE: [&str; 3] = [
    "variable.centre.kind=levels",
    "variable.centre.levels=[\"north\", \"south\", \"west\"]",
    "variable.centre.role=centre",
];

fn centre(at: usize) -> &'static str {
    ["north", "south", "west"][(at / 4) % 3]
}

/// 60 patients of three centres, half of each with the event.
fn three_centres(folder: &Path, further: &[&str]) -> (Study, Vec<Person>) {
    let people = hospital::people("A", 60, 3);
    let settings: Vec<&str> = CENTRE.iter().chain(further).copied().collect();
    let study = hospital::study(folder, &people, hospital::protocol(&settings));
    let mut text = "patient_id,centre\n".to_owned();
    people.iter().enumerate().for_each(|(at, it)| text.push_str(&format!("{},{}\n", it.code, centre(at))));
    fs::write(folder.join("centre.csv"), text).unwrap();
    study.import_clinical(&folder.join("centre.csv"), None, BadRows::Refuse).unwrap();
    hospital::split(&study, folder, &people, |at, _| at % 4 != 3);
    (study, people)
}

/// The combined model's probability of each patient when its centre was held out.
fn held_out(folder: &Path) -> BTreeMap<PatientId, f64> {
    let study = Study::open(&folder.join("study.db"), Access::Read).unwrap();
    let run = study.store().runs().unwrap().into_iter().find(|run| run.kind == "centres").unwrap();
    let models = study.store().models_of(run.id).unwrap();
    let combined = models.iter().find(|model| model.name == "combined").unwrap();
    combined.predictions.iter().map(|one| (one.patient, one.probability)).collect()
}

#[test]
fn each_centre_is_judged_by_models_of_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let (study, people) = three_centres(at, &[]);
    drop(study);
    let (code, _, said) = run(at, &["table", "centres"]);
    assert!(code == 2 && said.contains("osteon fit --leave-out VARIABLE"), "{said}");
    let (code, _, said) = run(at, &["fit", "--leave-out", "alp"]);
    assert!(code == 2 && said.contains("alp is a number"), "{said}");
    let (code, _, said) = run(at, &["fit", "--quiet", "--leave-out", "centre"]);
    assert_eq!(code, 0, "{said}");
    let (code, out, said) = run(at, &["--format", "csv", "table", "centres"]);
    assert_eq!(code, 0, "{said}");
    for name in ["north", "south", "west"] {
        assert!(out.lines().any(|line| line.starts_with(&format!("combined,{name},40,20,10,0,"))), "{out}");
    }
    assert!(out.lines().any(|line| line.starts_with("combined,AUC,3,")), "{out}");
    let first = held_out(at);
    assert_eq!(first.len(), 60);
    // Nobody's outcome has a part in his own centre's predictions.
    let mut text = "patient_id,necrosis_pct\n".to_owned();
    for (at, it) in people.iter().enumerate().filter(|(at, _)| centre(*at) == "west") {
        text.push_str(&format!("{},{}\n", it.code, if it.event() { 95.0 } else { 40.0 + at as f64 / 10.0 }));
    }
    fs::write(at.join("other.csv"), text).unwrap();
    let (code, _, said) = run(at, &["import", "clinical", "other.csv", "--reason", "a test"]);
    assert_eq!(code, 0, "{said}");
    let (_, out, _) = run(at, &["table", "centres"]);
    assert!(out.contains("Out of date"), "{out}");
    assert_eq!(run(at, &["fit", "--quiet", "--leave-out", "centre"]).0, 0);
    let again = held_out(at);
    let study = Study::open(&at.join("study.db"), Access::Read).unwrap();
    let mut others = 0;
    for (place, it) in people.iter().enumerate() {
        let id = study.store().patient(&it.code).unwrap().id;
        match centre(place) {
            "west" => assert_eq!(first[&id].to_bits(), again[&id].to_bits(), "{}", it.code),
            _ => others += usize::from(first[&id] != again[&id]),
        }
    }
    assert!(others > 20, "the other centres' models learnt from the changed outcomes");
}

#[test]
fn a_held_out_centre_that_is_a_batch_is_estimated_and_effects_of_batches_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let (study, _) = three_centres(at, &["learn.harmonise=combat", "learn.batch=centre"]);
    let report = study.fit_centres("centre", &Job::unwatched()).unwrap();
    let said = report.notes.join("\n");
    let own = "west held out: west: batch estimated from the features of its own 20 patients, without their outcomes";
    assert!(said.contains(own), "{said}");
    assert_eq!(report.n, 60);
    drop(study);
    let (code, out, said) = run(at, &["--format", "csv", "table", "batch"]);
    assert_eq!(code, 0, "{said}");
    for start in [
        "intra,training,\"north (15), south (15), west (15)\",as measured",
        "intra,test,\"north (5), south (5), west (5)\",harmonized",
    ] {
        assert!(out.lines().any(|line| line.starts_with(start)), "{start}: {out}");
    }
    let (code, _, said) = run(at, &["figure", "batch", "--region", "peri_2mm", "-o", "batch.svg"]);
    assert_eq!(code, 0, "{said}");
    let numbers = fs::read_to_string(at.join("batch.numbers.csv")).unwrap();
    assert_eq!(numbers.lines().filter(|line| line.contains("Harmonized")).count(), 45);
    assert!(!numbers.contains("A001"), "numbers name patients");
    let (code, _, said) = run(at, &["report", "-o", "r"]);
    assert_eq!(code, 0, "{said}");
    let page = fs::read_to_string(at.join("r/report.html")).unwrap();
    for heading in ["Batch effects", "Leave-one-centre-out validation", "Riley"] {
        assert!(page.contains(heading), "{heading}");
    }
}
