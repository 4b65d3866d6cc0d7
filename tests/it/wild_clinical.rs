//! Clinical files as hospitals and other programs write them: each gives the right value, or says what to do.

use std::fs;
use std::path::Path;

use osteon_testing::shared;
use tempfile::TempDir;

use crate::support::run;

const HEAD: &str =
    "patient_id,sex,age,location,diameter_mm,pathological_fracture,lung_metastasis,subtype,alp,ldh,necrosis_pct";

fn study() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(run(folder.path(), &["init", "--title", "A study"]).0, 0);
    folder
}

/// Exit code, and all that was printed and said.
fn import(folder: &Path, file: &str, more: &[&str]) -> (i32, String) {
    let (code, printed, said) = run(folder, &[&["import", "clinical", file], more].concat());
    // Wide cells are broken into lines.
    (code, (printed + &said).split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Patients as CSV without the columns that follow from the others.
fn patients(folder: &Path) -> String {
    run(folder, &["patients", "--format", "csv"]).1
}

/// What a file must do.
enum Right {
    /// So many patients come in, and each text is said.
    Patients(usize, &'static [&'static str]),
    /// Exit 2 with each text.
    Refused(&'static [&'static str]),
}

use Right::{Patients, Refused};

/// The rows of the collection, by their file.
const ROWS: &[(&str, Right)] = &[
    ("C01.csv", Patients(2, &["UTF-16"])),
    ("C03.csv", Refused(&["not UTF-8", "hint: save the file as CSV UTF-8"])),
    ("C04.csv", Refused(&["1.234", "1.045,5", "[decimal] ldh"])),
    ("C05.csv", Refused(&["1.234", "[decimal] alp"])),
    ("C06.csv", Refused(&["<5", ">5000", "detection = \"half\""])),
    ("C07.csv", Refused(&["1,234.5", "1,234", "[decimal] alp"])),
    ("C09.csv", Refused(&["[missing] age = [\"-9\"]", "[missing] alp = [\"-99\"]"])),
    ("C10.csv", Patients(2, &["read as no value: alp #null! (1), ldh #n/a (1)"])),
    ("C12.csv", Patients(2, &[])),
    ("C12b.csv", Patients(2, &["no column for location", "not read: Tumour location"])),
    ("C12c.csv", Patients(2, &[])),
    ("C13.csv", Refused(&["1: Male", "[levels.sex]"])),
    ("C14.csv", Refused(&["female (f, 2) or male (m, 1)"])),
    ("C14b.csv", Patients(2, &["warning: sex: codes were read", "1 as male, 2 as female", "warning: location"])),
    ("C15.csv", Patients(4, &["alp: units behind numbers were read: U/L (1)"])),
    ("C16.csv", Refused(&["it is on line 2 too"])),
    (
        "C16b.csv",
        Patients(4, &["warning: these ids may be one patient: P1 (line 2), p1 (line 3), P01 (line 4), P 1 (line 5)"]),
    ),
    ("C17.csv", Patients(2, &[])),
    ("C17b.csv", Patients(2, &[])),
    ("C18.csv", Patients(2, &["the header is line 2; 1 line above it not read: Osteosarcoma cohort 2020"])),
    ("C20.csv", Patients(2, &[])),
    ("C22.csv", Patients(2, &["7.0 is 7"])),
    ("C23.csv", Refused(&["05-Mar", "2020-03-05"])),
    ("C24.csv", Patients(2, &[])),
    ("C25.csv", Patients(2, &["age n/a (1)"])),
    ("C26.csv", Refused(&["yes = [\"+\"] and no = [\"-\"]", "warning: pathological_fracture: - was read as no value"])),
    ("C26b.csv", Patients(2, &["warning: lung_metastasis: - was read as no value in 2 cells; if it means no"])),
    // A workbook without cells.
    ("C27.csv", Refused(&["no header line: the file holds no cells"])),
    ("C28.csv", Patients(2, &[])),
    ("C30.csv", Patients(2, &["pipes"])),
    ("C31.csv", Patients(2, &["3 rows are 2 patients", "events: baseline is baseline, surgery is surgery"])),
    ("C32.csv", Refused(&["0.95", "[scale] necrosis_pct = 100"])),
    ("C33.csv", Patients(2, &[])),
];

