//! Invented tables laid out wide, as papers print them, in every format; and the same with one number misprinted: 70 of
//! them, or 2,100 with `OSTEON_SWEEP=1`.

use osteon_base::seed::Seed;
use osteon_reconcile::read::correction::Correction;
use osteon_reconcile::read::{Params, read};
use osteon_reconcile::{Finding, Severity, judge};

use crate::mutated::{Cell, SLIPS, misprint, table};
use crate::writers::{FORMATS, Rows, write};

#[test]
fn wide_tables_of_invented_patients_are_judged_as_their_cells_are() {
    let n = if std::env::var_os("OSTEON_SWEEP").is_some() { 2100 } else { 70 };
    let (mut alarms, mut missed, mut total) = (Vec::new(), Vec::new(), 0);
    for at in 0..n {
        let seed = Seed(24).named("wide").nth(at);
        let cells = table(seed, at);
        let format = FORMATS[at % FORMATS.len()];
        let found = said(&cells, at, format);
        if !found.is_empty() {
            alarms.push(format!("table {at} as {format}: {found:#?}"));
            continue;
        }
        let mut rng = seed.named("slip").rng();
        let slip = SLIPS[at % SLIPS.len()];
        let Some((mutated, row, told)) = misprint(&cells, slip, &mut rng) else { continue };
        total += 1;
        let variable = row.split(": ").next().unwrap();
        let found = said(&mutated, at, format);
        if !found.iter().any(|it| it.place.row.contains(variable)) {
            missed.push(format!("table {at} as {format}: {slip:?} in {row}: {told}; said {found:?}"));
        }
    }
    println!("{} of {total} missed:\n{}", missed.len(), missed.join("\n"));
    assert!(alarms.is_empty(), "{} consistent tables accused:\n{}", alarms.len(), alarms.join("\n"));
    assert!(total * 10 > n * 9, "only {total} tables could be misprinted");
    assert!(
        missed.len() * 100 <= total.max(100),
        "{} of {total} misprints missed:\n{}",
        missed.len(),
        missed.join("\n")
    );
}

fn said(cells: &[Cell], at: usize, format: &str) -> Vec<Finding> {
    let tables = [cohort(cells, at), scores(cells, at), odds(cells, at)];
    let mut all = Vec::new();
    for (number, rows) in tables.iter().enumerate() {
        let name = format!("table{number}.{format}");
        let readings = read(&write(format, rows), &name, &Correction::default(), &Params::default()).unwrap();
        assert_eq!(readings.len(), 1, "{name}");
        assert_eq!(readings[0].unread, [], "{name} {rows:?}");
        all.extend(readings.into_iter().flat_map(|it| it.cells));
    }
    judge(&all).findings.into_iter().filter(|it| it.severity != Severity::Note).collect()
}

fn texts(row: &[&str]) -> Vec<String> {
    row.iter().map(|it| (*it).to_owned()).collect()
}

/// The text of a cell; empty where there is none.
fn text(cells: &[Cell], key: [&str; 4]) -> String {
    cells.iter().find(|it| it[..4] == key.map(str::to_owned)).map_or(String::new(), |it| it[4].clone())
}

/// Rows of one table and set in order.
fn rows_of(cells: &[Cell], table: &str, set: &str) -> Vec<String> {
    let mut rows: Vec<String> = Vec::new();
    for cell in cells.iter().filter(|it| it[0] == table && it[1] == set) {
        if !rows.contains(&cell[2]) {
            rows.push(cell[2].clone());
        }
    }
    rows
}

const GROUPS: [&str; 3] = ["Total", "Responders", "Non-responders"];

