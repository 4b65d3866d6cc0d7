//! Several people, faults and hostile bytes: nothing acknowledged is lost, nothing half-written looks finished.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use osteon_base::job::Job;
use osteon_base::seed::Seed;
use osteon_radiomics::read::{Limits, zip};
use osteon_study::protocol::Preset;
use osteon_study::store::{Access, Store, StoreError};
use osteon_study::study::{BadRows, Edit, Error, Study};
use rand::Rng;
use rusqlite::Connection;
use tempfile::TempDir;

use crate::fit;
use crate::support::{fixture, program, rounds, run};

/// A study of the synthetic cohort.
fn study() -> (TempDir, PathBuf, Study) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("study.db");
    let study = Study::create(&path, "A study", Preset::Study.protocol()).unwrap();
    study.import_clinical(&fixture("cohort.csv"), None, BadRows::Refuse).unwrap();
    (folder, path, study)
}

/// The file of a study with features and a fit.
fn fitted() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("study.db");
    let study = fit::study(Some(&path));
    study.draw_split(Seed(4), 0.806).unwrap();
    study.fit(&Job::unwatched()).unwrap();
    (folder, path)
}

fn edit(value: usize) -> [Edit; 1] {
    [Edit { field: "alp".into(), value: value.to_string() }]
}

#[test]
fn verify_finds_nothing_in_an_honest_study_and_every_kind_of_tampering_in_others() {
    let check = |sql: &str, expected: &str| {
        let (folder, path, study) = study();
        let first = study.raise_query("SYN001", "alp", "really?").unwrap();
        study.answer_query(first, "yes").unwrap();
        study.raise_query("SYN001", "alp", "sure?").unwrap();
        study.close_query(first, "read again").unwrap();
        drop(study);
        let drop_all = "DROP TRIGGER patient_changed; DROP TRIGGER patient_kept; DROP TRIGGER clinical_changed; DROP TRIGGER split_member_added;
                        DROP TRIGGER study_changed; DROP TRIGGER protocol_kept_update;
                        DROP TRIGGER query_changed;
                        DROP TRIGGER change_kept_update; DROP TRIGGER change_kept_delete;";
        if !sql.is_empty() {
            Connection::open(&path).unwrap().execute_batch(&format!("{drop_all} {sql}")).unwrap();
        }
        let (code, _, said) = run(folder.path(), &["verify"]);
        assert_eq!(code, if sql.is_empty() { 0 } else { 3 }, "{sql}: {said}");
        assert!(said.contains(expected), "{sql}: {said}");
    };
    check("", "all is well");
    check(
        "UPDATE clinical SET number = 1 WHERE patient = 1 AND variable = 8",
        "patient SYN001: alp is not what the trail says",
    );
    check("UPDATE clinical SET number = 1 WHERE patient = 1 AND variable = 8", "trigger clinical_changed is missing");
    let outcome = "DROP TRIGGER outcome_changed; UPDATE outcome SET event = 1 - event WHERE patient = 1";
    check(outcome, "patient SYN001: the outcome response is not what its values say");
    check("DROP TRIGGER variable_changed; UPDATE variable SET high = 7 WHERE key = 'alp'", "variable alp is not as in");
    check("DROP TRIGGER level_removed; DELETE FROM level WHERE name = 'tibia'", "variable location is not as in");
    let view = "DROP VIEW cohort; CREATE VIEW cohort AS SELECT code AS id, 1 AS alp FROM patient";
    check(view, "the view cohort is not that of the codebook");
    check("UPDATE change SET actor = 'nobody' WHERE seq = 9", "change 9 is not what was recorded");
    check("UPDATE protocol SET toml = toml || ' '", "not the one of its hash");
    check("UPDATE study SET locked_at = 'x', locked_by = 'y'", "study A study: locked is not what the trail says");
    check("UPDATE query SET state = 'closed' WHERE id = 2", "query 2 of SYN001: alp is not what the trail says");
    check("UPDATE query SET text = 'nothing' WHERE id = 2", "is not what the trail says");
    check(
        "PRAGMA foreign_keys = OFF; DELETE FROM patient WHERE code = 'SYN002'",
        "patient SYN002: code is not what the trail says",
    );
    check("PRAGMA foreign_keys = OFF; INSERT INTO split_member VALUES (7, 7, 'test')", "refers to no row");
}

