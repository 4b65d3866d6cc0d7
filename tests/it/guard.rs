//! Files that are opened, replaced or written: nothing acknowledged is lost, nothing foreign is replaced.

use std::path::Path;

use crate::support::{osteon, program, run};

/// A folder with a study of the synthetic patients.
fn study() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let clinical = crate::support::fixture("cohort.csv");
    assert_eq!(run(folder.path(), &["init", "--quiet"]).0, 0);
    assert_eq!(run(folder.path(), &["import", "clinical", clinical.to_str().unwrap(), "--quiet"]).0, 0);
    folder
}

fn edit(folder: &Path, study: &str) -> (i32, String) {
    let (code, _, told) = run(folder, &["--study", study, "edit", "SYN001", "alp=77", "--reason", "typing error"]);
    (code, told)
}

#[test]
fn a_file_with_two_names_is_read_and_not_written() {
    let folder = study();
    let path = folder.path();
    std::fs::create_dir(path.join("other")).unwrap();
    std::fs::hard_link(path.join("study.db"), path.join("other/copy.db")).unwrap();
    for name in ["study.db", "other/copy.db"] {
        let (code, told) = edit(path, name);
        assert_ne!(code, 0, "{name}: {told}");
        assert!(told.contains("hard links") && told.contains("hint:"), "{name}: {told}");
        assert_eq!(run(path, &["--study", name, "patients"]).0, 0);
    }
    std::fs::remove_file(path.join("other/copy.db")).unwrap();
    assert_eq!(edit(path, "study.db").0, 0);
}

#[test]
fn a_log_without_its_file_is_never_taken_for_another_ones() {
    let folder = study();
    let path = folder.path();
    assert_eq!(run(path, &["backup", "b.db", "--quiet"]).0, 0);
    std::fs::rename(path.join("study.db"), path.join("study.broken")).unwrap();
    for suffix in ["-wal", "-shm", "-journal"] {
        let orphan = path.join(format!("study.db{suffix}"));
        std::fs::write(&orphan, "left by a killed program").unwrap();
        for command in [&["restore", "b.db"][..], &["init"][..], &["--study", "b.db", "backup", "study.db"][..]] {
            let (code, _, told) = run(path, command);
            assert_eq!(code, 2, "{command:?}: {told}");
            assert!(told.contains(&format!("study.db{suffix}")), "{command:?}: {told}");
        }
        assert!(!path.join("study.db").exists());
        std::fs::remove_file(orphan).unwrap();
    }
    assert_eq!(run(path, &["restore", "b.db"]).0, 0);
    assert_eq!(run(path, &["verify"]).0, 0);
    assert_eq!(edit(path, "study.db").0, 0);
}

#[test]
fn a_change_to_a_log_that_was_removed_is_not_reported_as_done() {
    use osteon_study::store::{Access, StoreError};
    let folder = study();
    let path = folder.path().join("study.db");
    let study = osteon_study::study::Study::open(&path, Access::Write).unwrap();
    std::fs::remove_file(folder.path().join("study.db-wal")).unwrap();
    let result = study.store().write("typing error", |write| write.lock());
    assert!(matches!(result, Err(StoreError::LogGone(_))), "{result:?}");
}

#[test]
fn an_object_that_is_not_of_the_schema_is_named_and_left_out_of_copies() {
    let folder = study();
    let path = folder.path();
    let file = rusqlite::Connection::open(path.join("study.db")).unwrap();
    for sql in [
        "CREATE TRIGGER sqlite1 AFTER UPDATE OF number ON clinical BEGIN
           UPDATE patient SET version = 1 WHERE code = 'SYN002'; END",
        "CREATE VIEW extra AS SELECT 1",
        "CREATE INDEX sqliteindex ON clinical (number)",
    ] {
        file.execute_batch(sql).unwrap();
        let name = sql.split_whitespace().nth(2).unwrap();
        let (code, _, told) = run(path, &["verify"]);
        assert!(code == 3 && told.contains(name), "{name}: {told}");
        let (code, told) = edit(path, "study.db");
        assert!(code != 0 && told.contains(name), "{name}: {told}");
        let copy = format!("{name}.db");
        let (code, _, told) = run(path, &["backup", &copy]);
        assert!(code == 0 && told.contains(name), "{name}: {told}");
        assert_eq!(run(path, &["--study", &copy, "verify"]).0, 0, "{name}");
        let kind = sql.split_whitespace().nth(1).unwrap();
        file.execute_batch(&format!("DROP {kind} {name}")).unwrap();
    }
    assert_eq!(run(path, &["verify"]).0, 0);
}

