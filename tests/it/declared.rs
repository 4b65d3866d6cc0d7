//! A study with variables and an outcome of its own: they are found in every place that shows, tests or stores a value.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use osteon_base::job::Job;
use osteon_base::seed::Seed;
use osteon_study::protocol::codebook::Value;
use osteon_study::protocol::{Preset, Protocol};
use osteon_study::report::sheet::{Cell, Sheet};
use osteon_study::store::{Access, ChangeFilter};
use osteon_study::study::{
    BadRows, ClinicalTable, Edit, ExportOptions, FigureName, FigureRequest, ModelTable, Study, View,
};
use rusqlite::Connection;
use tempfile::TempDir;

const PROTOCOL: &str = r#"
codebook = "none"

[[variable]]
name = "crp"
label = "CRP"
unit = "mg/L"
possible = ">= 0, <= 1000"
usual = [0, 200]
detection = "half"
missing = ["-9: not done"]

[[variable]]
name = "stage"
label = "Enneking stage"
levels = ["IIA", "IIB", "III"]
ordered = true
reference = "IIB"

[[variable]]
name = "centre"
label = "Centre"
role = "centre"
levels = ["north", "south"]

[[variable]]
name = "birth"
kind = "date"
identifier = true

[[variable]]
name = "mri"
label = "MRI"
kind = "date"

[[variable]]
name = "age"
label = "Age"
unit = "years"
formula = "years(birth, mri)"

[[variable]]
name = "remark"
kind = "text"

[[variable]]
name = "viable_pct"
label = "Viable tumour"
unit = "%"
role = "outcome"
moment = "surgery"
possible = [0, 100]

[outcome]
name = "poor_response"
event = "viable_pct > 10"
event_label = "poor"
other_label = "good"

[query]
inconsistent = ["crp: crp > 100 and stage = IIA"]
"#;

/// Forty patients whose C-reactive protein tells the outcome a little.
fn clinical() -> String {
    let mut text = "patient_id;CRP, mg/L;stage;centre;birth;mri;remark;viable_pct\n".to_owned();
    for at in 0..40_u32 {
        let crp = match at {
            3 => "-9".to_owned(),
            4 => "< 5".to_owned(),
            5 => "150".to_owned(),
            _ => format!("{},5", (at * 37) % 61 + 1),
        };
        let stage = ["IIA", "IIB", "III"][(at as usize * 7 + 1) % 3];
        let centre = if at % 2 == 0 { "north" } else { "south" };
        let viable = if at == 9 { String::new() } else { ((at * 37) % 61 / 3 + (at * 13) % 7).to_string() };
        let remark = if at == 0 { "seen by Dr Example" } else { "" };
        let (year, day) = (2000 + at % 10, at % 28 + 1);
        writeln!(text, "H-{at:02};{crp};{stage};{centre};{year}-03-{day:02};2018-03-01;{remark};{viable}").unwrap();
    }
    text
}

fn study() -> (TempDir, PathBuf, Study) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("study.db");
    let study = Study::create(&path, "Another study (synthetic)", Protocol::parse(PROTOCOL).unwrap()).unwrap();
    let file = folder.path().join("clinical.csv");
    std::fs::write(&file, clinical()).unwrap();
    let report = study.import_clinical(&file, None, BadRows::Refuse).unwrap();
    assert_eq!((report.refused.len(), report.added.len()), (0, 40), "{:?}", report.notes);
    (folder, path, study)
}

fn text(sheet: &Sheet) -> String {
    let rows = sheet.rows.iter().map(|row| row.iter().map(|cell| cell.text()).collect::<Vec<_>>().join(" | "));
    [vec![sheet.title.clone(), sheet.headings.join(" | ")], rows.collect(), sheet.notes.clone()].concat().join("\n")
}

