//! A coordinator's work in the dashboard, from an empty folder to a report, without a shell.

use std::time::Duration;

use osteon_study::store::{Access, Judgement, QueryState};
use osteon_study::study::Study;
use osteon_testing::fixture;

use crate::second;
use crate::tui_pty::Session;

#[test]
fn a_study_goes_from_an_empty_folder_to_a_locked_fitted_reported_one_without_a_shell() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("study.db");
    let (clinical, images) = (second::wide(folder.path()), folder.path().join("images"));
    second::unpack(&images);
    let mut session = Session::open(&path, &[]);
    session.wait_for("There is no study at");
    // A protocol of the hospital's own.
    session.do_and_see("c", "New study from a file");
    let protocol = fixture("second/protocol.toml");
    session.do_and_see(&format!("{}\rA week\r\r", protocol.display()), "2 Patients");
    session.do_and_see("1", "no patients yet");
    session.do_and_see(&format!(":import clinical '{}'\r", clinical.display()), "40 patients added");
    session.do_and_see("\x1b", "40 patients lack an image in t1_pre");
    session.do_and_see(&format!(":import images '{}' --quiet\r", images.display()), "lines: j down");
    session.do_and_see("\x1b", "40 patients to be measured");
    session.do_and_see("\t", "image + mask");
    // Masks: the first is right, the second has to be drawn again.
    session.do_and_see("\t\t", "not judged");
    session.do_and_see("\r", "tumor");
    session.do_and_see("z", "tumor");
    session.do_and_see("a", "accepted");
    session.do_and_see("r", "note");
    session.do_and_see("too small\r", "to redo");
    session.do_and_see("\x1b", "readers");
    session.do_and_see("1[[[", "Overview");
    // A query, from the cell to its end.
    session.do_and_see("2", "S001");
    session.do_and_see("lllllllQ", "a query");
    session.press("really?\r");
    let asked = |text: &str| {
        let told = |rest: &str| rest.split_once(" about").map(|(number, _)| number.to_owned());
        text.split("query ").filter_map(told).find(|number| number.parse::<u32>().is_ok())
    };
    let number = (0..600).find_map(|_| {
        std::thread::sleep(Duration::from_millis(50));
        asked(&session.text())
    });
    let number = number.expect("the dashboard says which query it is");
    session.do_and_see("1\t\t", "raised by");
    // The page was seen before: its new row comes when the study is asked again.
    for _ in 0..600 {
        session.press("G");
        std::thread::sleep(Duration::from_millis(100));
        if session.text().contains("really?") {
            break;
        }
    }
    session.wait_for("really?");
    session.do_and_see("a", &format!("Answer to query {number}"));
    session.do_and_see("yes\r", &format!("query {number} is answered"));
    session.do_and_see("Gc", &format!("Close query {number}"));
    session.do_and_see("settled\r", &format!("query {number} is closed"));
    // Features, sets, models.
    session.do_and_see("3E", "extraction is job 1");
    session.wait_for_long("done", Duration::from_secs(240));
    session.do_and_see(":split new --seed 5 --train 0.75\r", "┌ osteon split new");
    session.do_and_see("\x1b", "Jobs");
    session.do_and_see("f", "Fit all models");
    session.do_and_see("\x13", "the fit is job 2");
    session.wait_for_long("fit         done", Duration::from_secs(240));
    session.do_and_see(":lock --reason 'a week is over'\r", "┌ osteon lock");
    session.do_and_see("\x1b", "locked");
    let report = folder.path().join("report");
    session.do_and_see(&format!(":report {}\r", report.display()), "wrote");
    session.press("q");
    assert!(session.ended_within(Duration::from_secs(60)));
    assert!(report.join("report.html").exists());
    let study = Study::open(&path, Access::Read).unwrap();
    assert!(study.store().study().unwrap().locked.is_some());
    let verdicts = study.store().verdicts().unwrap();
    let mut said: Vec<Judgement> = verdicts.iter().map(|verdict| verdict.judgement).collect();
    said.sort();
    assert_eq!(said, [Judgement::Accepted, Judgement::ToRedo]);
    assert_eq!(study.store().queries().unwrap().last().unwrap().state, QueryState::Closed);
    assert!(study.verify(None, &osteon_base::job::Job::unwatched()).unwrap().findings.is_empty());
}

#[test]
fn esc_and_a_key_in_one_read_are_both_pressed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("study.db");
    Study::create(&path, "A study", osteon_study::protocol::Preset::Study.protocol()).unwrap();
    let mut session = Session::open(&path, &[]);
    session.wait_for("2 Patients");
    session.do_and_see(":", "Command");
    // The dialog goes, and 8 is the trail.
    session.do_and_see("\x1b8", "Changes");
    // And once more, as tmux hands it on.
    session.do_and_see("\x1b1", "no patients yet");
}

#[test]
fn a_pasted_or_wrong_file_is_told_on_the_start_page_and_nothing_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("study.db");
    let mut session = Session::open(&path, &[]);
    session.wait_for("There is no study at");
    session.do_and_see("o", "Open a study");
    session.do_and_see("nowhere.db\r", "no such file");
    session.do_and_see("\x1b", "new study from a preset");
    session.do_and_see("f", "A codebook from a clinical file");
    let clinical = second::wide(folder.path());
    session.do_and_see(&format!("{}\r", clinical.display()), "variables: read and edit it");
    assert!(folder.path().join("study.toml").exists() && !path.exists());
    session.press("q");
    assert!(session.ended_within(Duration::from_secs(60)));
}
