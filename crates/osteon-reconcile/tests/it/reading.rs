//! 29 printed tables against the reading that a person made of each by hand.

use std::path::Path;

use osteon_reconcile::cells::Value;
use osteon_reconcile::metric::Metric;
use osteon_reconcile::read::correction::Correction;
use osteon_reconcile::read::{Params, Reading, read};
use osteon_reconcile::role::{Role, RowRole};

/// The tables of a folder in order of their names, as they are read.
pub fn readings(folder: &Path) -> Vec<(String, Vec<Reading>)> {
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|it| it == "md") && !path.ends_with("README.md"));
    paths.sort();
    let one = |path: &std::path::PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let bytes = std::fs::read(path).unwrap();
        let readings = read(&bytes, &name, &Correction::default(), &Params::default()).unwrap();
        (name, readings)
    };
    paths.iter().map(one).collect()
}

/// Whether a cell has the role that a tidy column's name says.
fn agrees(role: &Role, row_role: &RowRole, column: &str) -> bool {
    match role {
        Role::Score(metric) | Role::Average(metric) => Metric::named(column) == Some(*metric),
        Role::P(_) => column.ends_with("P value"),
        Role::Statistic(_) => column == "statistic",
        Role::Estimate(_) => column.contains("OR (95%CI)"),
        Role::Group { .. } => {
            *row_role != RowRole::Sizes && Metric::named(column).is_none() && !column.ends_with("P value")
        }
        Role::StandardError | Role::Balance | Role::Unknown => false,
    }
}

#[test]
#[cfg_attr(not(reference), ignore = "needs the reference collection")]
fn the_cells_that_a_person_read_are_read_with_their_roles() {
    let Some(folder) = osteon_testing::shared("cases/published") else { return };
    let (mut right, mut all, mut wrong) = (0, 0, Vec::new());
    for (name, readings) in readings(&folder.join("tables")) {
        assert_eq!(readings.len(), 1, "{name}");
        let reading = &readings[0];
        let map = folder.join("expected").join(name.replace(".md", ".map.csv"));
        let map = std::fs::read_to_string(map).unwrap();
        let mut lines = csv::Reader::from_reader(map.as_bytes());
        for record in lines.records().map(Result::unwrap) {
            let (Ok(line), Ok(column)) = (record[5].parse::<usize>(), record[6].parse::<usize>()) else { continue };
            all += 1;
            let at = |it: &&osteon_reconcile::PublishedCell| {
                it.source.line == line && it.source.column == column && it.row_role != RowRole::Sizes
            };
            match reading.cells.iter().find(at) {
                Some(cell) if agrees(&cell.role, &cell.row_role, &record[3]) && cell.value != Value::Words => {
                    right += 1
                }
                Some(cell) => wrong
                    .push(format!("{name} {line}:{column} {:?} is {:?} {:?}", &record[3], cell.role, cell.row_role)),
                None => wrong.push(format!("{name} {line}:{column} {:?} {:?} was not read", &record[3], &record[4])),
            }
        }
    }
    println!("{right} of {all}");
    assert!(wrong.is_empty(), "{right} of {all} right\n{}", wrong.join("\n"));
}