#[test]
fn a_declared_variable_of_each_kind_is_imported_computed_edited_filtered_and_asked_about() {
    let (_folder, path, study) = study();
    let patient = |code: &str| study.store().patient(code).unwrap();
    assert_eq!(patient("H-04").entry("crp"), Some(&Value::Number(2.5)), "half of the limit of detection");
    assert_eq!(patient("H-03").entry("crp"), None);
    assert!(text(&study.patient_sheet("H-03").unwrap()).contains("CRP, mg/L | missing: not done"));
    let age = patient("H-00").entry("age").and_then(Value::number).unwrap();
    assert!((age - 18.0).abs() < 0.01, "{age}");
    assert_eq!((patient("H-00").side(), patient("H-09").side()), ("good", ""));

    let edit = |field: &str, value: &str| {
        let edit = Edit { field: field.to_owned(), value: value.to_owned() };
        study.edit("H-00", &[edit], "corrected", None).map_err(|why| why.in_full())
    };
    edit("birth", "1998-03-01").unwrap();
    let age = patient("H-00").entry("age").and_then(Value::number).unwrap();
    assert!((age - 20.0).abs() < 0.01, "a formula follows what it reads: {age}");
    assert!(edit("age", "3").unwrap_err().contains("computed (years(birth, mri)) and never typed"));
    assert!(edit("stage", "IV").unwrap_err().contains("IIA or IIB or III"));
    assert!(edit("alp", "3").unwrap_err().contains("crp, stage, centre"));
    study.undo("H-00", "was right", None).unwrap();
    assert_eq!(study.variables_sheet("H-00").unwrap().rows[3][1].text(), "2000-03-01");

    let sheet = study.filtered_patients_sheet("crp > 100 and stage is not missing").unwrap();
    assert_eq!(sheet.rows.len(), 1, "{}", text(&sheet));
    let queries = text(&study.queries_sheet(false).unwrap());
    assert!(queries.contains("H-09 | viable_pct | open | no value"), "{queries}");
    assert!(!queries.contains("H-03 | crp"), "a value with a reason to be missing is no question: {queries}");
    assert!(!queries.contains("| age |"), "{queries}");

    let file = Connection::open(path).unwrap();
    let sql = "SELECT id, crp, age, response, event FROM cohort WHERE stage = 'III' AND event = 1";
    let mut statement = file.prepare(sql).unwrap();
    let found: Vec<(String, String)> =
        statement.query_map([], |row| Ok((row.get(0)?, row.get(3)?))).unwrap().map(Result::unwrap).collect();
    assert!(!found.is_empty() && found.iter().all(|(_, side)| side == "poor"), "{found:?}");
    assert_eq!(study.verify(None, &Job::unwatched()).unwrap().findings, Vec::<String>::new());
}

#[test]
fn tables_methods_and_splits_speak_of_the_declared_outcome_and_variables() {
    let (_folder, _path, study) = study();
    study.draw_split(Seed(3), 0.7).unwrap();
    let table = |which| text(&study.clinical_table(which, &study.protocol).unwrap().0);
    let one = table(ClinicalTable::One);
    for said in ["good (n = ", "poor (n = ", "CRP, mg/L", "Enneking stage", "Age, years", "Centre"] {
        assert!(one.contains(said), "{said}: {one}");
    }
    let two = table(ClinicalTable::Two);
    assert!(two.contains("Training: good (n = ") && two.contains("Enneking stage"), "{two}");
    let four = table(ClinicalTable::Four);
    assert!(four.contains("Logistic regression of poor") && four.contains("Enneking stage (against IIB)"), "{four}");
    assert!(!four.contains("Centre"), "a centre is no predictor: {four}");
    let page = format!("{:?}", study.report(None).unwrap());
    assert!(page.contains("Viable tumour above 10 % (poor) was the event"), "{page}");
    assert!(page.contains("The outcome of 1 included patient was unknown: viable_pct is missing (1)."), "{page}");
    for (what, text) in [("table 1", &one), ("table 2", &two), ("table 4", &four), ("report", &page)] {
        for word in ["pGR", "ecrosis", "ALP", "fracture"] {
            assert!(!text.contains(word), "{what} speaks of {word}: {text}");
        }
    }
    assert!(text(&study.split_sheet().unwrap()).contains("CRP, mg/L"));
}