#[test]
fn a_fit_cannot_be_altered_unseen_nor_what_it_was_learnt_from() {
    let (folder, path) = fitted();
    let of_fits = |path: &Path| {
        let found = Study::open(path, Access::Read).unwrap().verify(None, &Job::unwatched()).unwrap();
        (found.findings.into_iter().filter(|it| !it.contains("other files")).collect::<Vec<_>>(), found.notes)
    };
    assert_eq!(of_fits(&path), (Vec::new(), Vec::new()));
    let check = |sql: &str, expected: &str| {
        let copy = folder.path().join("copy.db");
        for suffix in ["", "-wal", "-shm"] {
            let _ = fs::remove_file(folder.path().join(format!("copy.db{suffix}")));
        }
        Study::open(&path, Access::Read).unwrap().store().backup(&copy).unwrap();
        Connection::open(&copy).unwrap().execute_batch(sql).unwrap();
        let (findings, notes) = of_fits(&copy);
        assert!(findings.iter().chain(&notes).any(|it| it.contains(expected)), "{sql}: {findings:?} {notes:?}");
    };
    let models = "models is not what the trail says";
    check("UPDATE prediction SET probability = 0.5 WHERE patient = 3 AND origin = 'fitted'", models);
    check("UPDATE selected_feature SET weight = 2 * weight", models);
    check("UPDATE model SET recipe = '{}' WHERE name = 'clinical'", models);
    check("UPDATE run SET seed = 7 WHERE kind = 'fit'", models);
    check("DELETE FROM prediction; DELETE FROM selected_feature; DELETE FROM model", models);
    check("UPDATE feature_block SET v56 = 1", "the feature values are not those that were stored");
    check("UPDATE feature_block SET v2 = 1", "the feature values are not those that were stored");
    check("UPDATE feature_block SET v2 = 1", "learnt from other data than those stored now");
    check("UPDATE feature SET name = 'x' WHERE id = 3", "layout 1: its features are not what their hash says");
    check("UPDATE layout SET features = replace(features, '1,2,', '2,1,')", "layout 1: its features are not");
    check("DROP TRIGGER split_changed; UPDATE split SET locked = 1", "split 1: locked is not what the trail says");
    let study = Study::open(&path, Access::Write).unwrap();
    study.edit("SYN001", &edit(7), "typing error", None).unwrap();
    drop(study);
    let (findings, notes) = of_fits(&path);
    assert!(findings.is_empty() && notes.iter().any(|it| it.contains("fit again")), "{findings:?} {notes:?}");
}

#[test]
fn a_trail_whose_end_was_cut_has_lost_the_head_that_was_noted() {
    let (folder, path, study) = study();
    study.edit("SYN001", &edit(7), "typing error", None).unwrap();
    let head = study.store().trail_head().unwrap();
    assert_eq!(run(folder.path(), &["verify", "--expect-head", &head]).0, 0);
    study.edit("SYN001", &edit(8), "typing error", None).unwrap();
    let (code, _, said) = run(folder.path(), &["verify", "--expect-head", &head]);
    assert_eq!(code, 0, "an older head is a link of the trail: {said}");
    drop(study);
    let cut = "PRAGMA foreign_keys = OFF; DROP TRIGGER change_kept_delete; DELETE FROM change WHERE seq > 100";
    Connection::open(path).unwrap().execute_batch(cut).unwrap();
    let (code, _, said) = run(folder.path(), &["verify", "--expect-head", &head]);
    assert_eq!(code, 3);
    assert!(said.contains("it was cut"), "{said}");
}

/// Every row of every table but the queue of jobs, as text; `None` where it cannot be read.
fn everything(path: &Path) -> Option<BTreeMap<String, Vec<String>>> {
    let file = Connection::open(path).ok()?;
    let mut tables = file.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'job'").ok()?;
    let names: Vec<String> = tables.query_map([], |row| row.get(0)).ok()?.collect::<Result<_, _>>().ok()?;
    let rows = |name: &String| -> Option<Vec<String>> {
        let mut rows = file.prepare(&format!("SELECT * FROM {name}")).ok()?;
        let n = rows.column_count();
        let text = |row: &rusqlite::Row| (0..n).map(|at| Ok(format!("{:?}", row.get_ref(at)?))).collect();
        rows.query_map([], text).ok()?.collect::<Result<Vec<String>, _>>().ok()
    };
    names.iter().map(|name| Some((name.clone(), rows(name)?))).collect()
}