#[test]
fn a_report_replaces_what_it_wrote_and_nothing_else() {
    let folder = study();
    let path = folder.path();
    assert_eq!(run(path, &["report", "-o", "out"]).0, 0);
    let (code, _, told) = run(path, &["report", "-o", "out"]);
    assert_eq!(code, 0, "{told}");
    std::fs::write(path.join("out/report.docx"), "edited by its author").unwrap();
    let (code, _, told) = run(path, &["report", "-o", "out"]);
    assert!(code == 2 && told.contains("report.docx"), "{told}");
    assert_eq!(std::fs::read_to_string(path.join("out/report.docx")).unwrap(), "edited by its author");
    std::fs::write(path.join("flow.svg"), "<svg>of another program</svg>").unwrap();
    let (code, _, told) = run(path, &["figure", "flow", "-o", "flow.svg"]);
    assert!(code == 2 && told.contains("flow.svg"), "{told}");
    std::fs::remove_file(path.join("flow.svg")).unwrap();
    assert_eq!(run(path, &["figure", "flow", "-o", "flow.svg"]).0, 0);
    assert_eq!(run(path, &["figure", "flow", "-o", "flow.svg"]).0, 0, "its own figure is replaced");
}

#[test]
fn half_an_export_never_stands_under_its_name() {
    let folder = study();
    let path = folder.path();
    // An interrupted export leaves a draft; it does not block the next one.
    std::fs::create_dir(path.join("out.1.00000000.draft")).unwrap();
    std::fs::create_dir(path.join("out")).unwrap();
    assert_eq!(run(path, &["export", "out"]).0, 0);
    assert!(path.join("out/patients.csv").exists());
    let before = std::fs::read(path.join("out/patients.csv")).unwrap();
    assert_eq!(run(path, &["export", "out"]).0, 2);
    assert_eq!(std::fs::read(path.join("out/patients.csv")).unwrap(), before);
    let left: Vec<_> = std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.iter().filter(|name| name.to_string_lossy().ends_with(".draft")).count(), 1, "{left:?}");
}

#[test]
fn a_shard_never_takes_the_place_of_a_study_or_a_foreign_file() {
    let folder = study();
    let path = folder.path();
    std::fs::write(path.join("notes.txt"), "not a database").unwrap();
    std::fs::copy(path.join("study.db"), path.join("shard-1.db")).unwrap();
    for name in ["study.db", "notes.txt", "shard-1.db"] {
        let before = std::fs::read(path.join(name)).unwrap();
        let found = osteon_study::store::Store::move_damaged_aside(&path.join(name));
        assert!(matches!(found, Err(osteon_study::store::StoreError::Foreign(_))), "{name}: {found:?}");
        assert_eq!(std::fs::read(path.join(name)).unwrap(), before);
    }
}

#[test]
fn a_blind_export_holds_nothing_that_opens_a_hash_of_a_hidden_value() {
    let folder = study();
    let path = folder.path();
    assert_eq!(run(path, &["edit", "SYN001", "necrosis_pct=12", "--reason", "second reading: 12 %"]).0, 0);
    let full = osteon_study::study::Study::open(&path.join("study.db"), osteon_study::store::Access::Read).unwrap();
    let changes = full.store().changes(&osteon_study::store::ChangeFilter::default()).unwrap();
    let hidden: Vec<_> = changes.into_iter().filter(|change| change.field.starts_with("necrosis")).collect();
    assert!(hidden.len() > 80);
    // Who knows all but the value and the salt, and tries all values, finds none.
    for change in &hidden {
        let part = change.sealed.split(' ').nth(1).unwrap();
        let guesses = (0..=1000).map(|tenths| (f64::from(tenths) / 10.0).to_string());
        let mut tried = guesses.map(|guess| osteon_study::store::sha256(format!("[\"\",\"new\",\"{guess}\"]")));
        assert!(tried.all(|guess| guess != part));
        assert_eq!(change.digest(), change.hash);
    }
    let hidden: Vec<String> = hidden.into_iter().map(|change| change.salt).collect();
    assert!(hidden.iter().all(|salt| salt.len() == 98));
    for command in [&["--blind", "export", "out"][..], &["--blind", "log", "--format", "csv"], &["--blind", "verify"]] {
        let output = osteon(path, command);
        let mut seen = [output.stdout, output.stderr].concat();
        if command.contains(&"export") {
            for entry in std::fs::read_dir(path.join("out")).unwrap() {
                seen.extend(std::fs::read(entry.unwrap().path()).unwrap());
            }
        }
        let seen = String::from_utf8_lossy(&seen);
        let told: Vec<&String> = hidden.iter().filter(|salt| seen.contains(&salt[..12])).collect();
        assert!(told.is_empty(), "{command:?} tells {} salts", told.len());
        assert!(!seen.contains("second reading"), "{command:?} tells a reason");
    }
}