#[test]
fn an_odds_ratio_is_for_the_increase_that_the_variable_declares() {
    let lines = |per: &str| {
        let folder = tempfile::tempdir().unwrap();
        let text = format!("[variable.alp]\nper = \"{per}\"\n");
        let protocol = Preset::Study.protocol().under(text.parse().unwrap()).unwrap();
        let study = Study::create(&folder.path().join("study.db"), "A study", protocol).unwrap();
        study.import_clinical(&osteon_testing::fixture("cohort.csv"), None, BadRows::Refuse).unwrap();
        study.draw_split(Seed(4), 0.8).unwrap();
        let sheet = study.clinical_table(ClinicalTable::Four, &study.protocol).unwrap().0;
        let row = sheet.rows.iter().find(|row| row[0].text().starts_with("ALP")).unwrap().clone();
        let forest = study.figure(&FigureRequest::new(FigureName::Forest, 180.0)).unwrap().csv();
        let own = forest.lines().find(|line| line.starts_with("\"ALP") || line.starts_with("ALP")).unwrap().to_owned();
        (row, own)
    };
    let number = |row: &[Cell]| match row[1] {
        Cell::Interval { estimate, low, high, .. } => [estimate, low, high],
        _ => panic!("{row:?}"),
    };
    let ((unit, _), (iqr, forest)) = (lines("unit"), lines("iqr"));
    let name = iqr[0].text();
    let by: f64 = name.split("per ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
    assert!(name.ends_with("U/L (interquartile range)") && by > 20.0, "{name}");
    for (one, many) in number(&unit).into_iter().zip(number(&iqr)) {
        // The row states the range to a whole number.
        let [low, high] = [by - 0.5, by + 0.5].map(|by| one.powf(by));
        assert!(low.min(high) <= many && many <= low.max(high), "{one} {by} {many}");
    }
    assert_eq!(unit[5..8], iqr[5..8], "the model is the same");
    assert!(forest.contains("interquartile range"), "{forest}");
    let (doubling, _) = lines("doubling");
    assert!(doubling[0].text().contains("per doubling of the median ("), "{doubling:?}");
}

#[test]
fn what_a_declared_outcome_depends_on_is_hidden_from_a_blind_reader() {
    let (folder, path, study) = study();
    drop(study);
    let study = Study::open(&path, Access::Write).unwrap().seen(View::Blind);
    let out = folder.path().join("out");
    study.export(&out, ExportOptions::default()).unwrap();
    let shown = [
        text(&study.patients_sheet().unwrap()),
        text(&study.patient_sheet("H-01").unwrap()),
        text(&study.queries_sheet(true).unwrap()),
        text(&study.trail_sheet(&ChangeFilter { row: "H-01".to_owned(), ..ChangeFilter::default() }).unwrap()),
        std::fs::read_to_string(out.join("patients.csv")).unwrap(),
    ];
    for shown in &shown {
        assert!(!shown.contains("poor") && !shown.contains("good"), "{shown}");
    }
    assert!(!shown[0].contains("viable_pct") && !shown[4].contains("viable_pct"));
    assert!(shown[3].contains("(hidden)") && shown[3].contains("crp"), "{}", shown[3]);
    assert!(study.clinical_table(ClinicalTable::One, &study.protocol).is_err());
    let edit = Edit { field: "viable_pct".to_owned(), value: "50".to_owned() };
    study.edit("H-01", &[edit], "from the pathologist", None).expect("what may not be read may be entered");
}

#[test]
fn an_export_without_identities_has_no_text_no_identifier_and_other_dates() {
    let (folder, _path, study) = study();
    let read = |name: &str, options: ExportOptions| {
        let to = folder.path().join(name);
        study.export(&to, options).unwrap();
        std::fs::read_to_string(to.join("patients.csv")).unwrap()
    };
    let plain = read("plain", ExportOptions::default());
    assert!(plain.contains("seen by Dr Example") && plain.contains("2018-03-01"), "{plain}");
    let hidden = read("hidden", ExportOptions { deidentify: true, ..ExportOptions::default() });
    for word in ["H-0", "Dr Example", "birth", "remark"] {
        assert!(!hidden.contains(word), "{word}: {hidden}");
    }
    let header = hidden.lines().next().unwrap();
    assert!(header.contains("mri") && header.contains("age"), "{header}");
    let moved = hidden.lines().skip(1).filter(|line| !line.contains("2018-03-01")).count();
    assert!(moved > 30, "dates are moved: {hidden}");
}

#[test]
fn a_codebook_changes_key_by_key_in_the_trail_and_loses_no_value() {
    let (_folder, path, study) = study();
    let with = |set: &[&str]| study.protocol.clone().set(set.iter().copied()).unwrap();
    let alone = study.protocol.clone().set(["variable.crp.name=c_reactive_protein"]).unwrap_err().to_string();
    assert!(alone.contains("the nearest variable is c_reactive_protein"), "a rule names the variable: {alone}");
    let wanted = with(&[
        "variable.crp.name=c_reactive_protein",
        "variable.crp.possible=>= 0, <= 2000",
        "query.inconsistent=[\"c_reactive_protein: c_reactive_protein > 100 and stage = IIA\"]",
    ]);
    study.use_protocol(wanted, "a wider range, a longer name").unwrap();
    drop(study);
    let study = Study::open(&path, Access::Write).unwrap();
    let found = study.store().patient("H-05").unwrap();
    assert_eq!(found.entry("c_reactive_protein"), Some(&Value::Number(150.0)), "the value came along");
    let trail = text(&study.trail_sheet(&ChangeFilter { row: "crp".to_owned(), ..ChangeFilter::default() }).unwrap());
    assert!(trail.contains("variable | crp | possible | >= 0, <= 1000 | >= 0, <= 2000"), "{trail}");
    assert!(trail.contains("variable | crp | name | crp | c_reactive_protein"), "{trail}");
    assert_eq!(study.verify(None, &Job::unwatched()).unwrap().findings, Vec::<String>::new());

    let with = |set: &[&str]| study.protocol.clone().set(set.iter().copied()).unwrap();
    let refused = |protocol: Protocol| study.use_protocol(protocol, "try").unwrap_err().in_full();
    let narrower = refused(with(&["variable.c_reactive_protein.possible=>= 0, <= 100"]));
    assert!(
        narrower.contains("a stored number would not be possible")
            && narrower.contains("H-05")
            && !narrower.contains("150"),
        "{narrower}"
    );
    let levels = with(&["variable.stage.levels=[\"IIA\", \"IIB\"]"]);
    assert!(refused(levels).contains("the level III would be gone"));
    let moment = with(&["variable.remark.moment=follow-up"]);
    assert!(refused(moment).contains("would be known at follow-up"));
    study.use_protocol(with(&["variable.remark.drop=true"]), "no longer asked for").unwrap();
    assert_eq!(study.verify(None, &Job::unwatched()).unwrap().findings, Vec::<String>::new());
    let kept: i64 = Connection::open(&path)
        .unwrap()
        .query_row("SELECT count(*) FROM clinical WHERE word LIKE 'seen by%'", [], |row| row.get(0))
        .unwrap();
    assert_eq!(kept, 1, "what a study no longer asks for is kept");
    drop(study);

    let study = Study::open(&path, Access::Write).unwrap();
    study.lock("analysis").unwrap();
    let outcome = study.protocol.clone().set(["outcome.poor_response.event=viable_pct > 20"]).unwrap();
    assert!(study.use_protocol(outcome.clone(), "late").unwrap_err().in_full().contains("the study is locked"));
    study.unlock("another outcome").unwrap();
    study.use_protocol(outcome, "agreed with the pathologist").unwrap();
    drop(study);
    let study = Study::open(Path::new(&path), Access::Read).unwrap();
    let events = study.store().patients().unwrap().iter().filter(|patient| patient.event == Some(true)).count();
    let expected = clinical()
        .lines()
        .skip(1)
        .filter(|line| line.rsplit(';').next().unwrap().parse::<f64>().is_ok_and(|viable| viable > 20.0))
        .count();
    assert_eq!(events, expected);
    assert_eq!(study.verify(None, &Job::unwatched()).unwrap().findings, Vec::<String>::new());
}

#[test]
fn a_codebook_is_proposed_shown_exported_imported_and_templated_by_the_command_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("clinical.csv"), clinical()).unwrap();
    let ok = |arguments: &[&str]| {
        let (code, out, err) = crate::support::run(folder.path(), arguments);
        assert_eq!(code, 0, "{arguments:?}: {out}{err}");
        format!("{out}{err}")
    };
    let said = ok(&["init", "--from", "clinical.csv"]);
    assert!(said.contains("study.toml: 7 variables proposed"), "{said}");
    let proposed = std::fs::read_to_string(path("study.toml")).unwrap();
    assert!(proposed.contains("unit = \"mg/L\"") && proposed.contains("kind = \"date\""), "{proposed}");
    let (code, _, err) = crate::support::run(folder.path(), &["init", "--from", "clinical.csv"]);
    assert!(code != 0 && err.contains("is there already"), "{err}");
    ok(&["init", "--protocol", "study.toml"]);
    ok(&["import", "clinical", "clinical.csv"]);
    let (code, _, err) = crate::support::run(folder.path(), &["table", "1"]);
    assert!(code != 0 && err.contains("declares no outcome"), "{err}");

    std::fs::write(path("declared.toml"), PROTOCOL).unwrap();
    ok(&["--study", "two.db", "init", "--protocol", "declared.toml"]);
    let shown = ok(&["--study", "two.db", "codebook"]);
    assert!(shown.contains("years(birth, mri)") && shown.contains("poor if viable_pct > 10"), "{shown}");
    let template = ok(&["--study", "two.db", "codebook", "--template"]);
    assert!(template.starts_with("patient_id,crp,stage,centre,birth,mri,remark,viable_pct\n# meaning,\"CRP, mg/L\""));
    std::fs::write(path("filled.csv"), format!("{template}X1,3,III,north,2001-02-03,2018-03-01,,5\n")).unwrap();
    let said = ok(&["--study", "two.db", "import", "clinical", "filled.csv"]);
    assert!(
        said.contains("lines that begin with # are remarks: 3 not read") && said.contains("1 patient added"),
        "{said}"
    );
    for form in ["toml", "csv", "redcap"] {
        let file = format!("book.{}", if form == "toml" { "toml" } else { "csv" });
        ok(&["--study", "two.db", "codebook", "export", "--as", form, "-o", &file]);
        let again = ok(&["codebook", "--from", &file]);
        assert!(again.contains("crp") && again.contains("Enneking stage"), "{form}: {again}");
    }
    std::fs::write(path("more.toml"), PROTOCOL.replace("usual = [0, 200]", "usual = [0, 300]")).unwrap();
    ok(&["--study", "two.db", "codebook", "import", "more.toml", "--reason", "children have more"]);
    let trail = ok(&["--study", "two.db", "log"]);
    assert!(trail.contains("children have more") && trail.contains(">= 0, <= 300"), "{trail}");
    ok(&["--study", "two.db", "codebook", "export", "--as", "csv", "-o", "sheet.csv"]);
    let said = ok(&["--study", "two.db", "codebook", "import", "sheet.csv", "--reason", "by way of a sheet"]);
    assert!(said.contains("outcomes and images, of which this form says nothing, stay"), "{said}");
    assert!(ok(&["--study", "two.db", "codebook"]).contains("poor if viable_pct > 10"), "the outcome stays");
    let (code, _, err) =
        crate::support::run(folder.path(), &["--study", "two.db", "codebook", "import", "book.csv", "--reason", "x"]);
    assert!(code != 0, "a data dictionary without the outcome's variable's kind may lose values: {err}");
}