fn differences(path: &Path, all: &BTreeMap<String, Vec<String>>) -> String {
    let found = everything(path).unwrap_or_default();
    let differs = |(name, rows): (&String, &Vec<String>)| {
        let now = found.get(name).cloned().unwrap_or_default();
        let row = rows.iter().zip(&now).find(|(was, is)| was != is);
        row.map(|(was, is)| format!("{name}: {was} is {is}"))
    };
    all.iter().filter_map(differs).collect::<Vec<_>>().join("; ")
}

/// Damages a study file in many ways. Each damaged one must be refused or opened for reading only, unless every row of it
/// is as it was.
fn damage(path: &Path, flips: usize, cuts: usize) {
    Connection::open(path).unwrap().pragma_update(None, "wal_checkpoint", "TRUNCATE").ok();
    let whole = fs::read(path).unwrap();
    let mut rng = Seed(8).named("flip").rng();
    let folder = tempfile::tempdir().unwrap();
    let broken = folder.path().join("broken.db");
    let (mut refused, mut read_only, mut harmless) = (0, 0, 0);
    let mut unseen: Vec<String> = Vec::new();
    let all = everything(path).unwrap();
    let mut look = |bytes: &[u8]| {
        fs::write(&broken, bytes).unwrap();
        for suffix in ["-wal", "-shm"] {
            let _ = fs::remove_file(folder.path().join(format!("broken.db{suffix}")));
        }
        let Ok(study) = Study::open(&broken, Access::Write) else {
            refused += 1;
            return;
        };
        let is_same = everything(&broken).is_some_and(|found| found == all);
        let _ = study.cohort();
        let _ = study.patients_sheet();
        let findings = study.verify(None, &Job::unwatched()).map_or_else(|why| vec![why.to_string()], |it| it.findings);
        // The fitted study's images are made up: they are neither linked nor there.
        let findings: Vec<_> = findings.into_iter().filter(|it| !it.contains("other files")).collect();
        let edited = study.edit("SYN001", &edit(7), "a try", None);
        match study.store().read_only() {
            Some(why) => {
                assert!(why.contains("damaged"), "{why}");
                assert!(edited.is_err());
                read_only += 1;
            }
            None if is_same && findings.is_empty() => harmless += 1,
            None => unseen.push(format!("{findings:?} {}", differences(&broken, &all))),
        }
    };
    for _ in 0..flips {
        let mut bytes = whole.clone();
        let at = rng.random_range(0..bytes.len());
        bytes[at] ^= rng.random_range(1..=255_u8);
        look(&bytes);
    }
    for _ in 0..cuts {
        look(&whole[..rng.random_range(0..whole.len())]);
    }
    eprintln!("{refused} refused, {read_only} read only, {harmless} where nothing is, {} unseen", unseen.len());
    assert_eq!(unseen, Vec::<String>::new());
}

/// With OSTEON_SWEEP=1: 1,000 flips and 200 cuts.
#[test]
fn a_study_with_flipped_bytes_or_a_cut_end_is_refused_or_only_read() {
    let (_folder, path, study) = study();
    drop(study);
    damage(&path, rounds(40, 1000), rounds(10, 200));
}

/// With OSTEON_SWEEP=1: 1,000 flips and 200 cuts.
#[test]
fn a_fitted_study_with_flipped_bytes_or_a_cut_end_is_refused_or_only_read() {
    let (_folder, path) = fitted();
    damage(&path, rounds(20, 1000), rounds(5, 200));
}

#[test]
fn a_damaged_table_is_opened_for_reading_only_and_told() {
    let (folder, path, study) = study();
    drop(study);
    let file = Connection::open(&path).unwrap();
    let sql = "SELECT rootpage FROM sqlite_schema WHERE name = 'patient'";
    let page: usize = file.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap().try_into().unwrap();
    let size: usize =
        file.pragma_query_value(None, "page_size", |row| row.get::<_, i64>(0)).unwrap().try_into().unwrap();
    drop(file);
    let mut bytes = fs::read(&path).unwrap();
    bytes[(page - 1) * size + 3] ^= 0x41; // the number of cells on the page
    fs::write(&path, bytes).unwrap();
    let (code, _, said) = run(folder.path(), &["edit", "SYN001", "alp=7", "--reason", "x"]);
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("it is damaged (") && said.contains("restore"), "{said}");
    assert_eq!(run(folder.path(), &["verify"]).0, 3);
}

#[test]
fn a_clock_that_was_set_back_is_told_and_breaks_nothing() {
    let (folder, _path, study) = study();
    study.store().set_clock(|| "2001-01-01T00:00:00.000Z".to_owned());
    study.edit("SYN001", &edit(7), "before its time", None).unwrap();
    let (code, _, said) = run(folder.path(), &["verify"]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("note: the clock went back before change"), "{said}");
}

