//! Several people, faults and hostile bytes: nothing acknowledged is lost, nothing half-written looks finished.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use osteon::job::Job;
use osteon::protocol::Preset;
use osteon::seed::Seed;
use osteon::store::{Access, ChangeFilter, Store, StoreError};
use osteon::study::{BadRows, Edit, Error, Study};
use rand::Rng;
use rusqlite::Connection;
use tempfile::TempDir;

use crate::support::{fixture, run};

/// A study of the synthetic cohort.
fn study() -> (TempDir, PathBuf, Study) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("study.db");
    let study = Study::create(&path, "A study", Preset::Study.protocol()).unwrap();
    study.import_clinical(&fixture("cohort.csv"), None, BadRows::Refuse).unwrap();
    (folder, path, study)
}

/// A number from the environment for a longer sweep, else the short one that every run affords.
fn rounds(variable: &str, short: usize) -> usize {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(short)
}

fn edit(value: usize) -> [Edit; 1] {
    [Edit { field: "alp".into(), value: value.to_string() }]
}

fn program(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_osteon"));
    command.current_dir(folder).args(arguments).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

#[test]
fn verify_finds_nothing_in_an_honest_study_and_every_kind_of_tampering_in_others() {
    let check = |sql: &str, expected: &str| {
        let (folder, path, study) = study();
        drop(study);
        let drop_all = "DROP TRIGGER patient_changed; DROP TRIGGER patient_kept; DROP TRIGGER split_member_added;
                        DROP TRIGGER change_kept_update; DROP TRIGGER change_kept_delete;";
        if !sql.is_empty() {
            Connection::open(&path).unwrap().execute_batch(&format!("{drop_all} {sql}")).unwrap();
        }
        let (code, _, said) = run(folder.path(), &["verify"]);
        assert_eq!(code, if sql.is_empty() { 0 } else { 3 }, "{sql}: {said}");
        assert!(said.contains(expected), "{sql}: {said}");
    };
    check("", "all is well");
    check("UPDATE patient SET alp = 1 WHERE code = 'SYN001'", "patient SYN001: alp is not what the trail says");
    check("UPDATE patient SET alp = 1 WHERE code = 'SYN001'", "trigger patient_changed is missing");
    check("UPDATE change SET actor = 'nobody' WHERE seq = 9", "change 9 is not what was recorded");
    check("UPDATE protocol SET toml = toml || ' '", "not the one of its hash");
    check("PRAGMA foreign_keys = OFF; INSERT INTO split_member VALUES (7, 7, 'test')", "refers to no row");
}

#[test]
fn a_trail_whose_end_was_cut_has_lost_the_head_that_was_noted() {
    let (folder, path, study) = study();
    study.edit("SYN001", &edit(7), "typing error", None).unwrap();
    let head = study.store.trail_head().unwrap();
    assert_eq!(run(folder.path(), &["verify", "--expect-head", &head]).0, 0);
    study.edit("SYN001", &edit(8), "typing error", None).unwrap();
    let (code, _, said) = run(folder.path(), &["verify", "--expect-head", &head]);
    assert_eq!(code, 0, "an older head is a link of the trail: {said}");
    drop(study);
    let cut = "DROP TRIGGER change_kept_delete; DELETE FROM change WHERE seq > 100";
    Connection::open(path).unwrap().execute_batch(cut).unwrap();
    let (code, _, said) = run(folder.path(), &["verify", "--expect-head", &head]);
    assert_eq!(code, 3);
    assert!(said.contains("it was cut"), "{said}");
}

#[test]
fn many_people_edit_at_once_and_no_change_is_lost() {
    let (folder, path, study) = study();
    let (people, edits) = (rounds("OSTEON_TEST_PEOPLE", 4), rounds("OSTEON_TEST_EDITS", 12));
    let before = study.store.count_changes().unwrap();
    let editors: Vec<_> = (0..people)
        .map(|person| {
            let path = path.clone();
            std::thread::spawn(move || {
                for at in 0..edits {
                    let study = Study::open(&path, Access::Write).unwrap();
                    let code = format!("SYN{:03}", 1 + person);
                    study.edit(&code, &edit(1000 + at), "a sweep", None).unwrap();
                }
            })
        })
        .collect();
    let mut processes: Vec<_> = (0..people)
        .map(|person| {
            let text = format!("patient_id,alp\nSYN{:03},2000\n", 50 + person);
            let name = format!("p{person}.csv");
            fs::write(folder.path().join(&name), text).unwrap();
            program(folder.path(), &["import", "clinical", &name]).spawn().unwrap()
        })
        .collect();
    assert!(processes.iter_mut().all(|process| process.wait().unwrap().success()));
    editors.into_iter().for_each(|editor| editor.join().unwrap());
    let of_alp = |change: &&osteon::store::Change| change.table == "patient" && change.field == "alp";
    let filter = ChangeFilter { field: "alp".into(), ..ChangeFilter::default() };
    let changes = study.store.changes(&filter).unwrap();
    let made = changes.iter().filter(of_alp).filter(|change| change.seq > before as i64).count();
    assert_eq!(made, people * edits + people);
    assert_eq!(study.store.check_whole().unwrap(), [""; 0]);
}

#[test]
fn a_program_that_is_killed_leaves_every_acknowledged_change_and_a_whole_file() {
    let (folder, path, study) = study();
    let alp = |study: &Study| study.cohort().unwrap().numbers("alp").unwrap().to_vec();
    let mut before = alp(&study);
    drop(study);
    let mut rng = Seed(8).named("kill").rng();
    for round in 0..rounds("OSTEON_TEST_KILLS", 12) {
        let text = |alp: usize| {
            let rows = (1..=93).map(|at| format!("SYN{at:03},{alp}\n")).collect::<String>();
            format!("patient_id,alp\n{rows}")
        };
        fs::write(folder.path().join("c.csv"), text(100 + round)).unwrap();
        let backup = format!("backup{round}.db");
        let arguments: &[&str] =
            if round % 3 == 2 { &["backup", &backup] } else { &["import", "clinical", "c.csv", "--quiet"] };
        let mut child = program(folder.path(), arguments).spawn().unwrap();
        std::thread::sleep(std::time::Duration::from_micros(rng.random_range(0..60_000)));
        child.kill().unwrap();
        let finished = child.wait().unwrap().success();
        let study = Study::open(&path, Access::Write).unwrap();
        assert_eq!(study.store.check_whole().unwrap(), [""; 0], "round {round}");
        let (state, imported) = (alp(&study), vec![Some((100 + round) as f64); 93]);
        if round % 3 == 2 {
            let copy = folder.path().join(&backup);
            assert!(!copy.exists() || Store::open(&copy, Access::Read).unwrap().check_whole().unwrap().is_empty());
            assert_eq!(state, before);
        } else {
            assert!(state == imported || state == before && !finished, "an import is whole or not at all: {state:?}");
        }
        before = state;
    }
}

#[test]
fn flipped_bytes_and_cut_files_never_make_the_program_panic() {
    let (folder, path, study) = study();
    drop(study);
    Connection::open(&path).unwrap().pragma_update(None, "wal_checkpoint", "TRUNCATE").ok();
    let whole = fs::read(&path).unwrap();
    let mut rng = Seed(8).named("flip").rng();
    let broken = folder.path().join("broken.db");
    let look = |bytes: &[u8]| {
        fs::write(&broken, bytes).unwrap();
        for suffix in ["-wal", "-shm"] {
            let _ = fs::remove_file(folder.path().join(format!("broken.db{suffix}")));
        }
        if let Ok(study) = Study::open(&broken, Access::Write) {
            let _ = study.cohort();
            let _ = study.patients_sheet();
            let _ = study.edit("SYN001", &edit(7), "a try", None);
            let _ = study.verify(None, &Job::unwatched());
        }
    };
    for _ in 0..rounds("OSTEON_TEST_FLIPS", 40) {
        let mut bytes = whole.clone();
        let at = rng.random_range(0..bytes.len());
        bytes[at] ^= rng.random_range(1..=255_u8);
        look(&bytes);
    }
    for _ in 0..rounds("OSTEON_TEST_CUTS", 10) {
        look(&whole[..rng.random_range(0..whole.len())]);
    }
}

#[test]
fn a_backup_is_whole_private_and_never_replaces_a_file() {
    use std::os::unix::fs::PermissionsExt;
    let (folder, path, study) = study();
    let copy = folder.path().join("copy.db");
    study.store.backup(&copy).unwrap();
    assert_eq!(copy.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert!(matches!(study.store.backup(&copy), Err(StoreError::Exists(_))));
    assert_eq!(Study::open(&copy, Access::Write).unwrap().cohort().unwrap(), study.cohort().unwrap());
    let head = study.store.trail_head().unwrap();
    let (code, _, said) = run(folder.path(), &["restore", "copy.db", "--check"]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains(&head));
    assert_eq!(run(folder.path(), &["restore", "copy.db"]).0, 2, "there is a study already");
    drop(study);
    fs::remove_file(&path).unwrap();
    assert_eq!(run(folder.path(), &["restore", "copy.db"]).0, 0);
    assert_eq!(Study::open(&path, Access::Read).unwrap().store.trail_head().unwrap(), head);
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
    let head = study.store.trail_head().unwrap();
    study.store.limit_pages(Some(0)).unwrap();
    let long = "x".repeat(2_000_000);
    let full = study.edit("SYN001", &edit(7), &long, None);
    assert!(matches!(full, Err(Error::Store(StoreError::Full))), "{full:?}");
    study.store.limit_pages(None).unwrap();
    assert_eq!(study.store.trail_head().unwrap(), head);
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
    let bad = |text: &str| text.chars().any(|c| c != '\n' && osteon::text::clean(&c.to_string()) != c.to_string());
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
    for entry in fs::read_dir(folder.path().join("out")).unwrap() {
        let path = entry.unwrap().path();
        assert!(!bad(&fs::read_to_string(&path).unwrap()), "{}", path.display());
    }
}

#[test]
fn an_export_without_identities_names_nobody() {
    let (folder, _path, study) = study();
    study.exclude("SYN007", "Canary Smith moved away").unwrap();
    let (code, _, said) = run(folder.path(), &["export", "out", "--deidentify"]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("salt"), "{said}");
    for entry in fs::read_dir(folder.path().join("out")).unwrap() {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        assert!(!text.contains("SYN0") && !text.contains("Canary"), "{text}");
    }
    assert_eq!(run(folder.path(), &["export", "out"]).0, 2, "the folder is not empty");
}

#[test]
fn a_spreadsheet_runs_no_formula_and_numbers_stay_numbers() {
    let (folder, _path, study) = study();
    for (code, reason) in [("SYN001", "=1+1"), ("SYN002", "@SUM(A1)"), ("SYN003", "-5")] {
        study.exclude(code, reason).unwrap();
    }
    assert_eq!(run(folder.path(), &["export", "out", "--spreadsheet-safe"]).0, 0);
    let text = fs::read_to_string(folder.path().join("out/patients.csv")).unwrap();
    assert!(text.contains(",'=1+1,") && text.contains(",'@SUM(A1),") && text.contains(",-5,"), "{text}");
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
    let head = study.store.trail_head().unwrap();
    let limited = format!("ulimit -f 1; exec {} edit SYN001 alp=7 --reason x", env!("CARGO_BIN_EXE_osteon"));
    let limited = Command::new("sh").current_dir(folder.path()).args(["-c", &limited]).output().unwrap();
    assert_eq!(limited.status.code(), Some(3), "{}", String::from_utf8_lossy(&limited.stderr));
    assert_eq!(study.store.trail_head().unwrap(), head);
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
    let over = || study.store.jobs().unwrap().first().is_some_and(|job| job.state.over());
    for _ in 0..600 {
        if over() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let job = &study.store.jobs().unwrap()[0];
    assert_eq!((job.state, job.error.as_deref()), (osteon::store::JobState::Done, None));
    assert!(run(folder.path(), &["jobs"]).1.contains("done"));
    assert!(path.exists());
}

#[test]
fn a_job_whose_worker_died_is_taken_up_again() {
    let (_folder, path, study) = study();
    let id = study.queue_extraction(&osteon::study::ExtractRequest::default()).unwrap();
    assert!(study.store.write::<_, StoreError>("work", |write| write.take_job(id)).unwrap());
    assert!(!study.store.write::<_, StoreError>("work", |write| write.take_job(id)).unwrap());
    let stop = std::sync::atomic::AtomicBool::new(false);
    assert_eq!(study.work(&stop).unwrap(), 0, "its worker lives: this very process");
    Connection::open(path).unwrap().execute_batch("UPDATE job SET pid = 999999999").unwrap();
    assert_eq!(osteon::study::health(&study.store.job(id).unwrap().unwrap()), osteon::study::Health::Dead);
    assert_eq!(study.work(&stop).unwrap(), 1);
    assert_eq!(study.store.job(id).unwrap().unwrap().state, osteon::store::JobState::Done);
    let waiting = study.queue_extraction(&osteon::study::ExtractRequest::default()).unwrap();
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
    assert_eq!(files, ["c.csv", "copy.db", "study.db"]);
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
}

#[test]
fn the_program_can_reach_no_network() {
    let lock = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.lock")).unwrap();
    let names: Vec<&str> = lock.lines().filter_map(|line| line.strip_prefix("name = \"")).collect();
    for name in ["reqwest", "hyper", "ureq", "curl", "native-tls", "rustls", "openssl", "tokio", "isahc", "attohttpc"] {
        assert!(!names.contains(&format!("{name}\"").as_str()), "{name} is among the dependencies");
    }
}
