//! Several people in one study file at once, while an extraction and two dashboards run.

use std::fs;
use std::io::{BufRead, BufReader};
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
    let before = study.store.count_changes().unwrap();
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
    let changes = study.store.changes(&filter).unwrap();
    let of = |person: usize| {
        let own = changes.iter().filter(|change| change.table == "patient" && change.row == format!("E{person}"));
        own.filter_map(|change| change.new.clone()).rev().collect::<Vec<_>>()
    };
    let expected: Vec<String> = (100..100 + edits).map(|value| value.to_string()).collect();
    assert!((0..people).all(|person| of(person) == expected));
    assert!(study.store.count_changes().unwrap() >= before + people * edits);
    assert_eq!(study.store.check_whole().unwrap(), [""; 0]);
    let (code, _, said) = run(folder.path(), &["verify"]);
    assert_eq!(code, 0, "{said}");
    eprintln!("{people} people, {edits} edits each: {} changes", study.store.count_changes().unwrap());
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

#[test]
fn a_file_and_folder_that_cannot_be_written_are_read_and_say_why() {
    let (folder, study) = crate::extract::study();
    let head = study.store.trail_head().unwrap();
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
    assert_eq!(Study::open(&folder.path().join("study.db"), Access::Read).unwrap().store.trail_head().unwrap(), head);
}