#[test]
fn no_space_for_any_file_is_an_error_that_leaves_nothing_half_written() {
    let (folder, path, study) = study();
    let head = study.store().trail_head().unwrap();
    drop(study);
    let check = |command: &str, expected: i32| {
        let limited = format!("ulimit -f 8; exec {} {command}", env!("CARGO_BIN_EXE_osteon"));
        let output = Command::new("sh").current_dir(folder.path()).args(["-c", &limited]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(expected), "{command}: {said}");
        assert!(!said.contains("internal error at"), "{command}: {said}");
    };
    let long = "x".repeat(60_000);
    check(&format!("edit SYN001 alp=7 --reason {long}"), 3);
    check("backup copy.db", 3);
    check("export out", 2);
    check("report -o report", 2);
    assert!(!folder.path().join("copy.db").exists());
    let study = Study::open(&path, Access::Write).unwrap();
    assert_eq!(study.store().trail_head().unwrap(), head);
    assert_eq!(study.store().check_whole().unwrap(), [""; 0]);
    for command in [["--help"].as_slice(), &["log"], &["table", "1"], &["export", "features"], &["protocol", "show"]] {
        let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let status = program(folder.path(), command).stdout(full).status().unwrap();
        assert!(status.code() == Some(2) || command == ["--help"], "{command:?}: {status}");
    }
}

#[test]
fn a_backup_is_whole_private_and_never_replaces_a_file() {
    use std::os::unix::fs::PermissionsExt;
    let (folder, path, study) = study();
    let copy = folder.path().join("copy.db");
    study.store().backup(&copy).unwrap();
    assert_eq!(copy.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert!(matches!(study.store().backup(&copy), Err(StoreError::Exists(_))));
    assert_eq!(Study::open(&copy, Access::Write).unwrap().cohort().unwrap(), study.cohort().unwrap());
    let head = study.store().trail_head().unwrap();
    let (code, _, said) = run(folder.path(), &["restore", "copy.db", "--check"]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains(&head));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 4, "the study with its log, and the copy alone");
    assert_eq!(run(folder.path(), &["restore", "copy.db"]).0, 2, "there is a study already");
    drop(study);
    fs::remove_file(&path).unwrap();
    assert_eq!(run(folder.path(), &["restore", "copy.db"]).0, 0);
    assert_eq!(Study::open(&path, Access::Read).unwrap().store().trail_head().unwrap(), head);
    let left: Vec<String> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .filter(|name| name.contains("draft"))
        .collect();
    assert_eq!(left, [""; 0]);
}

#[test]
fn a_full_disk_leaves_the_old_state() {
    let (folder, path, study) = study();
    let head = study.store().trail_head().unwrap();
    study.store().limit_pages(Some(0)).unwrap();
    let long = "x".repeat(2_000_000);
    let full = study.edit("SYN001", &edit(7), &long, None);
    assert!(matches!(full, Err(Error::Store(StoreError::Full))), "{full:?}");
    study.store().limit_pages(None).unwrap();
    assert_eq!(study.store().trail_head().unwrap(), head);
    study.edit("SYN001", &edit(7), "now there is room", None).unwrap();
    drop(study);
    let (code, _, said) = run(folder.path(), &["verify"]);
    assert_eq!(code, 0, "{said}");
    assert!(path.exists());
}

