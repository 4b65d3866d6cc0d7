//! A row `Mean` or `SD` below the rows of folds or readers against these rows.

use crate::cells::{PublishedCell, Value};
use crate::finding::{Finding, Kind, Severity};
use crate::printed::{Interval, Printed};
use crate::read::words;
use crate::role::Role;

/// Rows that a mean is taken of, at the least.
const FEWEST: usize = 3;

/// What a row says that it is of the rows above.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Summary {
    Mean,
    Sd,
}

/// Means and SDs that the rows above do not have, where most others of the row follow.
pub fn check(cells: &[PublishedCell]) -> Vec<Finding> {
    let mut lines: Vec<(String, usize)> = Vec::new();
    for cell in cells.iter().filter(|it| matches!(it.role, Role::Average(_)) && words::is_average_row(&it.place.row)) {
        let key = (cell.place.table.clone(), cell.source.row_key());
        if !lines.contains(&key) {
            lines.push(key);
        }
    }
    lines.iter().flat_map(|(table, line)| row(cells, table, *line)).collect()
}

/// Whether a cell is held against the rows above it: there are enough of them.
pub fn is_of_rows_above(cells: &[PublishedCell], cell: &PublishedCell) -> bool {
    !parts(cell).is_empty() && above(cells, cell).len() >= FEWEST
}

fn row(cells: &[PublishedCell], table: &str, line: usize) -> Vec<Finding> {
    let own = cells.iter().filter(|it| it.place.table == table && it.source.row_key() == line);
    let own = own.filter(|it| matches!(it.role, Role::Average(_)));
    let mut right = 0;
    let mut wrong = Vec::new();
    for cell in own {
        let values = above(cells, cell);
        for (summary, printed) in parts(cell) {
            if values.len() < FEWEST {
                continue;
            }
            let possible = possible(summary, &values);
            match printed.loose().overlaps(possible) {
                true => right += 1,
                false => wrong.push((cell, summary, printed, possible, values.len())),
            }
        }
    }
    if right < 2 || right < 2 * wrong.len() {
        return Vec::new();
    }
    let finding = |(cell, summary, printed, possible, n): (&PublishedCell, Summary, Printed, Interval, usize)| {
        let word = if summary == Summary::Mean { "mean" } else { "SD" };
        Finding {
            kind: if summary == Summary::Mean { Kind::Mean } else { Kind::Sd },
            severity: Severity::Inconsistent,
            place: cell.place.clone(),
            printed: cell.printed.clone(),
            implied: printed.like(possible.middle()),
            alternatives: Vec::new(),
            why: format!("The {n} rows above have the {word} {}.", printed.like(possible.middle())),
        }
    };
    wrong.into_iter().map(finding).collect()
}

fn parts(cell: &PublishedCell) -> Vec<(Summary, Printed)> {
    let label = words::plain(&cell.place.row);
    let is_sd = label.starts_with("sd")
        || label.starts_with("std")
        || label.starts_with("s.d")
        || label.starts_with("standard dev");
    let is_mean = label.starts_with("mean") || label.starts_with("average");
    match cell.value {
        Value::MeanSd { mean, sd } if is_mean => vec![(Summary::Mean, mean), (Summary::Sd, sd)],
        Value::Number(number) if is_mean => vec![(Summary::Mean, number)],
        Value::Number(number) if is_sd => vec![(Summary::Sd, number)],
        _ => Vec::new(),
    }
}

/// The scores of the column in the rows above, back to the last average.
fn above(cells: &[PublishedCell], cell: &PublishedCell) -> Vec<Printed> {
    let same = |it: &&PublishedCell| {
        it.place.table == cell.place.table
            && it.place.set == cell.place.set
            && it.source.column == cell.source.column
            && it.source.row_key() < cell.source.row_key()
            && matches!(it.role, Role::Score(_))
    };
    let number = |it: &PublishedCell| match it.value {
        Value::Number(number) | Value::Estimate { estimate: number, .. } => Some(number),
        _ => None,
    };
    cells.iter().filter(same).filter_map(number).collect()
}

/// What the mean or the SD (of n - 1 or n) of numbers of these digits can be.
fn possible(summary: Summary, values: &[Printed]) -> Interval {
    let n = values.len() as f64;
    let mean = values.iter().map(|it| it.value()).sum::<f64>() / n;
    let half = values.iter().map(|it| it.unit()).fold(0.0, f64::max) * 0.5;
    if summary == Summary::Mean {
        return Interval { low: mean - half, high: mean + half };
    }
    let squares: f64 = values.iter().map(|it| (it.value() - mean).powi(2)).sum();
    let (of_n, of_fewer) = ((squares / n).sqrt(), (squares / (n - 1.0)).sqrt());
    // Each value is off by up to half a unit.
    Interval { low: (of_n - half).max(0.0), high: of_fewer + 1.5 * half }
}