/// Sizes in the header or below it; variables above their levels or beside them, with or without statistics.
fn cohort(cells: &[Cell], at: usize) -> Rows {
    let with_statistic = cells.iter().any(|it| it[0] == "1" && it[3] == "statistic");
    let n = |group: &str| text(cells, ["1", "all", "n", group]);
    let is_beside = at % 4 == 1;
    let mut header = texts(if is_beside { &["Characteristic", "Level"] } else { &["Characteristic"] });
    let mut sizes = vec![String::new(); header.len()];
    for group in GROUPS {
        if at.is_multiple_of(3) {
            header.push(group.to_owned());
            sizes.push(format!("(n = {})", n(group)));
        } else {
            header.push(format!("{group} (n={})", n(group)));
        }
    }
    if with_statistic {
        header.push("χ2/t".to_owned());
    }
    header.push("P value".to_owned());
    let mut rows = vec![header.clone()];
    if at.is_multiple_of(3) {
        sizes.resize(header.len(), String::new());
        rows.push(sizes);
    }
    let tests = |row: &str| -> Vec<String> {
        let columns = if with_statistic { &["statistic", "P value"][..] } else { &["P value"] };
        columns.iter().map(|column| text(cells, ["1", "all", row, column])).collect()
    };
    let names: Vec<String> = rows_of(cells, "1", "all").into_iter().filter(|it| it != "n").collect();
    let mut done: Vec<String> = Vec::new();
    for name in &names {
        let variable = name.split(": ").next().unwrap().to_owned();
        if done.contains(&variable) {
            continue;
        }
        done.push(variable.clone());
        let levels: Vec<&String> = names.iter().filter(|it| it.starts_with(&format!("{variable}: "))).collect();
        let values = |row: &str| GROUPS.map(|group| text(cells, ["1", "all", row, group])).to_vec();
        if levels.is_empty() {
            let label = if is_beside { texts(&[&variable, ""]) } else { texts(&[&variable]) };
            rows.push([label, values(&variable), tests(&variable)].concat());
            continue;
        }
        if !is_beside {
            rows.push([texts(&[&format!("{variable}, n (%)"), "", "", ""]), tests(&variable)].concat());
        }
        for (index, level) in levels.iter().enumerate() {
            let level_name = level.split(": ").nth(1).unwrap();
            let label = match (is_beside, index) {
                (true, 0) => texts(&[&variable, level_name]),
                (true, _) => texts(&["", level_name]),
                (false, _) => texts(&[level_name]),
            };
            let blank = vec![String::new(); tests(&variable).len()];
            let tests = if is_beside && index == 0 { tests(&variable) } else { blank };
            rows.push([label, values(level), tests].concat());
        }
    }
    rows
}

const METRICS: [&str; 10] = ["TP", "FN", "TN", "FP", "Accuracy", "Sensitivity", "Specificity", "PPV", "NPV", "F1"];

/// Sets as a column, as sections, or above the models with the metrics in rows.
fn scores(cells: &[Cell], at: usize) -> Rows {
    let metrics: Vec<&str> =
        METRICS.into_iter().filter(|it| cells.iter().any(|cell| cell[0] == "3" && cell[3] == *it)).collect();
    let sets = [("training", "Training cohort"), ("test", "Test cohort")];
    let models = rows_of(cells, "3", "training");
    let mut rows: Rows = Vec::new();
    match at % 5 {
        0 | 3 => {
            rows.push([texts(&["Model", "Cohort"]), texts(&metrics)].concat());
            for model in &models {
                for (index, (set, name)) in sets.iter().enumerate() {
                    let values = metrics.iter().map(|it| text(cells, ["3", set, model, it]));
                    rows.push([texts(&[if index == 0 { model } else { "" }, name]), values.collect()].concat());
                }
            }
        }
        1 => {
            rows.push([texts(&["Model"]), texts(&metrics)].concat());
            for (set, name) in sets {
                rows.push([texts(&[name]), vec![String::new(); metrics.len()]].concat());
                for model in &models {
                    let values = metrics.iter().map(|it| text(cells, ["3", set, model, it]));
                    rows.push([texts(&[model]), values.collect()].concat());
                }
            }
        }
        2 => {
            let mut above = texts(&["Metric"]);
            let mut below = texts(&[""]);
            for (_, name) in sets {
                above.push(name.to_owned());
                above.extend(vec![String::new(); models.len() - 1]);
                below.extend(models.clone());
            }
            rows.extend([above, below]);
            for metric in &metrics {
                let values =
                    sets.iter().flat_map(|(set, _)| models.iter().map(|model| text(cells, ["3", set, model, metric])));
                rows.push([texts(&[metric]), values.collect()].concat());
            }
        }
        _ => {
            rows.push([texts(&["Metric"]), models.clone()].concat());
            for (set, name) in sets {
                rows.push([texts(&[name]), vec![String::new(); models.len()]].concat());
                for metric in &metrics {
                    let values = models.iter().map(|model| text(cells, ["3", set, model, metric]));
                    rows.push([texts(&[metric]), values.collect()].concat());
                }
            }
        }
    }
    rows
}

/// Estimate and interval in one cell, in two, or in three.
fn odds(cells: &[Cell], at: usize) -> Rows {
    const OR: &str = "multivariate OR (95%CI)";
    let mut rows = vec![match at % 3 {
        0 => texts(&["Variable", "OR (95% CI)", "P value"]),
        1 => texts(&["Variable", "OR", "95% CI", "P value"]),
        _ => texts(&["Variable", "OR", "Lower", "Upper", "P value"]),
    }];
    for row in rows_of(cells, "4", "all") {
        let (printed, p) =
            (text(cells, ["4", "all", &row, OR]), text(cells, ["4", "all", &row, "multivariate P value"]));
        let (estimate, rest) = printed.split_once(" (").unwrap();
        let interval = rest.trim_end_matches(')');
        let (low, high) = interval.split_once('-').unwrap();
        rows.push(match at % 3 {
            0 => texts(&[&row, &printed, &p]),
            1 => texts(&[&row, estimate, &format!("{low}–{high}"), &p]),
            _ => texts(&[&row, estimate, low, high, &p]),
        });
    }
    rows
}