#[test]
fn what_a_terminal_obeys_gets_through_no_exit() {
    let payloads = [
        "\x1b[2J",
        "\x1b]0;title\x07",
        "\x1bP+q\x1b\\",
        "\u{9b}31m",
        "\u{9d}0;x\u{9c}",
        "\x07",
        "\x08\x08",
        "\x7f",
        "\u{202e}gnp",
        "\u{2066}a\u{2069}",
        "\u{200b}",
        "\u{200f}",
        "\u{feff}",
        "\u{2060}",
        "\u{ad}",
        "\u{61c}",
        "\u{e0041}\u{e007f}",
        "\u{2028}",
        "\u{2029}",
        "\u{85}",
        "\x0b",
        "\x0c",
        "\x1b(0",
        "\x1bc",
        "\u{180e}",
        "\u{fff9}",
        "\u{3164}",
        "\u{fe0f}",
        "\u{e000}",
        "\u{10fffd}",
    ];
    let bad = |text: &str| text.chars().any(|c| c != '\n' && osteon_base::text::clean(&c.to_string()) != c.to_string());
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| run(folder.path(), arguments);
    run(&["init", "--title", &payloads.concat()]);
    for (at, payload) in payloads.iter().enumerate() {
        let text =
            format!("patient_id,sex{payload},alp\n\"P{at}{payload}\",x,{payload}1{payload}\n\"Q{at}{payload}\",,5\n");
        fs::write(folder.path().join("c.csv"), text).unwrap();
        let code = format!("Q{at}");
        let exits = [
            run(&["import", "clinical", "c.csv", "--skip-bad-rows"]),
            run(&["exclude", &code, "--reason", &format!("because{payload}")]),
            run(&["edit", &code, &format!("alp={payload}"), "--reason", "x"]),
            run(&["query", "raise", &code, "alp", &format!("why{payload}?")]),
            run(&["show", &format!("{code}{payload}")]),
            run(&["show", &code]),
            run(&["import", "clinical", &format!("{payload}.csv").replace('\0', "")]),
        ];
        for (code, printed, said) in exits {
            assert!(!bad(&printed) && !bad(&said), "{payload:?} ({code}): {printed}{said}");
        }
    }
    for format in ["text", "csv", "json", "markdown", "html", "latex"] {
        for command in [["patients"].as_slice(), &["log", "-n", "0"], &["query", "list"]] {
            let (code, printed, said) = run(&[command, &["--format", format]].concat());
            assert_eq!(code, 0);
            assert!(!bad(&printed) && !bad(&said), "{command:?} {format}");
        }
    }
    assert_eq!(run(&["export", "out"]).0, 0);
    let (code, _, said) = run(&["report", "-o", "report"]);
    assert_eq!(code, 0, "{said}");
    let (code, _, said) = run(&["figure", "flow", "-o", "out/flow.svg"]);
    assert_eq!(code, 0, "{said}");
    let mut folders = vec![folder.path().join("out"), folder.path().join("report")];
    let mut n = 0;
    while let Some(inside) = folders.pop() {
        for entry in fs::read_dir(inside).unwrap() {
            let path = entry.unwrap().path();
            assert!(!bad(&path.to_string_lossy()), "{}", path.display());
            if path.extension().is_some_and(|it| it == "docx") {
                let archive = fs::read(&path).unwrap();
                for (part, bytes) in zip::files(&archive, &Limits::default(), |_| true).unwrap() {
                    let text = String::from_utf8(bytes).unwrap_or_default();
                    assert!(!bad(&part) && !bad(&text), "{part} of {}", path.display());
                    assert!(!text.is_empty() || part.ends_with(".png"), "{part} of {}", path.display());
                }
                continue;
            }
            match fs::read_to_string(&path) {
                Ok(text) => assert!(!bad(&text), "{}", path.display()),
                Err(_) if path.is_dir() => folders.push(path),
                Err(_) => assert!(
                    path.extension().is_some_and(|it| it == "png" || it == "pdf" || it == "tiff"),
                    "{}",
                    path.display()
                ),
            }
            n += 1;
        }
    }
    assert!(n > 8, "{n} files");
}

#[test]
fn what_is_wrong_with_arguments_files_and_protocols_is_told_in_plain_characters() {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), &["init"]);
    fs::write(folder.path().join("c.csv"), "patient_id\nA\n").unwrap();
    run(folder.path(), &["import", "clinical", "c.csv"]);
    let hostile = "\u{1b}]0;owned\u{7}\u{202e}\u{e0041}\u{200b}";
    let name = |rest: &str| format!("{hostile}{rest}");
    fs::create_dir(folder.path().join(name("dir"))).unwrap();
    fs::write(folder.path().join(name("x.nii.gz")), "no image").unwrap();
    fs::write(
        folder.path().join("m.csv"),
        format!("patient,image,mask\nA,{0},{0}\nB{hostile},i,m\n", name("x.nii.gz")),
    )
    .unwrap();
    fs::write(folder.path().join("p.toml"), format!("\"a{hostile}\" = 1\n")).unwrap();
    fs::write(folder.path().join("q.toml"), format!("preset = \"{}\"\n", "\\u202e\\u001b[2J")).unwrap();
    fs::write(folder.path().join("t.csv"), format!("table,set,row,column,printed\n1,all,n{hostile},n,x{hostile}\n"))
        .unwrap();
    let commands: &[&[&str]] = &[
        &[&name("command")],
        &["patients", &name("argument")],
        &["--format", &name("format"), "patients"],
        &["--study", &name("study.db"), "patients"],
        &["patients", "--filter", &name(" = 1")],
        &["figure", &name("figure")],
        &["figure", "flow", "-o", &name("figure.doc")],
        &["import", "images", "m.csv"],
        &["import", "images", &name("none.csv")],
        &["import", "images", &name("dir")],
        &["protocol", "check", "p.toml"],
        &["protocol", "check", "q.toml"],
        &["protocol", "show", "--preset", &name("preset")],
        &["features", &name("x.nii.gz"), &name("x.nii.gz")],
        &["reconcile", "t.csv"],
        &["reconcile", &name("t.csv")],
        &["edit", "A", &format!("{}=1", name("field")), "--reason", "x"],
        &["log", &name("patient")],
        &["restore", &name("copy.db"), "--check"],
        &["predict", "--set", &name("x=1")],
    ];
    let bad = |text: &str| text.chars().any(|c| c != '\n' && osteon_base::text::clean(&c.to_string()) != c.to_string());
    for arguments in commands {
        let (code, printed, said) = run(folder.path(), arguments);
        assert!(!bad(&printed) && !bad(&said), "{arguments:?} ({code}): {printed:?} {said:?}");
    }
}