#[test]
fn a_declared_study_goes_from_features_to_models_figures_and_a_report() {
    let (_folder, path, study) = study();
    let quick = crate::fit::QUICK.into_iter().chain(["learn.p_enter=0.99", "learn.p_keep=1.0"]);
    study.use_protocol(study.protocol.clone().set(quick).unwrap(), "quick").unwrap();
    drop(study);
    let study = Study::open(&path, Access::Write).unwrap();
    crate::fit::measure(&study, &|_, value| value);
    study.draw_split(Seed(3), 0.7).unwrap();
    let fitted = study.fit(&Job::unwatched()).unwrap();
    assert_eq!(fitted.n_left_out, 1, "the outcome of one is unknown");
    assert!(fitted.clinical_predictors.iter().all(|name| ["crp", "stage", "age"].contains(&name.as_str())));
    assert!(!fitted.clinical_predictors.is_empty());
    for name in [FigureName::Nomogram, FigureName::Shap, FigureName::Forest, FigureName::Roc, FigureName::Flow] {
        let svg = study.figure(&FigureRequest::new(name, 180.0)).unwrap().svg();
        assert!(!svg.contains("pGR") && !svg.contains("ALP"), "{name:?}");
    }
    let predicted = text(&study.predict(Some("H-01"), &[]).unwrap());
    assert!(predicted.contains("probability of poor"), "{predicted}");
    let page = format!("{:?}", study.report(None).unwrap());
    for word in ["pGR", "ecrosis", "ALP", "ractur"] {
        let at = page.find(word).map(|at| page[at.saturating_sub(200)..(at + 200).min(page.len())].to_owned());
        assert_eq!(at, None, "the report speaks of {word}");
    }
    assert!(page.contains("Probability of poor") || page.contains("poor"), "the event has its name");
    let mut findings = study.verify(None, &Job::unwatched()).unwrap().findings;
    // No images are linked here.
    findings.retain(|finding| !finding.contains("measured from other files"));
    assert_eq!(findings, Vec::<String>::new());
    let other = study.protocol.clone().set(["outcome.poor_response.event=viable_pct > 20"]).unwrap();
    study.use_protocol(other, "another cut").unwrap();
    drop(study);
    let study = Study::open(&path, Access::Read).unwrap();
    let table = text(&study.model_table(ModelTable::Five).unwrap());
    assert!(table.starts_with("Out of date"), "a table of another outcome says so first: {table}");
}
