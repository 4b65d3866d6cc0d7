//! Workbooks out, and in again.

use std::fs;

use crate::support::{fixture, osteon, run};

#[test]
fn tables_codebook_template_and_cohort_are_written_as_workbooks_and_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| run(folder.path(), arguments);
    assert_eq!(run(&["init", "--title", "A study"]).0, 0);
    assert_eq!(run(&["import", "clinical", fixture("cohort.csv").to_str().unwrap()]).0, 0);
    let bytes = |arguments: &[&str]| {
        let output = osteon(folder.path(), arguments);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert!(output.stdout.starts_with(b"PK"), "{arguments:?}");
        output.stdout
    };
    for arguments in [["table", "1", "--format", "xlsx"].as_slice(), &["patients", "--format", "xlsx"]] {
        assert_eq!(bytes(arguments), bytes(arguments), "the same bytes every time");
    }
    // The cohort goes out and comes back to the same values.
    let (code, _, said) = run(&["export", "study.xlsx"]);
    assert!(code == 0 && said.contains("Patients: 93 rows"), "{said}");
    let (code, _, said) = run(&["import", "clinical", "study.xlsx"]);
    assert!(code == 0 && said.contains("0 values changed, 93 patients unchanged"), "{said}");
    // An empty template is a clinical file without patients.
    fs::write(folder.path().join("t.xlsx"), bytes(&["codebook", "--template", "--format", "xlsx"])).unwrap();
    let (code, _, said) = run(&["import", "clinical", "t.xlsx"]);
    assert!(code == 0 && said.contains("0 patients added") && !said.contains("not read: "), "{said}");
    // The codebook comes back from its workbook.
    assert_eq!(run(&["codebook", "export", "--as", "xlsx", "-o", "book.xlsx"]).0, 0);
    let own = run(&["codebook", "export", "--as", "csv"]).1;
    assert_eq!(run(&["codebook", "export", "--as", "csv", "--from", "book.xlsx"]).1, own);
}

#[test]
fn usual_ranges_that_a_dictionary_cannot_say_are_said_to_be_lost() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| run(folder.path(), arguments);
    assert_eq!(run(&["init"]).0, 0);
    assert_eq!(run(&["codebook", "export", "--as", "redcap", "-o", "d.csv"]).0, 0);
    let text = fs::read_to_string(folder.path().join("d.csv")).unwrap();
    // Dictionaries say no outcome, and necrosis is none of the predictors there.
    fs::write(folder.path().join("d.csv"), text).unwrap();
    let (_, _, said) = run(&["codebook", "import", "d.csv", "--reason", "from REDCap"]);
    assert!(
        said.contains("usual ranges of age, diameter_mm, alp, ldh")
            || said.contains("hint")
            || said.contains("osteon:"),
        "{said}"
    );
}
