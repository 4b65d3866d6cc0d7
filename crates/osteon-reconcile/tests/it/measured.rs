//! The 29 printed tables read and judged as they are: faults found, false alarms, coverage.

use osteon_reconcile::located::locate;
use osteon_reconcile::read::shown;
use osteon_reconcile::{Severity, judge};
use osteon_testing::shared;

use crate::reading::readings;

#[test]
#[cfg_attr(not(reference), ignore = "needs the reference collection")]
fn printed_tables_are_read_and_judged_as_known() {
    let Some(folder) = shared("cases/published") else { return };
    let mut truths = csv::Reader::from_path(folder.join("tables/truth.csv")).unwrap();
    let truths: Vec<csv::StringRecord> = truths.records().map(Result::unwrap).collect();
    let (mut cells, mut used) = (0, 0);
    let (mut faults, mut roundings) = ((0, 0), (0, 0));
    let (mut missed, mut alarms) = (Vec::new(), Vec::new());
    for (name, readings) in readings(&folder.join("tables")) {
        let reading = &readings[0];
        let judged = judge(&reading.cells);
        let coverage = shown::coverage(reading, &judged.used);
        cells += coverage.cells;
        used += coverage.used;
        let own: Vec<&csv::StringRecord> =
            truths.iter().filter(|it| it[0] == *name && matches!(&it[7], "fault" | "rounding")).collect();
        let told: Vec<(String, String, String)> = judged
            .findings
            .iter()
            .filter(|finding| finding.severity != Severity::Note)
            .map(|finding| {
                let located = locate(&reading.cells, finding);
                let source = located.map(|it| (it.cell.source.line, it.cell.source.column));
                let (line, column) = source.unwrap_or_default();
                let text = format!(
                    "{name} {line}:{column} {} {:?} {:?} -> {} :: {}",
                    finding.severity.word(),
                    finding.place,
                    finding.printed,
                    finding.implied,
                    finding.why
                );
                let named = format!("{} {}", finding.place.set, finding.place.row).to_lowercase();
                (format!("{line}:{column}"), named, text)
            })
            .collect();
        // The finding's line is the truth's, and its column where the truth gives one; a truth of a row names the model.
        let about = |truth: &csv::StringRecord, at: &str, named: &str| {
            let (line, column) = at.split_once(':').unwrap();
            let model = truth[3].rsplit(" / ").next().unwrap_or("").to_lowercase();
            let is_named = || model.split(' ').any(|word| named.contains(word));
            line == &truth[1] && (column == &truth[2] || truth[2].is_empty() && is_named())
        };
        for truth in &own {
            let count = if &truth[7] == "fault" { &mut faults } else { &mut roundings };
            count.1 += 1;
            if told.iter().any(|(at, named, _)| about(truth, at, named)) {
                count.0 += 1;
            } else {
                missed.push(truth.iter().collect::<Vec<_>>().join(" | "));
            }
        }
        for (at, named, text) in &told {
            if !own.iter().any(|truth| about(truth, at, named)) {
                alarms.push(text.clone());
            }
        }
    }
    println!("faults {faults:?}, roundings {roundings:?}, {} false alarms, {used} of {cells} cells", alarms.len());
    println!("missed:\n{}\nalarms:\n{}", missed.join("\n"), alarms.join("\n"));
    assert!(alarms.is_empty(), "false alarms:\n{}", alarms.join("\n"));
    assert!(10 * faults.0 >= 8 * faults.1, "{faults:?} faults, missed:\n{}", missed.join("\n"));
    assert!(10 * roundings.0 >= 9 * roundings.1, "{roundings:?} roundings, missed:\n{}", missed.join("\n"));
    assert!(10 * used >= 8 * cells, "{used} of {cells} cells");
}
