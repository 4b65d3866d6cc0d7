//! Several people in one study file at once, while an extraction and two dashboards run.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::Duration;

use osteon_study::store::{Access, ChangeFilter};
use osteon_study::study::Study;
use rusqlite::Connection;

use crate::support::{bound, program, rounds, run};
use crate::tui_pty::Session;

/// With OSTEON_SWEEP=1: 8 people, 500 edits each, every edit a process of its own.
#[test]
fn many_people_edit_at_once_and_no_change_is_lost() {
    let (people, edits) = (rounds(4, 8), rounds(5, 500));
    let (folder, study) = crate::extract::study();
    let path = folder.path().join("study.db");
    let codes: String = (0..people).map(|person| format!("E{person}\n")).collect();
    fs::write(folder.path().join("people.csv"), format!("patient_id\n{codes}")).unwrap();
    assert_eq!(run(folder.path(), &["import", "clinical", "people.csv"]).0, 0);
    let before = study.store().count_changes().unwrap();
    let mut dashboards: Vec<Session> = (0..2).map(|_| Session::open(&path, &[])).collect();
    dashboards.iter().for_each(|dashboard| dashboard.wait_for("patients"));
    let mut extraction = program(folder.path(), &["extract", "--quiet"]).stderr(Stdio::piped()).spawn().unwrap();
    let editors: Vec<_> = (0..people)
        .map(|person| {
            let program = env!("CARGO_BIN_EXE_osteon");
            let edit = format!("{program} edit E{person} alp=$at --reason sweep --quiet");
            let all = format!("at=100; while [ $at -lt {} ]; do {edit} || exit 1; at=$((at+1)); done", 100 + edits);
            let mut shell = Command::new("sh");
            shell.current_dir(folder.path()).args(["-c", &all]).stdout(Stdio::null()).stderr(Stdio::piped());
            shell.spawn().unwrap()
        })
        .collect();
    for editor in editors {
        let output = editor.wait_with_output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert!(extraction.wait().unwrap().success());
    for dashboard in &mut dashboards {
        let text = dashboard.text();
        assert!(!text.contains("database") && !text.contains("kept writing"), "{text}");
        dashboard.press("q");
        assert!(dashboard.ended_within(Duration::from_secs(20)));
        let sent = String::from_utf8_lossy(&dashboard.sent.lock().unwrap()).into_owned();
        assert!(!sent.contains("\x1b]"), "no window title is set");
    }
    let filter = ChangeFilter { field: "alp".into(), ..ChangeFilter::default() };
    let changes = study.store().changes(&filter).unwrap();
    let of = |person: usize| {
        let own = changes.iter().filter(|change| change.table == "patient" && change.row == format!("E{person}"));
        own.filter_map(|change| change.new.clone()).rev().collect::<Vec<_>>()
    };
    let expected: Vec<String> = (100..100 + edits).map(|value| value.to_string()).collect();
    assert!((0..people).all(|person| of(person) == expected));
    assert!(study.store().count_changes().unwrap() >= before + people * edits);
    assert_eq!(study.store().check_whole().unwrap(), [""; 0]);
    let (code, _, said) = run(folder.path(), &["verify"]);
    assert_eq!(code, 0, "{said}");
    eprintln!("{people} people, {edits} edits each: {} changes", study.store().count_changes().unwrap());
}

#[test]
fn who_has_to_wait_is_told_and_the_change_is_made_in_the_end() {
    let (folder, study) = crate::extract::study();
    let other = Connection::open(folder.path().join("study.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let arguments = ["edit", "A", "alp=88", "--reason", "x"];
    let mut editor = program(folder.path(), &arguments).stderr(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(editor.stderr.take().unwrap()).lines();
    assert_eq!(said.next().unwrap().unwrap(), "waiting: another program is writing to the study file");
    assert!(study.patients_sheet().is_ok(), "readers never wait");
    other.execute_batch("COMMIT").unwrap();
    assert!(said.any(|line| line.unwrap() == "A: changed"));
    assert!(editor.wait().unwrap().success());
}

/// Two accounts of one group; root alone can become both.
#[test]
fn a_group_shares_a_study_and_nobody_else_reads_it() {
    // SAFETY: geteuid has no preconditions.
    if unsafe { libc::geteuid() } != 0 {
        eprintln!("skipped: only root can act as two accounts");
        return;
    }
    let groups = std::fs::read_to_string("/etc/group").unwrap();
    let fields = |line: &str| line.split(':').map(str::to_owned).collect::<Vec<_>>();
    let group = groups.lines().map(fields).find(|it| it.len() > 2 && it[2] != "0").unwrap();
    let (name, gid): (&str, u32) = (&group[0], group[2].parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(run(folder.path(), &["init", "--group", "no such group"]).0, 2);
    assert!(!folder.path().join("study.db").exists(), "nothing half-made");
    let (code, _, said) = run(folder.path(), &["init", "--group", name]);
    assert!(code == 0 && said.contains(&format!("shared with group {name}")), "{said}");
    std::fs::write(folder.path().join("c.csv"), "patient_id,alp\nA,100\n").unwrap();
    std::fs::set_permissions(folder.path().join("c.csv"), std::fs::Permissions::from_mode(0o644)).unwrap();
    let by = |uid: u32, gid: u32, arguments: &[&str]| {
        let mut command = program(folder.path(), arguments);
        command.uid(uid).gid(gid).stderr(Stdio::piped()).env("HOME", "/nowhere");
        let output = command.output().ok()?;
        Some((output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned()))
    };
    // Where other accounts cannot run the program there is nothing to try.
    let Some(imported) = by(61001, gid, &["import", "clinical", "c.csv"]) else { return };
    assert_eq!(imported.0, Some(0), "{}", imported.1);
    let edit =
        |value: &str| vec!["edit".to_owned(), "A".to_owned(), format!("alp={value}"), "--reason=typing".to_owned()];
    for (at, uid) in [61002, 61001, 61002, 61001].into_iter().enumerate() {
        let edit = edit(&(200 + at).to_string());
        let done = by(uid, gid, &edit.iter().map(String::as_str).collect::<Vec<_>>()).unwrap();
        assert_eq!(done.0, Some(0), "{uid}: {}", done.1);
    }
    assert_ne!(by(61003, 61003, &["patients"]).unwrap().0, Some(0), "an account outside the group reads nothing");
    assert_eq!(by(61002, gid, &["backup", "copy.db"]).unwrap().0, Some(0));
    assert_eq!(by(61001, gid, &["--study", "other.db", "restore", "copy.db"]).unwrap().0, Some(0));
    for file in ["study.db", "copy.db", "other.db"] {
        let found = std::fs::metadata(folder.path().join(file)).unwrap();
        assert_eq!((found.gid(), found.mode() & 0o777), (gid, 0o660), "{file}");
    }
    let (code, log, _) = run(folder.path(), &["log", "A", "--format", "csv"]);
    assert!(code == 0 && log.contains("uid 61001") && log.contains("uid 61002"), "{log}");
    assert_eq!(run(folder.path(), &["verify"]).0, 0);
}

#[test]
fn a_file_and_folder_that_cannot_be_written_are_read_and_say_why() {
    let (folder, study) = crate::extract::study();
    let head = study.store().trail_head().unwrap();
    drop(study);
    let said = |arguments: &[&str]| {
        let output = bound(folder.path(), arguments)?.output().unwrap();
        Some((output.status.code(), String::from_utf8(output.stderr).unwrap()))
    };
    let Some((code, printed)) = said(&["patients"]) else { return };
    assert_eq!(code, Some(0), "{printed}");
    let (code, refused) = said(&["edit", "A", "alp=88", "--reason", "x"]).unwrap();
    assert_eq!(code, Some(3), "{refused}");
    assert!(refused.contains("open for reading only: it cannot be opened for writing"), "{refused}");
    for arguments in [["backup", "copy.db"], ["export", "out"], ["report", "-oout"]] {
        let (code, refused) = said(&arguments).unwrap();
        assert!(code == Some(2) && refused.contains("Permission denied"), "{arguments:?}: {code:?} {refused}");
    }
    assert_eq!(Study::open(&folder.path().join("study.db"), Access::Read).unwrap().store().trail_head().unwrap(), head);
}
