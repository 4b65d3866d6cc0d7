//! Consistent tables laid out as journals print them, and the same with one digit misprinted (`tests/tables`).

use std::path::Path;

use osteon_reconcile::located::locate;
use osteon_reconcile::read::correction::Correction;
use osteon_reconcile::read::{Params, read};
use osteon_reconcile::{Finding, PublishedCell, Severity, judge};

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tables")
}

/// What is wrong in a text, with the lines.
fn said(text: &str) -> Vec<(usize, Finding)> {
    let readings = read(text.as_bytes(), "t.md", &Correction::default(), &Params::default()).unwrap();
    let cells: Vec<PublishedCell> = readings.into_iter().flat_map(|it| it.cells).collect();
    let wrong = judge(&cells).findings.into_iter().filter(|it| it.severity != Severity::Note);
    wrong.map(|it| (locate(&cells, &it).map_or(0, |found| found.cell.source.line), it)).collect()
}

#[test]
fn invented_tables_are_not_accused() {
    let mut files: Vec<_> = std::fs::read_dir(folder()).unwrap().map(|it| it.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|it| it == "md") && !path.ends_with("README.md"));
    files.sort();
    let accused = files.iter().filter_map(|path| {
        let found = said(&std::fs::read_to_string(path).unwrap());
        (!found.is_empty()).then(|| format!("{}: {found:#?}", path.display()))
    });
    let accused: Vec<String> = accused.collect();
    assert!(files.len() > 25 && accused.is_empty(), "{} of {}:\n{}", accused.len(), files.len(), accused.join("\n"));
}

#[test]
fn one_misprint_is_one_finding_in_its_line() {
    let mut reader = csv::Reader::from_path(folder().join("faults.csv")).unwrap();
    let (mut missed, mut total) = (Vec::new(), 0);
    for record in reader.records().map(Result::unwrap) {
        let text = std::fs::read_to_string(folder().join(&record[0])).unwrap();
        let line: usize = record[1].parse().unwrap();
        assert_eq!(text.lines().nth(line - 1), Some(&record[2]), "{}", &record[0]);
        let mut lines: Vec<&str> = text.lines().collect();
        lines[line - 1] = &record[3];
        let found = said(&lines.join("\n"));
        total += 1;
        // A misprinted size or a shifted total is told at the variable or the header.
        let near = found.iter().any(|(at, _)| at.abs_diff(line) < 5 || *at < 6);
        if !near || found.len() > 1 {
            missed.push(format!("{} {line}: {} -> {}\n{found:#?}", &record[0], &record[2], &record[3]));
        }
    }
    assert!(missed.is_empty(), "{} of {total}:\n{}", missed.len(), missed.join("\n"));
}
