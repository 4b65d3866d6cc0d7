//! Tables that papers printed, as tidy cells, against the list of what is wrong in them.

use std::collections::BTreeMap;
use std::path::Path;

use osteon_reconcile::{Finding, Severity, read, reconcile};
use osteon_testing::shared;

/// What the tidy form of a table has lost, so that nobody could judge it there: the label "bootstrap accuracy".
const LOST: [&str; 1] = ["PMC10113541_tab4"];

/// Where a cell stands in its source: line and column, empty for what has none.
type At = (String, String);

#[derive(Debug)]
struct Truth {
    line: String,
    column: String,
    row: String,
    verdict: String,
    told: String,
}

fn truths(folder: &Path) -> BTreeMap<String, Vec<Truth>> {
    let mut reader = csv::Reader::from_path(folder.join("tables/truth.csv")).unwrap();
    let mut truths: BTreeMap<String, Vec<Truth>> = BTreeMap::new();
    for record in reader.records().map(Result::unwrap) {
        let name = record[0].trim_end_matches(".md").to_owned();
        let told = record.iter().collect::<Vec<_>>().join(" | ");
        let [line, column, row, verdict] = [1, 2, 3, 7].map(|at| record[at].to_owned());
        truths.entry(name).or_default().push(Truth { line, column, row, verdict, told });
    }
    truths
}

/// Place of every cell of one table: (set, row, column) to line and column of the source.
fn map(path: &Path) -> Vec<([String; 3], At)> {
    let mut reader = csv::Reader::from_path(path).unwrap();
    let records = reader.records().map(Result::unwrap);
    records.map(|it| ([1, 2, 3].map(|at| it[at].to_owned()), (it[5].to_owned(), it[6].to_owned()))).collect()
}

/// The cells of the source that a finding is about.
fn places(finding: &Finding, map: &[([String; 3], At)]) -> Vec<At> {
    let place = &finding.place;
    let columns: Vec<&str> = place.column.split(", ").collect();
    let row =
        |it: &[String; 3]| it[0] == place.set && (it[1] == place.row || it[1].starts_with(&format!("{}: ", place.row)));
    let own: Vec<At> = map
        .iter()
        .filter(|(it, _)| row(it) && (it[2] == place.column || columns.contains(&it[2].as_str())))
        .map(|(_, at)| at.clone())
        .collect();
    if own.is_empty() { map.iter().filter(|(it, _)| row(it)).map(|(_, at)| at.clone()).collect() } else { own }
}

#[test]
#[cfg_attr(not(reference), ignore = "needs the reference collection")]
fn printed_tables_are_judged_as_known() {
    let Some(folder) = shared("cases/published") else { return };
    let truths = truths(&folder);
    let (mut found, mut missed, mut alarms) = (BTreeMap::new(), Vec::new(), Vec::new());
    let mut files: Vec<_> = std::fs::read_dir(folder.join("expected")).unwrap().map(|it| it.unwrap().path()).collect();
    files.sort();
    for path in files.iter().filter(|it| !it.to_string_lossy().ends_with(".map.csv")) {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let map = map(&path.with_extension("map.csv"));
        let cells = read(&std::fs::read_to_string(path).unwrap()).unwrap();
        let start = std::time::Instant::now();
        let findings = reconcile(&cells);
        println!("{name}: {} findings, {:?}", findings.len(), start.elapsed());
        let said: Vec<(&Finding, Vec<At>)> =
            findings.iter().filter(|it| it.severity != Severity::Note).map(|it| (it, places(it, &map))).collect();
        let none = Vec::new();
        let own = truths.get(&name).unwrap_or(&none);
        let about = |truth: &Truth, (finding, places): &(&Finding, Vec<At>)| {
            let row = format!("{} / {}", finding.place.set, finding.place.row);
            places.iter().any(|(line, column)| {
                *line == truth.line && (*column == truth.column || truth.column.is_empty() && row == truth.row)
            }) || truth.column.is_empty() && row == truth.row
        };
        for truth in own {
            if ["fault", "rounding"].contains(&truth.verdict.as_str()) {
                let entry = found.entry(truth.verdict.clone()).or_insert((0, 0));
                entry.1 += 1;
                if said.iter().any(|it| about(truth, it)) {
                    entry.0 += 1;
                } else {
                    missed.push(truth.told.clone());
                }
            }
        }
        for it in &said {
            let known =
                own.iter().any(|truth| ["fault", "rounding"].contains(&truth.verdict.as_str()) && about(truth, it));
            if !known && !LOST.contains(&name.as_str()) {
                alarms.push(format!("{name}: {:?}", it.0));
            }
        }
        if std::env::var("SHOW").is_ok() {
            for it in &findings {
                println!(
                    "   {} {:?} {:?} {} -> {} :: {} {:?}",
                    it.severity.word(),
                    it.kind,
                    [&it.place.set, &it.place.row, &it.place.column],
                    it.printed,
                    it.implied,
                    it.why,
                    it.alternatives
                );
            }
        }
    }
    println!("{found:?}\nmissed:\n{}\nalarms:\n{}", missed.join("\n"), alarms.join("\n"));
    assert!(alarms.is_empty(), "{} false alarms", alarms.len());
}
