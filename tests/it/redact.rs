//! What is redacted is in no byte of the file, and the file still says what it says.

use std::fs;
use std::path::Path;

use crate::support::{fixture, run};

/// Whether a file beside the study or the study itself holds a text.
fn holds(folder: &Path, text: &str) -> Vec<String> {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let own = files.filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with("study.db"));
    own.filter(|path| fs::read(path).unwrap().windows(text.len()).any(|bytes| bytes == text.as_bytes()))
        .map(|path| path.display().to_string())
        .collect()
}

fn study() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("p.toml"),
        "preset = \"study\"\n[[variable]]\nname = \"remark\"\nkind = \"text\"\nrole = \"note\"\n",
    )
    .unwrap();
    assert_eq!(run(folder.path(), &["init", "--protocol", "p.toml"]).0, 0);
    let text = "patient_id,sex,alp,remark\nP1,male,100,seen by Dr Zyxwvut\nP2,female,200,\n";
    fs::write(folder.path().join("c.csv"), text).unwrap();
    assert_eq!(run(folder.path(), &["import", "clinical", "c.csv"]).0, 0);
    fs::remove_file(folder.path().join("c.csv")).unwrap();
    folder
}

#[test]
fn a_redacted_value_leaves_the_trail_and_the_file_which_still_verifies() {
    let folder = study();
    let run = |arguments: &[&str]| run(folder.path(), arguments);
    assert_eq!(run(&["edit", "P1", "remark=called Qwertz Asdfgh", "--reason", "said by Qwertz Asdfgh"]).0, 0);
    assert_eq!(run(&["query", "raise", "P1", "remark", "is it Qwertz Asdfgh?"]).0, 0);
    assert!(!holds(folder.path(), "Zyxwvut").is_empty());
    assert_eq!(run(&["backup", "copy.db"]).0, 0);
    let (code, _, said) = run(&["redact", "P1", "remark", "--reason", "a name"]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("copy.db: a study file that may still hold it"), "{said}");
    assert_eq!(holds(folder.path(), "Zyxwvut"), [""; 0], "{said}");
    // The reason quotes the name, and is told to.
    assert!(said.contains("osteon redact P1 reasons") && !holds(folder.path(), "Qwertz").is_empty(), "{said}");
    let (code, _, said) = run(&["redact", "P1", "reasons", "--reason", "names in reasons"]);
    assert_eq!(code, 0, "{said}");
    assert_eq!(holds(folder.path(), "Qwertz"), [""; 0]);
    let (code, _, said) = run(&["verify"]);
    assert_eq!(code, 0, "{said}");
    let (_, log, _) = run(&["log", "P1", "--format", "csv"]);
    let redactions = log.lines().filter(|line| line.contains(",redaction,P1,change ")).count();
    let taken = log.lines().filter(|line| !line.contains(",redaction,") && line.contains("[redacted]")).count();
    assert!(taken >= 3 && redactions >= taken, "{log}");
    assert!(run(&["show", "P1"]).1.contains("redacted"));
    // The file is written to as before.
    assert_eq!(run(&["edit", "P1", "alp=101", "--reason", "typing"]).0, 0);
    assert_eq!(run(&["verify"]).0, 0);
}

#[test]
fn a_link_is_changed_only_into_what_the_trail_announces() {
    let folder = study();
    assert_eq!(run(folder.path(), &["redact", "P1", "remark", "--reason", "a name"]).0, 0);
    let forge = |sql: &str| {
        let path = folder.path().join("study.db");
        let connection = rusqlite::Connection::open(&path).unwrap();
        connection.execute_batch(sql)
    };
    // Another client has no function for the trigger; without the trigger the link no longer has its hash.
    assert!(forge("UPDATE change SET reason = 'another' WHERE old IS NULL AND field = 'remark'").is_err());
    let forged = "DROP TRIGGER change_kept_update;
                  UPDATE change SET actor = 'another' WHERE field = 'remark' AND new = '[redacted]'";
    forge(forged).unwrap();
    let (code, _, said) = run(folder.path(), &["verify"]);
    assert!(code == 3 && said.contains("is not what was recorded"), "{said}");
}

#[test]
fn a_withdrawn_patient_is_kept_or_erased_as_was_asked() {
    let folder = study();
    let run = |arguments: &[&str]| run(folder.path(), arguments);
    for code in ["P1", "P2"] {
        fs::create_dir_all(folder.path().join("images").join(code)).unwrap();
        for kind in ["image", "mask"] {
            let from = fixture(&format!("phantoms/phantom_a_{kind}.nii.gz"));
            fs::copy(from, folder.path().join("images").join(code).join(format!("{kind}.nii.gz"))).unwrap();
        }
    }
    assert_eq!(run(&["import", "images", "images"]).0, 0);
    assert_eq!(run(&["withdraw", "P2", "--reason", "letter of May"]).0, 2, "how is not said");
    assert_eq!(run(&["withdraw", "P2", "--keep", "--reason", "letter of May"]).0, 0);
    let shown = run(&["show", "P2"]).1;
    let shown = shown.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(shown.contains("consent withdrawn: letter of May") && shown.contains("200"), "{shown}");
    let (code, _, said) = run(&["withdraw", "P1", "--erase", "--reason", "letter of June"]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("3 values") && said.contains("2 linked files"), "{said}");
    assert_eq!(holds(folder.path(), "Zyxwvut"), [""; 0]);
    assert_eq!(holds(folder.path(), "images/P1"), [""; 0]);
    let shown = run(&["show", "P1"]).1;
    let shown = shown.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(shown.contains("consent withdrawn: letter of June") && !shown.contains("100"), "{shown}");
    let (code, _, said) = run(&["verify"]);
    assert_eq!(code, 0, "{said}");
    // What is of others stays.
    assert!(run(&["patients", "--format", "csv"]).1.contains("200"));
}