#[test]
fn a_folder_a_pipe_and_a_device_are_no_files() {
    let folder = study();
    let at = |name: &str| folder.path().join(name);
    std::fs::create_dir(at("folder")).unwrap();
    let pipe = std::ffi::CString::new(at("pipe").to_str().unwrap()).unwrap();
    // SAFETY: the path ends with a zero byte and lives through the call.
    assert_eq!(unsafe { libc::mkfifo(pipe.as_ptr(), 0o600) }, 0);
    std::fs::write(at("cells.csv"), "a,b\n1,0\n2,1\n").unwrap();
    let commands: [&[&str]; 16] = [
        &["import", "clinical", "?"],
        &["protocol", "use", "?", "--reason", "x"],
        &["protocol", "check", "?"],
        &["protocol", "from", "?"],
        &["codebook", "import", "?", "--reason", "x"],
        &["features", "?", "?"],
        &["features", "--params", "?", "cells.csv", "cells.csv"],
        &["features", "--batch", "?"],
        &["reconcile", "?"],
        &["describe", "?", "--event", "b=1"],
        &["logistic", "?", "--event", "b=1", "--terms", "a"],
        &["roc", "?", "--event", "b=1", "--score", "a"],
        &["km", "?", "--time", "a", "--event", "b=1"],
        &["model", "check", "?"],
        &["predict", "--model", "?", "cells.csv", "cells.csv"],
        &["table", "1", "--against", "?"],
    ];
    for (name, expected) in [("folder", "a folder"), ("pipe", "a pipe or device"), ("/dev/null", "a pipe or device")] {
        for command in commands {
            // A folder may be a DICOM series.
            if name == "folder" && command == ["features", "?", "?"] {
                continue;
            }
            let words: Vec<&str> = command.iter().map(|&word| if word == "?" { name } else { word }).collect();
            let mut child = program(folder.path(), &words).stderr(std::process::Stdio::piped()).spawn().unwrap();
            let end = std::time::Instant::now() + std::time::Duration::from_secs(20);
            while child.try_wait().unwrap().is_none() {
                if std::time::Instant::now() > end {
                    child.kill().unwrap();
                    panic!("{words:?} waits");
                }
                std::thread::sleep(std::time::Duration::from_millis(5));
            }
            let done = child.wait_with_output().unwrap();
            let told = String::from_utf8_lossy(&done.stderr).into_owned();
            assert_eq!(done.status.code(), Some(2), "{words:?}: {told}");
            assert!(told.contains(expected), "{words:?}: {told}");
        }
    }
}