#[test]
fn an_export_without_identities_names_nobody() {
    let (folder, _path, study) = study();
    study.exclude("SYN007", "Canary Smith moved away").unwrap();
    let (code, _, said) = run(folder.path(), &["export", "out", "--deidentify"]);
    assert_eq!(code, 0, "{said}");
    for told in
        ["ids: replaced by hashes with a salt", "exclusion reasons", "hashes and sizes of images", "dates:", "kept as"]
    {
        assert!(said.contains(told), "{told}: {said}");
    }
    let ids: Vec<String> = fs::read_to_string(folder.path().join("out/patients.csv"))
        .unwrap()
        .lines()
        .skip(1)
        .map(|line| line.split(',').next().unwrap().to_owned())
        .collect();
    assert_eq!(ids.len(), 93);
    // Counted apart: patients by age and sex.
    let mut groups = std::collections::BTreeMap::new();
    for patient in study.store().patients().unwrap() {
        let key = ["age", "sex"].map(|name| patient.text(patient.book.place(name).unwrap()));
        *groups.entry(key).or_insert(0) += 1;
    }
    let alone = groups.values().filter(|n| **n == 1).count();
    let expected = format!("by age, sex together: k = 1; {alone} of 93 patients are alone with their combination");
    let other = format!("by sex, age together: k = 1; {alone} of 93 patients are alone with their combination");
    assert!(said.contains(&expected) || said.contains(&other), "{alone}: {said}");
    assert!(said.contains("bands would give: --band age=5: k = ") && said.contains("can be matched"), "{said}");
    let (code, _, said) =
        run(folder.path(), &["export", "banded", "--deidentify", "--band", "age=20", "--quasi", "age"]);
    assert!(code == 0 && said.contains("age: in bands of 20") && said.contains("by age together: k = "), "{said}");
    let banded = fs::read_to_string(folder.path().join("banded/patients.csv")).unwrap();
    assert!(banded.contains(",0 to <20,") && banded.contains(",20 to <40,"), "{banded}");
    let refused = ["export", "x", "--deidentify", "--band", "sex=3"];
    assert_eq!(run(folder.path(), &refused).0, 2);
    assert!(ids.is_sorted(), "the order of the true ids is gone");
    for entry in fs::read_dir(folder.path().join("out")).unwrap() {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        assert!(!text.contains("SYN0") && !text.contains("Canary"), "{text}");
    }
    assert_eq!(run(folder.path(), &["export", "out"]).0, 2, "the folder is not empty");
}

#[test]
fn a_spreadsheet_runs_no_formula_and_numbers_stay_numbers() {
    let (folder, _path, study) = study();
    for (code, reason) in
        [("SYN001", "=1+1"), ("SYN002", "@SUM(A1)"), ("SYN003", "-5"), ("SYN004", "-inf"), ("SYN005", "+A1")]
    {
        study.exclude(code, reason).unwrap();
    }
    assert_eq!(run(folder.path(), &["export", "out", "--spreadsheet-safe"]).0, 0);
    let text = fs::read_to_string(folder.path().join("out/patients.csv")).unwrap();
    assert!(text.contains(",'=1+1,") && text.contains(",'@SUM(A1),") && text.contains(",-5,"), "{text}");
    assert!(text.contains(",'-inf,") && text.contains(",'+A1,"), "{text}");
}

