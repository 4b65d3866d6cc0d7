//! The 29 printed tables read and judged as they are: faults found, false alarms, coverage.

use osteon_reconcile::located::locate;
use osteon_reconcile::read::shown;
use osteon_reconcile::{Severity, judge};
use osteon_testing::shared;

use crate::reading::readings;

#[test]
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
        let told: Vec<(String, String, bool)> = judged
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
                // In a table with metrics in rows a model's finding is of a column.
                (format!("{line}:{column}"), text, located.is_some_and(|it| it.is_cell))
            })
            .collect();
        let about = |truth: &csv::StringRecord, at: &str, text: &str| {
            let (line, column) = at.split_once(':').unwrap();
            let own = line == &truth[1] && (truth[2].is_empty() || column == &truth[2]);
            let model = truth[3].rsplit(" / ").next().unwrap_or("");
            own || truth[2].is_empty() && !model.is_empty() && text.contains(model)
        };
        for truth in &own {
            let count = if &truth[7] == "fault" { &mut faults } else { &mut roundings };
            count.1 += 1;
            if told.iter().any(|(at, text, _)| about(truth, at, text)) {
                count.0 += 1;
            } else {
                missed.push(truth.iter().collect::<Vec<_>>().join(" | "));
            }
        }
        for (at, text, _) in &told {
            if !own.iter().any(|truth| about(truth, at, text)) {
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