#[test]
fn no_output_takes_the_place_of_a_study() {
    let folder = study();
    let path = folder.path();
    let before = std::fs::read(path.join("study.db")).unwrap();
    for name in ["l.svg", "l.html", "l.csv", "l.pdf"] {
        std::os::unix::fs::symlink("study.db", path.join(name)).unwrap();
    }
    let commands: [&[&str]; 8] = [
        &["codebook", "export", "-o", "study.db"],
        &["codebook", "export", "--as", "xlsx", "-o", "study.db"],
        &["figure", "flow", "-o", "l.svg"],
        &["figure", "flow", "-o", "l.csv"],
        &["figure", "flow", "-o", "l.pdf"],
        &["figure", "nomogram", "-o", "l.html"],
        &["features", "image.nii", "mask.nii", "-o", "l.csv"],
        &["export", "--format", "xlsx", "study.db"],
    ];
    for command in commands {
        let (code, _, told) = run(path, command);
        assert_ne!(code, 0, "{command:?}: {told}");
        assert_eq!(std::fs::read(path.join("study.db")).unwrap(), before, "{command:?}");
    }
    std::fs::write(path.join("clinical.csv"), "patient_id,alp\nA,1\n").unwrap();
    assert_eq!(run(path, &["codebook", "export", "--as", "csv", "-o", "clinical.csv"]).0, 2);
    assert_eq!(std::fs::read_to_string(path.join("clinical.csv")).unwrap(), "patient_id,alp\nA,1\n");
    for _ in 0..2 {
        assert_eq!(run(path, &["codebook", "export", "-o", "codebook.toml"]).0, 0);
    }
}

/// A table of features takes the place of another one only, and never of what it is made from.
#[test]
fn features_replace_a_table_of_features_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    for name in ["image", "mask"] {
        let from = crate::support::fixture(&format!("phantoms/phantom_a_{name}.nii.gz"));
        std::fs::copy(from, path.join(format!("{name}.nii.gz"))).unwrap();
    }
    let few = ["--families", "firstorder"];
    let features = |arguments: &[&str]| run(path, &[&["features"], arguments, &few].concat());
    std::fs::write(path.join("cohort.csv"), "patient_id,age\nA,14\n").unwrap();
    std::fs::write(path.join("own.json"), "{\"precious\": 1}\n").unwrap();
    std::fs::write(path.join("batch.csv"), "Image,Mask\nimage.nii.gz,mask.nii.gz\n").unwrap();
    std::fs::write(path.join("new.csv.part"), "notes of somebody\n").unwrap();
    std::os::unix::fs::symlink("mask.nii.gz", path.join("mask.csv")).unwrap();
    let is_kept = |out: &str, arguments: &[&str]| {
        let before = std::fs::read(path.join(out)).ok();
        let (code, _, told) = features(&[arguments, &["-o", out]].concat());
        assert!(code == 2 && told.contains(out), "{out}: {code} {told}");
        assert_eq!(std::fs::read(path.join(out)).ok(), before, "{out}");
    };
    let pair = ["image.nii.gz", "mask.nii.gz"];
    is_kept("cohort.csv", &pair);
    is_kept("own.json", &pair);
    is_kept("mask.csv", &pair);
    is_kept("batch.csv", &["--batch", "batch.csv"]);
    is_kept("new.csv", &["--batch", "batch.csv"]);
    assert_eq!(std::fs::read_to_string(path.join("new.csv.part")).unwrap(), "notes of somebody\n");
    for out in ["f.csv", "f.json", "f.xlsx", "f.parquet"] {
        for arguments in [&pair[..], &["--batch", "batch.csv"]] {
            let (code, _, told) = features(&[arguments, &["-o", out]].concat());
            assert_eq!(code, 0, "{out} {arguments:?}: {told}");
        }
    }
}

/// A report that cannot be written to its end leaves nothing of itself, and what stood there before.
#[test]
fn a_report_is_written_whole_or_not_at_all() {
    let folder = study();
    let path = folder.path();
    std::fs::create_dir_all(path.join("out/captions.md")).unwrap();
    let (code, _, told) = run(path, &["report", "-o", "out"]);
    assert!(code != 0 && told.contains("captions.md"), "{told}");
    let left: Vec<_> = std::fs::read_dir(path.join("out")).unwrap().map(|it| it.unwrap().file_name()).collect();
    assert_eq!(left, ["captions.md"], "nothing beside what stood there");
    std::fs::remove_dir(path.join("out/captions.md")).unwrap();
    assert_eq!(run(path, &["report", "-o", "out"]).0, 0, "it is in nobody's way");
}

#[test]
fn a_split_has_somebody_on_either_side() {
    let folder = study();
    for share in ["1e-300", "0.999999"] {
        let (code, _, told) = run(folder.path(), &["split", "new", "--train", share]);
        assert!(code == 2 && told.contains("either set needs one"), "{share}: {code} {told}");
    }
}