#[test]
fn a_study_that_cannot_be_written_is_read_and_says_why() {
    let (folder, path, study) = study();
    drop(study);
    let store = Store::open(&path, Access::Read).unwrap();
    let refused = store.write::<(), StoreError>("a try", |_| Ok(()));
    assert!(matches!(refused, Err(StoreError::ReadOnly(_))));
    drop(store);
    assert_eq!(run(folder.path(), &["edit", "NOBODY", "alp=1", "--reason", "x"]).0, 2);
    assert_eq!(run(folder.path(), &["--study", "none.db", "patients"]).0, 2);
    fs::write(folder.path().join("junk.db"), vec![7; 9000]).unwrap();
    assert_eq!(run(folder.path(), &["--study", "junk.db", "patients"]).0, 3);
}

#[test]
fn a_file_that_was_removed_or_that_may_not_grow_loses_nothing_unsaid() {
    let (folder, path, study) = study();
    let head = study.store().trail_head().unwrap();
    let limited = format!("ulimit -f 1; exec {} edit SYN001 alp=7 --reason x", env!("CARGO_BIN_EXE_osteon"));
    let limited = Command::new("sh").current_dir(folder.path()).args(["-c", &limited]).output().unwrap();
    assert_eq!(limited.status.code(), Some(3), "{}", String::from_utf8_lossy(&limited.stderr));
    assert_eq!(study.store().trail_head().unwrap(), head);
    fs::rename(&path, folder.path().join("moved.db")).unwrap();
    let gone = study.edit("SYN001", &edit(7), "into nothing", None);
    assert!(matches!(gone, Err(Error::Store(StoreError::Gone(_)))), "{gone:?}");
}

#[test]
fn results_that_find_no_room_are_an_error() {
    let (folder, _path, _study) = study();
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let status = program(folder.path(), &["patients"]).stdout(full).status().unwrap();
    assert_eq!(status.code(), Some(2));
}

#[test]
fn background_work_goes_on_without_its_terminal_and_is_there_afterwards() {
    let (folder, path, study) = study();
    let (code, _, said) = run(folder.path(), &["extract", "--background"]);
    assert_eq!(code, 0, "{said}");
    let over = || study.store().jobs().unwrap().first().is_some_and(|job| job.state.over());
    for _ in 0..600 {
        if over() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let job = &study.store().jobs().unwrap()[0];
    assert_eq!((job.state, job.error.as_deref()), (osteon_study::store::JobState::Done, None));
    assert!(run(folder.path(), &["jobs"]).1.contains("done"));
    assert!(path.exists());
}

#[test]
fn a_job_whose_worker_died_is_taken_up_again() {
    let (_folder, path, study) = study();
    let id = study.queue_extraction(&osteon_study::study::ExtractRequest::default()).unwrap();
    assert!(study.store().write::<_, StoreError>("work", |write| write.take_job(id)).unwrap());
    assert!(!study.store().write::<_, StoreError>("work", |write| write.take_job(id)).unwrap());
    let stop = std::sync::atomic::AtomicBool::new(false);
    assert_eq!(study.work(&stop).unwrap(), 0, "its worker lives: this very process");
    Connection::open(path).unwrap().execute_batch("UPDATE job SET pid = 999999999").unwrap();
    assert_eq!(
        osteon_study::study::health(&study.store().job(id).unwrap().unwrap()),
        osteon_study::study::Health::Dead
    );
    assert_eq!(study.work(&stop).unwrap(), 1);
    assert_eq!(study.store().job(id).unwrap().unwrap().state, osteon_study::store::JobState::Done);
    let waiting = study.queue_extraction(&osteon_study::study::ExtractRequest::default()).unwrap();
    assert!(study.cancel_job(waiting).unwrap());
    assert_eq!(study.work(&stop).unwrap(), 0);
}

#[test]
fn fifty_canaries_appear_in_no_message_and_no_temporary_file() {
    let folder = tempfile::tempdir().unwrap();
    let scratch = tempfile::tempdir().unwrap();
    let canaries: Vec<String> = (0..50).map(|at| format!("Canary{at:02}x")).collect();
    let rows: String = canaries.iter().map(|name| format!("{name},100,95\n")).collect();
    fs::write(folder.path().join("c.csv"), format!("patient_id,alp,necrosis_pct\n{rows}")).unwrap();
    for arguments in [
        ["init"].as_slice(),
        &["import", "clinical", "c.csv"],
        &["extract"],
        &["verify"],
        &["backup", "copy.db"],
        &["export", "out"],
        &["report", "-o", "report"],
        &["figure", "flow", "-o", "flow.svg"],
        &["lock", "--reason", "final"],
        &["import", "clinical", "c.csv"],
    ] {
        let command = &mut Command::new(env!("CARGO_BIN_EXE_osteon"));
        let output = command.current_dir(folder.path()).args(arguments).env("TMPDIR", scratch.path()).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{arguments:?}: {said}");
        assert!(!said.contains("Canary"), "{arguments:?}: {said}");
    }
    assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 0);
    let mut files: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|it| it.unwrap().file_name()).collect();
    files.sort();
    assert_eq!(files, ["c.csv", "copy.db", "flow.numbers.csv", "flow.svg", "out", "report", "study.db"]);
    let mut places: Vec<PathBuf> = files.iter().skip(1).map(|name| folder.path().join(name)).collect();
    while let Some(place) = places.pop() {
        use std::os::unix::fs::PermissionsExt;
        let mode = place.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{}: for its owner only", place.display());
        if place.is_dir() {
            places.extend(fs::read_dir(&place).unwrap().map(|entry| entry.unwrap().path()));
        }
    }
}

