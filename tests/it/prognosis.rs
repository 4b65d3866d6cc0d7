//! A time to event of the second study, from images and follow-up to models, tables and figures.

use std::path::Path;

use osteon_base::job::Job;
use osteon_base::seed::Seed;
use osteon_study::report::differences::Asked;
use osteon_study::report::sheet::{Cell, Sheet};
use osteon_study::study::{ExtractRequest, Study};

use crate::second::study;

fn learnt(folder: &Path) -> Study {
    let study = study(folder, &[]);
    study.extract(&ExtractRequest::default(), &Job::unwatched()).unwrap();
    study.draw_split(Seed(5), 0.75).unwrap();
    study
}

fn named<'a>(sheets: &'a [Sheet], part: &str) -> &'a Sheet {
    sheets.iter().find(|sheet| sheet.title.contains(part)).unwrap_or_else(|| panic!("no sheet {part}"))
}

#[test]
fn a_time_to_event_goes_through_the_chain_to_its_tables() {
    let folder = tempfile::tempdir().unwrap();
    let study = learnt(folder.path());
    let job = Job::unwatched();
    let report = study.fit_time(Some("os"), &job).unwrap();
    assert_eq!((report.outcome.as_str(), report.n_left_out), ("os", 2), "two were never operated on");
    assert_eq!(report.predictors, ["alter", "crp_mgl"]);
    assert!(report.regions.iter().all(|(_, found)| found.is_ok()), "{:?}", report.regions);
    let sheets = study.prognosis_sheets(Some("os")).unwrap();
    let performance = &sheets[0];
    let models: Vec<String> = performance.rows.iter().map(|row| row[0].text()).collect();
    let all = ["clinical", "radiomics", "combined", "forest"];
    assert_eq!(models, [all, all].concat(), "training, then test");
    let n = |row: usize| performance.rows[row][2].text().parse::<usize>().unwrap();
    assert_eq!(n(0) + n(4), 38);
    for row in &performance.rows {
        let Cell::Interval { estimate, .. } = row[4] else { panic!("a C: {row:?}") };
        assert!((0.0..=1.0).contains(&estimate));
    }
    let resampling = named(&sheets, "Resampling");
    assert!(resampling.notes[0].contains("2 bootstrap samples"), "{:?}", resampling.notes);
    assert!(resampling.rows.iter().any(|row| row[4] != Cell::Empty), "{:?}", resampling.rows);
    assert_eq!(named(&sheets, "Cox model: combined").rows.len(), 3, "Rad-score and two predictors");
    assert_eq!(named(&sheets, "Regions").rows.len(), 4);
    assert!(!named(&sheets, "Decision curves").rows.is_empty());
    assert!(named(&sheets, "Risk groups of the combined model, training").rows.len() == 2);
    // The same study, seed and data give the same bytes.
    study.fit_time(Some("os"), &job).unwrap();
    let rows = |sheets: &[Sheet]| sheets.iter().map(|sheet| format!("{:?}", sheet.rows)).collect::<Vec<_>>();
    assert_eq!(rows(&study.prognosis_sheets(Some("os")).unwrap()), rows(&sheets));
    let by_event = study.table_1_of_time(Some("os"), false, Asked::default()).unwrap();
    assert!(by_event.headings[2].starts_with("alive (n = ") && by_event.headings[3].starts_with("death (n = "));
    assert!(by_event.notes.iter().any(|note| note.starts_with("2 patients have no time")), "{:?}", by_event.notes);
    let by_risk = study.table_1_of_time(Some("os"), true, Asked::default()).unwrap();
    assert!(by_risk.headings[2].starts_with("low risk (n = "), "{:?}", by_risk.headings);
    // What is of the response is untouched by it, and the trail holds.
    assert!(study.prognosis_sheets(Some("rezidiv")).unwrap_err().to_string().contains("models of this outcome"));
    assert!(study.store().models().unwrap().is_empty());
    assert_eq!(study.verify(None, &job).unwrap().findings, Vec::<String>::new());
    let page = format!("{:?}", study.report(None).unwrap());
    for word in ["Models of os: death over months", "Risk groups of the combined model in the test set", "Harrell's C"]
    {
        assert!(page.contains(word), "the report does not speak of {word}");
    }
}

#[test]
fn hazard_ratios_and_figures_of_a_declared_time_come_by_its_name() {
    let folder = tempfile::tempdir().unwrap();
    drop(study(folder.path(), &[]));
    let run = |arguments: &[&str]| {
        let run = crate::support::osteon(folder.path(), arguments);
        let [out, err] = [&run.stdout, &run.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        (run.status.code(), out, err)
    };
    let (code, out, err) = run(&["survival", "--outcome", "os"]);
    assert_eq!(code, Some(0), "{err}");
    assert!(out.contains("hazards, all terms together") && out.contains("learn.clinical names"), "{out}");
    let (code, out, err) = run(&["figure", "km", "--outcome", "os", "--by", "geschlecht"]);
    assert!(code == Some(0) && out.contains("numbers at risk"), "{err}");
    let (code, _, err) = run(&["figure", "km", "--outcome", "rezidiv"]);
    assert!(code == Some(2) && err.contains("osteon figure cif"), "{err}");
    let (code, _, err) = run(&["figure", "roc", "--outcome", "os"]);
    assert!(code == Some(2) && err.contains("--outcome"), "{err}");
    let (code, out, err) = run(&["table", "1", "--outcome", "rezidiv"]);
    assert!(code == Some(0) && out.contains("by event, rezidiv"), "{err}");
    let (code, _, err) = run(&["table", "survival", "--outcome", "os"]);
    assert!(code == Some(2) && err.contains("no split"), "{err}");
    let (code, _, err) = run(&["table", "5", "--outcome", "os"]);
    assert!(code == Some(2) && err.contains("Table 5 is of the response"), "{err}");
}