#[test]
#[cfg_attr(not(reference), ignore = "needs the reference collection")]
fn the_collection_of_clinical_files_is_read_right_or_refused_with_what_to_do() {
    let Some(collection) = shared("cases/wild/clin") else { return };
    let mut wrong = Vec::new();
    for (file, right) in ROWS {
        let folder = study();
        let (code, said) = import(folder.path(), collection.join(file).to_str().unwrap(), &[]);
        let (expected, parts) = match right {
            Patients(n, parts) => ((0, *n), parts),
            Refused(parts) => ((2, 0), parts),
        };
        let n = patients(folder.path()).lines().count() - 1;
        let missing: Vec<&&str> = parts.iter().filter(|part| !said.contains(**part)).collect();
        if (code, n) != expected || !missing.is_empty() {
            wrong.push(format!("{file}: {code}, {n} patients, without {missing:?}: {said}"));
        }
    }
    // Declared by the map, the missing codes are no values.
    let folder = study();
    let [file, map] = ["C09b.csv", "C09b.toml"].map(|name| collection.join(name).to_str().unwrap().to_owned());
    let (code, said) = import(folder.path(), &file, &["--map", &map]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("age -9 (1)") && said.contains("alp 999 (1)"), "{said}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
#[cfg_attr(not(reference), ignore = "needs the reference collection")]
fn a_hospitals_file_is_converted_by_its_header_and_its_unclear_numbers_are_refused() {
    let Some(folder) = shared("cases/ssh") else { return };
    let [file, map] = ["hospital.csv", "map.toml"].map(|name| folder.join(name).to_str().unwrap().to_owned());
    let folder = study();
    let (code, said) = import(folder.path(), &file, &["--map", &map, "--skip-bad-rows"]);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("Long. diam (cm): numbers times 10, from cm to mm"), "{said}");
    assert!(said.contains(">1200") && said.contains("1.234") && said.contains("[decimal] ldh"), "{said}");
    let csv = patients(folder.path());
    assert!(csv.lines().any(|line| line.starts_with("STS_010,female,17,femur,85,")), "{csv}");
}

/// Imports rows below the usual header, or a file with its own one.
fn check(text: &str, map: &str, right: &Right) -> String {
    let folder = study();
    let text = text.strip_prefix('!').map_or_else(|| format!("{HEAD}\n{text}"), str::to_owned);
    fs::write(folder.path().join("c.csv"), &text).unwrap();
    fs::write(folder.path().join("map.toml"), map).unwrap();
    let (code, said) = import(folder.path(), "c.csv", &["--map", "map.toml"]);
    let (expected, parts) = match right {
        Patients(n, parts) => ((0, *n), parts),
        Refused(parts) => ((2, 0), parts),
    };
    let csv = patients(folder.path());
    assert_eq!((code, csv.lines().count() - 1), expected, "{text}{said}");
    for part in *parts {
        assert!(said.contains(part), "{text}: without {part}: {said}");
    }
    csv
}

#[test]
fn files_of_the_same_kinds_are_read_right_or_refused_with_what_to_do() {
    let row = |alp: &str, necrosis: &str| format!("P1,male,16,femur,88,no,no,common,{alp},340,{necrosis}\n");
    // Title lines, a header of two lines, the header again, remarks and sums.
    check(
        "!Cohort\nprinted on,Monday\n,,,lab\npatient_id,sex,alp,ldh\nP1,male,100,200\npatient_id,sex,alp,ldh\nMean,,100,200\nn = 1,,,\nMittelwert:,,1,2\n",
        "",
        &Patients(
            1,
            &["the header is line 4; 3 lines above", "the header again, not read: line 6", "Mean (1)", "n = 1 (1)"],
        ),
    );
    check("SD,,,,,,,,12,,\n", "", &Refused(&["a row that sums up", "[patients] \"SD\" = \"SD\""]));
    check("SD,male,16,femur,88,no,no,common,120,340,95\n", "[patients]\nSD = \"SD\"", &Patients(1, &[]));
    // Decimal signs.
    check("!patient_id;alp;ldh\nP1;1.234;1\nP2;12;2\n", "", &Refused(&["1.234", "[decimal] alp"]));
    check("!patient_id;alp;ldh\nP1;1.234;1,5\n", "[decimal]\n\"*\" = \",\"", &Patients(1, &[]));
    check("!patient_id;alp;ldh\nP1;1.234;1.5\n", "", &Patients(1, &[]));
    check("!patient_id\talp\tldh\nP1\t1,234\t1.5\n", "", &Refused(&["1,234"]));
    let csv = check("!patient_id,alp\nP1,\"1,234.5\"\n", "[decimal]\nalp = \".\"", &Patients(1, &[]));
    assert!(csv.contains("1234.5"), "{csv}");
    check("!patient_id,alp\nP1,\"1,23.5\"\n", "[decimal]\nalp = \".\"", &Refused(&["with the decimal sign ."]));
    // Shares.
    check(&row("120", "0.5"), "", &Refused(&["[scale] necrosis_pct = 100"]));
    check(&row("120", "1"), "", &Refused(&["[scale] necrosis_pct = 100"]));
    check(&row("120", "0"), "", &Patients(1, &[]));
    let csv = check(&row("120", "0.07"), "[scale]\nnecrosis_pct = 100", &Patients(1, &["numbers times 100"]));
    assert!(csv.contains(",7,"), "{csv}");
    check(&row("120", "0.5"), "[scale]\nnecrosis_pct = 1", &Patients(1, &[]));
    check(&row("120", "0.5"), "[unit]\nnecrosis_pct = \"fraction\"", &Patients(1, &[]));
    // Codes that the map declares are no guess.
    let folder = study();
    fs::write(folder.path().join("c.csv"), "patient_id,sex\nP1,1\n").unwrap();
    fs::write(folder.path().join("m.toml"), "[levels.sex]\nfemale = [\"1\"]\nmale = [\"2\"]\n").unwrap();
    let (_, said) = import(folder.path(), "c.csv", &["--map", "m.toml"]);
    assert!(said.contains("sex 1 is female") && !said.contains("warning"), "{said}");
}

#[test]
fn a_unit_in_a_header_is_converted_by_a_stated_factor_or_refused() {
    let check = |header: &str, cell: &str, map: &str, right: &Right, value: &str| {
        let csv = check(&format!("!patient_id,{header}\nP1,{cell}\n"), map, right);
        assert!(value.is_empty() || csv.contains(&format!(",{value},")), "{header}: {csv}");
    };
    check("Diameter (cm)", "8.7", "", &Patients(1, &["Diameter (cm): numbers times 10, from cm to mm"]), "87");
    check("diameter_cm", "8.7", "", &Patients(1, &["numbers times 10"]), "87");
    check("Diameter [inches]", "2", "", &Patients(1, &["numbers times 25.4"]), "50.8");
    check("diameter_mm", "8.7 cm", "", &Patients(1, &["units behind numbers were read: cm (1)"]), "87");
    check("age (months)", "192", "", &Patients(1, &["from months to years"]), "16");
    check("alp_iu_l", "120", "", &Patients(1, &[]), "120");
    check("ALP [kU/L]", "0.12", "", &Patients(1, &["numbers times 1000"]), "120");
    check("ALP [ukat/L]", "2", "", &Refused(&["ukat/L", "[scale] alp = FACTOR"]), "");
    check("ALP [ukat/L]", "2", "[scale]\nalp = 60", &Patients(1, &["numbers times 60, as the map says"]), "120");
    check("ALP [ukat/L]", "120", "[unit]\nalp = \"U/L\"", &Patients(1, &[]), "120");
    check("Diameter (kg)", "8", "", &Refused(&["[unit] diameter_mm = \"mm\""]), "");
    check("Diameter (at surgery)", "8", "", &Patients(1, &["not read: Diameter (at surgery)"]), "");
}

#[test]
fn an_id_that_is_another_way_to_write_one_of_the_study_is_asked_about() {
    let folder = study();
    fs::write(folder.path().join("a.csv"), "patient_id,alp\n001,100\n").unwrap();
    assert_eq!(import(folder.path(), "a.csv", &[]).0, 0);
    fs::write(folder.path().join("b.csv"), "participant_id\tldh\nsub-001\t200\n").unwrap();
    let (code, said) = import(folder.path(), "b.csv", &[]);
    assert_eq!(code, 2, "{said}");
    assert!(
        said.contains("001, as the study writes it") && said.contains("[patients] \"sub-001\" = \"001\""),
        "{said}"
    );
    fs::write(folder.path().join("m.toml"), "[patients]\n\"sub-001\" = \"001\"\n").unwrap();
    assert_eq!(import(folder.path(), "b.csv", &["--map", "m.toml"]).0, 0);
    assert!(patients(folder.path()).contains("100,200"), "{}", patients(folder.path()));
    fs::write(folder.path().join("m.toml"), "[patients]\n\"sub-001\" = \"sub-001\"\n").unwrap();
    assert_eq!(import(folder.path(), "b.csv", &["--map", "m.toml"]).0, 0);
    assert_eq!(patients(folder.path()).lines().count(), 3);
}

#[test]
fn replaced_values_need_a_reason_and_an_import_is_turned_back_as_a_whole() {
    let folder = study();
    let put =
        |text: &str| fs::write(folder.path().join("c.csv"), format!("patient_id,alp,necrosis_pct\n{text}")).unwrap();
    let undo = |more: &[&str]| run(folder.path(), &[&["undo"], more, &["--reason", "wrong file"]].concat());
    put("P1,100,95\nP2,200,\n");
    let (code, said) = import(folder.path(), "c.csv", &[]);
    assert!(code == 0 && said.contains("import 1: osteon undo --import 1"), "{said}");
    // A value where there was none is no replacement.
    put("P1,150,95\nP2,200,40\nP3,300,10\n");
    let before = patients(folder.path());
    let (code, said) = import(folder.path(), "c.csv", &[]);
    assert!(code == 2 && said.contains("replaces 1 stored values, which needs a reason"), "{said}");
    assert!(said.contains("100") && said.contains("150"), "old and new are shown: {said}");
    assert_eq!(patients(folder.path()), before);
    assert_eq!(import(folder.path(), "c.csv", &["--reason", "lab corrected"]).0, 0);
    let after = patients(folder.path());
    let (_, log, _) = run(folder.path(), &["log", "P1", "--field", "alp", "--format", "csv"]);
    assert!(log.contains("alp,100,150,import clinical c.csv: lab corrected"), "{log}");
    let (_, list, _) = run(folder.path(), &["import", "list", "--format", "csv"]);
    assert!(list.lines().any(|line| line.starts_with("2,") && line.contains("in force")), "{list}");
    // Another change in between is not taken along.
    assert_eq!(run(folder.path(), &["edit", "P1", "alp=151", "--reason", "typing"]).0, 0);
    let (code, _, said) = undo(&["--import", "2"]);
    assert!(code == 2 && said.contains("P1 alp"), "{said}");
    assert_eq!(run(folder.path(), &["undo", "P1", "--reason", "was right"]).0, 0);
    // Turned back by hand, the values are those of the import, but the trail says that they were touched.
    assert_eq!(undo(&["--import", "2"]).0, 2);
    put("P4,44,\n");
    assert_eq!(import(folder.path(), "c.csv", &[]).0, 0);
    let with = patients(folder.path());
    let (code, _, said) = undo(&["--import"]);
    assert!(code == 0 && said.contains("import 3: 1 value is as before, 1 patient excluded"), "{said}");
    assert!(patients(folder.path()).lines().find(|line| line.starts_with("P4,")).unwrap().contains("no"));
    let (code, _, said) = undo(&["--import", "3"]);
    assert!(code == 2 && said.contains("turned back by 4"), "{said}");
    // The right file brings the patient back.
    let (code, said) = import(folder.path(), "c.csv", &[]);
    assert!(code == 0 && said.contains("included again after an import was turned back: P4"), "{said}");
    assert_eq!(patients(folder.path()), with);
    assert_ne!(after, with);
    let (code, _, said) = run(folder.path(), &["verify"]);
    assert_eq!(code, 0, "{said}");
}

#[test]
fn turning_an_import_back_and_that_again_gives_both_states() {
    let folder = study();
    let put = |text: &str| fs::write(folder.path().join("c.csv"), format!("patient_id,sex,alp\n{text}")).unwrap();
    put("P1,male,100\nP2,female,200\n");
    assert_eq!(import(folder.path(), "c.csv", &[]).0, 0);
    let first = patients(folder.path());
    put("P1,female,150\nP3,male,\n");
    assert_eq!(import(folder.path(), "c.csv", &["--reason", "second reading"]).0, 0);
    let second = patients(folder.path());
    let undo = |n: &str| run(folder.path(), &["undo", "--import", n, "--reason", "as planned"]);
    assert_eq!(undo("2").0, 0);
    let back = patients(folder.path());
    assert!(first.lines().skip(1).all(|line| back.contains(line)), "{back}");
    assert_eq!(undo("3").0, 0);
    assert_eq!(patients(folder.path()), second);
    assert_eq!(run(folder.path(), &["verify"]).0, 0);
}

const LONGITUDINAL: &str = "\
[[variable]]
name = \"centre\"
role = \"centre\"
levels = [\"north\", \"south\"]
[[variable]]
name = \"alp\"
unit = \"U/L\"
possible = \"> 0\"
[[variable]]
name = \"alp_presurgery\"
label = \"ALP before surgery\"
unit = \"U/L\"
possible = \"> 0\"
role = \"note\"
moment = \"surgery\"
[[variable]]
name = \"mets___1\"
levels = [\"no\", \"yes\"]
words = { no = [\"0\"], yes = [\"1\"] }
[[variable]]
name = \"necrosis\"
unit = \"%\"
possible = [0, 100]
role = \"outcome\"
moment = \"surgery\"
[[variable]]
name = \"weight\"
unit = \"kg\"
role = \"note\"
moment = \"follow-up\"
";

#[test]
fn a_longitudinal_export_becomes_one_row_a_patient_by_the_moments_of_its_variables() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("p.toml"), format!("codebook = \"none\"\n{LONGITUDINAL}")).unwrap();
    assert_eq!(run(folder.path(), &["init", "--protocol", "p.toml"]).0, 0);
    let head = "record_id,redcap_event_name,redcap_repeat_instrument,redcap_repeat_instance,redcap_data_access_group,alp,mets___1,necrosis,weight,base_complete\n";
    let rows = "1,baseline_arm_1,,,north,100,1,,60,2\n1,surgery_arm_1,,,north,80,,95,61,2\n1,follow_up_arm_1,visit,1,north,,,,62,2\n1,follow_up_arm_1,visit,2,north,,,,63,2\n2,baseline_arm_1,,,south,200,0,,,2\n2,visit_9_arm_1,,,south,,,,,0\n";
    fs::write(at("c.csv"), format!("{head}{rows}")).unwrap();
    let (code, said) = import(folder.path(), "c.csv", &[]);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("[redcap.events] \"visit_9_arm_1\" ="), "{said}");
    let map = "[columns]\nalp_presurgery = \"alp\"\n[missing]\n\"*\" = [\"UNK: unknown\"]\n[redcap.events]\nvisit_9_arm_1 = \"not read\"\n";
    fs::write(at("m.toml"), map).unwrap();
    let (code, said) = import(folder.path(), "c.csv", &["--map", "m.toml"]);
    assert!(
        code == 2 && said.contains("[redcap.take] weight = \"first\" or \"last\""),
        "two weights at follow-up: {said}"
    );
    fs::write(at("m.toml"), format!("{map}[redcap.take]\nweight = \"last\"\n")).unwrap();
    let (code, said) = import(folder.path(), "c.csv", &["--map", "m.toml"]);
    assert_eq!(code, 0, "{said}");
    for part in [
        "6 rows are 2 patients",
        "baseline_arm_1 is baseline, follow_up_arm_1 is follow-up, surgery_arm_1 is surgery",
        "1 row of other events not read",
        "alp: values not read: 1 at surgery_arm_1",
        "alp_presurgery: values not read: 2 at baseline_arm_1",
        "weight: values not read: 1 at baseline_arm_1, 1 at follow_up_arm_1, 1 at surgery_arm_1",
        "not read: base_complete",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let csv = patients(folder.path());
    assert!(csv.lines().any(|line| line.starts_with("1,north,100,80,yes,95,63,")), "{csv}");
    assert!(csv.lines().any(|line| line.starts_with("2,south,200,,no,,,")), "{csv}");
    // The same row twice, and a variable that is measured later only.
    fs::write(at("d.csv"), format!("{head}1,baseline_arm_1,,,north,100,,,,\n1,baseline_arm_1,,,north,101,,,,\n"))
        .unwrap();
    let (code, said) = import(folder.path(), "d.csv", &[]);
    assert!(code == 2 && said.contains("each patient, event and repeat once; it is on line 2 too"), "{said}");
    fs::write(at("e.csv"), format!("{head}3,surgery_arm_1,,,south,77,,50,,\n")).unwrap();
    let (code, said) = import(folder.path(), "e.csv", &[]);
    assert_eq!(code, 0, "{said}");
    assert!(
        said.contains("warning: alp is known at baseline and filled at surgery_arm_1 only, which is later: not read"),
        "{said}"
    );
    assert!(
        patients(folder.path()).lines().any(|line| line.starts_with("3,south,,,,50,")),
        "{}",
        patients(folder.path())
    );
}