#[test]
fn rules_raise_queries_and_close_them_when_the_value_comes() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| run(folder.path(), arguments);
    run(&["init"]);
    fs::write(folder.path().join("c.csv"), "patient_id,age,alp\nA,119,\n").unwrap();
    run(&["import", "clinical", "c.csv"]);
    let listed = run(&["query", "list", "--format", "csv"]).1;
    assert!(listed.contains("A,alp,open,no value"), "{listed}");
    assert!(listed.contains("A,age,open,119 is outside the usual range 3 to 80"), "{listed}");
    run(&["edit", "A", "alp=100", "--reason", "found"]);
    assert!(!run(&["query", "list", "--format", "csv"]).1.contains("A,alp"));
    run(&["edit", "A", "alp=", "--reason", "lost"]);
    assert!(run(&["query", "list", "--format", "csv"]).1.contains("A,alp,open"));
    let rules = "[query]\nmissing = false\nusual.age = [3, 120]\ninconsistent = [\"alp: alp > 2000 and ldh < 150\"]\n";
    fs::write(folder.path().join("rules.toml"), rules).unwrap();
    run(&["protocol", "use", "rules.toml", "--reason", "own rules"]);
    assert_eq!(run(&["query", "list", "--format", "csv"]).1.lines().count(), 1, "another protocol, other rules");
    run(&["edit", "A", "alp=2500", "ldh=100", "--reason", "found"]);
    let listed = run(&["query", "list", "--format", "csv"]).1;
    assert!(listed.contains("A,alp,open,values do not fit together: alp > 2000 and ldh < 150"), "{listed}");
    run(&["edit", "A", "ldh=1000", "--reason", "typing error"]);
    assert_eq!(run(&["query", "list", "--format", "csv"]).1.lines().count(), 1);
    fs::write(folder.path().join("rules.toml"), rules.replace("ldh", "weight")).unwrap();
    let (code, _, said) = run(&["protocol", "check", "rules.toml"]);
    assert!(code == 2 && said.contains("query.inconsistent: alp: alp > 2000 and weight < 150: column 16"), "{said}");
}

#[test]
fn the_program_can_reach_no_network() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let lock = fs::read_to_string(root.join("Cargo.lock")).unwrap();
    let names: Vec<&str> = lock.lines().filter_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"')).collect();
    assert!(names.len() > 100 && names.contains(&"rusqlite"));
    let talkative = [
        "reqwest",
        "hyper",
        "ureq",
        "curl",
        "curl-sys",
        "native-tls",
        "rustls",
        "openssl",
        "openssl-sys",
        "tokio",
        "async-std",
        "isahc",
        "attohttpc",
        "h2",
        "quinn",
        "socket2",
        "tungstenite",
        "ssh2",
        "libssh2-sys",
        "lettre",
        "dicom-ul",
        "trust-dns-resolver",
        "hickory-resolver",
        "webpki",
        "smol",
        "zmq",
        "tonic",
    ];
    let found: Vec<&&str> = talkative.iter().filter(|name| names.contains(name)).collect();
    assert!(found.is_empty(), "among the dependencies: {found:?}");
    let mut folders = vec![root.join("src")];
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = fs::read_to_string(&path).unwrap_or_default();
            let word = ["std::net", "TcpStream", "UdpSocket", "UnixStream", "libc::socket", "libc::connect"];
            assert!(!word.iter().any(|word| text.contains(word)), "{}", path.display());
        }
    }
}
